"""What a live source is: a program that asks, and how its answers are judged and read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loaders.live.asks import Answer, Ask
from loaders.live.outcomes import Again, Refused

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

#: Asks one question; returns a good answer or raises Refused.
Asking = Callable[[Ask], Answer]
#: Sends one request without credentials (to get them); returns whatever answer it gets.
Sending = Callable[[Ask], Answer]


class Platform(ABC):
    """What a client must know of a platform to ask it anything."""

    #: The landing source, as in ``loaders.schema.SOURCES``.
    name: str
    #: How it is called: ``ace load <command>``.
    command: str
    #: Scheme, host and port, and a path that all questions are below, if any.
    base: str
    #: Requests at most in any second.
    per_second: float = 5.0
    #: Cost of a day at most, by bucket; a bucket that is not named has no limit.
    daily: Mapping[str, int] = {}

    @abstractmethod
    def headers(self, send: Sending) -> dict[str, str]:
        """The credentials, as headers; ``send`` is there to get an access token with. Raises
        AceError where they are missing or refused."""

    @abstractmethod
    def secrets(self) -> list[str]:
        """Every secret it knows by now: masked in all that comes back."""

    def renew(self) -> bool:
        """The access token is refused: forget it, so that :meth:`headers` gets a new one.
        False where there is no way to one."""
        return False

    @abstractmethod
    def judge(self, ask: Ask, answer: Answer) -> None:
        """Raises what the answer means: Again, Expired, Paused or Refused, or AceError for wrong
        credentials. Says nothing of a good answer; what it leaves of HTTP errors is judged by
        ``client.judge_status``. Also called for answers that were kept.
        """

    def resets_at(self, bucket: str, now: datetime) -> datetime:
        """When a day's quota begins anew: at midnight UTC."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return day + timedelta(days=1)


class Source(Platform):
    """A platform that is asked by a program, with the options of one call."""

    #: The preset by which its records are read, also those of a retry; '' where :meth:`plan` says
    #: more.
    preset: str = ""
    #: A run that did not end is gone on with within this time; later its answers land and a new
    #: one begins, where lists of then are no longer those of now.
    unfinished: timedelta = timedelta(hours=36)

    @cached_property
    def notes(self) -> list[str]:
        """Sentences for the end of a call, beside what landed; the program may add some."""
        return []

    @cached_property
    def failures(self) -> list[str]:
        """What was refused while all else was asked for, and why; the program adds them, and the
        call ends with exit code 1."""
        return []

    @property
    @abstractmethod
    def options(self) -> Mapping[str, Any]:
        """What the call asked for, as JSON: the same options go on with the same run."""

    def plan(self, adopt: str | None) -> Plan:
        """How its records become rows."""
        from loaders.files.plan import Plan

        return Plan(preset=self.preset, adopt=adopt)

    def given(self, cursor: dict[str, Any] | None) -> Any:
        """What the program is to know of the warehouse (which posts there are, until when it
        read the last time), as JSON; asked for once at the beginning of a run and kept with
        it. ``cursor`` is what the last finished run of these options returned.
        """
        return cursor

    @abstractmethod
    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any] | None:
        """Ask for everything that is wanted, page by page; returns the cursor for the next run.

        It is run again from its beginning after a kill, on the answers that were kept: for the
        same ``given``, ``begun_at`` and answers it must ask the same questions, so it looks at
        no clock and no file. It ends early by what ``ask`` raises; only Refused is to be caught.
        """

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterable[PresetRecord]:
        """The records of an answer; none of one that was only asked to find the way, or of a
        refusal that the program lived with.

        ``plan`` has the preset and knows whether posts are wanted besides polls (--adopt).
        """
        if answer.status >= 400:
            return ()
        try:
            self.judge(ask, answer)
        except (Refused, Again):
            return ()
        return plan.preset_records(answer.document, answer.at)
