"""What an answer can mean besides success; raised by a source's ``judge``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from loaders.live.asks import Answer


class Again(Exception):
    """It may work in a moment: asked again after ``seconds``, or after longer and longer waits
    where the platform names none. The message says why, for when it never works; then ``last``
    is raised, where there is one: a refusal for the program to catch, or a pause."""

    def __init__(
        self,
        why: str,
        seconds: float | None = None,
        last: Refused | Paused | None = None,
    ) -> None:
        super().__init__(why)
        self.seconds = seconds
        self.last = last


class Expired(Exception):
    """The access token is no longer good: it is renewed once, then asked again."""


class Paused(Exception):
    """A quota is used up: the run ends well with what it has and goes on at ``until`` (UTC)."""

    def __init__(self, why: str, until: datetime | None = None) -> None:
        super().__init__(why)
        self.until = until


class Refused(Exception):
    """The platform will not answer this question, however often it is asked.

    The program may catch it and ask another way; where it does not, the run ends with exit
    code 1. ``code`` is the platform's own (text or number).
    """

    def __init__(self, why: str, answer: Answer, code: Any = None) -> None:
        super().__init__(why)
        self.answer = answer
        self.code = code
