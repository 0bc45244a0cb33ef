"""A fake Graph API: an account with media, stories, insights and hashtags.

It behaves as documented, with what is easily forgotten: pages that are empty with more to come,
a ``next`` that holds the token, counts that are not there, a request that fails as a whole for
one metric, throttles with HTTP 400, and a cursor that stays the same.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.fakes.server import Fake, Reply, Request

TOKEN = "IGAAfakeTokenOfInstagramLogin0123456789"
FACEBOOK_TOKEN = "EAAfakeTokenOfFacebookLogin0123456789"
ACCOUNT = "17841400000000001"
FIELDS = frozenset({
    "id", "caption", "media_type", "media_product_type", "permalink", "shortcode", "timestamp",
    "username", "like_count", "comments_count", "view_count", "shares_count", "saved_count",
    "reposts_count", "is_ai_generated", "is_comment_enabled", "is_shared_to_feed", "media_url",
})  # fmt: skip
_ALL = ("views", "reach", "shares", "total_interactions", "reposts")
METRICS: dict[str, tuple[str, ...]] = {
    "FEED": (*_ALL, "likes", "comments", "saved", "follows", "profile_visits"),
    "REELS": (
        *_ALL, "likes", "comments", "saved", "ig_reels_avg_watch_time",
        "ig_reels_video_view_total_time", "reels_skip_rate",
    ),
    "STORY": (*_ALL, "follows", "profile_visits", "replies", "navigation", "link_clicks"),
}  # fmt: skip


def error(
    code: int, message: str, *, subcode: int | None = None, status: int = 400, **headers: str
) -> Reply:
    body: dict[str, Any] = {
        "message": f"(#{code}) {message}",
        "type": "OAuthException",
        "code": code,
        "fbtrace_id": "AbCdEf",
    }
    if subcode is not None:
        body["error_subcode"] = subcode
    return Reply({"error": body}, status, headers)


def throttled(code: int = 4, minutes: int | None = None) -> Reply:
    """Too many calls; ``minutes`` until they are allowed again stand in a header."""
    usage = [{"type": "instagram", "call_count": 100, "total_cputime": 1, "total_time": 1,
              "estimated_time_to_regain_access": minutes}]  # fmt: skip
    headers = {"X-Business-Use-Case-Usage": json.dumps({ACCOUNT: usage})} if minutes else {}
    reply = error(code, "Application request limit reached")
    return Reply(reply.body, 400, headers)


def media(number: int, product: str = "REELS", **fields: Any) -> dict[str, Any]:
    """A media; a field that is None is not there."""
    at = datetime(2026, 11, 1, 7, tzinfo=UTC) + timedelta(hours=number)
    made = {
        "id": str(17_900_000_000_000_000 + number),
        "caption": f"Take {number} #tinyhome",
        "media_type": "VIDEO",
        "media_product_type": product,
        "permalink": f"https://www.instagram.com/reel/Fake{number}/",
        "shortcode": f"Fake{number}",
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "username": "ace.shop",
        "like_count": 10 + number,
        "comments_count": number,
        "is_ai_generated": True,
    } | fields
    return {name: value for name, value in made.items() if value is not None}


class FakeInstagram(Fake):
    """``per_page`` media at most on a page, whatever is asked for; ``holes`` are pages that are
    empty with more to come; ``insights`` are values of metrics by media, which has the others
    made up; None of a media says that it has no data yet.
    """

    def __init__(self, own: list[dict[str, Any]], *, per_page: int = 100) -> None:
        super().__init__()
        self.own, self.per_page = own, per_page
        self.stories: list[dict[str, Any]] = []
        self.hashtags: dict[str, list[dict[str, Any]]] = {}
        #: Ids of hashtags that were asked for in the last seven days.
        self.searched: list[str] = []
        self.token, self.next_token = TOKEN, "IGAAfakeTokenThatCameOfARenewal98765"
        self._place: dict[str, int] = {}
        self.holes: frozenset[int] = frozenset()
        self.insights: dict[str, dict[str, Any] | None] = {}
        self.fields = FIELDS
        self.metrics = dict(METRICS)

    def reply(self, request: Request) -> Reply:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.path == "/refresh_access_token" and token == self.token:
            self.token = self.next_token
            expires = {"token_type": "bearer", "expires_in": 5_184_000}
            return Reply({"access_token": self.token, **expires})
        if token not in (TOKEN, FACEBOOK_TOKEN, self.token):
            return error(190, "Error validating access token", subcode=463, status=401)
        parts = request.path.strip("/").split("/")[1:]
        match parts:
            case [account, "media"] if account in (ACCOUNT, "me"):
                since = int(request.query.get("since", "0"))
                own = [one for one in self.own if _seconds(one) >= since]
                return self._page(request, own, token)
            case [account, "stories"] if account in (ACCOUNT, "me"):
                return self._page(request, self.stories, token)
            case [one, "insights"]:
                return self._insights(request, one)
            case [_, "recently_searched_hashtags"]:
                return Reply({"data": [{"id": one} for one in self.searched]})
            case ["ig_hashtag_search"]:
                return self._search(request)
            case [one, "recent_media" | "top_media"]:
                return self._found(request, one)
            case [one] if one in self._known():
                known = self._known()[one]
                fields = request.query["fields"].split(",")
                return Reply({name: known[name] for name in fields if name in known})
            case _:
                return error(100, "Unsupported get request. Object does not exist", subcode=33)

    def _known(self) -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in [*self.own, *self.stories]}

    def _page(
        self,
        request: Request,
        found: list[dict[str, Any]],
        token: str,
    ) -> Reply:
        fields = request.query.get("fields", "id").split(",")
        for name in fields:
            if name not in self.fields:
                return error(100, f"Tried accessing nonexisting field ({name}) on node type")
        number = int(request.query.get("after", "page0").removeprefix("page"))
        size = min(int(request.query.get("limit", "25")), self.per_page)
        # A hole shifts what follows it to the next page.
        before = number - sum(hole < number for hole in self.holes)
        data = [] if number in self.holes else found[before * size :][:size]
        done = before * size + (0 if number in self.holes else size)
        body: dict[str, Any] = {
            "data": [{name: one[name] for name in fields if name in one} for one in data]
        }
        if data or done < len(found):
            after = f"page{number + 1}"
            body["paging"] = {"cursors": {"before": "x", "after": after}}
            if done < len(found):
                query = {**request.query, "access_token": token, "after": after}
                # Instagram's own address, wherever the fake is.
                address = f"https://graph.facebook.com{request.path}?{urlencode(query)}"
                body["paging"]["next"] = address
        return Reply(body)

    def _search(self, request: Request) -> Reply:
        if request.query["q"] not in self.hashtags:
            return error(24, "The requested resource does not exist", subcode=2207024)
        one = f"1784{sorted(self.hashtags).index(request.query['q']):013}"
        if one not in self.searched and len(self.searched) >= 30:
            return error(18, "Exceeded 30 unique hashtags within 7 days", subcode=2207034)
        self.searched.append(one)
        return Reply({"data": [{"id": one}]})

    def _found(self, request: Request, one: str) -> Reply:
        """A hashtag's media; the cursor is the same on every page."""
        found = self.hashtags[sorted(self.hashtags)[int(one[4:])]]
        # The server knows where a reader is; the cursor does not say it.
        asked = self._place.get(request.path, 0) if "after" in request.query else 0
        self._place[request.path] = asked + 1
        fields = request.query["fields"].split(",")
        data = found[asked * self.per_page :][: self.per_page]
        shown = [{name: each[name] for name in fields if name in each} for each in data]
        paging: dict[str, Any] = {"cursors": {"after": "same"}}
        if (asked + 1) * self.per_page < len(found):
            paging["next"] = f"https://graph.facebook.com{request.path}?access_token=x&after=same"
        return Reply({"data": shown, "paging": paging})

    def _insights(self, request: Request, one: str) -> Reply:
        known = self._known()
        if one not in known:
            return error(100, f"Object with ID '{one}' does not exist", subcode=33)
        product = known[one].get("media_product_type", "FEED")
        metrics = request.query["metric"].split(",")
        for place, name in enumerate(metrics):
            if name not in self.metrics[product]:
                allowed = ", ".join(self.metrics[product])
                return error(100, f"metric[{place}] must be one of the following values: {allowed}")
        values = self.insights.get(one, {})
        if values is None:
            return Reply({"data": []})
        number = int(one) % 1000
        return Reply({
            "data": [
                {"name": name, "period": "lifetime", "title": name, "description": name,
                 "values": [{"value": values.get(name, 100 + number)}],
                 "id": f"{one}/insights/{name}/lifetime"}
                for name in metrics
            ]
        })  # fmt: skip


def _seconds(one: dict[str, Any]) -> float:
    return datetime.strptime(one["timestamp"], "%Y-%m-%dT%H:%M:%S%z").timestamp()


def make() -> tuple[Fake, list[str]]:
    """A fake to try by hand, and how."""
    products = ("REELS", "REELS", "FEED")
    own = [media(n, products[n % 3]) for n in range(250, 0, -1)]
    return FakeInstagram(own), [
        f"export ACE_INSTAGRAM_URL={{url}} ACE_INSTAGRAM_TOKEN={TOKEN}",
        "ace load instagram --adopt 'My shop'",
        "ace run",
    ]
