"""``ace metrics``: measures with one definition, grouped by what is named, from a release."""

from __future__ import annotations

import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from common.errors import UsageError
from warehouse.cli._answers import print_table, write_csv, write_json
from warehouse.cli._show import pager_option, release_option, target_option
from warehouse.terminal import console_width, echo, paged, print_json, write

if TYPE_CHECKING:
    from warehouse.metrics import Metric

EPILOG = """\b
Examples:
  ace metrics
  ace metrics views engagement_rate --by platform
  ace metrics views_gained views_gained_change --by week --by platform
  ace metrics views --by product__name --order -views --limit 5
  ace metrics posts --by week --where "{{ Entity('platform') }} = 'tiktok'" --csv
"""


@click.command(epilog=EPILOG)
@click.argument("names", nargs=-1, metavar="[METRIC]...")
@click.option(
    "--by",
    multiple=True,
    metavar="NAME",
    help="A row for each: platform, product, pattern, day, week, product__name ...; repeatable.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="FILTER",
    help="Only what is so, with names as {{ Entity('platform') }} or "
    "{{ Dimension('product__category') }}; repeatable.",
)
@click.option(
    "--order", multiple=True, metavar="[-]NAME", help="Sort by a column, with - from the top."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many rows.")
@release_option
@target_option
@click.option("--json", "as_json", is_flag=True, help="A list of objects, all rows.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header, all rows.")
@pager_option
@click.option("--sql", "as_sql", is_flag=True, help="The statement, to change and run yourself.")
def command(
    names: tuple[str, ...],
    by: tuple[str, ...],
    where: tuple[str, ...],
    order: tuple[str, ...],
    limit: int | None,
    release: str | None,
    target: str | None,
    as_json: bool,
    as_csv: bool,
    no_pager: bool,
    as_sql: bool,
) -> None:
    """List the metrics, or ask a release for some of them.

    What a metric counts and how it adds up is written once, in models/metrics/, so that two
    people who ask get one number. It needs MetricFlow: sh requirements/install.sh metrics
    """
    from warehouse.metrics import Metrics
    from warehouse.readers import open_current
    from warehouse.settings import settings

    if sum((as_json, as_csv, as_sql)) > 1:
        raise UsageError("--json, --csv and --sql exclude each other.", "Give one of them.")
    if not names and (by or where or order or limit or as_csv or as_sql):
        raise UsageError("No metric is named.", "Name one; 'ace metrics' lists them.")
    config = settings()
    metrics = Metrics.of_project(config, target or config.target)
    if not names:
        found = metrics.listed()
        if as_json:
            print_json([asdict(one) for one in found])
            return
        with paged(not no_pager):
            _list(found)
        return
    text = metrics.sql(names, by, where, order, limit)
    if as_sql:
        write(text + "\n")
        return
    with open_current(release, target) as reader:
        answer = reader.stream(text)
        if as_json:
            write_json(answer)
        elif as_csv:
            write_csv(answer)
        else:
            print_table(answer, pager=not no_pager)


def _list(found: list[Metric]) -> None:
    width = max(len(one.name) for one in found) + 2
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        groups.setdefault(one.group_by, []).append(one.name)
        for place, line in enumerate(textwrap.wrap(one.description, console_width() - width)):
            echo(f"{'' if place else one.name:<{width}}{line}")
    for group_by, names in groups.items():
        what = f"{', '.join(names)}: by {', '.join(group_by)}"
        echo("", *textwrap.wrap(what, console_width()))
    echo("", "Ask: ace metrics METRIC... --by NAME")
