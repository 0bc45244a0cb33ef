"""``ace export``: a release as Parquet files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from warehouse.cli._show import json_option, plural, release_option, target_option
from warehouse.terminal import echo, note, print_json

EPILOG = """\b
Examples:
  ace export --output release-42
  ace export --output posts --table marts.post_performance --table canonical.published_posts
"""


@click.command(epilog=EPILOG)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER",
    help="A new or an empty folder.",
)  # fmt: skip
@click.option("--table", "tables", multiple=True, help="Only this one; repeatable.")
@release_option
@target_option
@json_option
def command(
    output: Path, tables: tuple[str, ...], release: str | None, target: str | None, as_json: bool
) -> None:
    """Write a release as Parquet files, for programs that cannot open it.

    A DuckDB release needs DuckDB 2.0 or newer; what this writes, anything reads: a file
    for each table (FOLDER/schema/table.parquet) and release.json, which says what it is of.
    Ids and documents are text, times are UTC.
    """
    from repositories import Warehouse
    from warehouse.export import export

    shown = sys.stderr.isatty() and not as_json
    with Warehouse.open(release, target=target) as warehouse:
        counts = export(
            warehouse, output, tables, (lambda name: note(f"writing {name}")) if shown else _quiet
        )
        number = warehouse.release.number
    if as_json:
        print_json({"folder": str(output), "release": number, "rows": counts})
        return
    what = f"release {number}" if number else "the release file"
    rows = sum(counts.values())
    echo(f"Wrote {plural(len(counts), 'table')} of {what}, {rows:,} rows: {output}")


def _quiet(name: str) -> None:
    """Progress is for a terminal."""
