"""``ace sql``: read-only SQL against a release."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from common.errors import UsageError
from warehouse.cli._answers import print_table, write_csv, write_json
from warehouse.cli._show import pager_option, release_option, target_option

EPILOG = """\b
Examples:
  ace sql "select * from marts.row_ledger"
  ace sql "select platform, sum(views) from marts.post_performance group by 1" --json
  ace sql --release 3 --csv "select * from canonical.products" > products.csv
"""


@click.command(epilog=EPILOG)
@click.argument("query", required=False)
@release_option
@click.option("--file", "file", metavar="PATH", help="Read the SQL from a file ('-': stdin).")
@target_option
@click.option("--expanded", is_flag=True, help="A row as a block, a column a line.")
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
@pager_option
def command(
    query: str | None,
    release: str | None,
    file: str | None,
    target: str | None,
    expanded: bool,
    as_json: bool,
    as_csv: bool,
    csv_safe: bool,
    no_pager: bool,
) -> None:
    """Run one read-only SQL statement against the current release, or another one.

    Nothing can be changed through it: the engine itself opens the release read-only.
    """
    from warehouse.readers import open_current

    if sum((expanded, as_json, as_csv, csv_safe)) > 1:
        raise UsageError(
            "--expanded, --json, --csv and --csv-safe exclude each other.", "Give one of them."
        )
    text = _statement(query, file)
    with open_current(release, target) as reader:
        answer = reader.stream(text)
        if as_json:
            _distinct(answer.columns)
            write_json(answer)
        elif as_csv or csv_safe:
            write_csv(answer, safe=csv_safe)
        else:
            print_table(answer, expanded=expanded, pager=not no_pager)


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
