"""How much of an input is held in memory at once, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, AnyStr

#: Longest record: a line, an element of a list, a row of CSV (bytes, or characters of text).
LONGEST_RECORD = 64 << 20
#: Most values in one record: as Python objects each takes a hundred bytes and more.
MOST_VALUES = 4 << 20
#: Shorter ones cannot have that many worth counting.
_WORTH_COUNTING = 4 << 20
#: What is kept of a record that is longer (bytes).
KEPT = 1 << 16
#: Bytes parsed in one go: large enough for vectors, small enough for memory.
BLOCK_BYTES = 16 << 20
#: Most columns of a CSV file.
MOST_COLUMNS = 1 << 17


@dataclass(frozen=True)
class TooLong:
    """A line that is too long: how it begins, and its size in bytes."""

    start: bytes
    size: int

    @property
    def reason(self) -> str:
        return too_large("line", f"{self.size:,} bytes")


def too_large(what: str, size: str = "") -> str:
    """The reason why a record was not read; only its first bytes are kept."""
    said = f" ({size})" if size else ""
    return (
        f"the {what} is too large{said}: more than {LONGEST_RECORD >> 20} MiB or {MOST_VALUES:,} "
        f"values; only its first {KEPT >> 10} KiB are kept"
    )


def has_too_many_values(text: AnyStr, marks: Sequence[AnyStr], at: int = 0) -> bool:
    """Whether a record from a place on could hold more values than it may, told by the marks
    that part them. Read roughly: marks in texts count as well.
    """
    if len(text) - at <= _WORTH_COUNTING:
        return False
    return sum(text.count(mark, at) for mark in marks) > MOST_VALUES


def blocks(file: IO[bytes], size: int) -> Iterator[bytes | TooLong]:
    """The file in blocks of about that size (bytes) that end at line ends; lines that are
    too long by themselves, their bytes passed over.
    """
    while data := file.read(size):
        if data.endswith(b"\n"):
            yield data
            continue
        data += file.readline(LONGEST_RECORD + 1)
        cut = data.rfind(b"\n", 0, len(data) - 1) + 1
        if len(data) - cut <= LONGEST_RECORD:
            yield data
            continue
        if cut:
            yield data[:cut]
        length, start, ended = len(data) - cut, data[cut : cut + KEPT], data.endswith(b"\n")
        del data
        while not ended and (rest := file.readline(1 << 20)):
            length += len(rest)
            ended = rest.endswith(b"\n")
        yield TooLong(start, length)
