"""``ace init-postgres``: roles of least privilege and the schemas of a Postgres warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from warehouse.cli._show import json_option, note_password, plural
from warehouse.terminal import echo, note, print_json

if TYPE_CHECKING:
    from warehouse.release.pg_roles import Made

EPILOG = """\b
Examples:
  ACE_POSTGRES_URL=postgresql://postgres@host/ace ace init-postgres
  ace init-postgres --dry-run                (the statements, nothing is done)
  ace init-postgres --take-over              (schemas that somebody else built)
"""


@click.command(epilog=EPILOG)
@click.option(
    "--dsn",
    metavar="URL",
    help="An address whose user may make roles. Default: ACE_POSTGRES_URL, which keeps a password "
    "off the command line.",
)
@click.option("--prefix", default="ace_", show_default=True, help="Of the roles' names.")
@click.option(
    "--operational",
    default="public",
    show_default=True,
    metavar="SCHEMA",
    help="Where the tables are that 'ace load supabase' reads.",
)
@click.option("--take-over", is_flag=True, help="Give schemas of somebody else to the builder.")
@click.option("--dry-run", is_flag=True, help="Show the statements, and take them back.")
@json_option
def command(
    dsn: str | None, prefix: str, operational: str, take_over: bool, dry_run: bool, as_json: bool
) -> None:
    """Make the roles loader, builder, analyst and agent, and the schemas that the builder owns.

    The loader reads the operational tables, the builder owns the warehouse and nothing else,
    analyst and agent read the public views of every release, also of later ones. Nobody can
    log in with them until you say so. Doing it again does only what is missing.
    """
    from common.errors import UsageError
    from warehouse.release.pg_roles import READERS
    from warehouse.settings import settings

    url = dsn or settings().postgres_url
    if not url:
        raise UsageError(
            "No database is named.", "Set ACE_POSTGRES_URL=postgresql://USER@HOST:5432/DATABASE."
        )
    called = "--dsn" if dsn else "ACE_POSTGRES_URL"
    if dsn:
        note_password(dsn, called, "ACE_POSTGRES_URL")
    made = _make(url, called, prefix, operational, take_over, dry_run)
    if as_json:
        print_json(
            {"roles": made.roles, "statements": made.statements, "notices": made.notices,
             "dry_run": dry_run}
        )  # fmt: skip
        return
    for statement in made.statements:
        echo(f"{statement};")
    for notice in made.notices:
        note(f"ace: {notice}.")
    if dry_run:
        note("Nothing was done (--dry-run).")
        return
    names = made.roles
    readers = " and ".join(names[role] for role in READERS)
    echo(
        f"{plural(len(made.statements), 'statement')} done."
        if made.statements
        else "Everything was there already.",
        f"Builds run as {names['builder']}, 'ace load supabase' as {names['loader']}; "
        f"{readers} read releases.",
        f"To log in as one: alter role {names['builder']} login; then \\password "
        f"{names['builder']} in psql.",
    )


def _make(
    url: str, called: str, prefix: str, operational: str, take_over: bool, dry_run: bool
) -> Made:
    """In one transaction; AceError says what the server refused."""
    import psycopg

    from common.errors import AceError
    from common.pgconnect import connect, parse_dsn, redact
    from common.pgsession import READER, application_name, prepare
    from warehouse.release.pg_roles import make_roles

    with connect(url, called, application=application_name("ace init-postgres")) as connection:
        try:
            with connection.transaction(force_rollback=dry_run):
                prepare(connection, READER | {"lock_timeout": "10s"}, transaction=True)
                return make_roles(
                    connection, prefix=prefix, operational=operational, take_over=take_over
                )
        except psycopg.Error as error:
            said = redact(error.diag.message_primary or str(error), parse_dsn(url, called))
            raise AceError(
                f"The roles could not be made: {said}.",
                f"Nothing was changed. The user of {called} needs CREATEROLE and CREATE on the "
                "database, and for --take-over to own what is there.",
            ) from None
