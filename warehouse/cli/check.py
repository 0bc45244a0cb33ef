"""``ace check``: Great Expectations over landed data."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from common.errors import UsageError
from warehouse.cli._show import plural
from warehouse.terminal import echo, print_json

if TYPE_CHECKING:
    from loaders.landing import Landing
    from warehouse.quality import CheckResult, Finding

EPILOG = """\b
Examples:
  ace check
  ace check --json
  ace check --all       # forget earlier checks and read every landed row again
"""
#: Warnings printed one by one; the rest is in the pages and in --json.
SHOWN = 20


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="One object with stable keys.")
@click.option("--all", "everything", is_flag=True, help="Check every load again.")
@click.option(
    "--accept",
    metavar="LOAD_ID",
    multiple=True,
    help="Keep a load that was called critical: its emptiness or lack of keys is meant.",
)
def command(as_json: bool, everything: bool, accept: tuple[str, ...]) -> None:
    """Check what was landed; exits 1 if something forbids a build.

    Only loads that no earlier check has seen are read. Writes browsable Data Docs
    to $ACE_HOME/quality/index.html. Thresholds: expectations/rules.toml.
    """
    from loaders.landing import Landing
    from warehouse.quality import run_checks
    from warehouse.settings import settings

    out_dir = settings().home / "quality"
    landing = Landing(settings().landing)
    if accept:
        _accept(landing, accept)
    if not as_json and sys.stderr.isatty():
        echo("Checking landed data (about ten seconds to start) ...", err=True)
    result = run_checks(landing, out_dir, everything=everything)
    gone = _gone(landing)
    if as_json:
        print_json(result.to_json() | {"gone_loads": sorted(gone)})
    else:
        show(result)
        _show_landing(landing, gone)
    if result.critical:
        raise click.exceptions.Exit(1)


def _gone(landing: Landing) -> dict[str, str]:
    """Loads of the current release that are not in landing now; none where it cannot be read."""
    from common.errors import AceError
    from warehouse import overview
    from warehouse.readers import current_or_none

    try:
        reader = current_or_none()
        if reader is None:
            return {}
        with reader:
            return overview.gone(landing, overview.built_loads(reader))
    except AceError:
        return {}


def _show_landing(landing: Landing, gone: dict[str, str]) -> None:
    from warehouse.build.consumed import describe
    from warehouse.cli._show import note_left_out

    note_left_out(landing)
    if gone:
        echo(f"warning   {describe(gone)} 'ace build' builds anew without them.")


def _accept(landing: Landing, load_ids: tuple[str, ...]) -> None:
    from warehouse.quality.state import accept_load
    from warehouse.settings import settings

    known = {load.load_id for load in landing.loads()}
    known |= {beat.load_id for beat in landing.heartbeats()}
    for load_id in load_ids:
        if load_id not in known:
            raise UsageError(
                f"There is no load {load_id} in {landing.url}.",
                "Take the load id from the message of 'ace check'.",
            )
        accept_load(settings().home / "quality", load_id)


def show(result: CheckResult) -> None:
    """Print a result: what is critical on stderr, warnings and the summary on stdout."""
    for finding in result.critical:
        echo(f"CRITICAL  {finding}", err=True)
    for finding in _shown(result.warnings):
        echo(f"warning   {finding}")
    old = sum(not finding.new for finding in result.warnings)
    more = len(result.warnings) - old - SHOWN
    if more > 0:
        echo(f"... and {more} more warnings; see the pages or --json.")
    if old:
        echo(f"{old} warnings of loads checked earlier; all of them: ace check --all")
    checks = sum(suite.expectations for suite in result.results)
    what = f"{result.new_rows} new rows" if result.judged else "nothing new since the last check"
    echo(
        f"{len(result.results)} suites, {checks} expectations, {what}: "
        f"{len(result.critical)} critical, {plural(len(result.warnings), 'warning')} "
        f"in {result.seconds:.1f} s."
    )
    echo(f"Pages: {result.docs_path}")


def _shown(warnings: list[Finding]) -> list[Finding]:
    return [finding for finding in warnings if finding.new][:SHOWN]
