"""TikTok's Research and Display APIs as documented, with the traps that real clients met.

Ids are numbers beyond 2^53 in one and texts in the other; cursors an index and milliseconds;
pages come short or empty while there are more; empty fields are left out; a search expires;
refresh tokens change with every use; errors of tokens are flat.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.server import Fake, Reply, Request

KEY, SECRET = "awkey0123456789", "aw+secret/0123456789"
REFRESH = "rft.first-0123456789abcdef!5678"
#: Fields of the Research API whose absence or zero is left out.
_FIRST_ID = 7_320_768_022_002_650_411


def error(code: str, message: str = "", status: int = 400) -> Reply:
    """An error in the API's envelope."""
    body = {"data": {}, "error": {"code": code, "message": message, "log_id": "20261127"}}
    return Reply(body, status)


@dataclass
class FakeTikTok(Fake):
    """``videos`` of the public and ``posts`` of our own account, newest last.

    ``sparse`` makes every third page of the research empty, as if its videos were gone.
    ``search_lives`` is how many pages a search gives before it expires, ``lives`` how many
    requests an access token is good for. ``rotates``: each use of a refresh token gives another,
    else the same one again, as TikTok may do either.
    """

    videos: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    sparse: bool = False
    lives: int = 10**9
    rotates: bool = True
    search_lives: int = 10**9

    def __post_init__(self) -> None:
        super().__init__()
        self.refresh = REFRESH
        self._access: dict[str, int] = {}
        self._tokens = 0
        #: Searches that are known, and the pages they gave; taking one out makes it expire.
        self.searches: dict[str, int] = {}
        #: Ids of all videos of the research that were ever given out.
        self.served: set[str] = set()

    def reply(self, request: Request) -> Reply:
        if request.path == "/v2/oauth/token/":
            return self._token(request.form)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._access.get(token, 0) <= 0:
            return error("access_token_invalid", "The access token is invalid.", 401)
        self._access[token] -= 1
        if "fields" not in request.query:
            return error("invalid_params", "fields is required")
        body = request.json
        wanted = request.query["fields"].split(",")
        if request.path == "/v2/research/video/query/":
            return self._research(body, wanted) if token.startswith("clt.") else _scope()
        if not token.startswith("act."):
            return _scope()
        if request.path == "/v2/video/list/":
            return self._list(body, wanted)
        if request.path == "/v2/video/query/":
            return self._query(body, wanted)
        return error("invalid_params", "no such endpoint", 404)

    def _token(self, form: dict[str, str]) -> Reply:
        if form.get("client_key") != KEY or form.get("client_secret") != SECRET:
            described = "Client key or secret is incorrect."
            flat = {"error": "invalid_client", "error_description": described, "log_id": "1"}
            return Reply(flat, 401)
        self._tokens += 1
        if form["grant_type"] == "client_credentials":
            token = f"clt.access{self._tokens:04}-0123456789abcdef"
            self._access[token] = self.lives
            return Reply({"access_token": token, "expires_in": 7200, "token_type": "Bearer"})
        if form.get("refresh_token") != self.refresh:
            described = "Refresh token is invalid or expired."
            return Reply({"error": "invalid_grant", "error_description": described}, 400)
        token = f"act.access{self._tokens:04}-0123456789abcdef"
        self._access[token] = self.lives
        if self.rotates:
            self.refresh = f"rft.next{self._tokens:04}-0123456789abcdef!9"
        return Reply(
            {
                "access_token": token, "expires_in": 86_400, "refresh_token": self.refresh,
                "refresh_expires_in": 31_536_000, "open_id": "u", "scope": "video.list",
                "token_type": "Bearer",
            }
        )  # fmt: skip

    def _research(self, body: dict[str, Any], wanted: list[str]) -> Reply:
        query = body.get("query") or {}
        if not any(query.get(name) for name in ("and", "or", "not")):
            return error("invalid_params", "query is empty")
        first, last = (_day(body.get(name)) for name in ("start_date", "end_date"))
        if first is None or last is None or last > first + timedelta(days=30) or last < first:
            return error("invalid_params", "The date range must be at most 30 days.")
        size = body.get("max_count", 20)
        if not 1 <= size <= 100:
            return error("invalid_params", "max_count must be 1 to 100")
        asked = repr((query, first, last))
        search = str(int(hashlib.md5(asked.encode()).hexdigest()[:15], 16))
        cursor = body.get("cursor", 0)
        known = body.get("search_id") == search and search in self.searches
        if (cursor or "search_id" in body) and not known:
            return error("invalid_params", "Search Id is invalid or expired")
        self.searches[search] = self.searches[search] + 1 if cursor else 1
        if self.searches[search] >= self.search_lives:
            del self.searches[search]
        found = [
            video
            for video in reversed(self.videos)
            if first <= datetime.fromtimestamp(video["create_time"], UTC).date() <= last
            and _matches(video, query)
        ]
        page = found[cursor : cursor + size]
        more = cursor + size < len(found)
        if self.sparse and more and cursor // size % 3 == 1:
            page = []
        # Gone ones are taken out afterwards, so that a page is short.
        page = [video for video in page if not video.get("gone")]
        self.served |= {str(video["id"]) for video in page}
        data = {
            "videos": [_shown(video, wanted) for video in page],
            "cursor": cursor + size,
            "has_more": more,
            "search_id": search,
        }
        return Reply({"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}})

    def _list(self, body: dict[str, Any], wanted: list[str]) -> Reply:
        size = body.get("max_count", 10)
        if not 1 <= size <= 20:
            return error("invalid_params", "max_count must be 1 to 20")
        before = body.get("cursor", 10**15)
        older = [post for post in reversed(self.posts) if post["create_time"] * 1000 < before]
        page = older[:size]
        data = {
            # Private ones are taken out afterwards.
            "videos": [_own(post, wanted) for post in page if not post.get("gone")],
            "cursor": page[-1]["create_time"] * 1000 if page else before,
            "has_more": len(older) > size,
        }
        return Reply({"data": data, "error": {"code": "ok", "message": "", "log_id": "1"}})

    def _query(self, body: dict[str, Any], wanted: list[str]) -> Reply:
        ids = body.get("filters", {}).get("video_ids") or []
        if not 1 <= len(ids) <= 20:
            return error("invalid_params", "video_ids must be 1 to 20")
        if not all(isinstance(one, str) and one.isdigit() and int(one) < 2**63 for one in ids):
            return error("invalid_params", "video_ids are invalid")
        there = {str(post["id"]): post for post in self.posts if not post.get("gone")}
        videos = [_own(there[one], wanted) for one in ids if one in there]
        return Reply({"data": {"videos": videos}, "error": {"code": "ok", "message": ""}})


def _scope() -> Reply:
    return error("scope_not_authorized", "The user did not authorize the scope required.", 401)


def _day(text: Any) -> Any:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except (TypeError, ValueError):
        return None


def _matches(video: dict[str, Any], query: dict[str, Any]) -> bool:
    def one(condition: dict[str, Any]) -> bool:
        values, name = condition["field_values"], condition["field_name"]
        if name == "keyword":
            return any(value in video.get("video_description", "") for value in values)
        if name == "hashtag_name":
            return not set(values).isdisjoint(video.get("hashtag_names", []))
        return video.get(name) in values

    either = query.get("or")
    return all(map(one, query.get("and", []))) and (not either or any(map(one, either)))


def _shown(video: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """Only what was asked for, and nothing empty."""
    return {name: video[name] for name in wanted if video.get(name) not in (None, "", [])}


def _own(post: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    return {**{name: post[name] for name in wanted if name in post}, "id": str(post["id"])}


def videos(count: int, last: datetime) -> list[dict[str, Any]]:
    """Videos of the Research API, one an hour, the newest at ``last``."""
    begun = int(last.timestamp()) - 3600 * (count - 1)
    return [
        {
            "id": _FIRST_ID + 1000 * n, "create_time": begun + 3600 * n, "region_code": "US",
            "username": f"user{n % 7}", "video_description": f"number {n} #funny #cats",
            "music_id": 7_320_768_168_337_967_915, "like_count": n * 3, "comment_count": n % 5,
            "share_count": n % 3, "view_count": 100 * n, "hashtag_names": ["funny", "cats"],
            "effect_ids": ["63960564"], "video_duration": 15,
        }
        for n in range(count)
    ]  # fmt: skip


def posts(count: int, last: datetime) -> list[dict[str, Any]]:
    """Our own posts, one each five hours, the newest at ``last``."""
    begun = int(last.timestamp()) - 18_000 * (count - 1)
    return [
        {
            "id": _FIRST_ID + 7000 * n, "create_time": begun + 18_000 * n, "title": f"Tip {n}",
            "video_description": f"Tip {n}: see how it works #tips #howto", "duration": 20,
            "share_url": f"https://www.tiktok.com/@shop/video/{_FIRST_ID + 7000 * n}",
            "height": 1024, "width": 576, "like_count": 40 + n, "comment_count": n % 9,
            "share_count": n % 4, "view_count": 900 + 31 * n,
        }
        for n in range(count)
    ]  # fmt: skip


def make() -> tuple[Fake, list[str]]:
    """A fake to try by hand, and how."""
    now = datetime.now(UTC).replace(microsecond=0)
    fake = FakeTikTok(videos=videos(500, now), posts=posts(60, now))
    keys = f"ACE_TIKTOK_CLIENT_KEY={KEY} ACE_TIKTOK_CLIENT_SECRET={SECRET}"
    research = f"ACE_TIKTOK_RESEARCH_KEY={KEY} ACE_TIKTOK_RESEARCH_SECRET={SECRET}"
    return fake, [
        "export ACE_TIKTOK_URL={url}",
        f"export {keys} ACE_TIKTOK_REFRESH_TOKEN={REFRESH}",
        f"export {research}",
        "ace load tiktok --adopt 'My shop'",
        "ace load tiktok-research --hashtag funny",
        "ace run",
    ]
