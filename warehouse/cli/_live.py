"""What every command of a live source does: ask, land, and say what became of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from common.errors import AceError, UsageError
from warehouse.cli._show import note_left_out, plural
from warehouse.terminal import console, echo, note, print_json

if TYPE_CHECKING:
    from loaders.live.run import LiveResult, Progress
    from loaders.live.source import Source

#: Seconds between two lines of progress where there is no terminal.
_QUIET = 30.0

adopt_option = click.option(
    "--adopt",
    metavar="NAME",
    help="Also land the posts themselves, with the product NAME, scripts and experiments for "
    "those that ACE did not make.",
)


def url_option(setting: str) -> Callable[[Any], Any]:
    """``--url``: another address than the platform's own."""
    return click.option(
        "--url",
        metavar="BASE",
        help=f"Where the platform is, for a proxy or a trial [default: {setting}, else its own].",
    )


def address(command: str, given: str | None, own: str = "") -> str:
    """Where a source is asked: at ``--url``, else where its setting says, else at its ``own``
    address. Raises UsageError for a place where credentials would be sent in the clear."""
    from loaders.live.address import base_address
    from warehouse.settings import settings
    from warehouse.sources import live_source

    source = live_source(command)
    setting = source.url
    return base_address(
        given or settings().extra.get(setting), own or source.base, f"--url ({setting})"
    )


def credentials(command: str, *options: str) -> list[str]:
    """The settings that a source cannot do without, with such options of a call. Raises
    UsageError that names the missing."""
    from warehouse.settings import settings
    from warehouse.sources import live_source

    source, values = live_source(command), settings().extra
    if missing := source.missing(values, options):
        names = " and ".join(one.name for one in missing)
        raise UsageError(
            f"{' '.join(('ace load', command, *options))} needs {names}.",
            " ".join(f"{one.name} is {one.where}." for one in missing)
            + " Set it in the environment, .env or ace.toml.",
        )
    return [credential(one.name, values[one.name]) for one in source.needs_of(options)]


def credential(setting: str, value: str) -> str:
    """The value without what copying adds at its ends. Raises UsageError, which does not show
    it, where it could not be sent."""
    given = value.strip()
    if not all("!" <= one <= "~" for one in given):
        raise UsageError(
            f"{setting} holds a blank or a character that no credential has.", "Copy it anew."
        )
    return given


def run_live(source: Source, *, adopt: str | None, as_json: bool) -> None:
    """Load the source. Raises AceError for what went wrong, once what was answered has landed."""
    from loaders.landing import Landing
    from loaders.live.run import load_live
    from warehouse.settings import settings

    home = settings()
    landing = Landing(home.landing)
    with _Pages(source.command, quiet=as_json) as shown:
        result = load_live(
            landing, home.home, source, adopt=adopt, progress=shown.update, say=shown.say
        )
    if as_json:
        print_json(result.to_json())
    else:
        echo(*_lines(source, result))
    note_left_out(landing)
    if result.error:
        kept = any(one.accepted for one in result.resources)
        hint = f"{result.hint} What had come has landed.".strip() if kept else result.hint
        raise AceError(result.error, hint, exit_code=result.exit_code)


def _lines(source: Source, result: LiveResult) -> list[str]:
    lines = []
    for one in result.resources:
        if one.made:
            line = f"{one.resource}: {one.accepted:,} made for adopted posts, load {one.load_id}"
        else:
            line = (
                f"{one.resource}: {one.read:,} read, {one.accepted:,} landed, "
                f"{one.rejected:,} rejected, load {one.load_id}"
            )
        lines += [line, *(f"  {sentence}" for sentence in one.notices)]
    if not result.resources and not result.paused and not result.error:
        lines.append(f"{source.command}: nothing new")
    asked = plural(result.asked, "request")
    if result.kept:
        asked += f", {plural(result.kept, 'answer')} kept from the run before"
    lines.append(f"{source.command}: {asked}")
    lines += result.notes
    if result.paused:
        when = f" It goes on from {_clock(result.until)}" if result.until else " It goes on"
        lines.append(
            f"Stopped: {result.paused}.{when} where it stopped: run 'ace load {source.command}' "
            "with the same options again."
        )
    if any(one.rejected for one in result.resources):
        lines.append("Rejected records were kept; see why with: ace quarantine list")
    return lines


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else ""


class _Pages:
    """Pages and their rate: a line that changes on a terminal, one now and then elsewhere."""

    def __init__(self, command: str, *, quiet: bool) -> None:
        self._command = command
        self._live = sys.stderr.isatty() and not quiet
        self._quiet = quiet
        self._status: Any = None
        self._last = time.monotonic()

    def __enter__(self) -> _Pages:
        if self._live:
            self._status = console(err=True).status(f"{self._command}: asking")
            self._status.start()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._status is not None:
            self._status.stop()

    def update(self, progress: Progress) -> None:
        rate = progress.pages / progress.seconds if progress.seconds else 0.0
        line = f"{self._command}: {plural(progress.pages, 'page')}, {rate:.1f} a second"
        if progress.kept:
            line += f", {progress.kept:,} kept from before"
        if self._status is not None:
            self._status.update(line)
        elif not self._quiet and time.monotonic() - self._last >= _QUIET:
            self._last = time.monotonic()
            note(line)

    def say(self, text: str) -> None:
        if not self._quiet:
            note(f"{self._command}: {text}")
