"""``ace load inbox``: what agents wrote through the repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from warehouse.cli._show import json_option, note_left_out, plural
from warehouse.terminal import echo, print_json

if TYPE_CHECKING:
    from loaders.inbox.load import InboxResult

EPILOG = """\b
Examples:
  ace load inbox && ace build
  ace load inbox --json
"""


@click.command(epilog=EPILOG)
@json_option
def command(as_json: bool) -> None:
    """Land what agents wrote through the repositories.

    Each write waits in a journal under $ACE_LANDING/inbox/_journal until it is landed. Lines
    nobody can read are rejected and kept (ace quarantine list); a line that a process did not
    live to finish was never acknowledged and is left out. 'ace run' does this as well.
    """
    from loaders.inbox.load import load_inbox
    from loaders.landing import Landing
    from warehouse.settings import settings

    landing = Landing(settings().landing)
    results = load_inbox(landing)
    if as_json:
        print_json([one.to_json() for one in results])
    elif not results:
        echo("Nothing waits in the inbox.")
    for one in results:
        _tell(one, quiet=as_json)
    note_left_out(landing)
    if not as_json and any(one.rejected for one in results):
        echo("Rejected lines were kept; see why with: ace quarantine list")


def _tell(one: InboxResult, *, quiet: bool) -> None:
    if not quiet:
        line = (
            f"{one.resource}: {one.read:,} read, {one.accepted:,} landed, "
            f"{one.rejected:,} rejected" + (f", load {one.load_id}" if one.load_id else "")
        )
        if one.repeated:
            line += f" ({plural(one.repeated, 'line')} left out: of a key that had landed)"
        echo(line)
    for process in one.torn:
        echo(
            f"ace: {one.resource}: process {process} ended in the middle of a line, which was "
            "never acknowledged; it is left out.",
            err=True,
        )
    for process in one.busy:
        echo(
            f"ace: {one.resource}: process {process} is still writing; run 'ace load inbox' "
            "again for what it wrote.",
            err=True,
        )
