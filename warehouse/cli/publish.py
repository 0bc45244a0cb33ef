"""``ace publish``: a release's tables in a Postgres or Supabase schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from warehouse.cli._show import json_option, note_password, plural, target_option, when
from warehouse.terminal import echo, note, print_json

if TYPE_CHECKING:
    from repositories.reader import Reader
    from warehouse.publish import Publication

EPILOG = """\b
Examples:
  ACE_PUBLISH_URL=postgresql://postgres:...@db.example.com:5432/postgres ace publish
  ace publish --grant dashboard --canonical     (another reader; the twelve tables too)
  ace publish --types database.ts               (TypeScript's types, too)
"""


@click.command(epilog=EPILOG)
@click.option(
    "--to",
    metavar="URL",
    help="Any libpq address. Default: ACE_PUBLISH_URL, which keeps a password off the "
    "command line.",
)
@click.option("--schema", default="marts", show_default=True, help="Schema of the tables.")
@click.option(
    "--canonical/--no-canonical",
    default=None,
    help="The twelve tables, too [default: as it is there].",
)
@click.option(
    "--grant",
    "grants",
    multiple=True,
    metavar="ROLE",
    help="Let a role read; one that was let in stays so. service_role is let in at first.",
)
@click.option(
    "--types",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write TypeScript's types for supabase-js; without an address, only these.",
)
@click.option("--force", is_flag=True, help="Publish an older release; compare every row.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another publication.",
)
@target_option
@json_option
def command(
    to: str | None,
    schema: str,
    canonical: bool | None,
    grants: tuple[str, ...],
    types: Path | None,
    force: bool,
    wait: float,
    target: str | None,
    as_json: bool,
) -> None:
    """Copy the current release's marts into a schema of another Postgres, such as Supabase.

    All tables change in one transaction, and only rows that changed are sent. Who reads there
    neither waits nor is waited for, unless a table has to change its columns. Nobody gets more
    than SELECT; row-level security is on. The table 'publication' says which release is there.
    """
    from common.errors import UsageError
    from warehouse.publish import publish
    from warehouse.publish.session import Target
    from warehouse.readers import open_current
    from warehouse.settings import settings

    url = to or settings().extra.get("ACE_PUBLISH_URL")
    if not url and types is None:
        raise UsageError(
            "No database is named.",
            "Set ACE_PUBLISH_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE.",
        )
    place = Target(url or "", "--to" if to else "ACE_PUBLISH_URL", schema)
    if to:
        note_password(to, "--to", "ACE_PUBLISH_URL")
    for role in sorted({"anon", "authenticated"} & set(grants)):
        who = "has the project's public key" if role == "anon" else "signed up"
        note(f"ace: {role} is everybody who {who}: all of them can read what is published.")
    shown = sys.stderr.isatty() and not as_json
    with open_current(None, target) as reader:
        if types is not None:
            _write_types(types, schema, reader, canonical)
            if not as_json:
                echo(f"Wrote {types}")
        if not url:
            return
        done = publish(
            reader,
            place,
            canonical=canonical,
            grants=grants,
            force=force,
            wait=wait,
            say=(lambda line: echo(line, err=True)) if shown else None,
        )
    if as_json:
        print_json(done.to_json())
    else:
        _print(done, place.place)


def _print(done: Publication, place: str) -> None:
    made = when(done.to_json()["as_of"])
    echo(
        f"Release {done.release.number} (as of {made} UTC) is in schema {done.schema} of {place}.",
        f"{plural(len(done.tables), 'table')}, {plural(done.rows, 'row')}: {done.sent:,} sent, "
        f"{done.removed:,} removed in {done.seconds:.1f} seconds.",
    )
    if done.dropped:
        echo(f"Not published any more: {', '.join(done.dropped)}.")


def _write_types(path: Path, schema: str, reader: Reader, canonical: bool | None) -> None:
    from warehouse.publish.rows import tables
    from warehouse.publish.typescript import database

    schemas = ["marts", "canonical"] if canonical else ["marts"]
    path.write_text(database(schema, tables(reader, schemas)), "utf-8")
