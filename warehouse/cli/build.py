"""``ace build``: models and tests, then a release."""

from __future__ import annotations

import click

from warehouse.settings import TARGETS

EPILOG = """\b
Examples:
  ace build
  ace build --target postgres
  ace build --select post_performance+      (part of the models, no release)
"""


@click.command(epilog=EPILOG)
@click.option("--target", type=click.Choice(TARGETS), help="Engine [default: ACE_TARGET].")
@click.option("--full-refresh", is_flag=True, help="Rebuild every table from landing.")
@click.option("--select", multiple=True, metavar="S", help="Only these models; never releases.")
@click.option("--no-release", is_flag=True, help="Build and test, but leave readers as they are.")
@click.option("--force", is_flag=True, help="Build even when nothing has changed.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another build.",
)
def command(
    target: str | None,
    full_refresh: bool,
    select: tuple[str, ...],
    no_release: bool,
    force: bool,
    wait: float,
) -> None:
    """Build the twelve tables and the marts, test everything, then release.

    A build that fails a test leaves the current release in place. When the current
    release already covers everything landed, nothing is done.
    """
    from warehouse.build import build

    build(
        target,
        full_refresh=full_refresh,
        select=tuple(part for text in select for part in text.split()),
        release=not no_release,
        force=force,
        wait=wait,
    )
