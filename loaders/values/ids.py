"""Ids that platforms gave: what programs put around them, and what they did to them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

import polars as pl

from loaders.notices import Notices
from loaders.values.base import EXACT_FLOAT, UNKNOWN_WORDS, NotTyped, Typing, is_unknown, shown
from loaders.values.links import is_link, post_of

#: Columns that hold the id of a post or video on its platform.
EXTERNAL_IDS = frozenset({"external_id", "external_post_id", "platform_post_id"})

_SPREADSHEET_ERRORS = frozenset(
    {"#NAME?", "#VALUE!", "#REF!", "#N/A", "#NULL!", "#DIV/0!", "#NUM!", "#SPILL!", "#ERROR!"}
)
_FORMULA = re.compile(r'=\s*"(.*)"\Z', re.DOTALL)
_QUOTES = " \t\r\n'\"`\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
#: 7.41E+18 and 7,41E+18: no platform's ids have these marks.
_FLOAT = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+\Z", re.ASCII)
_BARE_FLOAT = re.compile(r"\d+[eE]\d+\Z", re.ASCII)
#: Digits that a spreadsheet set apart: 7,412,345,678.
_GROUPED = re.compile(r"\d{1,3}([,.' \u2019])\d{3}(?:\1\d{3})+\Z", re.ASCII)
_POINT_ZERO = re.compile(r"(\d+)[.,]0+\Z", re.ASCII)
#: As long as YouTube's ids and Instagram's shortcodes, which may look like 12345678E90.
_SHORT_ID = range(10, 13)

#: The plain spelling, which nothing has to be done to (without lookaround: Arrow reads it).
PLAIN_ID = r"^[A-Za-z0-9_-]{1,64}$"
#: Among plain ones: words for "unknown", and numbers with an exponent.
ODD_ID = "^(?:" + "|".join(
    sorted(re.escape(word) for word in UNKNOWN_WORDS if re.fullmatch(r"[a-z-]+", word))
) + "|[0-9]+e[0-9]+)$"  # fmt: skip


def to_external_id(value: Any, typing: Typing) -> str | None:
    """The id as the platform writes it: blanks, quotes, formulas and invisible characters
    around it are taken off, and a link gives its id (``typing.linked`` its platform).

    NotTyped for one that a spreadsheet or a floating-point number has spoilt.
    """
    if value is None or is_unknown(value, typing):
        return None
    if type(value) is str and value.isdigit() and value.isascii():
        return value
    if isinstance(value, bool):
        raise NotTyped(f"{shown(str(value).lower())} is not an id")
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, float):
        if not value.is_integer() or abs(value) >= EXACT_FLOAT:
            raise NotTyped(f"{shown(value)} was rounded: as a floating-point number it lost digits")
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        kind = "a list" if isinstance(value, list | tuple) else "an object"
        raise NotTyped(f"{shown(value) if isinstance(value, Decimal) else kind} is not an id")
    text = unguarded(typing.clean(value))
    if not text or is_unknown(text, typing):
        return None
    if is_link(text):
        typing.linked, text = post_of(text)
        typing.remarked = True
        return text
    return _exact(text)


def unguarded(text: str) -> str:
    """The text without what programs put around ids to keep them text."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    text = text.strip()
    formula = _FORMULA.match(text)
    if formula is not None:
        text = formula[1]
    return text.strip(_QUOTES)


def _exact(text: str) -> str:
    """The id, unless its digits are lost."""
    if not any(map(str.isalnum, text)):
        raise NotTyped(f"{shown(text)} is no id; a column too narrow in a spreadsheet looks so")
    if _GROUPED.match(text):
        text = "".join(filter(str.isdigit, text))
    if text.upper() in _SPREADSHEET_ERRORS:
        raise NotTyped(f"{shown(text)} was spoilt by a spreadsheet; export it again")
    if _FLOAT.match(text) and not (_BARE_FLOAT.match(text) and len(text) in _SHORT_ID):
        raise NotTyped(
            f"{shown(text)} was spoilt by a spreadsheet, which lost its last digits; export it "
            "again with ids as text"
        )
    found = _POINT_ZERO.match(text)
    if found is None:
        return text
    number = int(found[1])
    if number >= EXACT_FLOAT and (int(float(number)) == number or number % 100 == 0):
        raise NotTyped(
            f"{shown(text)} was rounded: it went through a floating-point number; export it again "
            "with ids as text"
        )
    return found[1]


#: Ids this long lose their last digits in a floating-point number.
_LONG = 10**16


def count_rounded(frame: pl.DataFrame, notices: Notices) -> None:
    """Count the long numeric ids of a frame, and those that look rounded.

    A spreadsheet keeps 15 digits, JavaScript 16 or 17, and the rest is zeros; a number that
    went through double precision is a multiple of a power of two. Of honest ids one in
    fifty looks like either.
    """
    for name in EXTERNAL_IDS.intersection(frame.columns):
        numbers = frame[name].cast(pl.UInt64, strict=False)
        numbers = numbers.filter(numbers >= _LONG)
        if numbers.is_empty():
            continue
        rounded = (numbers % 100 == 0) | ((numbers >= 2**60) & (numbers % 256 == 0))
        notices.long_ids[name] += len(numbers)
        if rounded.any():
            notices.rounded_ids[name] += int(rounded.sum())
            notices.rounded_example.setdefault(name, str(numbers.filter(rounded).first()))
