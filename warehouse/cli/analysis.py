"""``ace analysis``: questions that come with the project, answered on a release."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.errors import AceError, UsageError
from warehouse.cli import _complete
from warehouse.cli._answers import print_table, write_csv, write_json
from warehouse.cli._show import pager_option, release_option, target_option
from warehouse.terminal import console_width, echo, note, print_json, write

if TYPE_CHECKING:
    from repositories.reader import Reader, Stream
    from warehouse.analyses import Analysis

EPILOG = """\b
Examples:
  ace analysis
  ace analysis best_hours --set platform=tiktok
  ace analysis top_posts --set days=7 --csv > top.csv
  ace analysis week_over_week --png weeks.png
"""


@click.command(epilog=EPILOG)
@click.argument("name", required=False, shell_complete=_complete.analyses)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter, where not its default; repeatable.",
)
@release_option
@target_option
@click.option("--json", "as_json", is_flag=True, help="A list of objects, all rows.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header, all rows.")
@click.option(
    "--png",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A chart of the answer, as its head lays it out.",
)
@click.option("--sql", "as_sql", is_flag=True, help="The statement, to change and run yourself.")
@pager_option
def command(
    name: str | None,
    settings: tuple[str, ...],
    release: str | None,
    target: str | None,
    as_json: bool,
    as_csv: bool,
    png: Path | None,
    as_sql: bool,
    no_pager: bool,
) -> None:
    """List the analyses, or run one on a release.

    An answer comes with how to read it; the SQL is in analyses/.
    """
    from warehouse.analyses import analyses, analysis
    from warehouse.readers import open_current

    if sum((as_json, as_csv, as_sql, png is not None)) > 1:
        raise UsageError("--json, --csv, --png and --sql exclude each other.", "Give one of them.")
    if name is None and png is not None:
        raise UsageError("--png draws one analysis.", "Name it; 'ace analysis' lists them.")
    if name is None:
        _list(analyses(), as_json)
        return
    one = analysis(name)
    values = dict(_value(text) for text in settings)
    with open_current(release, target) as reader:
        text = one.sql(reader.tables(), values)
        if as_sql:
            write(text + "\n")
            return
        answer = reader.stream(text)
        if as_json:
            write_json(answer)
        elif as_csv:
            write_csv(answer)
        elif png is not None:
            _draw(one, reader, answer, png)
        else:
            _head(one)
            print_table(answer, pager=not no_pager)


def _draw(one: Analysis, reader: Reader, answer: Stream, file: Path) -> None:
    from warehouse import charts, overview
    from warehouse.pictures import layout, picture

    rows = answer.all().dicts()
    release = overview.release(reader)
    about = f"Release {release['release']}, as of {release['as_of'][:16].replace('T', ' ')} UTC"
    if overview.is_simulated(reader):
        about += ", with simulated data"
    image = charts.png(picture(layout(one.chart), rows, one.question, about))
    try:
        file.write_bytes(image)
    except OSError as error:
        raise AceError(
            f"The chart cannot be written to {file}: {error.strerror}.", "Choose another place."
        ) from None
    echo(f"Wrote {file}")


def _value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text} has no value.", "Write --set NAME=VALUE.")
    return name.strip(), value.strip()


def _list(found: list[Analysis], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"name": one.name, "question": one.question, "parameters": dict(one.parameters)}
                for one in found
            ]
        )
        return
    width = max(len(one.name) for one in found) + 2
    for one in found:
        for place, line in enumerate(textwrap.wrap(one.question, console_width() - width)):
            echo(f"{'' if place else one.name:<{width}}{line}")
    note("", "Run one: ace analysis NAME [--set NAME=VALUE]")


def _head(one: Analysis) -> None:
    """The question and how to read its answer; on stderr, so that a pipe has the table alone."""
    note(one.question)
    for paragraph in one.reading.split("\n\n"):
        note("", *textwrap.wrap(" ".join(paragraph.split()), console_width()))
    note("")
