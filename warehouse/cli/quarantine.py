"""``ace quarantine``: what is held back, why, since when, and trying again."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from common.errors import UsageError
from warehouse.cli._show import (
    heading,
    json_option,
    note_lost_rejected,
    plural,
    target_option,
    when,
)
from warehouse.terminal import echo, print_json

EPILOG = """\b
Examples:
  ace quarantine
  ace quarantine show --table published_posts
  ace quarantine retry
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Rows that landed but break a rule, and records that could not be read at all.

    A quarantined row comes back by itself when its cause goes away (its parent
    arrives); a rejected record comes back through 'retry' or when it is loaded again.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", epilog="Example: ace quarantine list --json")
@target_option
@json_option
def list_command(target: str | None = None, as_json: bool = False) -> None:
    """By table and reason: how many, since when, and what is wrong with them."""
    from loaders.landing import Landing
    from warehouse import overview
    from warehouse.readers import current_or_none
    from warehouse.settings import settings

    reader = current_or_none(target)
    held: list[dict[str, Any]] = []
    if reader is not None:
        with reader:
            held = overview.quarantine(reader)
    landing = Landing(settings().landing)
    rejected = sorted(
        overview.rejected(landing),
        key=lambda row: (row["resource"], row["source"], -row["rows"]),
    )
    note_lost_rejected(landing)
    if as_json:
        print_json({"quarantined": held, "rejected": rejected})
        return
    echo("Quarantined: landed, but break a rule", bold=True)
    if reader is None:
        echo("  There is no release yet: 'ace build' decides about landed rows.")
    elif not held:
        echo("  Nothing is held back.")
    else:
        _print_held(held)
    heading("Rejected: could not be read as a record")
    if not rejected:
        echo("  Nothing.")
        return
    place = None
    for row in rejected:
        if place != (row["resource"], row["source"]):
            place = (row["resource"], row["source"])
            echo(f"{place[0]} from {place[1]}")
        echo(f"  {row['rows']:>6,}  {_short(row['example_reason'], 68)}")
    echo()
    echo("See rows: ace quarantine show --table T.  Try again: ace quarantine retry")


def _print_held(held: list[dict[str, Any]]) -> None:
    """Grouped by table and source, each reason on a line of its own."""
    by_place: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in held:
        by_place.setdefault((row["table_name"], row["source"]), []).append(row)
    for (table_name, source), rows in by_place.items():
        echo(f"{table_name} from {source}")
        for row in rows:
            echo(
                f"  {row['rows']:>6,}  {row['reason']:<18} since "
                f"{when(row['oldest_since'])[:10]}  {_brief(_cause(row))}"
            )


def _cause(row: dict[str, Any]) -> str:
    """What is wrong with the rows of one reason, in a few words."""
    waits, fields = row["example_missing_reference"], ", ".join(row["fields"])
    if row["reason"] == "missing_parent" and waits:
        return f"waits for {waits}"
    if row["reason"] == "missing_required" and fields:
        return f"no {fields}"
    if row["reason"] == "out_of_range" and fields:
        return f"impossible {fields}"
    return f"e.g. {row['example_key'] or 'no key'}"


def _brief(text: str) -> str:
    """Identifiers cut to their first part: enough to recognise, 'show' has the rest."""
    return re.sub(r"\b([0-9a-f]{8})-[0-9a-f-]{27}\b", r"\1…", text)[:36]


@command.command("show", epilog="Example: ace quarantine show --table published_posts --limit 5")
@click.option("--table", "table_name", metavar="T", help="Only this canonical table.")
@click.option("--source", metavar="S", help="Only this source.")
@click.option("--load", metavar="ID", help="Only this load.")
@click.option("--reason", metavar="R", help="Only this reason, for example missing_parent.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Rows shown on the screen (--json prints all unless it is given).",
)
@target_option
@json_option
@click.pass_context
def show(
    ctx: click.Context,
    table_name: str | None,
    source: str | None,
    load: str | None,
    reason: str | None,
    limit: int,
    target: str | None,
    as_json: bool,
) -> None:
    """Quarantined rows and rejected records with what they contain, oldest first."""

    _known(source, table_name)
    given = ctx.get_parameter_source("limit") is click.core.ParameterSource.COMMANDLINE
    most = None if as_json and not given else limit
    held, total = _held(table_name, source, load, reason, most, target)
    rejected = [] if reason else _rejected(table_name, source, load)
    if as_json:
        print_json({"quarantined": held, "rejected": rejected[:most]})
        return
    if not held and not rejected:
        echo("Nothing is held back there.")
        return
    for row in held:
        echo(f"{row['table_name']} from {row['source']}", bold=True, nl=False)
        echo(f": {', '.join(row['reasons'])}, since {when(row['since'])} UTC")
        if row["missing_reference"]:
            table, _, parent = row["missing_reference"].partition(" ")
            echo(f"  waits for  {table}: no accepted row there has the key {parent}")
        if row["fields"]:
            echo(f"  at fault   {', '.join(_shown_field(row, name) for name in row['fields'])}")
        echo(f"  key        {row['key'] or 'none'}")
        echo(f"  load       {row['load_id']}, position {row['position']}")
        echo(f"  contents   {_short(json.dumps(row['payload'], ensure_ascii=False))}", "")
    for one in rejected[:limit]:
        echo(f"{one['resource']} from {one['source']}", bold=True, nl=False)
        echo(f": rejected, {one['reason']}")
        echo(f"  input      {one['input'] or 'unknown'}, position {one['position']}")
        echo(f"  load       {one['load_id']}")
        echo(f"  bytes      {_short(one['raw'])}", "")
    more = max(0, total - len(held)) + max(0, len(rejected) - limit)
    if more:
        echo(f"{plural(more, 'more row')}: use --limit or --json.")


def _shown_field(row: dict[str, Any], name: str) -> str:
    """A field at fault with its value: ``views -5``, ``platform missing``."""
    payload = row["payload"]
    value = payload.get(name) if isinstance(payload, dict) else None
    return f"{name} {'missing' if value is None else _short(str(value), 60)}"


def _known(source: str | None, table_name: str | None) -> None:
    """UsageError for a table or source that is none."""
    import difflib

    from loaders.schema import RESOURCES, SOURCES

    for what, given, names in (
        ("canonical table", table_name, RESOURCES),
        ("source", source, SOURCES),
    ):
        if given is not None and given not in names:
            near = difflib.get_close_matches(given, list(names), 1)
            raise UsageError(
                f"There is no {what} '{given}'.",
                f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names)}.",
            )


def _held(
    table_name: str | None,
    source: str | None,
    load: str | None,
    reason: str | None,
    limit: int | None,
    target: str | None,
) -> tuple[list[dict[str, Any]], int]:
    """The quarantined rows asked for, and how many there are in all."""
    from warehouse.readers import current_or_none

    wanted = {"table_name = ?": table_name, "source = ?": source, "load_id = ?": load}
    conditions = [condition for condition, value in wanted.items() if value is not None]
    values = [value for value in wanted.values() if value is not None]
    if reason is not None:
        conditions.append("? = any(reasons)")
        values.append(reason)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    reader = current_or_none(target)
    if reader is None:
        return [], 0
    with reader:
        (total,) = reader.query(f"select count(*) from quarantine.rows{where}", values).rows[0]
        found = reader.query(
            f"select * from quarantine.rows{where} order by since, load_id, position"
            + (f" limit {limit}" if limit is not None else ""),
            values,
        ).dicts()
    return found, int(total)


def _rejected(table_name: str | None, source: str | None, load: str | None) -> list[dict[str, Any]]:
    from loaders.landing import Landing
    from repositories.values import plain
    from warehouse.settings import settings

    landing = Landing(settings().landing)
    found = [
        {
            "source": one.source,
            "resource": one.resource,
            "load_id": one.load_id,
            "position": one.position,
            "input": one.input,
            "landed_at": plain(one.landed_at),
            "field": one.field,
            "reason": one.reason,
            "raw": one.raw.decode("utf-8", "backslashreplace"),
        }
        for one in landing.each_rejected(source, table_name)
        if load is None or one.load_id == load
    ]
    note_lost_rejected(landing)
    return found


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


@command.command("retry", epilog="Example: ace quarantine retry --source files")
@click.option("--source", metavar="S", help="Only records of this source.")
@click.option("--table", "table_name", metavar="T", help="Only records of this table.")
@json_option
def retry(source: str | None, table_name: str | None, as_json: bool) -> None:
    """Read rejected records again with today's loader.

    What can be read now lands as a load of its own; running it twice changes nothing.
    """
    from loaders.landing import Landing
    from loaders.retry import retry_rejected
    from warehouse.settings import settings

    _known(source, table_name)
    landing = Landing(settings().landing)
    loads = retry_rejected(landing, source, table_name)
    note_lost_rejected(landing)
    if as_json:
        print_json(
            [
                {
                    "source": load.source,
                    "resource": load.resource,
                    "load_id": load.load_id,
                    "recovered": load.recovered,
                }
                for load in loads
            ]
        )
        return
    if not loads:
        echo("No rejected record can be read now that could not be read before.")
        return
    for load in loads:
        echo(
            f"{load.source} {load.resource}: {plural(load.recovered, 'record')} recovered "
            f"(load {load.load_id})"
        )
    echo("Next: 'ace build' takes them up.")
