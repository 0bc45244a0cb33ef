"""Cursors of pages: where the next page begins, of which question, in which release."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from common.errors import UsageError


def question(**asked: Any) -> str:
    """A short mark of what was asked, the same for the same question."""
    text = json.dumps(asked, sort_keys=True, default=str)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]


def cursor(release: int | None, mark: str, after: list[Any]) -> str:
    text = json.dumps([release, mark, after], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(given: str) -> tuple[int | None, str, list[Any]]:
    """Release, mark and key of a cursor; UsageError for text that is none."""
    try:
        padded = given + "=" * (-len(given) % 4)
        release, mark, after = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if not isinstance(after, list) or not isinstance(mark, str):
            raise ValueError
        if release is not None and type(release) is not int:
            raise ValueError
    except ValueError:
        raise UsageError(
            "This is no cursor of an answer.", "Give `next_cursor` of the page before, unchanged."
        ) from None
    return release, mark, after
