"""The YouTube Data API as documented, with its traps.

Counts are texts, and left out where they are hidden; videos that are gone are left out without
a word; errors name a reason and may be HTML; a chart has pages, a question for ids has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.server import Fake, Reply, Request

KEY = "AIzaSyFake0123456789abcdefghijklmnopq"
CHANNEL, HANDLE, UPLOADS = "UCownchannel000000000001", "@myshop", "UUownchannel0000000000001"


def error(status: int, reason: str, message: str = "", domain: str = "youtube.quota") -> Reply:
    """An error as Google writes it."""
    errors = [{"message": message, "domain": domain, "reason": reason}]
    return Reply({"error": {"code": status, "message": message, "errors": errors}}, status)


@dataclass
class FakeYouTube(Fake):
    """``own`` are our channel's uploads, ``others`` the videos of everybody, newest last."""

    own: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    #: Units that are left of the day.
    units: int = 10_000

    def __post_init__(self) -> None:
        super().__init__()

    def reply(self, request: Request) -> Reply:
        given = request.headers.get("x-goog-api-key") or request.query.get("key")
        if given != KEY:
            return error(400, "badRequest", "API key not valid. Please pass a valid API key.")
        what = request.path.removeprefix("/youtube/v3/")
        if not what.startswith("search"):
            self.units -= 1
        if self.units < 0:
            exceeded = 'You have exceeded your <a href="/youtube/quota">quota</a>.'
            return error(403, "quotaExceeded", exceeded)
        query = request.query
        answers = {
            "videos": self._videos, "channels": self._channels, "search": self._search,
            "playlistItems": self._items,
        }  # fmt: skip
        if what not in answers:
            return error(404, "notFound", "Not found", "global")
        if "part" not in query:
            return error(400, "missingRequiredParameter", "part", "global")
        if not 0 <= int(query.get("maxResults", 5)) <= 50:
            return error(400, "invalidParameter", "maxResults", "global")
        return answers[what](query)

    def _videos(self, query: dict[str, str]) -> Reply:
        if ("id" in query) == ("chart" in query):
            return error(400, "incompatibleParameters", "one filter", "youtube.parameter")
        if "id" in query:
            ids = query["id"].split(",")
            if len(ids) > 50 or {"maxResults", "pageToken"} & query.keys():
                return error(400, "invalidFilters", "id", "youtube.parameter")
            there = {one["id"]: one for one in (*self.own, *self.others) if not one.get("gone")}
            found = [there[one] for one in ids if one in there]
            return self._list("video", [_video(one, query["part"]) for one in found], query, False)
        newest = self.others[::-1][:200]
        return self._list("video", [_video(one, query["part"]) for one in newest], query, True)

    def _channels(self, query: dict[str, str]) -> Reply:
        ours = query.get("id") == CHANNEL or query.get("forHandle", "").lower() == HANDLE
        playlists = {"relatedPlaylists": {"likes": "", "uploads": UPLOADS}}
        item = {"kind": "youtube#channel", "etag": "e", "id": CHANNEL, "contentDetails": playlists}
        if not ours:
            # Nothing found: no items at all.
            pages = {"totalResults": 0, "resultsPerPage": 5}
            return Reply({"kind": "youtube#channelListResponse", "etag": "e", "pageInfo": pages})
        return self._list("channel", [item], query, False)

    def _items(self, query: dict[str, str]) -> Reply:
        if query.get("playlistId") != UPLOADS:
            return error(404, "playlistNotFound", "The playlist cannot be found.", "youtube")
        items = []
        for one in self.own[::-1]:
            gone = one.get("gone")
            details = {"videoId": one["id"]}
            if not gone:
                details["videoPublishedAt"] = one["publishedAt"]
            items.append({"kind": "youtube#playlistItem", "etag": "e", "contentDetails": details})
        return self._list("playlistItem", items, query, True)

    def _search(self, query: dict[str, str]) -> Reply:
        after = query.get("publishedAfter", "")
        found = [
            one for one in self.others[::-1]
            if query.get("q", "") in one["title"] and one["publishedAt"] >= after
        ]  # fmt: skip
        items = [
            {"kind": "youtube#searchResult", "etag": "e",
             "id": {"kind": "youtube#video", "videoId": one["id"]},
             "snippet": {"title": one["title"], "publishedAt": one["publishedAt"]}}
            for one in found
        ]  # fmt: skip
        return self._list("search", items, query, True)

    def _list(
        self, kind: str, items: list[dict[str, Any]], query: dict[str, str], paged: bool
    ) -> Reply:
        body: dict[str, Any] = {"kind": f"youtube#{kind}ListResponse", "etag": "e"}
        size = int(query.get("maxResults", 5)) if paged else max(len(items), 1)
        try:
            first = int(query.get("pageToken", "P0").removeprefix("P"))
        except ValueError:
            return error(400, "invalidPageToken", "The page token is not valid.", "youtube")
        if paged and first + size < len(items):
            body["nextPageToken"] = f"P{first + size}"
        if paged and first:
            body["prevPageToken"] = f"P{max(0, first - size)}"
        body["items"] = items[first : first + size]
        body["pageInfo"] = {"totalResults": len(items), "resultsPerPage": size}
        return Reply(body)


def _video(one: dict[str, Any], parts: str) -> dict[str, Any]:
    """The parts that were asked for; hidden counts are left out."""
    counts = {name: str(one[name]) for name in ("viewCount", "likeCount", "commentCount")
              if one.get(name) is not None}  # fmt: skip
    snippet = {
        "publishedAt": one["publishedAt"], "channelId": CHANNEL, "title": one["title"],
        "description": "", "channelTitle": one["channelTitle"], "categoryId": "22",
        "thumbnails": {}, "liveBroadcastContent": "none",
    }  # fmt: skip
    if one.get("tags"):
        snippet["tags"] = one["tags"]
    every = {
        "snippet": snippet,
        "statistics": {**counts, "favoriteCount": "0"},
        "contentDetails": {"duration": "PT15S", "caption": "false", "licensedContent": True},
        "status": {"privacyStatus": "public", "containsSyntheticMedia": True},
    }
    asked = {name: every[name] for name in parts.split(",") if name in every}
    return {"kind": "youtube#video", "etag": "e", "id": one["id"], **asked}


def videos(count: int, last: datetime, *, prefix: str, channel: str) -> list[dict[str, Any]]:
    """Videos five hours apart, the newest at ``last``; every seventh hides its likes."""
    return [
        {
            "id": f"{prefix}{n:07}xyz"[:11],
            "publishedAt": f"{last - timedelta(hours=5) * (count - 1 - n):%Y-%m-%dT%H:%M:%SZ}",
            "title": f"Tip {n} for a water bottle", "channelTitle": channel,
            "tags": ["tips", f"n{n % 5}"] if n % 3 else [], "viewCount": 500 + 17 * n,
            "likeCount": None if n % 7 == 3 else 20 + n, "commentCount": n % 11,
        }
        for n in range(count)
    ]  # fmt: skip


def make() -> tuple[Fake, list[str]]:
    """A fake to try by hand, and how."""
    now = datetime.now(UTC).replace(microsecond=0)
    fake = FakeYouTube(
        own=videos(80, now, prefix="own", channel="My shop"),
        others=videos(300, now, prefix="oth", channel="Somebody"),
    )
    return fake, [
        f"export ACE_YOUTUBE_URL={{url}} ACE_YOUTUBE_KEY={KEY}",
        f"ace load youtube --channel {HANDLE} --adopt 'My shop'",
        "ace load youtube --trending US --search 'water bottle'",
        "ace run",
    ]
