"""The ``ace`` command. Each command is a module of its own, imported when called."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from loaders.errors import AceError
from warehouse.cli._lazy import LazyGroup

#: Command name to the module that holds it and its one-line help.
COMMANDS: dict[str, str] = {
    "load": "Land data from a source.",
    "check": "Check landed data with Great Expectations.",
    "build": "Run the models and their tests, then release.",
    "run": "Load, check, build, release and report: what a scheduler calls.",
    "status": "Current release, freshness, ledger and quarantine.",
    "releases": "List releases, show one, or roll back.",
    "quarantine": "What is held back, why, and since when.",
    "sql": "Read-only SQL against a release.",
    "report": "One self-contained HTML page.",
    "compact": "Merge small landed files without changing a row.",
}


@click.group(
    cls=LazyGroup,
    helps=COMMANDS,
    modules="warehouse.cli.",
    heading="Commands",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="ace-warehouse", prog_name="ace")
def app(debug: bool) -> None:
    """ACE's analytics warehouse: land, check, build, release, read.

    Example: ace load demo && ace build && ace sql "select * from marts.row_ledger"
    """
    if debug:
        os.environ["ACE_DEBUG"] = "1"


def main(argv: list[str] | None = None) -> None:
    """Entry point: turns every expected error into one sentence and an exit code."""
    try:
        code: Any = app.main(args=argv, prog_name="ace", standalone_mode=False)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.exceptions.Abort:
        # click turns Ctrl-C into this.
        print("Stopped. Nothing half-done was kept; run the command again.", file=sys.stderr)
        code = 130
    except click.UsageError as error:
        error.show(sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print("Stopped. Nothing half-done was kept; run the command again.", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except AceError as error:
        if os.environ.get("ACE_DEBUG"):
            raise
        print(f"ace: {error}", file=sys.stderr)
        code = error.exit_code
    except Exception as error:
        if os.environ.get("ACE_DEBUG"):
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        print(
            f"ace: unexpected {type(error).__name__}: {text[:300]} "
            "Run it again as 'ace --debug ...' and report what it prints.",
            file=sys.stderr,
        )
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
