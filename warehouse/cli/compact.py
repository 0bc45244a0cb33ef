"""``ace compact``: merge small landed files."""

from __future__ import annotations

from dataclasses import asdict

import click

from warehouse.cli._show import note_left_out
from warehouse.terminal import echo, print_json


@click.command(name="compact")
@click.option(
    "--min-files",
    type=click.IntRange(min=2),
    default=8,
    show_default=True,
    help="Merge once a resource has this many small files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def command(min_files: int, as_json: bool) -> None:
    """Merge small landed files without changing a row or its load.

    Safe beside running builds and when stopped at any moment.

    Example: ace compact --min-files 2
    """
    from loaders.landing import Landing
    from loaders.landing.compaction import compact
    from warehouse.settings import settings

    landing = Landing(settings().landing)
    done = compact(landing, min_files)
    note_left_out(landing)
    if as_json:
        print_json([asdict(one) for one in done])
        return
    for one in done:
        line = f"{one.source}/{one.resource}: {one.merged} files merged, {one.deleted} deleted"
        if one.waiting:
            line += f"; {one.waiting} replaced files stay for running builds until the next time"
        echo(line)
        for file in one.damaged:
            echo(
                f"ace: The rows of the landed file {file} cannot be read; it was left as it is. "
                "Restore it from a copy, or move it out of the landing zone and load its input "
                "again.",
                err=True,
            )
    if not done:
        echo(f"Nothing to do: no resource has {min_files} small files.")
