"""HTML made of values that are text, for the pages that are written here.

A ``Markup`` is HTML; every other value is escaped where it meets one. So nothing has to
remember to escape: what was forgotten to be marked shows its tags, and cannot act.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

__all__ = ["POLICY", "Markup", "fill", "joined"]

#: Second line of defence: whatever got into a page, no script runs and nothing is fetched.
POLICY = Markup(
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
)


def fill(template: str, **values: Any) -> Markup:
    """The template (a literal) with escaped values in its ``{name}`` places."""
    return Markup(template).format(**values)


def joined(parts: Iterable[Any]) -> Markup:
    """The parts after one another, each escaped unless it is HTML already."""
    return Markup("").join(parts)
