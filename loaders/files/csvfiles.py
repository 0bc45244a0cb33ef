"""Records of CSV files: in clean blocks where every row is one line, else row by row."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import IO, Any

from loaders.files import csvrows, fast
from loaders.files.documents import Documents
from loaders.files.encodings import NotText
from loaders.files.limits import BLOCK_BYTES, TooLong, blocks
from loaders.files.quotes import DOUBLED, Quotes
from loaders.files.texts import ESCAPED, as_bytes, as_text, decoded


def read(to: Documents) -> None:
    """Every row of the file."""
    with to.survives_damage(), to.input.text() as file:
        if to.plain and to.plan.escape in (None, DOUBLED) and _blocks(to, file):
            return
    with to.survives_damage(), to.input.text() as file, as_text(to.input, file) as text:
        _rows(to, text)


def _rows(to: Documents, text: io.TextIOWrapper, lines_before: int = 0) -> None:
    asked = to.plan.escape
    quotes = Quotes(asked, asked is not None)
    found = csvrows.rows(text, to.input.name, lines_before, quotes)
    names = next(found)
    assert isinstance(names, list)
    _begin(to, names)
    to.sink.context["csv"] = asdict(quotes)
    known = (quotes.way, quotes.doubtful)
    for row in found:
        assert isinstance(row, csvrows.Row)
        raw = as_bytes(row.raw.rstrip("\r\n"))
        if known != (quotes.way, quotes.doubtful):
            # A retry reads a record like the file it was in.
            known = (quotes.way, quotes.doubtful)
            to.sink.context["csv"] = asdict(quotes)
        values = row.values
        if values is None:
            to.reject(raw, row.reason)
            continue
        if not row.raw.isascii() and ESCAPED.search(row.raw):
            try:
                decoded(to.input, raw)
                values = {
                    name: decoded(to.input, as_bytes(cell)) if cell else cell
                    for name, cell in values.items()
                }
            except NotText as problem:
                to.reject(raw, str(problem))
                continue
        to.document(values, raw)


def _begin(to: Documents, names: list[str]) -> None:
    to.header(names)
    to.sink.context["header"] = names


def _blocks(to: Documents, file: IO[bytes]) -> bool:
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
    names = csvrows.header_names(cells, to.input.name)
    typing = to.plan.typing(from_csv=True)
    constants = to.plan.constants[to.main]
    file.read(len(header) + 1)
    lines = 0
    for block in blocks(file, BLOCK_BYTES):
        if isinstance(block, TooLong):
            _begin(to, names)
            to.reject(block.start, block.reason)
            lines += 1
            continue
        frame = fast.csv_block(to.fields, block, names, delimiter, typing, constants)
        if frame is None:
            if not lines:
                return False
            # A row may span lines: from here on nothing is cut into blocks.
            rest: Any = _Joined(header + b"\n" + block, file)
            _rows(to, as_text(to.input, io.BufferedReader(rest)), lines)
            return True
        _begin(to, names)
        to.frame(frame)
        lines += block.count(b"\n")
    return lines > 0


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
