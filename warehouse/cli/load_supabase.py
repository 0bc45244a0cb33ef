"""``ace load supabase``: what changed in the operational Postgres."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from warehouse.cli._live import credential
from warehouse.cli._show import note_left_out, note_password
from warehouse.terminal import echo, note, print_json

if TYPE_CHECKING:
    from loaders.landing import Landing
    from loaders.supabase import TableResult
    from warehouse.settings import Settings

EPILOG = """\b
Examples:
  ACE_SUPABASE_DSN=postgresql://reader:...@db.example.com:5432/postgres ace load supabase
  ace load supabase --backfill        (a first load: known-at from the rows' own times)
  ACE_SUPABASE_KEY=sb_secret_... ace load supabase --rest https://REF.supabase.co
  ace load supabase --dsn 'postgresql://reader@/app?host=/run/postgresql' --schema app
"""


@click.command(epilog=EPILOG)
@click.option(
    "--dsn",
    metavar="URL",
    help="Any libpq address. Default: ACE_SUPABASE_DSN, which keeps a password off the "
    "command line.",
)
@click.option(
    "--rest",
    metavar="URL",
    help="Over HTTP, as in https://REF.supabase.co, with the project's secret key in "
    "ACE_SUPABASE_KEY. Default where no database is named: ACE_SUPABASE_REST.",
)
@click.option("--schema", default="public", show_default=True, help="Schema of the tables.")
@click.option("--full", is_flag=True, help="Read every row; land those that differ.")
@click.option("--backfill", is_flag=True, help="Known-at is each row's own time, not now.")
@click.option(
    "--time-zone",
    metavar="Z",
    help="Zone of times that state none (default UTC); later loads remember it.",
)
@click.option("--json", "as_json", is_flag=True, help="A list of objects.")
def command(
    dsn: str | None,
    rest: str | None,
    schema: str,
    full: bool,
    backfill: bool,
    time_zone: str | None,
    as_json: bool,
) -> None:
    """Land the rows of the operational tables that changed since the last load.

    Changes are found by Postgres' own row versions, whatever the rows' timestamps say.
    Deletes are not followed, neither real ones nor marks such as deleted_at, which are
    told and kept. Works through a transaction pooler, with any subset of the tables and
    columns; columns nobody knows are kept too. Keys may be uuids, numbers or text.

    With --rest every row is read over HTTP and compared with what was landed: for projects
    whose database cannot be reached. Its tables are read along their keys.
    """
    from common.errors import AceError, UsageError
    from loaders.landing import Landing
    from loaders.supabase import load_supabase
    from warehouse.settings import settings

    home = settings()
    if dsn and rest:
        raise UsageError("--dsn and --rest name two places.", "Give one of them.")
    named = rest or ("" if dsn or home.supabase_dsn else home.extra.get("ACE_SUPABASE_REST"))
    address = "--dsn" if dsn else "ACE_SUPABASE_DSN"
    target = dsn or home.supabase_dsn
    if not target and not named:
        raise UsageError(
            "No database is named.",
            "Set ACE_SUPABASE_DSN=postgresql://USER:PASSWORD@HOST:5432/DATABASE.",
        )
    if dsn:
        note_password(dsn, address, "ACE_SUPABASE_DSN")
    landing = Landing(home.landing)
    shown = sys.stderr.isatty() and not as_json
    options: dict[str, Any] = {
        "schema": schema,
        "full": full,
        "backfill": backfill,
        "time_zone": time_zone,
        "progress": (lambda table: echo(f"reading {table}", err=True)) if shown else None,
    }
    if named:
        results = _over_http(home, landing, named, options)
    else:
        results = load_supabase(landing, str(target), address=address, **options)
    if as_json:
        rows = [result.to_json() for result in results]
        print_json(rows)
    else:
        _print(results, schema)
    note_left_out(landing)
    failed = [result for result in results if result.error]
    if failed:
        # As an error, not an exit code: 'ace run' calls this and must not build on it.
        others = len(failed) - 1
        more = f" ({others} more: {', '.join(r.resource for r in failed[1:])})" if others else ""
        raise AceError(f"{failed[0].error}{more}", "The other tables have landed.")


def _over_http(
    home: Settings, landing: Landing, url: str, options: dict[str, Any]
) -> list[TableResult]:
    from common.errors import UsageError
    from loaders.live.address import base_address
    from loaders.supabase.rest import Rest, load_rest, sees_little

    key = credential("ACE_SUPABASE_KEY", home.extra.get("ACE_SUPABASE_KEY", ""))
    if not key:
        raise UsageError(
            "There is no key for Supabase's API.",
            "Set ACE_SUPABASE_KEY to the project's secret key (Project Settings, API Keys).",
        )
    if sees_little(key):
        note(
            "ACE_SUPABASE_KEY is a public key: it sees what row-level security shows to "
            "everybody. The secret key sees every row."
        )
    source = Rest(base_address(url, url, "--rest (ACE_SUPABASE_REST)"), key, options["schema"])
    return load_rest(landing, home.home, source, **options)


def _tell_zone(results: list[TableResult]) -> None:
    """Once for all tables: their times without a zone were taken for UTC."""
    unsure = [result for result in results if result.taken_for_utc]
    if not unsure:
        return
    names = [f"{r.resource}.{column}" for r in unsure for column in r.taken_for_utc]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    zone = unsure[0].database_zone
    echo(
        f"Times without a zone ({', '.join(names[:4])}{more}) were read as UTC, but the "
        f"database's own time zone is {zone}. If they are local times, run it again with "
        f"--time-zone {zone}; if they are UTC, with --time-zone UTC. It is remembered."
    )


def _print(results: list[TableResult], schema: str) -> None:
    for result in results:
        if result.mode in ("missing", "failed"):
            continue
        if result.load_id is None:
            line = f"{result.resource}: nothing new"
            if result.mode == "full":
                line += f" in {result.seen:,} rows"
        else:
            line = (
                f"{result.resource}: {result.read:,} read, {result.accepted:,} landed, "
                f"{result.rejected:,} rejected, load {result.load_id}"
            )
        if result.mode == "full" and result.note and result.note != "first load":
            line += f" (all rows were read: {result.note})"
        echo(line, *(f"  {sentence}" for sentence in result.notices))
    _tell_zone(results)
    missing = [result.resource for result in results if result.mode == "missing"]
    if missing:
        echo(f"Not in schema {schema}: {', '.join(missing)}.")
    if sum(result.rejected for result in results):
        echo("Rejected rows were kept; see why with: ace quarantine list")
