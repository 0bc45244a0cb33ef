"""How commands show the answer of a query: a table or blocks to read, JSON or CSV in full."""

from __future__ import annotations

import csv
import math
import sys
from typing import TYPE_CHECKING, Any

from warehouse.terminal import console_width, echo, json_text, note, paged, table, write

if TYPE_CHECKING:
    from repositories.reader import Stream

#: Rows and characters that a table shows at most: it is for reading, and needs all at once.
TABLE_ROWS = 1000
TABLE_CHARACTERS = 10_000_000
#: Characters that a column of a table takes at most before its values are folded.
WIDEST = 36
#: How text begins that spreadsheets take for a formula.
CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_json(answer: Stream) -> None:
    """A list of objects, one a line, each written as it comes."""
    between = "["
    for batch in answer.batches:
        for row in batch:
            record = json_text(dict(zip(answer.columns, row, strict=True)), indent=None)
            write(f"{between}\n{record}")
            between = ","
    write("[]\n" if between == "[" else "\n]\n")


class _Lines:
    """Ends lines with a line feed. The writer quotes a carriage return in a value only
    where its own lines end with one."""

    def write(self, line: str) -> None:
        write(line.removesuffix("\r\n") + "\n")


def write_csv(answer: Stream, *, safe: bool = False) -> None:
    """CSV as it comes; ``safe`` puts ``'`` before what a spreadsheet would calculate."""
    import json

    def shown(value: Any) -> Any:
        if isinstance(value, (dict, list, bool)):
            value = json.dumps(value, ensure_ascii=False)
        if safe and isinstance(value, str) and value.startswith(CALCULATED):
            return f"'{value}"
        return value

    writer = csv.writer(_Lines(), lineterminator="\r\n")
    writer.writerow([shown(name) for name in answer.columns])
    for batch in answer.batches:
        writer.writerows([shown(value) for value in row] for row in batch)


def print_table(answer: Stream, *, expanded: bool = False, pager: bool = True) -> None:
    """A table of at most TABLE_ROWS: as many columns as fit a terminal, all into a pipe.

    ``expanded`` shows each row as a block of its own, a column a line. Numbers are rounded for
    eyes in both; --json and --csv have them in full. On a terminal what is longer than the screen
    is shown in a ``pager``.
    """
    rows, more = _first(answer)
    numeric = [
        place
        for place in range(len(answer.columns))
        if any(isinstance(row[place], (int, float)) for row in rows)
    ]
    shown = [[for_eyes(value) for value in row] for row in rows]
    fitting = list(range(len(answer.columns))) if expanded else _fitting(answer.columns, shown)
    with paged(pager):
        if expanded:
            _print_blocks(answer.columns, shown)
        else:
            # A pipe has no width: do not fold what a program searches in.
            table(
                [answer.columns[place] for place in fitting],
                [[row[place] for place in fitting] for row in shown],
                [at for at, place in enumerate(fitting) if place in numeric],
                folded=sys.stdout.isatty(),
            )
    left_out = [name for place, name in enumerate(answer.columns) if place not in fitting]
    if left_out:
        note(
            f"{len(left_out)} of {len(answer.columns)} columns do not fit and are left out: "
            f"{', '.join(left_out)}. Name the ones you need, or see all with --expanded."
        )
    count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    note(f"The first {count}; --json and --csv give all of them." if more else count)


def for_eyes(value: Any) -> Any:
    """A value as it stands in a table: doubles with four digits that count, or all before
    the point; structures as JSON."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, (dict, list)):
        return json_text(value, indent=None)
    return value


def _print_blocks(columns: list[str], rows: list[list[Any]]) -> None:
    width = max((len(name) for name in columns), default=0)
    for number, row in enumerate(rows, 1):
        echo(f"row {number}", bold=True)
        for name, value in zip(columns, row, strict=True):
            echo(f"  {name:<{width}}  {'' if value is None else value}")


def _fitting(columns: list[str], rows: list[list[Any]]) -> list[int]:
    """Places of the columns that a terminal has room for, from the left; all of them in a pipe.

    A text wider than WIDEST counts as that much: it is folded.
    """
    if not sys.stdout.isatty():
        return list(range(len(columns)))
    room = console_width()
    fitting: list[int] = []
    for place, name in enumerate(columns):
        cells = [len(str(row[place])) for row in rows if row[place] is not None]
        room -= max(len(name), min(WIDEST, max(cells, default=0))) + 3
        if room < 0 and fitting:
            break
        fitting.append(place)
    return fitting


def _first(answer: Stream) -> tuple[list[tuple[Any, ...]], bool]:
    """As many rows as a table can show in bounded memory, and whether there are more."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for batch in answer.batches:
        for row in batch:
            if len(rows) == TABLE_ROWS or size > TABLE_CHARACTERS:
                return rows, True
            rows.append(row)
            size += sum(len(str(value)) for value in row)
    return rows, False
