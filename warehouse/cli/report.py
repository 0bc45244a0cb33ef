"""``ace report``: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from warehouse.cli._show import release_option, target_option
from warehouse.terminal import echo

EPILOG = """\b
Examples:
  ace report
  ace report --release 3 --output /tmp/release-3.html
"""


@click.command(epilog=EPILOG)
@release_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it [default: report.html in ACE_HOME].",
)
@target_option
def command(release: str | None, output: Path | None, target: str | None) -> None:
    """Write a page about the current release that needs nothing but a browser.

    Release, posts with their growth, freshness, ledger and quarantine, in one file
    that loads nothing from elsewhere.
    """
    from warehouse.report import write_report
    from warehouse.settings import settings

    path = write_report(output or settings().home / "report.html", target, release)
    echo(f"Wrote {path}")
