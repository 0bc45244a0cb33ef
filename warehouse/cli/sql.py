"""``ace sql``: read-only SQL against a release."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from common.errors import UsageError
from warehouse.cli._show import target_option
from warehouse.terminal import json_text, note, table, write

if TYPE_CHECKING:
    from repositories.reader import Stream

EPILOG = """\b
Examples:
  ace sql "select * from marts.row_ledger"
  ace sql "select platform, sum(views) from marts.post_performance group by 1" --json
  ace sql --release 3 --csv "select * from canonical.products" > products.csv
"""
#: Rows and characters that a table shows at most: it is for reading, and needs all at once.
TABLE_ROWS = 1000
TABLE_CHARACTERS = 10_000_000
#: How text begins that spreadsheets take for a formula.
CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\n")


@click.command(epilog=EPILOG)
@click.argument("query", required=False)
@click.option("--release", metavar="N|FILE", help="A release's number, or a release file.")
@click.option("--file", "file", metavar="PATH", help="Read the SQL from a file ('-': stdin).")
@target_option
@click.option("--json", "as_json", is_flag=True, help="A list of objects, all rows.")
@click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    help="CSV with a header, all rows, exactly: a spreadsheet calculates what begins with '='.",
)
@click.option(
    "--csv-safe",
    is_flag=True,
    help="The same for spreadsheets: ' before what they would calculate.",
)
def command(
    query: str | None,
    release: str | None,
    file: str | None,
    target: str | None,
    as_json: bool,
    as_csv: bool,
    csv_safe: bool,
) -> None:
    """Run one read-only SQL statement against the current release, or another one.

    Nothing can be changed through it: the engine itself opens the release read-only.
    """
    from warehouse.readers import open_current

    if sum((as_json, as_csv, csv_safe)) > 1:
        raise UsageError("--json, --csv and --csv-safe exclude each other.", "Give one of them.")
    text = _statement(query, file)
    with open_current(release, target) as reader:
        answer = reader.stream(text)
        if as_json:
            _distinct(answer.columns)
            write_json(answer)
        elif as_csv or csv_safe:
            write_csv(answer, safe=csv_safe)
        else:
            print_table(answer)


def _statement(query: str | None, file: str | None) -> str:
    if (query is None) == (file is None):
        raise UsageError(
            "Give one SQL statement, as text or with --file.",
            'Example: ace sql "select * from marts.row_ledger"',
        )
    if file is not None:
        try:
            query = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise UsageError(f"{file} cannot be read: {reason}.", "Check the path.") from None
    assert query is not None
    if not query.isprintable() and any("\ud800" <= c <= "\udfff" for c in query):
        raise UsageError("The SQL statement is not UTF-8 text.", "Write it in UTF-8.")
    if not query.strip().strip(";").strip():
        raise UsageError(
            "The SQL statement is empty.", 'Example: ace sql "select * from marts.row_ledger"'
        )
    return query


def _distinct(columns: list[str]) -> None:
    """An object has room for one value of a name: another would be lost."""
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"Two columns are named '{twice}', and JSON keeps one of a name.",
            "Name them apart with AS, or use --csv.",
        )


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


def print_table(answer: Stream) -> None:
    """A table of at most TABLE_ROWS, folded to the terminal, or at full width into a pipe."""
    rows, more = _first(answer)
    numeric = [
        place
        for place in range(len(answer.columns))
        if any(isinstance(row[place], (int, float)) for row in rows)
    ]
    shown = [
        [json_text(v, indent=None) if isinstance(v, (dict, list)) else v for v in row]
        for row in rows
    ]
    # A pipe has no width: do not fold what a program searches in.
    table(answer.columns, shown, numeric, folded=sys.stdout.isatty())
    count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'}"
    note(f"The first {count}; --json and --csv give all of them." if more else count)


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
