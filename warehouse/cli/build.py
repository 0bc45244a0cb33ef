"""``ace build``: models and tests, then a release."""

from __future__ import annotations

from pathlib import Path

import click

from common.errors import UsageError
from warehouse.settings import TARGETS
from warehouse.terminal import echo, note

EPILOG = """\b
Examples:
  ace build
  ace build --target postgres
  ace build --select post_performance+      (part of the models, no release)
  ace build --as-of 2026-10-15T12:00Z --output mid-october.duckdb
"""


@click.command(epilog=EPILOG)
@click.option("--target", type=click.Choice(TARGETS), help="Engine [default: ACE_TARGET].")
@click.option("--full-refresh", is_flag=True, help="Rebuild every table from landing.")
@click.option("--select", multiple=True, metavar="S", help="Only these models; never releases.")
@click.option("--no-release", is_flag=True, help="Build and test, but leave readers as they are.")
@click.option("--force", is_flag=True, help="Build even when nothing is new; test all rows.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another build.",
)
@click.option(
    "--as-of",
    "as_of",
    metavar="T",
    help="Build as it would have been at T (ISO 8601; UTC without an offset) into --output.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The DuckDB file for --as-of; the live warehouse and its releases stay as they are.",
)
def command(
    target: str | None,
    full_refresh: bool,
    select: tuple[str, ...],
    no_release: bool,
    force: bool,
    wait: float,
    as_of: str | None,
    output: Path | None,
) -> None:
    """Build the twelve tables and the marts, test everything, then release.

    A build that fails a test leaves the current release in place. When the current
    release already covers everything landed, nothing is done.
    """
    if as_of is not None or output is not None:
        if select or no_release or target not in (None, "duckdb"):
            raise UsageError(
                "--as-of builds all models into a DuckDB file of its own.",
                "Leave out --select, --no-release and --target.",
            )
        _build_as_of(as_of, output)
        return
    from warehouse.build import build

    build(
        target,
        full_refresh=full_refresh,
        select=tuple(part for text in select for part in text.split()),
        release=not no_release,
        force=force,
        wait=wait,
    )


def _build_as_of(as_of: str | None, output: Path | None) -> None:
    if as_of is None or output is None:
        raise UsageError(
            "--as-of and --output belong together.",
            "Example: ace build --as-of 2026-10-15 --output mid-october.duckdb",
        )
    from warehouse.build import build_as_of, parse_time

    build_as_of(
        parse_time(as_of),
        output,
        say=echo,
        note=note,
    )
