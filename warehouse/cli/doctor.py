"""``ace doctor``: versions, settings, locks, places and sources, each with its remedy."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from warehouse.cli._show import heading, json_option, plural
from warehouse.terminal import echo, print_json

EPILOG = """\b
Examples:
  ace doctor
  ace doctor --json | jq '.[] | select(.state == "problem")'
"""
_MARKS = {"ok": "ok      ", "note": "note    ", "problem": "PROBLEM "}


@click.command(epilog=EPILOG)
@json_option
def command(as_json: bool) -> None:
    """Look at everything the warehouse needs here, and say what is missing.

    Shows versions, the effective settings (secrets masked), room on the disk, who holds
    locks, and whether the databases and platforms that are configured can be reached.
    Exits 1 when something will not work.
    """
    from warehouse.doctor import examine
    from warehouse.settings import settings

    problems, area = 0, ""
    found = []
    for one in examine(settings()):
        problems += one.state == "problem"
        found.append(asdict(one))
        if as_json:
            continue
        if one.area != area:
            area = one.area
            heading(area.capitalize())
        echo(f"  {_MARKS[one.state]}{one.name}: {one.message}")
        if one.remedy:
            echo(f"            {one.remedy}")
    if as_json:
        print_json(found)
    else:
        said = f"{plural(problems, 'problem')} found." if problems else "Nothing is in the way."
        echo("", said)
    sys.exit(1 if problems else 0)
