"""The records of one input file, format by format, into a sink."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from shlex import quote
from typing import IO, Any

import polars as pl

from common.errors import AceError
from loaders.files import csvrows, fast
from loaders.files.columnar import rows_of
from loaders.files.encodings import WINDOWS_1252, NotText, mended
from loaders.files.envelopes import AIRBYTE_DATA, NO_ENVELOPE, Opened, opened
from loaders.files.inputs import DAMAGED, Input, unreadable
from loaders.files.jsonstream import BrokenJson, JsonStream, Unusable
from loaders.files.limits import KEPT, TooLong, blocks, has_too_many_values, too_large
from loaders.files.mapped import MappedPaths
from loaders.files.mapping import SameColumn, at_path, lists_in, near
from loaders.files.numbered import has_numbers
from loaders.files.plan import Plan
from loaders.files.quotes import DOUBLED, Quotes
from loaders.files.sink import Sink
from loaders.jsontext import canonical_json, parse_json
from loaders.notices import Notices
from loaders.records import Record
from loaders.schema import identifying
from loaders.values import NotTyped, raw_bytes, shown

#: Lists named in the message that a file fits no table.
_LISTS_NAMED = 4
#: Bytes parsed in one go: large enough for vectors, small enough for memory.
BLOCK_BYTES = 16 << 20
#: A block that is not clean is tried again in pieces of this size, so that one bad
#: record does not slow its whole block down.
PIECE_BYTES = 1 << 19
#: Bytes kept of what lies behind a break in a document.
KEPT_BYTES = 64 << 20


class Reader:
    """Reads one input by the plan and hands its records to the sink."""

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
        self._fast = (
            plan.preset is None
            and plan.records is None
            and plan.product is None
            and self.fields.top_level
            and not has_numbers(self.fields)
        )

    def read(self, kind: str) -> None:
        """Everything in the file. Raises AceError when nothing of it can be read."""
        if self.plan.records and kind in ("csv", "parquet"):
            raise AceError(
                f"--records is for JSON; {self.input.name} is {kind.upper()}.",
                "Leave it out for this file.",
                exit_code=2,
            )
        {
            "csv": self._csv,
            "lines": self._lines,
            "json": self._json,
            "parquet": self._parquet,
        }[kind]()
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

    def _mapping_hint(self) -> str:
        from loaders.presets import likely

        if preset := likely(self._names):
            return f"It looks like what --preset {preset} reads."
        if self._lists:
            first = self._lists[0]
            others = "".join(f", or '{path}'" for path in self._lists[1:_LISTS_NAMED])
            return f"Its records seem to be in '{first}'{others}: add --records {quote(first)}."
        return "Name them with --map column=field, or choose another --table or --preset."

    # -- records ---------------------------------------------------------------

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
                    self.sink.reject(self.main, raw, found.reason)
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
                self.sink.reject(self.main, raw, f"there is no list at '{self.plan.records}'")
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

    # -- JSON --------------------------------------------------------------------

    def _lines(self) -> None:
        with self._survives_damage(), self.input.text() as file:
            for block in blocks(file, BLOCK_BYTES):
                if isinstance(block, TooLong):
                    self.sink.reject(self.main, block.start, block.reason)
                    continue
                if self._fast and self._clean_block(block):
                    continue
                for piece in blocks(io.BytesIO(block), PIECE_BYTES):
                    assert isinstance(piece, bytes)
                    if not (self._fast and len(piece) < len(block) and self._clean_block(piece)):
                        self._slow_block(piece)

    def _clean_block(self, block: bytes) -> bool:
        """Land whole lines in one go; False, and nothing done, when one is not clean."""
        typing = self.plan.typing(from_csv=False)
        constants = self.plan.constants[self.main]
        frame = fast.ndjson_block(self.fields, block, typing, constants)
        if frame is None:
            return False
        self._names.update(dict.fromkeys(frame.columns))
        self._shared = True
        self._matched = self._matched or not self._told.isdisjoint(frame.columns)
        if self.paths.open:
            self.paths.look_at_lines(block)
        self._frame(frame)
        return True

    def _frame(self, frame: pl.DataFrame) -> None:
        """Land clean rows, with what the file's folders state."""
        if stated := self.plan.folder_extra(self.main):
            frame = frame.with_columns(pl.lit(canonical_json(stated)[0]).alias("_extra"))
        self.sink.frame(self.main, frame)

    def _slow_block(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            line = line.strip(b" \t\r")
            if line:
                self._line(line)

    def _line(self, line: bytes) -> None:
        if has_too_many_values(line, (b",", b"[", b"{")):
            self.sink.reject(self.main, line[:KEPT], too_large("line"))
            return
        try:
            value = parse_json(line)
        except ValueError as error:
            try:
                value = parse_json(self._decoded(line))
            except NotText as problem:
                self.sink.reject(self.main, line, str(problem))
                return
            except ValueError:
                self.sink.reject(self.main, line, f"not valid JSON: {_problem(error)}")
                return
        self.document(value, line)

    def _decoded(self, raw: bytes) -> str:
        """The text of a record that may not be UTF-8. Raises NotText."""
        return raw.decode("utf-8", WINDOWS_1252) if self.input.windows_1252 else mended(raw)

    def _text(self, file: IO[bytes]) -> io.TextIOWrapper:
        """The file as text; bytes that nobody expected stay in it as escapes, for each record
        to be judged by itself. Line ends are kept as they are.
        """
        errors = WINDOWS_1252 if self.input.windows_1252 else "surrogateescape"
        return io.TextIOWrapper(file, "utf-8", errors, newline="")

    def _json(self) -> None:
        with self._survives_damage(), self.input.text() as file, self._text(file) as text:
            stream = JsonStream(text)
            if not stream.peek():
                raise AceError(f"{self.input.name} holds no JSON.", "Export it again.")
            try:
                while stream.peek():
                    self._next(stream)
            except BrokenJson as error:
                if not self.sink.records:
                    raise AceError(
                        f"{self.input.name} is not valid JSON: {error}.", "Export it again."
                    ) from None
                rest = _bytes(error.rest[:KEPT_BYTES])
                self.sink.reject(self.main, rest, f"the document breaks off here: {error}")

    def _next(self, stream: JsonStream) -> None:
        """One top-level value of the stream; arrays element by element."""
        if self.plan.records and stream.peek() == "{":
            if not stream.enter(self.plan.records.split(".")) or stream.peek() != "[":
                raise AceError(
                    f"{self.input.name} has no list at '{self.plan.records}'.",
                    "Look where its records are and give that path to --records.",
                    exit_code=2,
                )
            for found in stream.elements():
                self._element(found, self.record)
            # What follows the list belongs to the same object and holds no records.
            stream.skip_rest()
        elif stream.peek() == "[":
            for found in stream.elements():
                self._element(found, self.document)
        else:
            found = stream.value()
            if isinstance(found, Unusable):
                if not self.sink.records and not stream.peek():
                    raise AceError(
                        f"Nothing of {self.input.name} can be read: {found.reason}.",
                        "Write one record per line, or name the list in it with --records.",
                    )
                self._element(found, self.document)
                return
            value = found[0]
            if not isinstance(value, dict) and not self.sink.records:
                raise AceError(
                    f"{self.input.name} holds {shown(value)}, not JSON objects.",
                    "Check that it is the right file.",
                )
            self._element(found, self.document)

    def _element(
        self, found: tuple[Any, str] | Unusable, take: Callable[[Any, bytes], None]
    ) -> None:
        """Hand a value of a document on, or reject what cannot be made or is in no encoding."""
        if isinstance(found, Unusable):
            self.sink.reject(self.main, _bytes(found.start), found.reason)
            return
        value, text = found
        raw = _bytes(text)
        try:
            if not text.isascii() and ESCAPED.search(text):
                value = parse_json(self._decoded(raw))
        except ValueError as problem:
            self.sink.reject(self.main, raw, str(problem))
            return
        take(value, raw)

    # -- CSV ---------------------------------------------------------------------

    def _csv(self) -> None:
        with self._survives_damage(), self.input.text() as file:
            if self._fast and self.plan.escape in (None, DOUBLED) and self._csv_blocks(file):
                return
        with self._survives_damage(), self.input.text() as file, self._text(file) as text:
            self._csv_rows(text)

    def _csv_rows(self, text: io.TextIOWrapper, lines_before: int = 0) -> None:
        asked = self.plan.escape
        quotes = Quotes(asked, asked is not None)
        found = csvrows.rows(text, self.input.name, lines_before, quotes)
        names = next(found)
        assert isinstance(names, list)
        self._begin_csv(names)
        self.sink.context["csv"] = asdict(quotes)
        known = (quotes.way, quotes.doubtful)
        for row in found:
            assert isinstance(row, csvrows.Row)
            raw = _bytes(row.raw.rstrip("\r\n"))
            if known != (quotes.way, quotes.doubtful):
                # A retry reads a record like the file it was in.
                known = (quotes.way, quotes.doubtful)
                self.sink.context["csv"] = asdict(quotes)
            values = row.values
            if values is None:
                self.sink.reject(self.main, raw, row.reason)
                continue
            if not row.raw.isascii() and ESCAPED.search(row.raw):
                try:
                    self._decoded(raw)
                    values = {
                        name: self._decoded(_bytes(cell)) if cell else cell
                        for name, cell in values.items()
                    }
                except NotText as problem:
                    self.sink.reject(self.main, raw, str(problem))
                    continue
            self.document(values, raw)

    def _begin_csv(self, names: list[str]) -> None:
        self._header(names)
        self.sink.context["header"] = names

    def _header(self, names: list[str]) -> None:
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

    def _csv_blocks(self, file: IO[bytes]) -> bool:
        """The whole file in clean blocks; False (and nothing done) when its header says
        that the slow way is needed."""
        header = _peek(file, 1 << 16).partition(b"\n")[0]
        try:
            line = header.decode()
        except UnicodeDecodeError:
            return False
        delimiter = csvrows.delimiter_of(line)
        cells = line.rstrip("\r").split(delimiter)
        if '"' in line or len(header) >= 1 << 16 or not any(map(str.strip, cells)):
            return False
        names = csvrows.header_names(cells, self.input.name)
        typing = self.plan.typing(from_csv=True)
        constants = self.plan.constants[self.main]
        file.read(len(header) + 1)
        lines = 0
        for block in blocks(file, BLOCK_BYTES):
            if isinstance(block, TooLong):
                self._begin_csv(names)
                self.sink.reject(self.main, block.start, block.reason)
                lines += 1
                continue
            frame = fast.csv_block(self.fields, block, names, delimiter, typing, constants)
            if frame is None:
                if not lines:
                    return False
                # A row may span lines: from here on nothing is cut into blocks.
                rest: Any = _Joined(header + b"\n" + block, file)
                self._csv_rows(self._text(io.BufferedReader(rest)), lines)
                return True
            self._begin_csv(names)
            self._frame(frame)
            lines += block.count(b"\n")
        return lines > 0

    # -- Parquet -----------------------------------------------------------------

    def _parquet(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with contextlib.ExitStack() as stack:
                where: Any = self.input.path
                if self.input.compression:
                    # Parquet is read from its end: unpacked on the disk, not in memory.
                    where = stack.enter_context(tempfile.TemporaryFile())
                    shutil.copyfileobj(stack.enter_context(self.input.open()), where, 1 << 20)
                    where.seek(0)
                file = stack.enter_context(pq.ParquetFile(where))
                names = file.schema_arrow.names
                csvrows.header_names(names, self.input.name)
                self._header(names)
                for batch in file.iter_batches(65_536):
                    self._batch(pa.Table.from_batches([batch]))
        except (pa.ArrowException, *DAMAGED) as error:
            if isinstance(error, AceError):
                raise
            text = " ".join(str(error).split())[:160].rstrip(". ")
            raise AceError(
                f"{self.input.name} is a damaged or cut Parquet file: {text}.",
                "Copy or export it again.",
            ) from None

    def _batch(self, table: Any) -> None:
        import pyarrow as pa

        spoilt: list[str] = []
        try:
            table.validate(full=True)
        except pa.ArrowInvalid:
            # Not every writer sees to it that text is UTF-8: then it is bytes at first.
            table, spoilt = fast.texts_as_bytes(table)
            table.validate(full=True)
        if self._fast and not spoilt:
            typing = self.plan.typing(from_csv=False)
            constants = self.plan.constants[self.main]
            frame = fast.table_block(self.fields, table, typing, constants)
            if frame is not None:
                self._frame(frame)
                return
        for index, field in enumerate(table.schema):
            table = table.set_column(index, field.name, fast.pythonic(table.column(index)))
        for values in table.to_pylist():
            try:
                for name in spoilt:
                    if values[name] is not None:
                        values[name] = mended(values[name])
            except NotText as problem:
                self.sink.reject(self.main, raw_bytes(values), str(problem))
                continue
            self.document(values, raw_bytes(values))

    # -- damage ------------------------------------------------------------------

    @contextlib.contextmanager
    def _survives_damage(self) -> Iterator[None]:
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
            self.sink.reject(self.main, b"", reason)


class _Joined(io.RawIOBase):
    """Bytes already read, then the rest of the file."""

    def __init__(self, start: bytes, file: IO[bytes]) -> None:
        self._start = memoryview(start)
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._start:
            count = min(len(buffer), len(self._start))
            buffer[:count] = self._start[:count]
            self._start = self._start[count:]
            return count
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _peek(file: IO[bytes], size: int) -> bytes:
    """The next bytes without taking them; every input is a buffered reader."""
    assert isinstance(file, io.BufferedReader)
    return file.peek(size)[:size]


#: Bytes that are not UTF-8, as they stand in text.
ESCAPED = re.compile("[\udc80-\udcff]")


def _bytes(text: str) -> bytes:
    """The bytes that a text was read from."""
    return text.encode("utf-8", "surrogateescape")


def _problem(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} (character {error.pos + 1})"
    return str(error)


def csv_values(raw: str, header: list[str], known: Any) -> dict[str, str] | None:
    """A kept CSV line with its header's names; None when the fields do not match. ``known`` is
    what was kept of its file: the separator and how quotes are written.
    """
    if isinstance(known, dict):
        quotes = Quotes(**known)
    else:
        quotes = Quotes(delimiter=csvrows.delimiter_of(raw))
    if quotes.matter(raw):
        cells = quotes.reading(raw, len(header))
        return None if cells is None else dict(zip(header, cells, strict=True))
    parsed = [row for row in csv.reader([raw], delimiter=quotes.delimiter) if row]
    if len(parsed) != 1 or len(parsed[0]) != len(header):
        return None
    return dict(zip(header, parsed[0], strict=True))
