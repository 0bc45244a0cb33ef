"""CSV rows with the text each came from: bad ones are told apart, not fatal."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from loaders.errors import AceError

#: Longest field in characters; a quote that is never closed must not eat the memory.
LONGEST_FIELD = 1 << 26
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Row:
    """One record: its fields by name, or the reason why it has none."""

    raw: str
    values: dict[str, str | None] | None
    reason: str = ""


class _Lines:
    """Hands lines to the CSV reader and remembers those of the current record."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._file)
        self.number += 1
        self.taken.append(line)
        return line

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
    names = [cell.strip() or f"column_{i}" for i, cell in enumerate(cells, start=1)]
    for i, one in enumerate(names):
        if one in names[:i]:
            raise AceError(
                f"{name} has two columns named '{one}' ({names.index(one) + 1} and {i + 1}).",
                "Rename or remove one of them: which is meant cannot be told.",
            )
    return names


def rows(file: TextIO, name: str, lines_before: int = 0) -> Iterator[list[str] | Row]:
    """First the header's names, then every row. AceError for a header nobody can use.

    ``lines_before`` is how many lines between the header and the rows were read before.
    """
    csv.field_size_limit(LONGEST_FIELD)
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    if not first:
        raise AceError(f"{name} has no header line.", "The first line must name the columns.")
    delimiter = delimiter_of(first)
    lines = _Lines(_Chained(first, file))  # type: ignore[arg-type]
    reader = csv.reader(lines, delimiter=delimiter)
    names = header_names(next(reader), name)
    yield names
    lines.number += lines_before
    while True:
        lines.taken.clear()
        begun = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
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

    def __next__(self) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._file)
