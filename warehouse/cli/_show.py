"""How commands show things to people: small tables, ages, counts. 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from warehouse import terminal
from warehouse.cli import _complete
from warehouse.terminal import echo

if TYPE_CHECKING:
    from loaders.landing import Landing

target_option = click.option(
    "--target",
    type=click.Choice(["duckdb", "postgres"]),
    help="Engine whose releases are read [default: ACE_TARGET].",
)
release_option = click.option(
    "--release",
    metavar="N|FILE",
    shell_complete=_complete.releases,
    help="A release's number, or a release file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON with stable keys.")

pager_option = click.option(
    "--no-pager", is_flag=True, help="Print all at once, also what is longer than the screen."
)


def age(seconds: float | None) -> str:
    """``3 minutes``, ``5 hours``, ``2 days``: two significant steps are too many to read."""
    if seconds is None:
        return "never"
    for limit, size, word in (
        (90, 1, "second"),
        (90 * 60, 60, "minute"),
        (36 * 3600, 3600, "hour"),
        (1e18, 86400, "day"),
    ):
        if seconds < limit:
            count = round(seconds / size)
            return f"{count:,} {word}{'' if count == 1 else 's'}"
    return "never"


def when(moment: str | None) -> str:
    """``2026-11-22 17:02`` (UTC) of an ISO 8601 text."""
    if not moment:
        return "never"
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M}"


def note_left_out(landing: Landing) -> None:
    """Say on stderr which files of the landing zone cannot be used, and what to do."""
    for one in landing.left_out():
        echo(f"ace: {one}", err=True)


def note_lost_rejected(landing: Landing) -> None:
    """The same for files of rejected records, after they were looked at."""
    note_left_out(landing)
    for error in landing.lost_rejected():
        echo(f"ace: {error}", err=True)


def note_password(url: str, option: str, variable: str) -> None:
    """Say on stderr that a password in the address ``option`` gave is seen by others."""
    from common.pgconnect import has_password

    if has_password(url, option):
        echo(
            f"ace: the password in {option} shows in the process list and the shell's history; "
            f"put the address into {variable} instead.",
            err=True,
        )


def plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def heading(text: str) -> None:
    echo()
    echo(text, bold=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = ()) -> None:
    """A plain table with thousands separated."""
    terminal.table(
        columns,
        [[f"{value:,}" if type(value) is int else value for value in row] for row in rows],
        right,
    )
