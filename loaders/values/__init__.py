"""One loosely typed value to one declared kind, or the reason why not.

Exact rules, shared by every source:

- blank text is null for every kind but ``text``; so are words like N/A where a number, a
  time or an id belongs, and NaN everywhere (counted in ``Typing.notices``);
- integer: whole numbers of 64 bits, also as text (``1,234``, ``12.0``) or shortened
  (``541.2K``: the loss of precision is reported); booleans, infinities, text are not counts;
  -1 is a hidden count: null;
- number: what can be read two ways (``1,234``) is refused with the option that decides;
- text: as it is; numbers become their exact digits, lists and objects JSON text;
- id of a platform: without what programs put around it; a link gives its id;
- timestamp: ISO 8601 with any offset (none means UTC or the stated zone), unix
  seconds, milliseconds or microseconds by magnitude, ``YYYYMMDD``, or a stated format;
- text[]: a list, a JSON list, a Postgres array ``{a,"b c",NULL}``, a Python list as
  pandas writes it, hashtags ``#a #b``, or text separated by ``|`` or else ``,``. Objects
  give their name. Nulls are dropped;
- json: parsed and written with sorted keys; text that is no JSON is a JSON string,
  unless it starts like an object or a list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loaders.schema import Column
from loaders.values.base import NotTyped, Typing, shown
from loaders.values.ids import EXTERNAL_IDS, to_external_id
from loaders.values.lists import to_list
from loaders.values.numbers import to_integer, to_number
from loaders.values.texts import raw_bytes, to_json, to_text, to_uuid
from loaders.values.times import to_timestamp

Reading = Callable[[Any, Typing], Any]

KINDS: dict[str, Reading] = {
    "integer": to_integer,
    "number": to_number,
    "text": to_text,
    "uuid": to_uuid,
    "timestamp": to_timestamp,
    "text[]": to_list,
    "json": to_json,
}


def reading_of(column: Column) -> Reading:
    """How the values of a column are read."""
    return to_external_id if column.name in EXTERNAL_IDS else KINDS[column.kind]


__all__ = [
    "KINDS",
    "NotTyped",
    "Typing",
    "raw_bytes",
    "reading_of",
    "shown",
    "to_integer",
    "to_timestamp",
    "to_uuid",
]
