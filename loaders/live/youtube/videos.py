"""``ace load youtube``: charts, searches, a channel's uploads, and known posts by their ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from loaders.landing import Landing
from loaders.landing.metadata import iso, parse_iso, utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.known import posts_to_poll
from loaders.live.outcomes import Refused
from loaders.live.source import Asking, Sending, Source
from loaders.live.youtube.errors import BASE, judge
from loaders.presets.youtube_api import YOUTUBE_API

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

#: The most that a page, or a question for ids, may hold.
PAGE = 50
#: Ids are joined by commas in a question; their length is no promise.
_ID = re.compile("[A-Za-z0-9_-]{1,64}")
PARTS = "snippet,statistics,contentDetails,status"
#: What a day allows, since 1 June 2026: searches have a count of their own, all else costs a unit.
UNITS, SEARCHES = 10_000, 100
#: Pages of a search: about 500 results can be reached.
SEARCH_PAGES = 10
#: How often a list is begun anew whose next page YouTube no longer knows.
RESTARTS = 2
#: A search begins so long before the last one ended: videos are found some time after they came.
OVERLAP = timedelta(hours=12)
#: A channel's id; any other name is a handle, also one that begins with UC.
CHANNEL_ID = re.compile(r"UC[\w-]{22}")
_PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass
class YouTube(Source):
    """What one call wants; each kind is asked for in turn."""

    key: str = field(repr=False)
    landing: Landing
    base: str = BASE
    #: Regions whose trending chart is wanted, as ``US``.
    trending: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    #: Our own channels, as ``@handle`` or ``UC...``.
    channels: tuple[str, ...] = ()
    #: The known posts that are due.
    posts: bool = False
    #: The first day of uploads and searches; all uploads, and 7 days of searches, without it.
    since: date | None = None
    #: How many pages a search may take, of one search of the day's 100 each.
    search_pages: int = 1

    name, command, preset = "youtube", "youtube", "youtube-api"
    per_second = 10.0
    daily = {"units": UNITS, "searches": SEARCHES}  # noqa: RUF012

    @property
    def options(self) -> Mapping[str, Any]:
        return {
            "trending": self.trending,
            "searches": self.searches,
            "channels": self.channels,
            "posts": self.posts,
            "since": self.since and self.since.isoformat(),
            "pages": self.search_pages,
        }

    def given(self, cursor: dict[str, Any] | None) -> Any:
        known = posts_to_poll(self.landing, "youtube", utc_now()) if self.posts else []
        # One that is no id could have its whole batch refused.
        posts = [one for one in known if _ID.fullmatch(one)]
        return {"posts": posts, "searched": cursor and cursor.get("searched")}

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any] | None:
        """Our own first: what they showed at a moment is not to be had later. One that is refused
        keeps no other from being asked for."""
        searched = parse_iso(given["searched"]) if given["searched"] else None
        since = self._search_from(searched, begun_at)
        self._try("the known posts", lambda: self._own(ask, given["posts"]))
        for one in self.channels:
            self._try(f"the channel {one}", partial(self._channel, ask, one))
        for one in self.trending:
            self._try(f"the chart of {one}", partial(self._chart, ask, one))
        found = [
            self._try(f"the search for {one}", partial(self._search, ask, one, since))
            for one in self.searches
        ]
        # Where one failed, the next begins where this did.
        return {"searched": iso(begun_at)} if found and all(found) else None

    def _try(self, what: str, walk: Callable[[], None]) -> bool:
        """Whether it was not refused."""
        try:
            walk()
        except Refused as refused:
            self.failures.append(f"{what} ({str(refused).rstrip('.')})")
            return False
        return True

    def _own(self, ask: Asking, ids: Iterable[str]) -> None:
        for batch in _batches(ids):
            ask(_by_id(batch, "own"))

    def _channel(self, ask: Asking, channel: str) -> None:
        self._own(ask, _unseen(self._uploads(ask, channel)))

    def _search_from(self, searched: datetime | None, begun_at: datetime) -> datetime:
        if searched is not None:
            return searched - OVERLAP
        if self.since is not None:
            return datetime.combine(self.since, time(), begun_at.tzinfo)
        return begun_at - timedelta(days=7)

    def _uploads(self, ask: Asking, channel: str) -> Iterator[str]:
        """Ids of a channel's videos, newest first; none that is deleted or private."""
        which = {"id": channel} if CHANNEL_ID.fullmatch(channel) else {"forHandle": channel}
        answer = ask(_question("channels", {"part": "contentDetails", **which}))
        found = answer.document.get("items") or []
        if not found:
            raise Refused(f"there is no channel {channel}", answer, "channelNotFound")
        for one in found:
            playlist = one["contentDetails"]["relatedPlaylists"]["uploads"]
            query = {"part": "contentDetails", "playlistId": playlist, "maxResults": str(PAGE)}
            for page in self._listed(ask, query):
                items = [item["contentDetails"] for item in page.get("items") or []]
                public = [item for item in items if item.get("videoPublishedAt")]
                recent = [item for item in public if self._is_recent(item["videoPublishedAt"])]
                yield from (item["videoId"] for item in recent)
                if public and not recent:
                    break

    def _listed(self, ask: Asking, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The pages of a channel's uploads; none where it never uploaded anything."""
        try:
            yield from _pages(ask, "playlistItems", query)
        except Refused as refused:
            if refused.code != "playlistNotFound":
                raise

    def _is_recent(self, published_at: str) -> bool:
        return self.since is None or published_at[:10] >= self.since.isoformat()

    def _chart(self, ask: Asking, region: str) -> None:
        query = {"part": PARTS, "chart": "mostPopular", "regionCode": region,
                 "maxResults": str(PAGE)}  # fmt: skip
        list(_pages(ask, "videos", query, kind="others", about={"region": region}))

    def _search(self, ask: Asking, words: str, since: datetime) -> None:
        """Find ids, then ask for what a search does not tell: their counts."""
        query = {
            "part": "snippet", "q": words, "type": "video", "order": "date",
            "publishedAfter": f"{since:%Y-%m-%dT%H:%M:%SZ}", "maxResults": str(PAGE),
        }  # fmt: skip
        most = min(self.search_pages, SEARCH_PAGES)
        seen: set[str] = set()
        for page in _pages(ask, "search", query, bucket="searches", most=most):
            keys = [item.get("id") for item in page.get("items") or []]
            ids = [key["videoId"] for key in keys if isinstance(key, dict) and key.get("videoId")]
            for batch in _batches(_unseen(ids, seen)):
                ask(_by_id(batch, "others", {"search": words}))

    def headers(self, send: Sending) -> dict[str, str]:
        return {"X-Goog-Api-Key": self.key}

    def secrets(self) -> list[str]:
        return [self.key]

    def judge(self, ask: Ask, answer: Answer) -> None:
        judge(answer)

    def resets_at(self, bucket: str, now: datetime) -> datetime:
        """At midnight in California."""
        there = now.astimezone(_PACIFIC)
        day = there.date() + timedelta(days=1)
        return datetime.combine(day, time(), _PACIFIC).astimezone(now.tzinfo)

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterable[PresetRecord]:
        if ask.kind == "own":
            return super().records(ask, answer, plan)
        if ask.kind == "others" and answer.status < 400:
            document = dict(answer.document)
            document.setdefault("regionCode", ask.about.get("region"))
            return YOUTUBE_API.with_options(others=True).records(document)
        return ()


def _question(
    what: str,
    query: dict[str, str],
    kind: str = "",
    about: dict[str, Any] | None = None,
    bucket: str = "units",
) -> Ask:
    return Ask(f"/youtube/v3/{what}", query, kind=kind, about=about or {}, bucket=bucket)


def _by_id(ids: list[str], kind: str, about: dict[str, Any] | None = None) -> Ask:
    """Videos by their ids: those that are gone are left out of the answer without a word."""
    return _question("videos", {"part": PARTS, "id": ",".join(ids)}, kind, about)


def _pages(
    ask: Asking,
    what: str,
    query: dict[str, str],
    kind: str = "",
    about: dict[str, Any] | None = None,
    bucket: str = "units",
    most: int | None = None,
) -> Iterator[dict[str, Any]]:
    """The pages of a list, ``most`` of them; once more from the first where YouTube no longer
    knows the token of the next, as after a pause."""
    for attempt in range(RESTARTS + 1):
        try:
            yield from _walk(
                ask, lambda more: _question(what, query | more, kind, about, bucket), most
            )
            return
        except Refused as refused:
            if refused.code != "invalidPageToken" or attempt == RESTARTS:
                raise


def _walk(
    ask: Asking, question: Callable[[dict[str, str]], Ask], most: int | None
) -> Iterator[dict[str, Any]]:
    more: dict[str, str] = {}
    for number in count(1):
        page = ask(question(more)).document
        yield page
        token = page.get("nextPageToken")
        if not token or number == most:
            return
        more = {"pageToken": token}


def _unseen(ids: Iterable[str], seen: set[str] | None = None) -> Iterator[str]:
    """Each id once; ``seen`` are those of before."""
    seen = set() if seen is None else seen
    for one in ids:
        if one not in seen:
            seen.add(one)
            yield one


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for one in ids:
        batch.append(one)
        if len(batch) == PAGE:
            yield batch
            batch = []
    if batch:
        yield batch
