"""CSV rows with the text each came from: bad ones are told apart, not fatal."""

from __future__ import annotations

import contextlib
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from common.errors import AceError
from loaders.files.limits import (
    KEPT,
    LONGEST_RECORD,
    MOST_COLUMNS,
    has_too_many_values,
    too_large,
)
from loaders.files.quotes import DOUBLED, Quotes
from loaders.values import shown

_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Row:
    """One record: its fields by name, or the reason why it has none."""

    raw: str
    values: dict[str, str | None] | None
    reason: str = ""


class _TooLong(Exception):
    """The current record is too long; ``cut`` when its last line alone is, and was cut."""

    def __init__(self, cut: bool) -> None:
        super().__init__()
        self.cut = cut


class _Lines:
    """Hands lines to the CSV reader and remembers those of the current record.

    Raises _TooLong for a record of more characters than are held in memory: a quote that
    is never closed must not eat it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        self._size = 0
        #: The line that was cut.
        self._whole = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.number += 1
        self.taken.append(line)
        if len(line) > LONGEST_RECORD or has_too_many_values(line, _DELIMITERS):
            self.taken[-1], self._whole = line[:KEPT], line
            raise _TooLong(cut=True)
        self._size += len(line)
        if self._size > LONGEST_RECORD:
            raise _TooLong(cut=False)
        return line

    def _read(self) -> str:
        """The next line; of one that is too long the rest is passed over."""
        line = self._file.readline(LONGEST_RECORD + 1)
        if not line:
            raise StopIteration
        if len(line) > LONGEST_RECORD and not line.endswith(("\n", "\r")):
            while (rest := self._file.readline(1 << 20)) and not rest.endswith(("\n", "\r")):
                pass
        return line

    def peek(self) -> str:
        """The next line, which is not taken; '' at the end."""
        if not self._again:
            try:
                self._again.append(self._read())
            except StopIteration:
                return ""
        return self._again[0]

    def record(self, quotes: Quotes, way: str) -> str | None:
        """The next record, which is not taken, if its quotes are written that way; None for one
        that never ends.
        """
        self.begin()
        inside = False
        try:
            for line in self:
                bare = quotes.bare(line, way)
                inside ^= bare.count('"') % 2 == 1
                # An escaped line end is text, where anything can be escaped.
                ended = bare.endswith(("\n", "\r")) or not line.endswith(("\n", "\r"))
                if not inside and (ended or not quotes.asked):
                    break
        except _TooLong as error:
            inside = True
            if error.cut:
                self.taken[-1] = self._whole
        raw = "".join(self.taken)
        self.again(list(self.taken))
        return None if inside else raw

    def take(self, raw: str) -> None:
        """Take the lines of this record."""
        self.begin()
        size = 0
        while size < len(raw):
            size += len(next(self))

    def begin(self) -> None:
        """A new record begins."""
        self.taken.clear()
        self._size = 0

    def again(self, lines: list[str]) -> None:
        """Hand these lines out once more."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


def delimiter_of(header: str) -> str:
    """The separator that splits the header most often, quoted text left out."""
    outside = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def header_names(cells: list[str], name: str) -> list[str]:
    """Column names; nameless ones are numbered. AceError for a name given twice."""
    if len(cells) > MOST_COLUMNS:
        raise AceError(
            f"{name} has {len(cells):,} columns; more than {MOST_COLUMNS:,} cannot be read.",
            "Check that its lines end where they should, or leave columns out.",
        )
    names = [cell.strip() or f"column_{i}" for i, cell in enumerate(cells, start=1)]
    places: dict[str, int] = {}
    for i, one in enumerate(names, start=1):
        first = places.setdefault(one, i)
        if first != i:
            raise AceError(
                f"{name} has two columns named {shown(one)} ({first} and {i}).",
                "Rename or remove one of them: which is meant cannot be told.",
            )
    return names


def rows(
    file: TextIO, name: str, lines_before: int = 0, quotes: Quotes | None = None
) -> Iterator[list[str] | Row]:
    """First the header's names, then every row. AceError for a header nobody can use.

    ``lines_before`` is how many lines between the header and the rows were read before;
    ``quotes`` is what is known of the file, and learns more.
    """
    how = quotes or Quotes()
    csv.field_size_limit(LONGEST_RECORD)
    first = file.readline(LONGEST_RECORD + 1)
    while first and not first.strip():
        first = file.readline(LONGEST_RECORD + 1)
    if not first:
        raise AceError(f"{name} has no header line.", "The first line must name the columns.")
    if len(first) > LONGEST_RECORD or has_too_many_values(first, _DELIMITERS):
        raise AceError(
            f"The first line of {name} is too large ({len(first):,} characters or more): it "
            "cannot name the columns.",
            "Check that it is a CSV file, and that its lines end where they should.",
        )
    how.delimiter = delimiter = delimiter_of(first)
    lines = _Lines(_Chained(first, file))  # type: ignore[arg-type]
    reader = csv.reader(lines, delimiter=delimiter)
    names = header_names(next(reader), name)
    yield names
    lines.number += lines_before
    while True:
        lines.begin()
        begun = lines.number + 1
        if how.way not in (None, DOUBLED) and how.matter(lines.peek()):
            yield from _judged(lines, names, how, name)
            continue
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong as error:
            if not error.cut and how.matter(lines.taken[0]):
                lines.again(list(lines.taken))
                yield from _judged(lines, names, how, name)
                continue
            # What an open quote swallowed are rows in their own right, most likely.
            swallowed = lines.taken[1:-1] if error.cut else lines.taken[1:]
            yield Row(lines.taken[0][:KEPT], None, too_large(f"row of line {begun}"))
            if error.cut and len(lines.taken) > 1:
                last = f"row of line {lines.number}"
                yield Row(lines.taken[-1], None, too_large(last))
            lines.again(swallowed)
            continue
        except csv.Error as error:
            first = lines.taken[0]
            lines.again(lines.taken[1:])
            yield Row(first, None, f"line {begun} is not valid CSV: {error}")
            continue
        raw = "".join(lines.taken)
        if how.matter(raw):
            lines.again(list(lines.taken))
            yield from _judged(lines, names, how, name)
        elif cells:
            if how.way is None and '"' in raw:
                how.doubtful = how.doubtful or "\\\\" in raw
                if '""' in raw and any('"' in cell for cell in cells):
                    how.way = DOUBLED
            yield _plain(lines, raw, cells, names, delimiter, begun)


def _plain(
    lines: _Lines, raw: str, cells: list[str], names: list[str], delimiter: str, begun: int
) -> Row:
    """The row of a record as the reader made it; lines that are none of its own are handed out
    again.
    """
    if raw.count('"') % 2 and _unclosed(raw, delimiter):
        reason = f"the quote opened on line {begun} is never closed"
        if not _holds_rows(lines.taken[1:], delimiter, len(names)):
            return Row(raw, None, f"{reason}; the file seems cut off here")
        # Only the line with the stray quote is bad: read those behind it again.
        first = lines.taken[0]
        lines.again(lines.taken[1:])
        return Row(first, None, reason)
    if len(lines.taken) > 1 and not Quotes(delimiter=delimiter).sound(raw, DOUBLED):
        # A stray quote made one record of several.
        first = lines.taken[0]
        lines.again(lines.taken[1:])
        return Row(first, None, f"the quotes of line {begun} do not come in pairs")
    if len(cells) < len(names):
        reason = _count_problem(begun, len(cells), len(names))
        cut = "" if raw.endswith(("\n", "\r")) else "; the file seems cut off here"
        return Row(raw, None, reason + cut)
    if any(cell.strip() for cell in cells[len(names) :]):
        return Row(raw, None, _count_problem(begun, len(cells), len(names)))
    return Row(raw, dict(zip(names, cells, strict=False)))


def _judged(lines: _Lines, names: list[str], how: Quotes, name: str) -> Iterator[Row]:
    """The next record, which has a backslash before a quote: read in the way that makes it
    sound, and rejected where both do, or where the file's other records are not like that.
    AceError where records before it would have been other ones.
    """
    begun = lines.number + 1
    escape = how.escape
    ways = [how.way] if how.way is not None else [DOUBLED, escape]
    found = {way: lines.record(how, way) for way in ways}
    sound = {
        way: cells
        for way, raw in found.items()
        if raw is not None and (cells := how.cells(raw, way, len(names))) is not None
    }
    if len(sound) == 1:
        ((way, cells),) = sound.items()
        if how.way is None and way == escape and how.doubtful:
            raise AceError(
                f"{name} has quotes behind backslashes (line {begun}), and two backslashes before, "
                "which then mean one.",
                f"Say so: --escape '{escape}', or --escape '{DOUBLED}' if quotes are doubled.",
            )
        how.way = way
        raw = found[way] or ""
        lines.take(raw)
        yield Row(raw, dict(zip(names, cells, strict=True)))
        return
    options = f"load the file with --escape '{escape}' or --escape '{DOUBLED}'"
    if sound:
        raw = found[escape] or ""
        lines.take(raw)
        yield Row(raw, None, f"line {begun} can be read in two ways: {options}")
        return
    if how.way is not None and not how.asked:
        raw = lines.record(how, how.other()) or ""
        if how.cells(raw, how.other(), len(names)) is not None:
            lines.take(raw)
            yield Row(raw, None, f"the quotes of line {begun} are not like those before: {options}")
            return
    lines.begin()
    raw = found[ways[-1]] or lines.peek()
    if how.way in (None, DOUBLED) and not how.begins(raw):
        # Not quoted at all: a quote is a quote, a backslash a backslash.
        try:
            cells = next(csv.reader(lines, delimiter=how.delimiter))
            yield _plain(lines, "".join(lines.taken), cells, names, how.delimiter, begun)
            return
        except (csv.Error, _TooLong):
            lines.again(lines.taken)
    with contextlib.suppress(_TooLong):
        lines.take(raw)
    ways_tried = " nor ".join("doubled" if way == DOUBLED else f"behind {way}" for way in ways)
    what = f"line {begun} is no row of {len(names)} fields, with quotes neither {ways_tried}"
    yield Row(raw, None, what if len(ways) > 1 else what.replace("neither ", ""))


def _count_problem(line: int, found: int, expected: int) -> str:
    fields = "field" if found == 1 else "fields"
    return f"line {line} has {found} {fields} where the header has {expected}"


def _holds_rows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether lines swallowed by an open quote are rows in their own right."""
    return any(len(cells) == width for cells in csv.reader(lines, delimiter=delimiter))


def _unclosed(raw: str, delimiter: str) -> bool:
    """Whether a record ends inside a quoted field."""
    try:
        for _ in csv.reader(raw.splitlines(keepends=True), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


class _Chained:
    """The first line again, then the rest of the file."""

    def __init__(self, first: str, file: TextIO) -> None:
        self._first: str | None = first
        self._file = file

    def readline(self, size: int) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._file.readline(size)
