"""JSON in and out: exact numbers in, one canonical text out."""

from __future__ import annotations

import contextlib
import json
import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

#: orjson turns integers beyond 64 bits into floats; ids need every digit.
_LONG_NUMBER = re.compile(rb"\d{19}")
_LONG_NUMBER_TEXT = re.compile(r"\d{19}", re.ASCII)
#: What could stand for half of a pair: an escape, or (as Java and MySQL write it) its bytes.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_HALF_TEXT = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")

TOO_DEEP = "it is nested too deeply"
#: Python's own limit: turning more digits into a number takes quadratic time.
TOO_MANY_DIGITS = "a number in it has more than 4,300 digits"


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, integers exact whatever their size.

    NaN and infinities, which are no JSON but are written by careless programs, come
    back as floats for the caller to judge. Half a surrogate pair, as a text cut in the
    middle of an emoji has it, is U+FFFD. Raises ValueError for anything else.
    """
    long = _LONG_NUMBER.search(text) if isinstance(text, bytes) else _LONG_NUMBER_TEXT.search(text)
    if long is None:
        try:
            return orjson.loads(text)
        except (ValueError, RecursionError):
            pass
    try:
        return without_halves(json.loads(text), text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise
    except ValueError:
        # The one other thing that json says.
        raise ValueError(TOO_MANY_DIGITS) from None


def without_halves(value: Any, text: str | bytes) -> Any:
    """The value that ``json`` made of a text, half surrogate pairs in it replaced by U+FFFD."""
    try:
        orjson.dumps(value)
    except TypeError:
        # It refuses half pairs, and with them what it cannot hold, such as long integers.
        half = _HALF.search(text) if isinstance(text, bytes) else _HALF_TEXT.search(text)
        return value if half is None else _whole(value)
    return value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return clean_halves(value)
    if isinstance(value, dict):
        return {clean_halves(name): _whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return value


def clean_text(text: str) -> str:
    """Text every engine can store: no U+0000, no half surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    return clean_halves(text)


def clean_halves(text: str) -> str:
    """The text with halves of surrogate pairs joined, or replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def canonical_json(value: Any) -> tuple[str, int]:
    """Compact JSON with sorted keys, and how many U+0000 were replaced.

    Raises ValueError for NaN, infinities and objects JSON does not know.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        # orjson writes NaN as null and dates in its own form: only plain values may
        # take the short way.
        if "\\u0000" not in text and "null" not in text and _plain(value):
            return text, 0
    except (TypeError, ValueError, RecursionError):
        pass
    count = [0]
    try:
        cleaned = _cleaned(value, count)
        text = json.dumps(
            cleaned, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    with contextlib.suppress(TypeError):
        # The same text as the short way, where orjson can.
        text = orjson.dumps(cleaned, option=orjson.OPT_SORT_KEYS).decode()
    return text, count[0]


def _plain(value: Any) -> bool:
    """Only what a JSON parser gives: orjson's and our own writing agree on it."""
    if isinstance(value, dict):
        return all(map(_plain, value.values()))
    if isinstance(value, list):
        return all(map(_plain, value))
    return value is None or isinstance(value, str | int | float)


def _cleaned(value: Any, count: list[int]) -> Any:
    if isinstance(value, str):
        count[0] += value.count("\x00")
        return clean_text(value)
    if isinstance(value, dict):
        return {_cleaned(str(k), count): _cleaned(v, count) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [_cleaned(element, count) for element in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return value
    if isinstance(value, Decimal):
        return _cleaned(int(value) if value == value.to_integral_value() else float(value), count)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return clean_text(value.decode("utf-8", "replace"))
    return str(value)
