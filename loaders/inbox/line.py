"""One line of a journal: a row, when it was written, and its writer's key for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loaders.jsontext import parse_json
from loaders.landing.metadata import iso, parse_iso


class NoLine(ValueError):
    """Bytes that no writer writes; the message says why, as a rejected record's reason."""


@dataclass(frozen=True)
class Line:
    """``row`` holds typed values by landing column, nulls left out."""

    row: dict[str, Any]
    at: datetime
    #: Rows of one key land once.
    key: str | None = None
    #: What the values were before they were read, for ``_extra``.
    extra: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """The line with its end."""
        values = {"at": iso(self.at), "key": self.key, "row": self.row, "extra": self.extra}
        kept = {name: value for name, value in values.items() if value is not None}
        return orjson.dumps(kept) + b"\n"

    @classmethod
    def decode(cls, text: bytes) -> Line:
        """The line that :meth:`encode` wrote; NoLine for anything else."""
        try:
            values = parse_json(text)
        except ValueError as error:
            raise NoLine(f"the line is no JSON ({error})") from None
        if not isinstance(values, dict) or not isinstance(values.get("row"), dict):
            raise NoLine("the line holds no row, as lines of a journal do")
        key, extra = values.get("key"), values.get("extra")
        try:
            at = parse_iso(values.get("at"))
        except (ValueError, AttributeError):
            at = None
        if at is None:
            raise NoLine("the line does not say when it was written")
        if not isinstance(key, str | None) or not isinstance(extra, dict | None):
            raise NoLine("the line's key is no text, or its extra no object")
        return cls(values["row"], at, key, extra)
