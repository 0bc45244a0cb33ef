"""``ace explain``: everything a release says of one table, or of one row."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from common.errors import UsageError
from warehouse.cli import _complete
from warehouse.cli._show import (
    heading,
    json_option,
    pager_option,
    plural,
    release_option,
    target_option,
    when,
)
from warehouse.terminal import console_width, echo, paged, print_json, table

EPILOG = """\b
Examples:
  ace explain post_performance
  ace explain canonical.performance_metrics --json | jq .columns
  ace explain --row published_posts tiktok/7301234567890123456
"""
#: Characters of a value that are shown of a change.
LONGEST = 60
#: Names of types that take the room of what a column means.
SHORTER = {"timestamp with time zone": "timestamptz", "double precision": "double"}


@click.command(epilog=EPILOG)
@click.argument("name", metavar="TABLE", shell_complete=_complete.tables)
@click.argument("key", metavar="[KEY]", required=False)
@click.option("--row", "of_row", is_flag=True, help="Of one row: where it comes from, and why.")
@release_option
@target_option
@json_option
@pager_option
def command(
    name: str,
    key: str | None,
    of_row: bool,
    release: str | None,
    target: str | None,
    as_json: bool,
    no_pager: bool,
) -> None:
    """Explain a table: grain, columns, who uses it, what it is made from, an example.

    The name may go without its schema: 'ace explain bandit_arms'.

    With --row and a KEY, explain one row of one of the twelve tables: every version of it with the
    landed file, load and position it comes from, what was decided of each and why, and which rows
    of marts rest on it. KEY is the row's key, the platform's id (also as platform/id), or
    LOAD:POSITION as 'ace quarantine show' names it.
    """
    from warehouse.readers import open_current

    if of_row != (key is not None):
        raise UsageError(
            "--row needs a key." if of_row else "A key goes with --row.",
            "Example: ace explain --row published_posts tiktok/7301234567890123456",
        )
    with open_current(release, target) as reader:
        if key is not None:
            from loaders.landing import Landing
            from warehouse.lineage import lineage
            from warehouse.settings import settings

            found = lineage(reader, Landing(settings().landing), name, key)
        else:
            from warehouse.documents import document

            found = document(reader, name)
    if as_json:
        print_json(found)
        return
    with paged(not no_pager):
        if of_row:
            _print_row(found)
        else:
            _print(found)


def _print_row(one: dict[str, Any]) -> None:
    echo(f"{one['table']} {one['key'] or 'without a key'}", bold=True)
    echo(f"{plural(len(one['versions']), 'landed version')}; the row is {one['verdict']}.")
    heading("Versions, oldest first")
    for version in one["versions"]:
        _print_version(version)
    if one["parents"]:
        heading("Rests on")
        for parent in one["parents"]:
            counts = "" if parent["is_accepted"] else "  (no accepted row)"
            echo(f"  {parent['table']} {parent['key']}{counts}")
    if one["marts"]:
        heading("Rows that rest on it")
        for mart in one["marts"]:
            which = f"{mart['column']} = {mart['value']}"
            echo(f"  {mart['rows']:>6,}  {mart['table']} where {which}")
    if one["also_read_by"]:
        _paragraph(f"Also read by, without its key: {', '.join(one['also_read_by'])}", hanging=2)


def _print_version(version: dict[str, Any]) -> None:
    echo(f"{version['verdict']}", bold=True, nl=False)
    echo(f": {version['why']}")
    echo(f"  known      {when(version['known_at'])} UTC, landed {when(version['loaded_at'])} UTC")
    account = f", account {version['account']}" if version["account"] else ""
    echo(f"  from       {version['source']}{account}, position {version['position']}")
    echo(f"  load       {version['load_id']}")
    if version["input"]:
        echo(f"  input      {version['input']}")
    echo(f"  file       {version['file'] or 'not in landing any more'}")
    for name, change in version["changed"].items():
        echo(f"  changed    {name}: {_value(change['from'])} -> {_value(change['to'])}")


def _value(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


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
        [
            [c["column_name"], SHORTER.get(c["type"], c["type"]), c["description"]]
            for c in one["columns"]
        ],
        whole=[0],  # for being copied
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
