"""The report's HTML: nothing in it is loaded from elsewhere."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from loaders.schema import ADOPTED
from warehouse.report import charts, text, weeks
from warehouse.report.attention import attention
from warehouse.report.data import Report
from warehouse.report.intervals import scale
from warehouse.templates import templates


def render(report: Report) -> str:
    """The whole page."""
    return environment().get_template("page.html").render(report=report)


@cache
def environment() -> Environment:
    """The page's templates, with what they call."""
    found = templates("warehouse.report")
    found.globals |= {"adopted": ADOPTED, "unknown": text.UNKNOWN, "weekdays": charts.WEEKDAYS}
    filters = (
        text.compact, text.day, text.hours, text.minute, text.percent, text.platform_class,
        text.relative, text.shortened, text.signed, text.whole, text.arrow, text.change_class,
        attention, scale, weeks.last_weeks, weeks.together,
        charts.by_day, charts.rates_by_day, charts.growth, charts.hours_of_week, charts.drawn,
    )  # fmt: skip
    found.filters |= {one.__name__: one for one in filters}
    return found
