"""A source's own keys (1, 2, 3, an ObjectId) in columns that hold uuids.

They cost no record. Where a row has a natural key, its number says nothing in another
file, where 1, 2, 3 are other rows: it goes to the extra, and the natural key is the key.
Where there is no other key the uuid is derived from the number, and a reference to the
row is derived in the same way, so that joins between files hold.
"""

from __future__ import annotations

from typing import Any

from loaders.files.mapping import FieldMap
from loaders.keys import REFERENCE_TYPES, REFERENCES, derived_key, own_key
from loaders.notices import Notices
from loaders.schema import NATURAL_KEYS, SOURCE_KEY, uuid_columns
from loaders.values import NotTyped, Typing, to_uuid
from loaders.values.texts import UUID

#: Observations, which nothing keys but what they are of.
_NOTHING_WITHOUT_NATURE = frozenset({"raw_videos", "performance_metrics"})
#: Whose numbers they are: those of all files together.
_SOURCE = "files"
_UNTYPED = Typing()
#: Characters of a uuid without its hyphens.
_SHORTEST_UUID = 32


def keyed(
    fields: FieldMap, values: dict[str, Any], extra: dict[str, Any], notices: Notices
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record with uuids for numbers, and the extra with the numbers under their names.

    What is neither a uuid nor a key is left as it is, for typing to refuse. ``values`` may
    be the record as it was read and is not changed.
    """
    numbers = {}
    for column in uuid_columns(fields.resource):
        value = values.get(column)
        if value is None or (type(value) is str and UUID.match(value)):
            continue
        if (number := _number(column, values)) is not None:
            numbers[column] = number
    if not numbers:
        return values, extra
    values, extra = dict(values), dict(extra)
    # References first: a poll's own number needs to know whether its post is named.
    for column in sorted(numbers, key=SOURCE_KEY[fields.resource].__eq__):
        uuid, became, natural = _uuid(fields.resource, column, numbers[column], values)
        if became != "nothing":
            extra.setdefault(fields.maps.get(column, column), values[column])
            values[column] = uuid
        kind = (column, became, natural)
        notices.numbered[kind] += 1
        notices.numbered_example.setdefault(kind, numbers[column])
    return values, extra


def has_numbers(fields: FieldMap) -> bool:
    """Whether a constant of ``--set`` is a number: what it becomes depends on the record."""
    columns = uuid_columns(fields.resource)
    return any(_number(column, dict(fields.sets)) is not None for column in columns)


def _uuid(
    resource: str, column: str, number: str, values: dict[str, Any]
) -> tuple[str | None, str, str]:
    """What stands in the column, what became of the number (``loaders.notices``), and the
    column that would have said more."""
    natural = [names for names in NATURAL_KEYS.get(resource, ()) if column not in names]
    is_own = column == SOURCE_KEY[resource]
    # A poll may name its post by number and by the platform's id: the latter holds everywhere.
    if (is_own or column == "post_id") and any(_given(values, names) for names in natural):
        return None, "other", ""
    if is_own and resource in _NOTHING_WITHOUT_NATURE:
        return None, "nothing", natural[-1][-1]
    if is_own:
        meant = resource
    elif column == "reference_id":
        meant = _referred(values)
    else:
        meant = REFERENCES[column]
    return (
        derived_key(_SOURCE, meant, number),
        "post" if column == "post_id" and not is_own else "key",
        "",
    )


def _given(values: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Whether a natural key is there; its platform may still come from a link."""
    return all(values.get(name) not in (None, "") for name in names if name != "platform")


def _referred(values: dict[str, Any]) -> str:
    """The resource that an embedding's type names; '' for an unknown one."""
    return REFERENCE_TYPES.get(str(values.get("reference_type")).strip(), "")


def _number(column: str, values: dict[str, Any]) -> str | None:
    """The source's own key in the column; None for a uuid and for what is no key."""
    value = values.get(column)
    if value is None or (column == "reference_id" and not _referred(values)):
        return None
    if not isinstance(value, str) or len(value) >= _SHORTEST_UUID:
        try:
            to_uuid(value, _UNTYPED)
            return None
        except NotTyped:
            pass
    return own_key(value)
