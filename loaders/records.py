"""Loosely typed records to the rows of a resource, or the reason why not.

The slow, exact path that every source can use. A field no column knows is kept in
``_extra`` under its own name; a shortened number ("541.2K") is kept there as
written under ``_precision``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from loaders.jsontext import canonical_json
from loaders.landing.metadata import Rejected
from loaders.schema import RESOURCES
from loaders.tags import with_tags
from loaders.values import NotTyped, Typing, raw_bytes, reading_of, shown


@dataclass
class Record:
    """One record to type: landing column to raw value, and what goes to ``_extra``."""

    values: dict[str, Any]
    extra: dict[str, Any] | None = None
    #: The bytes as received, kept when the record is rejected.
    raw: bytes | None = None
    #: Place in the load; running on from the previous record when None.
    position: int | None = None
    extracted_at: datetime | None = None


class Reading:
    """Reads the values of records of one resource, each by the kind of its column."""

    def __init__(self, resource: str) -> None:
        self._kinds = [(column.name, reading_of(column)) for column in RESOURCES[resource]]
        self.names = [name for name, _ in self._kinds]
        self._platform = self.names.index("platform") if "platform" in self.names else -1

    def read(
        self, values: dict[str, Any], how: Typing
    ) -> tuple[list[Any], list[tuple[str, str]], dict[str, dict[str, Any]]]:
        """The typed values in the order of ``names``, what is wrong (column and reason), and
        what the values were before they were read, as ``_extra`` keeps it."""
        row: list[Any] = []
        problems: list[tuple[str, str]] = []
        written: dict[str, dict[str, Any]] = {}
        linked: tuple[str, str] | None = None
        for name, convert in self._kinds:
            value = values.get(name)
            if value is None:
                row.append(None)
                continue
            try:
                row.append(convert(value, how))
            except NotTyped as error:
                problems.append((name, str(error)))
            except Exception as error:
                # Nobody foresaw it: it costs this record, not its file.
                problems.append((name, f"{_what(value)} cannot be read ({type(error).__name__})"))
            if how.remarked:
                linked = _remark(name, how, written) or linked
        if linked is not None and not problems:
            problems = _at_platform(row, self._platform, *linked)
        return row, problems, written


def type_records(
    resource: str,
    records: Iterable[dict[str, Any] | Record | Any],
    *,
    start: int = 0,
    typing: Typing | None = None,
) -> tuple[pl.DataFrame, list[Rejected]]:
    """Rows with the resource's columns, ``_position``, ``_extracted_at`` and ``_extra``,
    and the records that could not be typed.

    ``start`` is the position of the first record. Keys of a plain dict that are no
    column of the resource go to ``_extra``. ``typing`` collects ``null_characters``.
    Raises nothing for bad data.
    """
    how = typing or Typing()
    typed = Reading(resource)
    known = set(typed.names)
    columns: dict[str, list[Any]] = {name: [] for name in typed.names}
    positions: list[int] = []
    extracted: list[datetime | None] = []
    extras: list[str | None] = []
    rejected: list[Rejected] = []
    position = start
    for record in records:
        if isinstance(record, Record):
            values, extra, raw = record.values, record.extra, record.raw
            at = record.extracted_at
            if record.position is not None:
                position = record.position
        else:
            values, extra, raw, at = record, None, None, None
        if not isinstance(values, dict):
            reason = f"the record is {_what(values)}, not an object with fields"
            kept = raw if raw is not None else raw_bytes(values)
            rejected.append(Rejected(position, kept, reason))
            position += 1
            continue
        row, problems, written = typed.read(values, how)
        leftover = {str(n): v for n, v in values.items() if n not in known and v is not None}
        if leftover:
            how.notices.leave(n for n, v in leftover.items() if v != "")
        if extra:
            leftover.update((n, v) for n, v in extra.items() if v is not None)
        leftover.update(written)
        if problems:
            reason = "; ".join(f"{name}: {problem}" for name, problem in problems)
            kept = raw if raw is not None else raw_bytes(values)
            rejected.append(Rejected(position, kept, reason, problems[0][0]))
        else:
            for column, cell in zip(columns.values(), row, strict=True):
                column.append(cell)
            positions.append(position)
            extracted.append(at)
            extras.append(_extra_text(leftover, how) if leftover else None)
        position += 1
    frame = pl.DataFrame(
        {
            **{c.name: pl.Series(columns[c.name], dtype=c.polars) for c in RESOURCES[resource]},
            "_position": pl.Series(positions, dtype=pl.Int64),
            "_extracted_at": pl.Series(extracted, dtype=pl.Datetime("us", "UTC")),
            "_extra": pl.Series(extras, dtype=pl.String),
        }
    )
    return with_tags(resource, frame), rejected


def rejected_row(row: dict[str, Any], reason: str, field: str) -> Rejected:
    """The refusal of a row that is typed already, with ``_position``: what is kept of it are
    its values, since its bytes are not held that long."""
    place = row.pop("_position")
    raw = {name: value for name, value in row.items() if value is not None}
    return Rejected(place, raw_bytes(raw), reason, field)


def _remark(name: str, how: Typing, written: dict[str, dict[str, Any]]) -> tuple[str, str] | None:
    """Note what the value of a column was before it was read, and the platform of its link."""
    if how.imprecise is not None:
        written.setdefault("_precision", {})[name] = how.imprecise
    if how.mended:
        texts = how.mended
        written.setdefault("_mended", {})[name] = texts[0] if len(texts) == 1 else texts
    linked = (name, how.linked) if how.linked is not None else None
    how.remarked, how.imprecise, how.mended, how.linked = False, None, [], None
    return linked


def _at_platform(row: list[Any], at: int, column: str, platform: str) -> list[tuple[str, str]]:
    """A link names its platform: it fills the column, and must not contradict it."""
    given = (row[at] or "").strip().lower()
    if not given:
        row[at] = platform
    if given in ("", platform):
        return []
    return [(column, f"the link is of {platform}, but the platform is {shown(row[at])}")]


def _extra_text(values: dict[str, Any], typing: Typing) -> str:
    try:
        text, nulls = canonical_json(values)
    except ValueError:
        # Nothing may be lost: what JSON cannot say is kept as text.
        text, nulls = canonical_json({name: _sayable(value) for name, value in values.items()})
    typing.null_characters += nulls
    return text


def _sayable(value: Any) -> Any:
    try:
        canonical_json(value)
    except ValueError:
        return str(value)
    return value


def _what(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return f"the value {shown(value)}"
