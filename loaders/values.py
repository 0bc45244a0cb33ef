"""One loosely typed value to one declared kind, or the reason why not.

Exact rules, shared by every source:

- blank text is null for every kind but ``text``;
- integer: whole numbers of 64 bits, also as text (``1,234``, ``12.0``) or shortened
  (``541.2K``: the loss of precision is reported); booleans, NaN, text are not counts;
- text: as it is; numbers become their exact digits, lists and objects JSON text;
- timestamp: ISO 8601 with any offset (none means UTC or the stated zone), unix
  seconds, milliseconds or microseconds by magnitude, ``YYYYMMDD``, or a stated format;
- text[]: a list, a JSON list, a Postgres array ``{a,"b c",NULL}``, a Python list as
  pandas writes it; from CSV also separated by ``|`` or else ``,``. Nulls are dropped;
- json: parsed and written with sorted keys; text that is no JSON is a JSON string,
  unless it starts like an object or a list.
"""

from __future__ import annotations

import ast
import json
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from loaders.jsontext import canonical_json, clean_text, parse_json
from loaders.notices import Notices

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WHOLE = re.compile(r"[+-]?\d+\Z", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][+-]?\d{1,3})?\Z", re.ASCII
)
_SHORTENED = re.compile(r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s?([KkMmBb])\Z", re.ASCII)
_FACTORS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
#: Longest text read as a Python list (characters): a parsed one takes 500 times as much.
LONGEST_LITERAL = 1 << 19
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
    #: What was noticed in values, for the summary of a load.
    notices: Notices = field(default_factory=Notices, compare=False)
    #: U+0000 characters replaced by U+FFFD.
    null_characters: int = field(default=0, compare=False)
    #: Set by shortened numbers ("541.2K"): the text as written.
    imprecise: str | None = field(default=None, compare=False)

    def clean(self, text: str) -> str:
        if "\x00" in text:
            self.null_characters += text.count("\x00")
        return clean_text(text)


def shown(value: Any) -> str:
    """The value in a message: quoted, on one line, not longer than a glance."""
    text = str(value) if not isinstance(value, str) else value
    text = " ".join(clean_text(text[:200]).split())
    return f"'{text[:57]}...'" if len(text) > 60 else f"'{text}'"


def _blank(value: Any, typing: Typing) -> bool:
    if not isinstance(value, str):
        return False
    return not value.strip() or (typing.from_csv and value in _CSV_NULLS)


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
    if text[:1] and _DECIMAL.match(text) and any(c.isdigit() for c in text):
        try:
            return Decimal(text.replace(",", ""))
        except InvalidOperation:
            pass
    short = _SHORTENED.match(text)
    if short is None:
        raise NotTyped(f"{shown(value)} is not {what}")
    typing.imprecise = value
    return Decimal(short[1].replace(",", "")) * _FACTORS[short[2].lower()]


def to_integer(value: Any, typing: Typing) -> int | None:
    if type(value) is int and MIN_INTEGER <= value <= MAX_INTEGER:
        return value
    if value is None or _blank(value, typing):
        return None
    number = _exact(value, typing, "a whole number")
    if not isinstance(number, int):
        if isinstance(number, Decimal) and number.adjusted() > 20:
            raise NotTyped(f"{shown(value)} does not fit into 64 bits")
        if number != int(number):
            raise NotTyped(f"{shown(value)} is not a whole number")
        number = int(number)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise NotTyped(f"{shown(value)} does not fit into 64 bits")
    return number


def to_number(value: Any, typing: Typing) -> float | None:
    if value is None or _blank(value, typing):
        return None
    try:
        number = float(_exact(value, typing, "a number"))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NotTyped(f"{shown(value)} is too large for a number")
    return number


def to_text(value: Any, typing: Typing) -> str | None:
    if value is None or (typing.from_csv and value == ""):
        return None
    if isinstance(value, str):
        return typing.clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not value.is_integer():
            return repr(value)
        if abs(value) >= 2**53:
            raise NotTyped(f"{shown(value)} is a floating-point number that has lost digits")
        return str(int(value))
    if isinstance(value, bytes):
        return typing.clean(value.decode("utf-8", "replace"))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    return _json(value, typing)


def to_uuid(value: Any, typing: Typing) -> str | None:
    if value is None or _blank(value, typing):
        return None
    if isinstance(value, str):
        text = value.strip().lower()
        if _UUID.match(text):
            return text
        try:
            return str(uuid.UUID(text))
        except ValueError:
            pass
    elif isinstance(value, uuid.UUID):
        return str(value)
    elif isinstance(value, bytes) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    raise NotTyped(f"{shown(value)} is not a uuid")


def to_timestamp(value: Any, typing: Typing) -> datetime | None:
    if value is None or _blank(value, typing):
        return None
    try:
        moment = _moment(value, typing)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=typing.time_zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, NotTyped):
            raise
        raise NotTyped(f"{shown(value)} is not a possible time") from None


def _moment(value: Any, typing: Typing) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        text = value.strip()
        if typing.time_format is not None:
            try:
                return datetime.strptime(text, typing.time_format)
            except ValueError:
                wanted = f"does not match the time format {shown(typing.time_format)}"
                raise NotTyped(f"{shown(value)} {wanted}") from None
        if re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
            if len(text) == 8 and text.isdigit():
                return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))
            return _unix(Decimal(text), value)
        if text.upper().endswith(" UTC"):
            text = text[:-4].rstrip() + "+00:00"
        return datetime.fromisoformat(text)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise NotTyped(f"{shown(value)} is not a possible time")
        if 19000101 <= value <= 21001231 and value == int(value):
            # As unix seconds these are days in 1970, before every platform.
            digits = str(int(value))
            return datetime(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        return _unix(Decimal(value), value)
    raise NotTyped(f"{shown(value)} is not a time")


def _unix(number: Decimal, value: Any) -> datetime:
    """Seconds, milliseconds or microseconds since 1970, told apart by magnitude."""
    size = abs(number)
    if size < 10**11:
        micros = number * 1_000_000
    elif size < 10**14:
        micros = number * 1_000
    elif size < 10**17:
        micros = number
    else:
        raise NotTyped(f"{shown(value)} is not a possible time")
    return EPOCH + timedelta(microseconds=int(micros))


def to_list(value: Any, typing: Typing) -> list[str] | None:
    if value is None or _blank(value, typing):
        return None
    if isinstance(value, str):
        value = _list_from_text(value.strip(), typing)
    if not isinstance(value, list | tuple | set):
        raise NotTyped(f"{shown(value)} is not a list")
    texts = (to_text(element, typing) for element in value)
    return [text for text in texts if text is not None]


def _list_from_text(text: str, typing: Typing) -> list[Any]:
    if text.startswith("[") and text.endswith("]"):
        try:
            value = parse_json(text)
        except ValueError:
            if len(text) > LONGEST_LITERAL:
                raise NotTyped(f"{shown(text)} is not a list") from None
            try:
                value = ast.literal_eval(text)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                raise NotTyped(f"{shown(text)} is not a list") from None
        if isinstance(value, list):
            return value
    if text.startswith("{") and text.endswith("}"):
        return _postgres_array(text)
    if not typing.from_csv:
        return [text]
    parts = text.split("|" if "|" in text else ",")
    cleaned = (part.strip() for part in parts)
    unquoted = (p[1:-1] if len(p) > 1 and p[0] == p[-1] == '"' else p for p in cleaned)
    return [part for part in unquoted if part]


_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}]*))\s*(?:,|\Z)', re.DOTALL)


def _postgres_array(text: str) -> list[Any]:
    body, elements, at = text[1:-1], [], 0
    if not body.strip():
        return []
    while at <= len(body):
        found = _ELEMENT.match(body, at)
        if found is None:
            raise NotTyped(f"{shown(text)} is not a list")
        if found[1] is not None:
            elements.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL))
        elif (bare := found[2].strip()) and bare.upper() != "NULL":
            elements.append(bare)
        if found.end() == len(body) and not found[0].endswith(","):
            break
        at = found.end()
    return elements


def to_json(value: Any, typing: Typing) -> str | None:
    if value is None or _blank(value, typing):
        return None
    if isinstance(value, str):
        text = value.strip()
        try:
            value = parse_json(text)
        except ValueError:
            if text[0] in "{[":
                raise NotTyped(f"{shown(value)} is not valid JSON") from None
        if value is None:
            return None
    return _json(value, typing)


def _json(value: Any, typing: Typing) -> str:
    try:
        text, nulls = canonical_json(value)
    except ValueError as error:
        raise NotTyped(f"{shown(value)} cannot be written as JSON ({error})") from None
    typing.null_characters += nulls
    return text


KINDS: dict[str, Callable[[Any, Typing], Any]] = {
    "integer": to_integer,
    "number": to_number,
    "text": to_text,
    "uuid": to_uuid,
    "timestamp": to_timestamp,
    "text[]": to_list,
    "json": to_json,
}


def raw_bytes(value: Any) -> bytes:
    """Bytes of a record whose source bytes are not at hand: its JSON."""
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        pass
    try:
        # Numbers of more than 64 bits, keys that are no text, halves of surrogate pairs.
        return json.dumps(value, default=str).encode()
    except (TypeError, ValueError, RecursionError):
        return shown(type(value).__name__).encode()
