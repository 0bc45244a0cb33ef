"""What a file's records become, whatever its format: documents and frames, into a sink."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cached_property
from shlex import quote
from typing import Any

import polars as pl

from common.errors import AceError
from loaders.files.columnar import rows_of
from loaders.files.envelopes import AIRBYTE_DATA, NO_ENVELOPE, Opened, opened
from loaders.files.inputs import DAMAGED, Input, unreadable
from loaders.files.mapped import MappedPaths
from loaders.files.mapping import SameColumn, at_path, lists_in, near
from loaders.files.numbered import has_numbers
from loaders.files.plan import Plan
from loaders.files.sink import Sink
from loaders.jsontext import canonical_json
from loaders.notices import Notices
from loaders.records import Record
from loaders.schema import identifying
from loaders.values import NotTyped, raw_bytes, shown

#: Lists named in the message that a file fits no table.
_LISTS_NAMED = 4


class Documents:
    """Takes what one input holds, by the plan, and hands its records to the sink."""

    def __init__(self, plan: Plan, source: Input, sink: Sink) -> None:
        self.plan = plan
        self.input = source
        self.sink = sink
        self.main = plan.resources[0]
        self.fields = plan.fields[self.main]
        self.paths = MappedPaths(plan.maps)
        self._told = set(identifying(self.main))
        self._names: dict[str, None] = {}
        self._lists: list[str] = []
        #: Whether a field was met that is a column, and one that tells the table.
        self._shared = plan.preset is not None
        self._matched = plan.preset is not None or not self._told.isdisjoint(self.fields.sets)
        #: Whether clean records may be landed a block at a time, as frames.
        self.plain = (
            plan.preset is None
            and plan.records is None
            and plan.product is None
            and self.fields.top_level
            and not has_numbers(self.fields)
        )

    def reject(self, raw: bytes, reason: str) -> None:
        """Reject a record as it was received."""
        self.sink.reject(self.main, raw, reason)

    # -- what the file has, and whether it fits ----------------------------------

    def header(self, names: list[str]) -> None:
        """The columns are known before the rows: a mapping must fit them, a preset know them."""
        if misfit := self.plan.misfit(names):
            raise self._not_the_export(misfit, names)
        self._names.update(dict.fromkeys(names))
        try:
            self._match(names)
            if not self.plan.preset:
                self.fields.renames(names)
        except SameColumn as error:
            raise AceError(
                f"The columns {error} in {self.input.name}.",
                f"Say which is meant: --map {error.column}={shown(error.names[0])}",
                exit_code=2,
            ) from None
        for column, path in self.plan.maps.items():
            top = path.partition(".")[0]
            if path not in names and top not in names and AIRBYTE_DATA not in names:
                raise AceError(
                    f"--map {column}={path}: {self.input.name} has no column '{path}'.",
                    near(path, names),
                    exit_code=2,
                )

    def _not_the_export(self, misfit: str, names: list[str]) -> AceError:
        from loaders.presets import likely

        if other := likely(names):
            return AceError(
                f"{self.input.name} is not what --preset {self.plan.preset} reads.",
                f"It looks like what --preset {other} reads.",
                exit_code=2,
            )
        return AceError(f"{self.input.name} {misfit}", exit_code=2)

    def columns(self, names: Collection[str]) -> None:
        """The fields of clean rows, each of which is a column."""
        self._names.update(dict.fromkeys(names))
        self._shared = True
        self._matched = self._matched or not self._told.isdisjoint(names)

    def _match(self, names: Collection[str]) -> None:
        """Remember whether fields of these names reach a column and tell the table."""
        if not self._matched:
            columns = self.fields.reached(names)
            self._shared = self._shared or bool(columns)
            self._matched = not self._told.isdisjoint(columns)

    def _notice(self, record: dict[str, Any]) -> None:
        """Remember what an unfitting record has, for the message that says so."""
        self._names.update(dict.fromkeys(map(str, record)))
        self._lists += lists_in(record)

    def check(self) -> None:
        """Raise AceError where nothing that was read fits the table or the mapping."""
        if self.sink.records and not self._matched and self._names:
            raise self._unfitting()
        self.paths.check(self.input.name)

    def _unfitting(self) -> AceError:
        has = f"it has {', '.join(list(self._names)[:12])}."
        if self._shared:
            wanted = ", ".join(identifying(self.main))
            what = f"Nothing in {self.input.name} tells {self.main} (one of {wanted})"
        else:
            what = f"No field of {self.input.name} is a column of {self.main}"
        return AceError(f"{what}; {has}", self._mapping_hint(), exit_code=2)

    def _mapping_hint(self) -> str:
        from loaders.presets import likely

        if preset := likely(self._names):
            return f"It looks like what --preset {preset} reads."
        if self._lists:
            first = self._lists[0]
            others = "".join(f", or '{path}'" for path in self._lists[1:_LISTS_NAMED])
            return f"Its records seem to be in '{first}'{others}: add --records {quote(first)}."
        return "Name them with --map column=field, or choose another --table or --preset."

    # -- records -------------------------------------------------------------------

    @cached_property
    def _notices(self) -> Notices:
        part = self.sink.part(self.main)
        notices = part.typing.notices if part is not None else Notices()
        notices.partly_taken.update(p.partition(".")[0] for p in self.fields.maps.values())
        return notices

    def document(self, document: Any, raw: bytes) -> None:
        """One parsed document: a record, what holds the records, or an envelope around it."""
        if isinstance(document, dict):
            found = opened(document)
            if found is not None:
                if found.reason:
                    self.reject(raw, found.reason)
                else:
                    self._inside(found.document, raw, found)
                return
            rows = rows_of(document, self._tells)
            if rows is not None:
                for row in rows:
                    self._inside(row, raw_bytes(row), NO_ENVELOPE)
                return
        self._inside(document, raw, NO_ENVELOPE)

    def _tells(self, names: list[str]) -> bool:
        """Whether names are those of the table's columns, for tables in JSON."""
        if self.plan.preset:
            return False
        nested = {n for n, path in self.fields.maps.items() if "." in path and path not in names}
        try:
            return not self._told.isdisjoint(self.fields.reached(names) - nested)
        except SameColumn:
            return False

    def _inside(self, document: Any, raw: bytes, envelope: Opened) -> None:
        if self.plan.preset:
            self._preset(document, raw, envelope)
            return
        if self.plan.records:
            items = at_path(document, self.plan.records)
            if not isinstance(items, list):
                self.reject(raw, f"there is no list at '{self.plan.records}'")
                return
            for item in items:
                self.record(item, raw_bytes(item), envelope.known_at)
            return
        self.record(document, raw, envelope.known_at)

    def record(self, record: Any, raw: bytes, known_at: datetime | None = None) -> None:
        if not isinstance(record, dict):
            self.sink.add(self.main, Record(record, raw=raw))
            return
        if self.paths.open:
            self.paths.look(record)
        try:
            if not self._matched:
                if len(self._names) < 50:
                    self._notice(record)
                self._match(record)
            values, extra = self.plan.values(record, self._notices)
        except SameColumn as error:
            self._shared = self._matched = True
            self.sink.reject(self.main, raw, f"{error}: only one can be", error.column)
            return
        self.sink.add(self.main, Record(values, extra, raw, extracted_at=known_at))

    def _preset(self, document: Any, raw: bytes, envelope: Opened) -> None:
        known_at = envelope.known_at or self.sink.known_at
        path = self.sink.context.get("path", "")
        for found in self.plan.preset_records(document, known_at, path):
            if found.next_step:
                raise AceError(f"{self.input.name}: {found.reason}", found.next_step, exit_code=2)
            kept = raw if found.raw is None else raw_bytes(envelope.around(found.raw))
            if found.resource is None:
                self.sink.reject(found.meant or self.main, kept, found.reason.rstrip("."))
                continue
            try:
                record = self.plan.record(found, kept)
            except NotTyped as problem:
                self.sink.reject(found.resource, kept, f"the time it was collected: {problem}")
                continue
            record.extracted_at = record.extracted_at or envelope.known_at
            self.sink.add(found.resource, record)

    def frame(self, frame: pl.DataFrame) -> None:
        """Land clean rows, with what the file's folders state."""
        if stated := self.plan.folder_extra(self.main):
            frame = frame.with_columns(pl.lit(canonical_json(stated)[0]).alias("_extra"))
        self.sink.frame(self.main, frame)

    # -- damage --------------------------------------------------------------------

    @contextlib.contextmanager
    def survives_damage(self) -> Iterator[None]:
        """What was read before compressed data breaks off lands; the break is recorded."""
        try:
            yield
        except DAMAGED as error:
            if isinstance(error, AceError):
                raise
            if not self.sink.records or not self.input.compression:
                raise unreadable(self.input.name, error) from None
            text = " ".join(str(error).split())
            reason = f"the compressed data is damaged from here on, what follows is lost ({text})"
            self.reject(b"", reason)
