"""``ace load youtube --analytics``: what our videos gained each day, from the Analytics API.

A report has a row for each video and day, in which counts are what that day added. They
are added up from the day a video was published (``loaders.files.increments``), so that rows land as
polls at the end of a day in California, where YouTube's days end. The newest days come two or three
days late and change until then: the last :data:`AGAIN` are asked for once more each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from loaders.files.increments import KEPT
from loaders.landing import Landing
from loaders.landing.rows import landed_batches
from loaders.live.asks import Answer, Ask
from loaders.live.known import known_posts
from loaders.live.outcomes import Again, Refused
from loaders.live.source import Asking, Sending, Source
from loaders.live.tokens import Tokens, token_of
from loaders.live.youtube.errors import judge
from loaders.presets.base import POLLS, Fields, PresetRecord, Unusable, attempt, identifier, polled

if TYPE_CHECKING:
    from loaders.files.plan import Plan

BASE = "https://youtubeanalytics.googleapis.com"
TOKENS = "https://oauth2.googleapis.com/token"
ZONE = "America/Los_Angeles"
_PACIFIC = ZoneInfo(ZONE)
#: Days before the newest one of a video that are asked for again: YouTube completes a day within
#: 72 hours.
AGAIN = 4
#: Videos, and videos times days, that one report is asked for.
VIDEOS, CELLS = 200, 50_000
#: Rows of a page.
PAGE = 5_000
#: Refusals in a row, with nothing answered, after which no video will fare better.
HOPELESS = 5
#: A post that does not say when it was published is asked for from here on.
_FIRST = date(2006, 1, 1)
_ID = re.compile("[A-Za-z0-9_-]{1,64}")
GROWTH = (
    "views,engagedViews,likes,dislikes,comments,shares,estimatedMinutesWatched,"
    "averageViewDuration,averageViewPercentage,subscribersGained,subscribersLost"
)
#: Since January 2026, and not of every report.
REACH = "videoThumbnailImpressions,videoThumbnailImpressionsClickRate"
#: What the console or the owner has to mend, by the reason that is given.
_MEND = {
    "accessNotConfigured": "Enable the YouTube Analytics API for the project of the client.",
    "insufficientPermissions": "Give the consent again with the scopes yt-analytics.readonly and "
    "youtube.readonly, and set ACE_YOUTUBE_REFRESH_TOKEN to what comes of it.",
}


@dataclass
class YouTubeAnalytics(Source):
    """The channel of one consent: all of its videos that the warehouse knows as posts."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    #: Where the newest tokens are kept.
    tokens_file: Path
    landing: Landing
    base: str = BASE
    _tokens: Tokens = field(init=False, repr=False)
    #: Rows of deleted videos.
    _deleted: int = field(init=False, default=0)
    #: Videos without a report, and why.
    _refused: dict[str, str] = field(init=False, default_factory=dict)
    _offers_reach: bool = field(init=False, default=True)

    name, command = "youtube", "youtube"
    #: 720 a minute and user.
    per_second = 10.0

    def __post_init__(self) -> None:
        self._tokens = Tokens(self.tokens_file, self.refresh_token)

    @property
    def options(self) -> Mapping[str, Any]:
        return {"analytics": True}

    def plan(self, adopt: str | None) -> Plan:
        from loaders.files.plan import Plan

        return Plan(table=POLLS, increments=True, time_zone=ZONE)

    def given(self, cursor: dict[str, Any] | None) -> Any:
        """Each video and the first day to ask for, the earliest first: those of one report have
        much the same days."""
        told = _told(self.landing)
        posts = [
            one for one in known_posts(self.landing, "youtube") if _ID.fullmatch(one.external_id)
        ]
        firsts = [(_first_day(one.published_at, told.get(one.external_id)), one) for one in posts]
        found = [[first.isoformat(), one.external_id] for first, one in firsts]
        return sorted(found)

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> None:
        last = begun_at.astimezone(_PACIFIC).date() - timedelta(days=1)
        videos = [(date.fromisoformat(first), video) for first, video in given]
        try:
            for first, batch in _batches([one for one in videos if one[0] <= last], last):
                self._report(ask, batch, first, last)
        finally:
            self._note()

    def _report(self, ask: Asking, videos: list[str], first: date, last: date) -> None:
        """All days of these videos: in one report where YouTube gives it, else of each alone."""
        period = {"startDate": first.isoformat(), "endDate": last.isoformat()}
        if len(videos) > 1:
            try:
                self._walk(ask, period | _of(videos, "day,video"))
                return
            except Refused:
                pass  # one of them may be the reason
        answered = False
        for number, video in enumerate(videos, start=1):
            try:
                self._walk(ask, period | _of([video], "day"), video)
                answered = True
            except Refused as refused:
                if number == HOPELESS and not answered:
                    raise
                self._refused[video] = str(refused)

    def _walk(self, ask: Asking, query: dict[str, str], video: str = "") -> None:
        """Every page, with the measures of reach where YouTube gives them."""
        if self._offers_reach:
            try:
                self._pages(ask, query, f"{GROWTH},{REACH}", video)
                return
            except Refused:
                pass  # said below, if it is not because of them
        self._pages(ask, query, GROWTH, video)
        self._offers_reach = False

    def _pages(self, ask: Asking, query: dict[str, str], metrics: str, video: str) -> None:
        """To the first page without rows: one that is short may have others behind it."""
        start = 1
        while True:
            where = {"metrics": metrics, "maxResults": str(PAGE), "startIndex": str(start)}
            question = {"ids": "channel==MINE", **query, **where}
            answer = ask(Ask("/v2/reports", question, kind="growth", about={"video": video}))
            found = _rows(answer.document, video)
            self._deleted += sum(not row.get("video") for row in found)
            if not found:
                return
            start += len(found)

    def _note(self) -> None:
        if self._deleted:
            rows = "row" if self._deleted == 1 else "rows"
            self.notes.append(f"{self._deleted:,} {rows} of deleted videos were left out.")
        if not self._offers_reach:
            self.notes.append("YouTube gave no impressions and click-through rates with them.")
        if self._refused:
            some = ", ".join(list(self._refused)[:5])
            more = f" and {len(self._refused) - 5:,} more" if len(self._refused) > 5 else ""
            why = next(iter(self._refused.values())).rstrip(".")
            self.notes.append(f"YouTube gave no reports of {some}{more} ({why}).")

    def headers(self, send: Sending) -> dict[str, str]:
        def refreshed(token: str) -> dict[str, Any]:
            form = {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "grant_type": "refresh_token",
                "refresh_token": token,
            }
            # Where all of YouTube is elsewhere, its tokens are, too.
            path = TOKENS if self.base == BASE else "/token"
            return token_of(
                send(Ask(path, method="POST", form=form)),
                "YouTube",
                "ACE_YOUTUBE_CLIENT_ID and ACE_YOUTUBE_CLIENT_SECRET",
                "ACE_YOUTUBE_REFRESH_TOKEN",
            )

        return {"Authorization": f"Bearer {self._tokens.access(refreshed)}"}

    def secrets(self) -> list[str]:
        own = [self.client_secret, self.client_id, self.refresh_token]
        return [one for one in (*own, *self._tokens.secrets()) if one]

    def renew(self) -> bool:
        self._tokens.refuse()
        return True

    def judge(self, ask: Ask, answer: Answer) -> None:
        judge(answer, _MEND)
        if answer.status < 400 and answer.document is not None:
            try:
                _rows(answer.document, "")
            except (KeyError, TypeError, ValueError):
                raise Again("its answer is no report") from None

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterable[PresetRecord]:
        if answer.status >= 400:
            return  # a refusal after which it was asked another way
        for row in _rows(answer.document, ask.about["video"]):
            if row.get("video"):
                yield attempt(_growth, row)


def _growth(row: dict[str, Any]) -> PresetRecord:
    """What a video gained on a day, as growth of a poll at the day's beginning."""
    fields = Fields(row)
    post = identifier(fields.take("video"), "video")
    day = fields.take("day")
    try:
        begins = datetime.combine(date.fromisoformat(day), time(), _PACIFIC)
    except (TypeError, ValueError):
        raise Unusable(f"The day {day!r} is no date.") from None
    counts = {name: fields.take(name) for name in ("views", "likes", "comments", "shares")}
    minutes = fields.take("estimatedMinutesWatched")
    won, lost = fields.get("subscribersGained"), fields.get("subscribersLost")
    told = {
        "collected_at": begins.isoformat(),
        "watch_time_ms": minutes * 60_000 if _is_number(minutes) else None,
        "average_watch_seconds": fields.take("averageViewDuration"),
        "impressions": fields.take("videoThumbnailImpressions"),
        # Clicks divided by impressions.
        "click_through_rate": fields.take("videoThumbnailImpressionsClickRate"),
        "followers_gained": won - (lost or 0) if _is_number(won) else None,
    }
    return polled(row, fields, "youtube", post, counts, told)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rows(document: Any, video: str) -> list[dict[str, Any]]:
    """The rows of a report, by the names of its columns; ``video`` is what all of them are of
    where no column says it. Raises KeyError, TypeError or ValueError for what is no report.
    """
    names = [column["name"] for column in document["columnHeaders"]]
    rows = document.get("rows") or []  # left out where there is nothing
    alone = {"video": video} if video else {}
    return [{**alone, **dict(zip(names, row, strict=True))} for row in rows]


def _of(videos: list[str], dimensions: str) -> dict[str, str]:
    return {
        "filters": f"video=={','.join(videos)}",
        "dimensions": dimensions,
        "sort": dimensions,
    }


def _batches(videos: list[tuple[date, str]], last: date) -> Iterator[tuple[date, list[str]]]:
    """Videos that one report may be asked for, and from which day on."""
    at = 0
    while at < len(videos):
        first = videos[at][0]
        size = max(1, min(VIDEOS, CELLS // ((last - first).days + 1)))
        yield first, [video for _, video in videos[at : at + size]]
        at += size


def _first_day(published_at: datetime | None, told: date | None) -> date:
    """The first day to ask for: all of them until some are there."""
    if told is not None:
        return told - timedelta(days=AGAIN)
    return _FIRST if published_at is None else published_at.astimezone(_PACIFIC).date()


def _told(landing: Landing) -> dict[str, date]:
    """The newest day of each video that has landed."""
    found = [
        batch.filter(pl.col("_extra").str.contains(f'"{KEPT}"', literal=True))
        .group_by("external_post_id")
        .agg(pl.max("collected_at"))
        for batch in landed_batches(
            landing, "youtube", POLLS, ["external_post_id", "collected_at", "_extra"]
        )
    ]
    newest = pl.concat(found).group_by("external_post_id").agg(pl.max("collected_at"))
    # A day's counts stand at its end, which is the next one's beginning.
    return {
        video: at.astimezone(_PACIFIC).date() - timedelta(days=1)
        for video, at in newest.iter_rows()
    }
