"""``ace load tiktok-research``: videos by keyword, hashtag, user and region."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from loaders.landing.metadata import parse_iso
from loaders.live.asks import Answer, Ask
from loaders.live.outcomes import Refused
from loaders.live.source import Asking, Sending, Source
from loaders.live.tiktok.errors import (
    BASE,
    SEARCH,
    has_videos,
    judge,
    judge_page,
)
from loaders.live.tokens import seconds_of, token_of

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

FIELDS = (
    "id,video_description,create_time,region_code,share_count,view_count,like_count,"
    "comment_count,music_id,hashtag_names,username,effect_ids,playlist_id,voice_to_text,"
    "is_stem_verified,favorites_count,video_duration,hashtag_info_list,sticker_info_list,"
    "effect_info_list,video_mention_list,video_label,video_tag"
)
#: The most that a page, and a window of dates, may hold.
PAGE = 100
WINDOW = timedelta(days=30)
#: A video may come up to 48 hours late, and what the last day of a window includes is not said.
OVERLAP = timedelta(days=3)
#: Requests of a day.
DAILY = 1_000
#: A window of so many days is halved when its search expires; how often a shorter one begins anew.
SPLIT = timedelta(days=2)
RESTARTS = 3
_NAMES = "ACE_TIKTOK_RESEARCH_KEY and ACE_TIKTOK_RESEARCH_SECRET"


@dataclass
class TikTokResearch(Source):
    """Videos of a query; ``since`` is the first day, before the first run has left a cursor."""

    client_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    base: str = BASE
    keywords: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    usernames: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    per_day: int = DAILY
    _token: str = field(default="", repr=False)
    _good_until: float = 0.0

    name, command, preset = "tiktok_research", "tiktok-research", "tiktok-research"
    per_second = 5.0
    #: A long query takes its days, and windows of the past stay what they are.
    unfinished = timedelta(days=60)

    @property
    def daily(self) -> Mapping[str, int]:  # type: ignore[override]
        return {"requests": self.per_day}

    @property
    def options(self) -> Mapping[str, Any]:
        days = {"since": self.since and self.since.isoformat(),
                "until": self.until and self.until.isoformat()}  # fmt: skip
        return {"query": self._query, **days}

    @property
    def _query(self) -> dict[str, list[dict[str, Any]]]:
        """Any of the words, tags and users, in any of the regions."""
        found = {
            "or": [
                _condition(name, values)
                for name, values in (
                    ("keyword", self.keywords),
                    ("hashtag_name", self.hashtags),
                    ("username", self.usernames),
                )
                if values
            ],
            "and": [_condition("region_code", self.regions)] if self.regions else [],
        }
        return {name: conditions for name, conditions in found.items() if conditions}

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any] | None:
        """Window by window, oldest first."""
        last = begun_at.date() if self.until is None else self.until
        for begin, end in windows(self._first(given, last), last):
            self._window(ask, begin, end)
        return None if self.until else {"until": last.isoformat()}

    def _first(self, given: Any, last: date) -> date:
        before = parse_iso(given["until"]) if given else None
        if before is not None:
            return min(before.date() - OVERLAP, last)
        return self.since or last - WINDOW

    def _window(self, ask: Asking, begin: date, end: date) -> None:
        body = {
            "query": self._query,
            "start_date": f"{begin:%Y%m%d}",
            "end_date": f"{end:%Y%m%d}",
            "max_count": PAGE,
        }
        for attempt in range(RESTARTS + 1):
            where: dict[str, Any] = {}
            try:
                while True:
                    about = {"attempt": attempt} if attempt else {}
                    data = ask(_page({**body, **where}, about)).document["data"]
                    if not data.get("has_more"):
                        return
                    # Pages may be short or empty while there are more.
                    where = {"cursor": data["cursor"], "search_id": data["search_id"]}
            except Refused as refused:
                if refused.code != SEARCH:
                    raise
                if end - begin >= SPLIT:
                    break
                if attempt == RESTARTS:
                    raise
        # It lasts longer than a search lives, or than a day's quota: each half is asked for
        # anew, and done with once it is complete.
        middle = begin + (end - begin) // 2
        self._window(ask, begin, middle)
        self._window(ask, middle, end)

    def headers(self, send: Sending) -> dict[str, str]:
        if not self._token or time.monotonic() >= self._good_until:
            form = {
                "client_key": self.client_key,
                "client_secret": self.client_secret,
                "grant_type": "client_credentials",
            }
            answer = send(Ask("/v2/oauth/token/", method="POST", form=form))
            found = token_of(answer, "TikTok", _NAMES)
            self._token = found["access_token"]
            self._good_until = time.monotonic() + seconds_of(found, 7200) - 60
        return {"Authorization": f"Bearer {self._token}"}

    def secrets(self) -> list[str]:
        return [one for one in (self.client_secret, self.client_key, self._token) if one]

    def renew(self) -> bool:
        self._token = ""
        return True

    def judge(self, ask: Ask, answer: Answer) -> None:
        judge(answer, "research.data.basic")
        asked = ask.json.get("cursor") or 0
        judge_page(answer, lambda cursor: cursor > asked, "search_id")

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterable[PresetRecord]:
        return super().records(ask, answer, plan) if has_videos(answer) else []


def windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Spans of at most 30 days; each begins on the day on which the one before ends, since
    whether that day is included is not said."""
    begin = min(first, last)
    while True:
        end = min(begin + WINDOW, last)
        yield begin, end
        if end >= last:
            return
        begin = end


def _condition(name: str, values: tuple[str, ...]) -> dict[str, Any]:
    operation = "IN" if len(values) > 1 else "EQ"
    return {"operation": operation, "field_name": name, "field_values": list(values)}


def _page(body: dict[str, Any], about: dict[str, Any]) -> Ask:
    return Ask(
        "/v2/research/video/query/",
        {"fields": FIELDS},
        "POST",
        json=body,
        kind="videos",
        about=about,
        bucket="requests",
    )
