"""``ace load SOURCE``: land data from a source."""

from __future__ import annotations

import click

from warehouse.cli._lazy import LazyGroup

#: Source name to its one-line help; the command is ``warehouse.cli.load_<name>``.
SOURCES: dict[str, str] = {
    "files": "CSV, JSON, NDJSON or Parquet files, by table or preset.",
    "supabase": "The operational tables of a Postgres database.",
    "demo": "A simulated month of ACE with a known truth.",
}


@click.group(
    cls=LazyGroup,
    helps=SOURCES,
    modules="warehouse.cli.load_",
    heading="Sources",
    name="load",
    subcommand_metavar="SOURCE ...",
)
def command() -> None:
    """Land data from a source, once and unchanged, in the landing zone.

    Example: ace load files polls.csv --table performance_metrics
    """
