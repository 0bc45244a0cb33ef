"""``ace forget``: erasure through landing, warehouse and releases."""

from __future__ import annotations

import click

from common.errors import UsageError
from warehouse.cli._show import json_option, plural
from warehouse.terminal import echo, note, print_json

EPILOG = """\b
Examples:
  ace forget --platform tiktok --external-id 7301234567890123456
  ace forget --platform youtube --author @someone --yes
"""


@click.command(epilog=EPILOG)
@click.option("--platform", required=True, metavar="P", help="The platform, for example tiktok.")
@click.option(
    "--external-id",
    "external_ids",
    multiple=True,
    metavar="X",
    help="The platform's id of a post or video (repeatable).",
)
@click.option("--author", metavar="NAME", help="All videos of whoever has this name there.")
@click.option(
    "--mentions",
    is_flag=True,
    help="Also rows of other things, such as notes and events, whose texts contain the id or name.",
)
@click.option("--yes", is_flag=True, help="Do it. Without it, only says what would be done.")
@click.option(
    "--wait",
    type=float,
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a build that is running.",
)
@json_option
def command(
    platform: str,
    external_ids: tuple[str, ...],
    author: str | None,
    mentions: bool,
    yes: bool,
    wait: float,
    as_json: bool,
) -> None:
    """Erase posts, videos or an author from landing, warehouse and releases, for good.

    Says first how many rows of which tables that is, and does nothing without --yes. Then every
    landed file that holds them is written again without them, everything is built anew and
    released, and all older releases are deleted, for they hold them. What was forgotten does not
    land again. Killed anywhere, the same command goes on.

    Copies that left the warehouse (exports, files of --as-of, published schemas, backups) cannot
    be reached: make them again, or delete them.
    """
    from loaders.landing.forget import Subject
    from warehouse.forget import forget, look
    from warehouse.settings import settings

    ids = frozenset(one.strip() for one in external_ids if one.strip())
    name = (author or "").strip().removeprefix("@")
    if not platform.strip() or not (ids or name):
        raise UsageError(
            "Say what to forget.", "Give --external-id X or --author NAME, beside --platform P."
        )
    subject = Subject(platform, ids, name or None)
    config = settings()
    if yes:
        found = forget(config, subject, mentions=mentions, say=note, wait=wait)
    else:
        found = look(config, subject, mentions=mentions)
    if as_json:
        print_json(found.to_json() | {"done": yes})
        return
    erased = found.erased
    for table, rows in sorted(erased.rows.items()):
        echo(f"  {rows:>9,}  {table}")
    if erased.rejected:
        echo(f"  {erased.rejected:>9,}  records that could not be read")
    for table, rows in sorted(erased.mentions.items()):
        echo(f"  {rows:>9,}  {table} that mention it{'' if mentions else ' (stay: --mentions)'}")
    if erased.is_nothing:
        echo("Nothing of it has landed.")
    if yes:
        _done(found.releases)
        return
    if found.unfinished:
        echo("An earlier request was not finished: releases may still hold what it is of.")
    files = plural(erased.files, "landed file")
    numbers = {engine: numbers for engine, numbers in found.releases.items() if numbers}
    held = "; ".join(f"{e}: {', '.join(map(str, kept))}" for e, kept in numbers.items())
    echo(f"With --yes {files} would be written again, and everything built anew.")
    if held:
        echo(f"Releases that would be deleted once there is a new one: {held}.")


def _done(releases: dict[str, list[int]]) -> None:
    for engine, numbers in releases.items():
        if numbers:
            echo(f"Deleted {plural(len(numbers), 'older release')} on {engine}.")
    echo("Forgotten here. It does not land again.")
    echo("Next: make exports and 'ace publish' again, and delete older copies and backups.")
