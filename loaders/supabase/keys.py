"""The database's own keys (bigint, text) where landing has uuids.

Its numbers mean the same row in every table and every load, so the uuid is derived from
the number, and a foreign key from the same number: references hold. The number itself goes
to the extra, under the column's name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from loaders.keys import REFERENCE_TYPES, REFERENCES, derived_key, own_key
from loaders.schema import SOURCE_KEY, uuid_columns
from loaders.values import NotTyped, Typing, to_uuid

SOURCE = "supabase"
_UNTYPED = Typing()


def keyed(
    resource: str, values: dict[str, Any], columns: Iterable[str] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row with uuids for the database's own keys, and those keys by column.

    ``columns`` are those that can hold any; all by default. ``values`` is not changed. A
    truth value or a broken number is no key and is left for typing to refuse.
    """
    names = uuid_columns(resource) if columns is None else columns
    own = {name: key for name in names if (key := _own(values.get(name)))}
    if not own:
        return values, {}
    found = dict(values)
    for name, key in own.items():
        found[name] = derived_key(SOURCE, _meant(resource, name, values), key)
    return found, {name: values[name] for name in own}


def _own(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        to_uuid(value, _UNTYPED)
        return None
    except NotTyped:
        pass
    # Any text can be a database's key, also one that would not do in a file.
    return own_key(value) or (value.strip() if isinstance(value, str) else None)


def _meant(resource: str, column: str, values: dict[str, Any]) -> str:
    """The resource whose row the column names: an embedding says it row by row."""
    if column == SOURCE_KEY[resource]:
        return resource
    if column == "reference_id":
        kind = str(values.get("reference_type")).strip()
        return REFERENCE_TYPES.get(kind, kind)
    return REFERENCES[column]
