"""``ace extract``: what models learn from, as a file that says what it is."""

from __future__ import annotations

from pathlib import Path

import click

from warehouse.cli._show import json_option, plural, release_option, target_option
from warehouse.terminal import echo, print_json

EPILOG = """\b
Examples:
  ace extract training --output posts.parquet
  ace extract training --output mid-october.csv --release mid-october.duckdb
"""


@click.group()
def command() -> None:
    """Write what models learn from into a file.

    Example: ace extract training --output posts.parquet
    """


@command.command("training", epilog=EPILOG)
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it: .parquet, .csv or .ndjson.",
)
@release_option
@target_option
@json_option
def training(output: Path, release: str | None, target: str | None, as_json: bool) -> None:
    """Write marts.post_features_as_of: each post's features when published, and its labels.

    Two columns more say what every row is of: release (null of a file made with
    'ace build --as-of') and release_as_of; a Parquet file has them as metadata, too. A label
    counts from the time in its column *_known_at on.
    """
    import polars as pl

    from repositories import Warehouse
    from warehouse.frames import check_format, write_frame

    check_format(output)
    with Warehouse.open(release, target=target) as warehouse:
        about = warehouse.release
        frame = warehouse.marts.post_features_as_of.find(order_by="post_id")
    as_of = about.as_of.isoformat() if about.as_of else None
    stamped = frame.with_columns(
        pl.lit(about.number, pl.Int64).alias("release"),
        pl.lit(about.as_of, pl.Datetime("us", "UTC")).alias("release_as_of"),
    )
    stamp = {"ace.release": str(about.number or ""), "ace.as_of": as_of or ""}
    write_frame(output, stamped, stamp)
    if as_json:
        print_json(
            {
                "file": str(output),
                "rows": frame.height,
                "release": about.number,
                "as_of": as_of,
            }
        )
        return
    what = f"release {about.number}" if about.number else "a release file"
    echo(f"Wrote {plural(frame.height, 'post')} of {what}, as of {as_of or 'never'}: {output}")
