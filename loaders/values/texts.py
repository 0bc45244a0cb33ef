"""Texts, uuids and JSON."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from loaders.jsontext import canonical_json, parse_json
from loaders.values.base import (
    EXACT_FLOAT,
    NotTyped,
    Typing,
    is_blank,
    is_named_null,
    is_unknown,
    shown,
)

#: A uuid as it is landed.
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")


def to_text(value: Any, typing: Typing) -> str | None:
    """Text as it is; numbers become their exact digits, lists and objects JSON text."""
    if value is None or (typing.from_csv and value == ""):
        return None
    if isinstance(value, str):
        if typing.nulls and is_named_null(value.strip(), typing):
            return None
        return typing.clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if is_blank(value, typing):
            return None
        if not value.is_integer():
            return repr(value)
        if abs(value) >= EXACT_FLOAT:
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
    """A uuid in lower case, however it is spelt."""
    if type(value) is str and UUID.match(value):
        return value
    if value is None or is_unknown(value, typing):
        return None
    if isinstance(value, str):
        text = value.strip().lower()
        if UUID.match(text):
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


def to_json(value: Any, typing: Typing) -> str | None:
    """Canonical JSON text; a text that is no JSON is a JSON string, unless it starts like
    an object or a list."""
    if value is None or is_blank(value, typing):
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
