"""``ace sql``: read-only SQL against a release."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loaders.errors import UsageError
from warehouse.cli._show import target_option

if TYPE_CHECKING:
    from repositories.connection import Answer

EPILOG = """\b
Examples:
  ace sql "select * from marts.row_ledger"
  ace sql "select platform, sum(views) from marts.post_performance group by 1" --json
  ace sql --release 3 --csv "select * from canonical.products" > products.csv
"""


@click.command(epilog=EPILOG)
@click.argument("query", required=False)
@click.option("--release", metavar="N|FILE", help="A release's number, or a release file.")
@click.option("--file", "file", metavar="PATH", help="Read the SQL from a file ('-': stdin).")
@target_option
@click.option("--json", "as_json", is_flag=True, help="A list of objects, all rows.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header, all rows.")
def command(
    query: str | None,
    release: str | None,
    file: str | None,
    target: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Run one read-only SQL statement against the current release, or another one.

    Nothing can be changed through it: the engine itself opens the release read-only.
    """
    from warehouse.readers import open_current

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other.", "Give one of them.")
    text = _statement(query, file)
    with open_current(release, target) as reader:
        answer = reader.query(text)
    if as_json:
        _distinct(answer.columns)
        sys.stdout.write(to_json(answer.dicts()))
    elif as_csv:
        sys.stdout.write(to_csv(answer))
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


def to_json(rows: Any) -> str:
    """JSON text; whole numbers of any size stay numbers (orjson stops at 64 bits)."""
    import json

    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def to_csv(answer: Answer) -> str:
    import json

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow(
            json.dumps(value, ensure_ascii=False)
            if isinstance(value, (dict, list, bool))
            else value
            for value in row
        )
    return out.getvalue()


def print_table(answer: Answer) -> None:
    """All rows as a table, folded to the terminal, or at full width into a pipe."""
    import json

    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    def shown(value: Any) -> str:
        if isinstance(value, (dict, list)):
            return json.dumps(value, ensure_ascii=False)
        return "" if value is None else str(value)

    numeric = [
        any(isinstance(row[i], (int, float)) for row in answer.rows)
        for i in range(len(answer.columns))
    ]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, right in zip(answer.columns, numeric, strict=True):
        table.add_column(
            Text(name), justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for row in answer.rows:
        table.add_row(*(Text(shown(value)) for value in row))
    if sys.stdout.isatty():
        console = Console(highlight=False)
    else:
        # A pipe has no width: do not fold what a program searches in.
        widths = [
            max([len(name), *(len(shown(row[i])) for row in answer.rows)])
            for i, name in enumerate(answer.columns)
        ]
        console = Console(highlight=False, width=sum(widths) + 3 * len(widths) + 4)
    console.print(table)
    count = len(answer.rows)
    click.echo(f"{count:,} row{'' if count == 1 else 's'}", err=True)
