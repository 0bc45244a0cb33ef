"""CSV rows with the text each came from: bad ones are told apart, not fatal."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from loaders.errors import AceError
from loaders.files.limits import (
    KEPT,
    LONGEST_RECORD,
    MOST_COLUMNS,
    has_too_many_values,
    too_large,
)
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

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.number += 1
        self.taken.append(line)
        if len(line) > LONGEST_RECORD or has_too_many_values(line, _DELIMITERS):
            self.taken[-1] = line[:KEPT]
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


def rows(file: TextIO, name: str, lines_before: int = 0) -> Iterator[list[str] | Row]:
    """First the header's names, then every row. AceError for a header nobody can use.

    ``lines_before`` is how many lines between the header and the rows were read before.
    """
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
    delimiter = delimiter_of(first)
    lines = _Lines(_Chained(first, file))  # type: ignore[arg-type]
    reader = csv.reader(lines, delimiter=delimiter)
    names = header_names(next(reader), name)
    yield names
    lines.number += lines_before
    while True:
        lines.begin()
        begun = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong as error:
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
        if not cells:
            continue
        if raw.count('"') % 2 and _unclosed(raw, delimiter):
            reason = f"the quote opened on line {begun} is never closed"
            if not _holds_rows(lines.taken[1:], delimiter, len(names)):
                yield Row(raw, None, f"{reason}; the file seems cut off here")
                continue
            # Only the line with the stray quote is bad: read those behind it again.
            first = lines.taken[0]
            lines.again(lines.taken[1:])
            yield Row(first, None, reason)
        elif len(cells) < len(names):
            reason = _count_problem(begun, len(cells), len(names))
            cut = "" if raw.endswith(("\n", "\r")) else "; the file seems cut off here"
            yield Row(raw, None, reason + cut)
        elif any(cell.strip() for cell in cells[len(names) :]):
            reason = _count_problem(begun, len(cells), len(names))
            yield Row(raw, None, reason)
        else:
            yield Row(raw, dict(zip(names, cells, strict=False)))


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
