"""What is asked of a platform and what it answered, both without any secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from loaders.jsontext import canonical_json, parse_json


@dataclass(frozen=True)
class Ask:
    """One request: everything of it but the credentials, which the client adds as headers.

    ``path`` begins with ``/`` and is below the source's base address, ``query`` are the
    parameters of the address, ``json`` and ``form`` the body. ``bucket`` names the quota it
    counts towards and ``cost`` how much. ``kind`` and ``about`` are the source's own notes:
    what the answer is, and what it must know of the question when it reads the answer.
    """

    path: str
    query: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    json: Any = None
    form: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    bucket: str = ""
    cost: int = 1

    @cached_property
    def identity(self) -> str:
        """The same for the same question."""
        parts = [self.method, self.path, self.query, self.json, self.form, self.headers, self.kind]
        return canonical_json([*parts, self.about])[0]


@dataclass(frozen=True)
class Answer:
    """What came back: ``text`` is the body without secrets, ``at`` when it was complete (UTC).

    ``headers`` have lower-case names; of an answer out of the spool only those that were kept.
    """

    status: int
    text: str
    at: datetime
    headers: dict[str, str] = field(default_factory=dict)

    @cached_property
    def document(self) -> Any:
        """The parsed body, with integers of any size exact; None where it is no JSON."""
        try:
            return parse_json(self.text)
        except ValueError:
            return None

    @property
    def error(self) -> dict[str, Any] | None:
        """The object ``error`` of the body, in which the platforms say what went wrong; None
        where there is none."""
        found = self.document.get("error") if isinstance(self.document, dict) else None
        return found if isinstance(found, dict) else None
