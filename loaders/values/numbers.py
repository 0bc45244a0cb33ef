"""Counts and numbers: exact where the source was, refused where they can be read two ways."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from loaders.values.base import NotTyped, Typing, is_unknown, shown

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
#: Fewer digits than this are a number of 64 bits.
_ALWAYS_FIT = 19
#: What scrapers write for a count that its owner hides.
HIDDEN = -1

_WHOLE = re.compile(r"[+-]?\d+\Z", re.ASCII)
_FACTORS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
#: Groups of three are set apart by the one mark that is not the decimal one, or by these.
_SPACES = " \u00a0\u2009\u202f'\u2019"


class _Spelling:
    """How numbers are written with this mark before the decimals."""

    def __init__(self, decimal: str) -> None:
        group = "." if decimal == "," else ","
        whole = rf"(?:[1-9]\d{{0,2}}(?:([{group}{_SPACES}])\d{{3}})(?:\1\d{{3}})*|\d+)"
        point = re.escape(decimal)
        self.decimal = decimal
        self.number = re.compile(
            rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d{{1,3}})?\Z", re.ASCII
        )
        self.shortened = re.compile(
            rf"([+-]?{whole}(?:{point}\d+)?)\s?([KkMmBb])\Z".replace(r"\1", r"\2"), re.ASCII
        )
        #: Written the other way round, most likely: 12.000 for twelve thousand.
        self.doubtful_count = re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:{point}\d{{3}})+\Z", re.ASCII)
        #: Is 1,234 a thousand and more, or one and a bit?
        self.doubtful_number = re.compile(rf"[+-]?\d{{1,3}}{re.escape(group)}\d{{3}}\Z", re.ASCII)

    def plain(self, text: str) -> str:
        """The number as Python writes it."""
        kept = "".join(c for c in text if c in "+-eE0123456789" or c == self.decimal)
        return kept.replace(self.decimal, ".")


_POINT, _COMMA = _Spelling("."), _Spelling(",")


def to_integer(value: Any, typing: Typing) -> int | None:
    """A count of 64 bits; -1 is how scrapers write one that is hidden: null."""
    if type(value) is int and 0 <= value <= MAX_INTEGER:
        return value
    if value is None or is_unknown(value, typing):
        return None
    if type(value) is str and len(value) < _ALWAYS_FIT and value.isdigit() and value.isascii():
        return int(value)
    number = _exact(value, typing, "a whole number")
    if not isinstance(number, int):
        if isinstance(number, Decimal) and number.adjusted() > 20:
            raise NotTyped(f"{shown(value)} does not fit into 64 bits")
        if number != int(number):
            raise NotTyped(f"{shown(value)} is not a whole number{_hint(value, typing)}")
        number = int(number)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise NotTyped(f"{shown(value)} does not fit into 64 bits")
    if number == HIDDEN and not typing.signed_counts:
        typing.notices.hidden += 1
        return None
    return number


def to_number(value: Any, typing: Typing) -> float | None:
    """A finite number of double precision."""
    if value is None or is_unknown(value, typing):
        return None
    try:
        number = float(_exact(value, typing, "a number"))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NotTyped(f"{shown(value)} is too large for a number")
    return number


def _exact(value: Any, typing: Typing, what: str) -> Decimal | int | float:
    """A finite number, exact where the source was."""
    if isinstance(value, bool):
        raise NotTyped(f"{shown(str(value).lower())} is not {what}")
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise NotTyped(f"{shown(value)} is not {what}")
        return value
    if not isinstance(value, str):
        kind = "a list" if isinstance(value, list | tuple) else "an object"
        raise NotTyped(f"{kind} is not {what}")
    text = value.strip()
    if _WHOLE.match(text) and len(text) < 400:
        return int(text)
    spelling = _COMMA if typing.decimal_comma else _POINT
    _refuse_doubtful(text, spelling, what == "a whole number")
    if spelling.number.match(text):
        try:
            return Decimal(spelling.plain(text))
        except InvalidOperation:
            pass
    short = spelling.shortened.match(text)
    if short is None:
        raise NotTyped(f"{shown(value)} is not {what}{_hint(text, typing)}")
    typing.imprecise, typing.remarked = value, True
    return Decimal(spelling.plain(short[1])) * _FACTORS[short[3].lower()]


def _refuse_doubtful(text: str, spelling: _Spelling, whole: bool) -> None:
    """NotTyped for a text that can be read two ways, or was written the other way."""
    doubtful = (spelling.doubtful_count if whole else spelling.doubtful_number).match(text)
    # With the option given, the user has said what 1.234 is.
    if not doubtful or (spelling is _COMMA and not whole):
        return
    if spelling is _COMMA:
        raise NotTyped(
            f"{shown(text)} is not a whole number where a comma marks decimals; leave "
            "--decimal-comma out if it sets thousands apart"
        )
    raise NotTyped(
        f"{shown(text)} can be read two ways; add --decimal-comma if numbers are written like "
        "1.234,56, or write it without separators"
    )


def _hint(value: Any, typing: Typing) -> str:
    """What to try with a number that the other spelling can read."""
    if not isinstance(value, str):
        return ""
    other, text = _POINT if typing.decimal_comma else _COMMA, value.strip()
    if not (other.number.match(text) or other.shortened.match(text)):
        return ""
    if typing.decimal_comma:
        return " with a comma before its decimals; leave --decimal-comma out for this file"
    return "; add --decimal-comma if numbers are written like 1.234,56"
