"""``ace explain``: everything a release says of one table."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from warehouse.cli import _complete
from warehouse.cli._show import heading, json_option, release_option, target_option
from warehouse.terminal import console_width, echo, print_json, table

EPILOG = """\b
Examples:
  ace explain post_performance
  ace explain canonical.performance_metrics --json | jq .columns
"""


@click.command(epilog=EPILOG)
@click.argument("name", metavar="TABLE", shell_complete=_complete.tables)
@release_option
@target_option
@json_option
def command(name: str, release: str | None, target: str | None, as_json: bool) -> None:
    """Explain a table: grain, columns, who uses it, what it is made from, an example.

    The name may go without its schema: 'ace explain bandit_arms'.
    """
    from warehouse.documents import document
    from warehouse.readers import open_current

    with open_current(release, target) as reader:
        found = document(reader, name)
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(one: dict[str, Any]) -> None:
    echo(one["name"], bold=True)
    _paragraph(one["description"])
    echo()
    for label, value in (
        ("One row per", one["grain"]),
        ("Rows", f"{one['rows']:,}"),
        ("Used by", ", ".join(one["used_by"])),
        ("Made from", ", ".join(one["made_from"])),
        ("Read by", ", ".join(one["read_by"])),
    ):
        if value:
            _paragraph(f"{label + ':':<13}{value}", hanging=13)
    if one["example"]:
        heading("Example")
        _paragraph(f'ace sql "{" ".join(one["example"].split())}"', hanging=2)
    heading("Columns")
    table(
        ["column", "type", "meaning"],
        [[c["column_name"], c["type"], c["description"]] for c in one["columns"]],
    )


def _paragraph(text: str, hanging: int = 0) -> None:
    lines = textwrap.wrap(
        text,
        console_width(),
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    echo(*lines)
