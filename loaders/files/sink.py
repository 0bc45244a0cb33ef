"""The loads one input file becomes: one per resource it has records for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from common.errors import AceError
from loaders.adoption import Adoption
from loaders.files.falls import Falls
from loaders.files.idforms import IdForms
from loaders.files.increments import Increments
from loaders.files.summary import Summary
from loaders.landing import Landing, Load, LoadWriter, Rejected
from loaders.records import Record, type_records
from loaders.schema import DEFAULT_OWN_TIME, OWN_TIME, RESOURCES
from loaders.values import Typing
from loaders.values.ids import count_rounded

#: Records, and bytes of them, typed in one go: bounds memory.
BATCH_RECORDS = 5_000
BATCH_BYTES = 16 << 20
#: What a field takes in memory besides its text.
FIELD_BYTES = 64


@dataclass
class _Part:
    """One resource of the file: its writer and the records waiting to be typed."""

    writer: LoadWriter
    typing: Typing
    summary: Summary
    forms: IdForms
    falls: Falls = field(default_factory=Falls)
    records: list[Record] = field(default_factory=list)
    waiting_bytes: int = 0
    position: int = 0


class Sink:
    """Takes records and clean frames, types, and commits all parts at the end."""

    def __init__(
        self,
        landing: Landing,
        source: str,
        *,
        typing: Callable[[], Typing],
        known_at: datetime | None,
        asked: bool = False,
        skip: Callable[[str], bool],
        context: dict[str, Any],
        open_options: dict[str, Any],
        adoption: Adoption | None = None,
        increments: Increments | None = None,
    ) -> None:
        self._landing = landing
        self._source = source
        self._typing = typing
        #: None: every record's own time is when it was known.
        self.known_at = known_at
        #: The user said when: no record knows better.
        self._asked = asked
        self._skip = skip
        #: Kept beside rejected records; readers may add to it before the first record.
        self.context = context
        self._options = open_options
        self._adoption = adoption
        #: Holds the rows back until all of them are there.
        self._increments = increments
        self.parts: dict[str, _Part] = {}
        #: The landing zone could not be written: no other file will fare better.
        self.failed = False
        self._skipped: set[str] = set()
        self._stack = ExitStack()
        if adoption is not None:
            self._stack.enter_context(adoption)
        self.records = 0

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    @property
    def skipped(self) -> set[str]:
        """Resources whose records were passed over: the same load is there already."""
        return self._skipped

    def part(self, resource: str) -> _Part | None:
        """The resource's part, opened when first asked for; None when it is skipped."""
        known = self.parts.get(resource)
        if known is not None or resource in self._skipped:
            return known
        if self._skip(resource):
            self._skipped.add(resource)
            return None
        writer = self._landing.open_load(
            self._source, resource, context=self.context, **self._options
        )
        self._stack.enter_context(writer)
        part = _Part(writer, self._typing(), Summary(resource), IdForms(resource))
        self.parts[resource] = part
        return part

    def add(self, resource: str, record: Record) -> None:
        """One record to type."""
        self.records += 1
        part = self.part(resource)
        if part is None:
            return
        part.records.append(record)
        fields = len(record.values) if isinstance(record.values, dict) else 0
        part.waiting_bytes += len(record.raw or b"") + FIELD_BYTES * fields
        if len(part.records) >= BATCH_RECORDS or part.waiting_bytes >= BATCH_BYTES:
            self._flush(resource, part)

    def reject(self, resource: str, raw: bytes, reason: str, field: str | None = None) -> None:
        """A record that cannot even be parsed, or whose fields contradict each other."""
        self.records += 1
        part = self.part(resource)
        if part is not None:
            self._flush(resource, part)
            self._reject(part, [Rejected(part.position, raw, reason, field)])
            part.position += 1

    def frame(self, resource: str, frame: pl.DataFrame) -> None:
        """Rows that are typed already."""
        self.records += frame.height
        part = self.part(resource)
        if part is not None:
            self._flush(resource, part)
            end = part.position + frame.height
            positions = pl.int_range(part.position, end, dtype=pl.Int64, eager=True)
            self._write(resource, part, frame.with_columns(positions.alias("_position")))
            part.position = end

    def _flush(self, resource: str, part: _Part) -> None:
        if not part.records:
            return
        frame, rejected = type_records(
            resource, part.records, start=part.position, typing=part.typing
        )
        part.position += len(part.records)
        part.records, part.waiting_bytes = [], 0
        self._reject(part, rejected)
        self._write(resource, part, frame)

    def _reject(self, part: _Part, rejected: list[Rejected]) -> None:
        part.summary.refuse(rejected)
        with self._writing():
            part.writer.reject(rejected)

    def _settle(self, resource: str, part: _Part) -> None:
        """Land rows whose counts are growth, now that all of the file are there."""
        if self._increments is None:
            return
        frame, rejected = self._increments.settle(part.position)
        self._reject(part, rejected)
        if not frame.is_empty():
            self._land(resource, part, frame)

    def _write(self, resource: str, part: _Part, frame: pl.DataFrame) -> None:
        count_rounded(frame, part.typing.notices)
        self._judge(resource, part, part.forms.take(frame))

    def _judge(
        self, resource: str, part: _Part, judged: list[tuple[pl.DataFrame, list[Rejected]]]
    ) -> None:
        """Hand on what was told from lines of totals."""
        for frame, rejected in judged:
            self._reject(part, rejected)
            if self._increments is not None:
                self._increments.take(frame)
            else:
                self._land(resource, part, frame)

    def _land(self, resource: str, part: _Part, frame: pl.DataFrame) -> None:
        if self.known_at is not None:
            known = pl.lit(self.known_at).cast(pl.Datetime("us", "UTC"))
        else:
            own = OWN_TIME.get(resource, DEFAULT_OWN_TIME)
            names = [n for n in own if n in frame.columns]
            known = pl.coalesce(pl.col(names)) if names else pl.lit(None)
        if "_extracted_at" in frame.columns and not self._asked:
            known = pl.coalesce(pl.col("_extracted_at"), known)
        frame = frame.with_columns(known.alias("_extracted_at"))
        with self._writing():
            if self._adoption is not None and resource == "published_posts":
                frame = self._adoption.take(frame)
            part.summary.look(frame)
            if resource == "performance_metrics":
                part.falls.look(frame)
            part.writer.write(frame)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except AceError:
            self.failed = True
            raise

    def finish(self) -> None:
        """Type what still waits; AceError when the rows together make no sense."""
        for resource, part in self.parts.items():
            self._flush(resource, part)
            self._judge(resource, part, part.forms.rest())
            self._settle(resource, part)

    def commit(self, cursor: dict[str, Any] | None = None) -> list[Load]:
        """Commit every part, after :meth:`finish`; an input without records commits nothing.

        What posts hang on comes before them, so that what is there never waits for what a
        kill in between kept from coming: the same input, loaded again, completes it.
        """
        for part in self.parts.values():
            part.writer.null_characters += part.typing.null_characters
        loads = self._adoption.commit() if self._adoption is not None else []
        order = [name for name in RESOURCES if name in self.parts]
        for resource in order:
            loads.append(self.parts[resource].writer.commit(cursor))
        return loads

    def notices(self, resource: str, *, reasons: bool = False) -> tuple[str, ...]:
        """What the user should know of the resource's values, as sentences; ``reasons``
        adds why records were rejected.
        """
        part = self.parts.get(resource)
        if part is None:
            return ()
        noticed = part.typing.notices
        why = part.summary.reasons() if reasons else []
        added = self._increments.sentences() if self._increments is not None else ()
        falls = part.falls.sentence() if self._increments is None else None
        fallen = (falls,) if falls else ()
        return (*added, *fallen, *why, *part.summary.sentences(noticed), *noticed.sentences())

    def fingerprint(self, of: Callable[[str], str]) -> None:
        """Set the fingerprints, known only once the file was read to its end."""
        for resource, part in self.parts.items():
            part.writer.fingerprint = of(resource)
