"""``ace tables``: what there is to read, in one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from repositories.catalog import first_sentence
from warehouse import overview
from warehouse.cli._show import json_option, pager_option, release_option, target_option, when
from warehouse.terminal import console_width, echo, paged, print_json

if TYPE_CHECKING:
    from repositories.reader import Reader

EPILOG = """\b
Examples:
  ace tables
  ace tables performance
  ace tables --json | jq -r '.[].name'
"""
#: Areas in the order that somebody looks for something: their schema, and what they are about.
AREAS = {
    "canonical": ("canonical", "what happened, as it is known now"),
    "performance": ("marts", "how posts and products do, and will do"),
    "creative": ("marts", "what works in scripts, and what to try"),
    "trends": ("marts", "what rises among products, hashtags and videos of others"),
    "operations": ("marts", "agents, workflows, sources and the warehouse itself"),
    "quarantine": ("quarantine", "what is held back, and why"),
    "reference": ("reference", "lists that the models go by"),
    "meta": ("meta", "the release itself, and the builds before it"),
}


@click.command(epilog=EPILOG)
@click.argument("area", required=False, type=click.Choice(list(AREAS)), metavar="[AREA]")
@release_option
@target_option
@json_option
@pager_option
def command(
    area: str | None, release: str | None, target: str | None, as_json: bool, no_pager: bool
) -> None:
    """List the tables of a release: rows, and what each is for, by area.

    With an AREA its texts are longer; 'ace explain TABLE' says all of one table.
    """
    from warehouse.documents import documents
    from warehouse.readers import open_current

    with open_current(release, target) as reader:
        found = [one | {"area": _area(one)} for one in documents(reader)]
        about = _about(reader)
    if area:
        found = [one for one in found if one["area"] == area]
    if as_json:
        print_json(found)
        return
    with paged(not no_pager):
        echo(about)
        _print(found, in_full=area is not None)


def _about(reader: Reader) -> str:
    """Which release this is, and the time that its posts are of."""
    release = overview.release(reader)
    text = f"Release {release['release']}, as of {when(release['as_of'])} UTC"
    if "canonical.published_posts" in reader.tables():
        ((first, last),) = reader.query(
            "select min(published_at), max(published_at) from canonical.published_posts"
        ).rows
        if first:
            text += f", with posts from {first[:10]} to {last[:10]}"
    return f"{text}."


def _print(found: list[dict[str, Any]], in_full: bool) -> None:
    for name, (schema, about) in AREAS.items():
        members = [one for one in found if one["area"] == name]
        if members:
            echo()
            echo(f"{schema}.", bold=True, nl=False)
            echo(f"  {about[:1].upper()}{about[1:]}{'' if name == schema else f' ({name})'}")
            _print_area(members, in_full)
    echo(
        "",
        "Next: 'ace explain TABLE', or ace sql \"select * from marts.TABLE limit 10\".",
        "'ace tables AREA' has longer texts, 'ace analysis' questions with their SQL.",
    )


def _print_area(members: list[dict[str, Any]], in_full: bool) -> None:
    names = max(len(one["table_name"]) for one in members)
    counts = max(len(f"{one['rows']:,}") for one in members)
    for one in members:
        start = f"  {one['table_name']:<{names}}  {one['rows']:>{counts},}  "
        room = max(20, console_width() - len(start))
        text = first_sentence(one["description"])
        if in_full:
            first, *others = textwrap.wrap(text, room) or [""]
            echo(start + first, *(f"{' ' * len(start)}{line}" for line in others))
        else:
            echo(start + textwrap.shorten(text, room, placeholder="…"))


def _area(document: dict[str, Any]) -> str:
    """Marts are told apart by what they are about; other tables stand together by schema."""
    if document["table_schema"] == "marts":
        return str(document["area"])
    return str(document["table_schema"])
