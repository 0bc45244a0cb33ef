"""``ace docs``: dbt's documentation of every table, as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from common.errors import AceError
from warehouse.cli._show import target_option
from warehouse.terminal import echo

EPILOG = """\b
Examples:
  ace docs
  ace docs --output /tmp/tables.html
"""


@click.command(epilog=EPILOG)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write it [default: docs.html in ACE_HOME].",
)
@target_option
def command(output: Path | None, target: str | None) -> None:
    """Write every table, column, test, analysis and source as a site in one file.

    It is dbt's own site, with its lineage to click through; it needs a browser and no network,
    and no release either.
    """
    import tempfile

    from warehouse.build.dbt_run import write_docs
    from warehouse.settings import settings

    config = settings()
    path = output or config.home / "docs.html"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "ACE_HOME": folder,
            "ACE_WAREHOUSE": f"{folder}/none.duckdb",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        text = write_docs(
            target=target or config.target, folder=Path(folder), environment=environment
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise AceError(
            f"The documentation cannot be written to {path}: {error.strerror}.",
            "Choose another place with --output.",
        ) from None
    echo(f"Wrote {path}")
