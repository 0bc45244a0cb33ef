"""``ace load SOURCE``: land data from a source."""

from __future__ import annotations

import importlib

import click

#: Source name to its one-line help; the command is ``warehouse.cli.load_<name>``.
SOURCES: dict[str, str] = {
    "files": "CSV, JSON, NDJSON or Parquet files, by table or preset.",
    "supabase": "The operational tables of a Postgres database.",
    "demo": "A simulated month of ACE with a known truth.",
}


class LazySources(click.Group):
    """Lists every source without importing it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SOURCES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in SOURCES:
            return None
        module = importlib.import_module(f"warehouse.cli.load_{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Sources"):
            formatter.write_dl(list(SOURCES.items()))


@click.group(cls=LazySources, name="load", subcommand_metavar="SOURCE ...")
def command() -> None:
    """Land data from a source, once and unchanged, in the landing zone.

    Example: ace load files polls.csv --table performance_metrics
    """
