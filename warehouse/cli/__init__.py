"""The ``ace`` command. Each command is a module of its own, imported when called."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from warehouse.cli._failures import as_sentence, quiet_output
from warehouse.cli._lazy import LazyGroup
from warehouse.cli._usage import usage
from warehouse.terminal import note

#: Command name to the module that holds it and its one-line help.
COMMANDS: dict[str, str] = {
    "load": "Land data from a source.",
    "check": "Check landed data with Great Expectations.",
    "build": "Run the models and their tests, then release.",
    "run": "Load, check, build, release and report: what a scheduler calls.",
    "status": "Current release, freshness, ledger and quarantine.",
    "releases": "List releases, show one, or roll back.",
    "quarantine": "What is held back, why, and since when.",
    "tables": "What there is to read, by area.",
    "explain": "What a table is: grain, columns, example, lineage.",
    "sql": "Read-only SQL against a release.",
    "analysis": "Questions that come with the project, answered on a release.",
    "metrics": "Views, engagement, rates and scores, by what you name.",
    "export": "A release as Parquet files, or as an older DuckDB file.",
    "doctor": "What keeps the warehouse from working here, and the remedy.",
    "extract": "What models learn from, as a file.",
    "mcp": "The agent server: releases as tools for agents.",
    "report": "One self-contained HTML page.",
    "docs": "The documentation of every table, as one HTML page.",
    "publish": "Copy a release's marts into a Postgres or Supabase schema.",
    "init-postgres": "Make the roles and schemas of a Postgres warehouse.",
    "forget": "Erase a post, a video or an author from everywhere.",
    "compact": "Merge small landed files without changing a row.",
}


@click.group(
    cls=LazyGroup,
    helps=COMMANDS,
    modules="warehouse.cli.",
    heading="Commands",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, envvar="ACE_DEBUG", help="Show the traceback of an error.")
@click.version_option(package_name="ace-warehouse", prog_name="ace")
@click.pass_context
def app(context: click.Context, debug: bool) -> None:
    """ACE's analytics warehouse: land, check, build, release, read.

    Example: ace load demo && ace build && ace sql "select * from marts.row_ledger"
    """
    context.ensure_object(dict)["debug"] = debug


STOPPED = "Stopped. Nothing half-done was kept; run the command again."


def main(argv: list[str] | None = None) -> None:
    """Entry point: turns every expected error into one sentence and an exit code."""
    _prepare_output()
    told: dict[str, bool] = {}
    try:
        code: Any = app.main(args=argv, prog_name="ace", standalone_mode=False, obj=told)
    except click.exceptions.Exit as done:
        code = done.exit_code
    except SystemExit as done:
        code = done.code
        if isinstance(done.__context__, BrokenPipeError):  # click's answer to it
            quiet_output()
            code = 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        # click turns Ctrl-C into the first.
        note(STOPPED)
        code = 130
    except click.UsageError as error:
        note(*usage(error))
        code = 2
    except click.ClickException as error:
        note(f"ace: {error.format_message()}")
        code = error.exit_code
    except BrokenPipeError:
        quiet_output()
        code = 0
    except Exception as error:
        if told.get("debug"):
            raise
        known = as_sentence(error)
        if known is not None:
            note(f"ace: {known}")
            code = known.exit_code
        else:
            text = " ".join(str(error).split()) or type(error).__name__
            note(
                f"ace: unexpected {type(error).__name__}: {text[:300]} "
                "Run it again as 'ace --debug ...' and report what it prints."
            )
            code = 1
    sys.exit(_delivered(code if isinstance(code, int) else 0))


def _delivered(code: int) -> int:
    """Write what is buffered, which the interpreter would complain about in its own way."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        quiet_output()
    except OSError as error:
        quiet_output()
        note(f"ace: The output could not be written: {error.strerror}.")
        return code or 1
    return code


def _prepare_output() -> None:
    """Output that was closed goes nowhere, and what a terminal cannot show is escaped."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
