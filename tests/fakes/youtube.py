"""The YouTube Data API as documented, with its traps.

Counts are texts, and left out where they are hidden; videos that are gone are left out without
a word; errors name a reason and may be HTML; a chart has pages, a question for ids has none.

The Analytics API beside it: reports by video and day, whose newest days are missing or not complete
yet, with rows of deleted videos, without ``rows`` where there is nothing, and pages by place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.server import Fake, Reply, Request

KEY = "AIzaSyFake0123456789abcdefghijklmnopq"
CLIENT, SECRET = "1234-fake.apps.googleusercontent.com", "GOCSPX-fakeclientsecret"
REFRESH = "1//0fakeRefreshToken-0123456789"
CHANNEL, HANDLE, UPLOADS = "UCownchannel000000000001", "@myshop", "UUownchannel0000000000001"


PACIFIC = ZoneInfo("America/Los_Angeles")


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
    #: The time in reports: a day is there two days after its end, and whole after three.
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    #: Metrics that no report has.
    unsupported: tuple[str, ...] = ()
    #: Whether a report may be by day and video at once.
    by_video: bool = True
    #: Rows of a page, whatever is asked for.
    rows_of_page: int = 100_000
    #: Access tokens that are good.
    tokens: list[str] = field(default_factory=list)
    given_out: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def reply(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._token(request.form)
        if request.path == "/v2/reports":
            return self._authorised(request)
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

    def _token(self, form: dict[str, str]) -> Reply:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return Reply({"error": "invalid_client", "error_description": "Unauthorized"}, 401)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != REFRESH:
            told = "Token has been expired or revoked."
            return Reply({"error": "invalid_grant", "error_description": told}, 400)
        self.given_out += 1
        self.tokens = [f"ya29.fakeAccessToken{self.given_out}"]
        scope = "https://www.googleapis.com/auth/yt-analytics.readonly"
        found = {"access_token": self.tokens[0], "expires_in": 3599, "token_type": "Bearer"}
        return Reply({**found, "scope": scope})

    def _authorised(self, request: Request) -> Reply:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "authError", "Invalid Credentials", "global")
        query = request.query
        if missing := {"ids", "startDate", "endDate", "metrics"} - query.keys():
            return error(400, "required", f"Required parameter: {min(missing)}", "global")
        asked = query.get("filters", "").removeprefix("video==").split(",")
        dimensions = query.get("dimensions", "").split(",")
        metrics = query["metrics"].split(",")
        wide = "video" in dimensions
        if (
            query["ids"] != "channel==MINE"
            or dimensions not in (["day"], ["day", "video"])
            or not query.get("filters", "").startswith("video==")
            or (wide and not self.by_video)
            or set(metrics) & {*self.unsupported}
        ):
            return error(400, "badRequest", "The query is not supported.", "global")
        if len(asked) > 500 or int(query.get("startIndex", 1)) < 1:
            return error(400, "invalid", "Invalid value for filters.", "global")
        known = {one["id"]: one for one in self.own}
        if not known.keys() >= {*asked}:
            return error(403, "forbidden", "Forbidden", "global")
        rows = list(self._rows([known[one] for one in asked], query, wide))
        first, size = int(query.get("startIndex", 1)) - 1, int(query.get("maxResults", 100_000))
        page = rows[first : first + min(size, self.rows_of_page)]
        columns = [
            *(
                {"name": name, "columnType": "DIMENSION", "dataType": "STRING"}
                for name in dimensions
            ),
            *({"name": name, "columnType": "METRIC", "dataType": "INTEGER"} for name in metrics),
        ]
        body: dict[str, Any] = {"kind": "youtubeAnalytics#resultTable", "columnHeaders": columns}
        if page:
            body["rows"] = [[row[name] for name in (*dimensions, *metrics)] for row in page]
        return Reply(body)

    def _rows(
        self, videos: list[dict[str, Any]], query: dict[str, str], wide: bool
    ) -> Iterator[dict[str, Any]]:
        """By day, then by video."""
        first, last = (date.fromisoformat(query[name]) for name in ("startDate", "endDate"))
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            ended = datetime.combine(day + timedelta(days=1), datetime.min.time(), PACIFIC)
            if self.now - ended < timedelta(days=2):
                continue
            for video in videos:
                row = gained(video, day, whole=self.now - ended >= timedelta(days=3))
                if row is not None and (wide or not video.get("gone")):
                    yield {
                        **row,
                        "day": day.isoformat(),
                        "video": "" if video.get("gone") else video["id"],
                    }

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
        if query.get("regionCode") == "XX":
            return error(400, "invalidRegionCode", "The region code is invalid.", "youtube.region")
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


def gained(video: dict[str, Any], day: date, *, whole: bool = True) -> dict[str, Any] | None:
    """What a video gained on a day of California, half of it while the day is not ``whole``; None
    for a day on which nobody saw it, such as every fifth of its life."""
    age = (day - datetime.fromisoformat(video["publishedAt"]).astimezone(PACIFIC).date()).days
    if age < 0 or age % 5 == 4:
        return None
    views = (video["viewCount"] >> (age + 1)) // (1 if whole else 2)
    if views == 0:
        return None
    return {
        "views": views, "engagedViews": views // 2, "likes": views // 20, "dislikes": 0,
        "comments": views // 100, "shares": views // 50,
        "estimatedMinutesWatched": views * 9 // 60, "averageViewDuration": 8 + age % 3,
        "averageViewPercentage": 61.5, "subscribersGained": views // 40,
        "subscribersLost": age % 2, "videoThumbnailImpressions": 2 * views,
        "videoThumbnailImpressionsClickRate": 0.04 if age else 0.08,
    }  # fmt: skip


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
        f"export ACE_YOUTUBE_CLIENT_ID={CLIENT} ACE_YOUTUBE_CLIENT_SECRET={SECRET}",
        f"export ACE_YOUTUBE_REFRESH_TOKEN={REFRESH}",
        "ace load youtube --analytics",
        "ace load youtube --trending US --search 'water bottle'",
        "ace run",
    ]
