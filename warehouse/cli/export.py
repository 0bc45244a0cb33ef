"""``ace export``: a release as Parquet files, or as one file of an older DuckDB."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from common.errors import UsageError
from warehouse.cli._show import json_option, plural, release_option, target_option
from warehouse.terminal import echo, note, print_json

EPILOG = """\b
Examples:
  ace export --output release-42
  ace export --output posts --table marts.post_performance --table canonical.published_posts
  ace export --duckdb release-42.duckdb
"""


@click.command(epilog=EPILOG)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Parquet: a new or an empty folder.",
)  # fmt: skip
@click.option(
    "--duckdb", "file", type=click.Path(path_type=Path), metavar="FILE",
    help="One file that DuckDB 1.1 and newer read.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option("--table", "tables", multiple=True, help="Only this one; repeatable.")
@release_option
@target_option
@json_option
def command(
    output: Path | None,
    file: Path | None,
    force: bool,
    tables: tuple[str, ...],
    release: str | None,
    target: str | None,
    as_json: bool,
) -> None:
    """Write a release as Parquet files, or as one DuckDB file, for programs that cannot open it.

    A DuckDB release needs DuckDB 2.0 or newer. With --output, anything reads what is written: a
    Parquet file for each table (FOLDER/schema/table.parquet) and release.json, which says what
    it is of. With --duckdb, DuckDB 1.1 or newer and tools that are built on it read FILE: the same
    tables with their descriptions. Documents are text, ids are so in Parquet, times are UTC.
    """
    from repositories import Warehouse
    from warehouse.export import export
    from warehouse.export_duckdb import export_duckdb

    if (output is None) == (file is None):
        raise UsageError(
            "Give --output for Parquet, or --duckdb for a DuckDB file.",
            "Example: ace export --output release-42",
        )
    if force and not file:
        raise UsageError("--force goes with --duckdb.", "Name a new or an empty folder.")
    shown = sys.stderr.isatty() and not as_json
    told = (lambda name: note(f"writing {name}")) if shown else _quiet
    with Warehouse.open(release, target=target) as warehouse:
        if file:
            place = {"file": str(file)}
            counts = export_duckdb(warehouse, file, tables, told, force=force)
        else:
            assert output is not None
            place = {"folder": str(output)}
            counts = export(warehouse, output, tables, told)
        number = warehouse.release.number
    if as_json:
        print_json({**place, "release": number, "rows": counts})
        return
    what = f"release {number}" if number else "the release file"
    rows = sum(counts.values())
    echo(f"Wrote {plural(len(counts), 'table')} of {what}, {rows:,} rows: {file or output}")


def _quiet(name: str) -> None:
    """Progress is for a terminal."""
