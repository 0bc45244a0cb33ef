"""What all kinds share: how values are read, what was noticed, and how a refusal is said."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from loaders.jsontext import clean_text
from loaders.notices import Notices
from loaders.values.mending import mended

#: Words for "not known" in places where a number, a time or an id belongs.
UNKNOWN_WORDS = frozenset(
    {"na", "n/a", "#n/a", "n.a.", "nan", "nat", "<na>", "#nv", "#n/d", "none", "null", "nil",
     "undefined", "\\n", "-", "--", "---", "\u2013", "\u2014"}
)  # fmt: skip
_DIGITS = "0123456789"
#: From here on a floating-point number has no room for every whole number.
EXACT_FLOAT = 2**53
_CSV_NULLS = frozenset({"\\N", "NULL", "null"})


class NotTyped(ValueError):
    """The value cannot be of the declared kind; the message ends a sentence."""


@dataclass
class Typing:
    """How values are read, and what was noticed on the way."""

    #: A strptime format for text in timestamp columns; nothing else is accepted then.
    time_format: str | None = None
    #: Zone of times that state none; UTC by default.
    time_zone: tzinfo = UTC
    #: Values come from CSV: everything is text, an empty cell is null.
    from_csv: bool = False
    #: Numbers in text are written like 1.234,56.
    decimal_comma: bool = False
    #: Texts that stand for "not known" in columns of every kind.
    nulls: Set[str] = frozenset()
    #: Counts are differences: -1 is one less, not a hidden count.
    signed_counts: bool = False
    #: What was noticed in values, for the summary of a load.
    notices: Notices = field(default_factory=Notices, compare=False)
    #: U+0000 characters replaced by U+FFFD.
    null_characters: int = field(default=0, compare=False)
    #: Something of the three below was set by the last value.
    remarked: bool = field(default=False, compare=False)
    #: Set by shortened numbers ("541.2K"): the text as written.
    imprecise: str | None = field(default=None, compare=False)
    #: Set by mended texts: each as it was written.
    mended: list[str] = field(default_factory=list, compare=False)
    #: Set by a link that gave an id: the platform of its host.
    linked: str | None = field(default=None, compare=False)

    def clean(self, text: str) -> str:
        """Text that every engine stores, with UTF-8 that was taken for Latin-1 mended."""
        if "\x00" in text:
            self.null_characters += text.count("\x00")
        elif text.isascii():
            return text
        text = clean_text(text)
        better = clean_text(mended(text))
        if better != text:
            self.mended.append(text)
            self.remarked = True
            self.notices.mended += 1
        return better


def shown(value: Any) -> str:
    """The value in a message: quoted, on one line, not longer than a glance."""
    text = str(value) if not isinstance(value, str) else value
    text = " ".join(clean_text(text[:200]).split())
    return f"'{text[:57]}...'" if len(text) > 60 else f"'{text}'"


def is_blank(value: Any, typing: Typing) -> bool:
    """Whether a value says nothing: blank text, a missing cell, or a word given by --null."""
    if isinstance(value, float):
        if math.isnan(value):
            # How pandas and what is built on it write a missing value.
            typing.notices.unknown["NaN"] += 1
            return True
        return False
    if not isinstance(value, str):
        return False
    text = value.strip()
    return (
        not text
        or (typing.from_csv and value in _CSV_NULLS)
        or (bool(typing.nulls) and is_named_null(text, typing))
    )


def is_named_null(text: str, typing: Typing) -> bool:
    """Whether a text is one of those that --null names."""
    if text not in typing.nulls:
        return False
    typing.notices.unknown[text] += 1
    return True


def is_unknown(value: Any, typing: Typing) -> bool:
    """The same where a number, a time or an id belongs: words like N/A count as well."""
    kind = type(value)
    # Most values: whole numbers, and texts that begin like none of the words.
    if kind is int or (kind is str and value[:1] in _DIGITS and not typing.nulls and value):
        return False
    if is_blank(value, typing):
        return True
    if isinstance(value, str) and (text := value.strip()).casefold() in UNKNOWN_WORDS:
        typing.notices.unknown[text] += 1
        return True
    return False
