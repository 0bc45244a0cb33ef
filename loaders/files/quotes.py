"""How quotes inside quoted fields of CSV are written: doubled, or behind a backslash as Spark
and others write them. What a file does is told by the first record that is sound in one way only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from common.errors import UsageError

#: The way in which a quote inside a field is two quotes; else the way is what escapes it.
DOUBLED = '"'
_BACKSLASH = "\\"


@dataclass
class Quotes:
    """What is known of a file: its separator and the way its quotes are written."""

    #: The way that was asked for, or that the file's records have shown; None before.
    way: str | None = None
    #: ``way`` was asked for: no record shows otherwise.
    asked: bool = False
    delimiter: str = ","
    #: A quoted field had two backslashes before anything told whether they mean one.
    doubtful: bool = False

    @property
    def escape(self) -> str:
        """What escapes quotes, or would."""
        return _BACKSLASH if self.way in (None, DOUBLED) else str(self.way)

    def matter(self, text: str) -> bool:
        """Whether the ways could read a text differently."""
        if self.way not in (None, DOUBLED):
            return self.escape in text and (self.asked or '"' in text)
        return not self.asked and '\\"' in text

    def other(self) -> str:
        """The way that this file's quotes are not written in."""
        return self.escape if self.way == DOUBLED else DOUBLED

    def begins(self, raw: str) -> bool:
        """Whether a field of a record begins with a quote."""
        return raw.startswith('"') or f'{self.delimiter}"' in raw

    def cells(self, raw: str, way: str, width: int) -> list[str] | None:
        """The cells of one record, read strictly: None unless its quotes are sound and it has
        ``width`` of them, or more that are empty.
        """
        # Asked for, it also escapes separators outside quotes, where that makes the record.
        for anything in (True, False) if self.asked and way != DOUBLED else (False,):
            cells = _cells(raw.rstrip("\r\n"), way, self.delimiter, anything)
            if cells and len(cells) >= width and not any(c.strip() for c in cells[width:]):
                return cells[:width]
        return None

    def sound(self, raw: str, way: str) -> bool:
        """Whether the quotes of a record come in pairs, and only around fields."""
        return _cells(raw.rstrip("\r\n"), way, self.delimiter, False) is not None

    def bare(self, line: str, way: str) -> str:
        """The line without what is escaped in it: its quotes begin and end fields."""
        return line if way == DOUBLED else _escaped(way).sub("", line)

    def reading(self, raw: str, width: int) -> list[str] | None:
        """The cells of a record that stands alone; None unless one way makes it sound."""
        ways = [self.way] if self.way is not None else [DOUBLED, self.escape]
        found = [cells for way in ways if (cells := self.cells(raw, way, width)) is not None]
        return found[0] if len(found) == 1 else None


def checked_escape(escape: str, option: str = "--escape") -> None:
    """UsageError for what cannot escape quotes."""
    if len(escape) != 1 or escape.isalnum() or escape.isspace() or escape in ",;|'":
        raise UsageError(
            f"{option} takes one character that is no letter, digit or separator, not '{escape}'.",
            f"Backslashes are {option} '\\'; {option} '\"' says that quotes are doubled.",
        )


def _cells(raw: str, way: str, delimiter: str, anything: bool) -> list[str] | None:
    field = _field(way, delimiter, anything)
    cells: list[str] = []
    at = 0
    while True:
        found = field.match(raw, at)
        if found is None:
            return None
        quoted, bare = found[1], found[2]
        if quoted is not None:
            cells.append(_taken_off(way).sub(r"\1\2", quoted))
        elif way == DOUBLED:
            cells.append(bare)
        else:
            cells.append(_bare_taken_off(way, anything).sub(r"\1", bare))
        at = found.end()
        if not found[3]:
            return cells


@cache
def _field(way: str, delimiter: str, anything: bool) -> re.Pattern[str]:
    """A field: what is in its quotes, or what it is without any, and the separator behind it."""
    d, e = re.escape(delimiter), re.escape(way)
    if way == DOUBLED:
        quoted, bare = r'[^"]*(?:""[^"]*)*', rf'[^"{d}]*'
    else:
        quoted = rf'[^"{e}]*(?:(?:{e}.|"")[^"{e}]*)*'
        escaped = f"{e}." if anything else f'{e}"?'
        bare = rf'[^"{e}{d}]*(?:{escaped}[^"{e}{d}]*)*'
    return re.compile(rf'(?:"({quoted})"|({bare}))({d}|\Z)', re.DOTALL)


@cache
def _escaped(escape: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(escape)}(?:\r\n|.)", re.DOTALL)


@cache
def _taken_off(way: str) -> re.Pattern[str]:
    """Inside quotes: what stands for a quote or for the escape itself."""
    e = re.escape(way)
    return re.compile('"(")()' if way == DOUBLED else rf'{e}(["{e}])|"(")')


@cache
def _bare_taken_off(escape: str, anything: bool) -> re.Pattern[str]:
    """Outside quotes a backslash is one, but before a quote, or where all can be escaped."""
    e = re.escape(escape)
    return re.compile(rf"{e}(\r\n|[^\w\s]|[\r\n\t ])" if anything else rf'{e}(")')
