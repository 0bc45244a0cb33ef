"""The report's charts, as Vega-Lite specifications of fixed size: a card's width.

A card is about as wide on a phone as in a row of three on a screen, so that one drawing serves
both. Colours are the page's variables: it decides what they are by day and by night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from warehouse import charts
from warehouse.charts import Spec
from warehouse.report.drawing import Element, read_svg
from warehouse.report.text import compact, percent, platform_colour, signed

WIDTH, HEIGHT = 340, 190
#: Of Vega-Lite's configuration, what has a colour.
COLOURS: dict[str, Any] = {
    "axis": {
        "labelColor": "var(--soft)",
        "gridColor": "var(--rule)",
        "titleColor": "var(--soft)",
    },
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Row = Mapping[str, Any]


def drawn(spec: Spec) -> Element:
    """A chart of this module as elements."""
    return read_svg(charts.svg(spec, COLOURS))


def _chart(data: Sequence[Row], height: int = HEIGHT, **more: Any) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        # A browser's font is wider than the one that labels were laid out in.
        "padding": {"left": 8, "top": 2, "right": 10, "bottom": 2},
        "data": {"values": list(data)},
        **more,
    }


def _days(data: Sequence[Row]) -> dict[str, Any]:
    """The axis of days: at most five are named."""
    days = sorted({row["day"] for row in data})
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    step = max(1, -(-((last - first).days + 1) // 5))
    named = [(last - timedelta(n)).isoformat() for n in range(0, (last - first).days + 1, step)]
    every = [(first + timedelta(n)).isoformat() for n in range((last - first).days + 1)]
    return {
        "field": "day",
        "type": "ordinal",
        "scale": {"domain": every, "paddingInner": 0.2, "paddingOuter": 0.1},
        "axis": {
            "title": None,
            "labelAngle": 0,
            "values": named,
            "labelExpr": "utcFormat(toDate(datum.value), '%e %b')",
            "labelOverlap": False,
            "labelFlush": False,
        },
    }


def _counts(field: str, most: float, marks: int = 4) -> dict[str, Any]:
    """An axis of whole numbers up to ``most``: Vega's tickMinStep alone marks halves of 2."""
    return _amounts(field, tickMinStep=1, tickCount=min(marks, max(1, int(most))))


def _amounts(field: str, numbers: str = "~s", **more: Any) -> dict[str, Any]:
    """An axis of amounts from 0 on, with values."""
    zero = "datum.value ? datum.label : '0'"
    axis = {"title": None, "format": numbers, "tickCount": 4, "labelExpr": zero, **more}
    return {"field": field, "type": "quantitative", "axis": axis, "scale": {"zero": True}}


def _platforms(rows: Sequence[Row]) -> dict[str, Any]:
    names = _names(rows)
    return {
        "field": "series",
        "type": "nominal",
        "scale": {
            "domain": list(range(len(names))),
            "range": [platform_colour(name) for name in names],
        },
        "legend": None,
    }


def _names(rows: Sequence[Row]) -> list[str]:
    """Platforms by name: a chart has their places, so that no text of the data draws it."""
    return sorted({row["platform"] for row in rows})


def _printable(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(char if char.isprintable() else " " for char in text)


_TITLE = {"field": "title", "type": "nominal"}


def by_day(rows: Sequence[Row], field: str, noun: str) -> Spec:
    """What came on every day, platforms upon each other."""
    names = _names(rows)
    data = [
        {
            "day": row["day"],
            "series": names.index(row["platform"]),
            "value": row[field],
            "title": _printable(f"{row['day']}, {row['platform']}: {compact(row[field])} {noun}"),
        }
        for row in rows
        if row[field]
    ]
    days: Counter[str] = Counter()
    for one in data:
        days[one["day"]] += one["value"]
    return _chart(
        data,
        mark={"type": "bar"},
        encoding={
            "x": _days(rows),
            "y": _counts("value", max(days.values(), default=0)) | {"stack": "zero"},
            "color": _platforms(rows),
            "description": _TITLE,
        },
    )


def rates_by_day(rows: Sequence[Row]) -> Spec:
    """Engagements for each view gained, over the seven days up to each day."""
    data = _weekly_rates(rows)
    return _chart(
        data,
        encoding={
            "x": _days(rows),
            "y": _amounts("value", "~%"),
            "color": _platforms(rows),
        },
        layer=[
            {"mark": {"type": "line", "strokeWidth": 2, "aria": False}},
            {
                "mark": {"type": "circle", "size": 14, "opacity": 1},
                "encoding": {"description": _TITLE},
            },
        ],
    )


def _weekly_rates(rows: Sequence[Row]) -> list[Row]:
    names = _names(rows)
    found: list[Row] = []
    for row in rows:
        last = date.fromisoformat(row["day"])
        week = {(last - timedelta(n)).isoformat() for n in range(7)}
        of_week = [one for one in rows if one["platform"] == row["platform"] and one["day"] in week]
        views = sum(one["views_gained"] or 0 for one in of_week)
        engagements = [one["engagements_gained"] for one in of_week]
        if views and any(one is not None for one in engagements):
            rate = sum(one or 0 for one in engagements) / views
            title = f"Week to {row['day']}, {row['platform']}: {percent(rate)} of views"
            found.append(
                {
                    "day": row["day"],
                    "series": names.index(row["platform"]),
                    "value": rate,
                    "title": _printable(title),
                }
            )
    return found


def growth(points: Sequence[tuple[float, int]]) -> Spec:
    """Views against age. Every post starts at age 0 with 0 views unless polled there."""
    polls = [
        {
            "hours": hours,
            "views": views,
            "title": f"{compact(views)} views after {hours:,.1f} hours",
        }
        for hours, views in points
    ]
    start = [] if points[0][0] == 0 else [{"hours": 0, "views": 0}]
    most = max(24.0, points[-1][0])
    size, unit, values = age_marks(most)
    x = {
        "field": "hours",
        "type": "quantitative",
        "scale": {"domain": [0, most], "nice": False},
        "axis": {
            "title": None,
            "values": values,
            "labelExpr": f"datum.value ? datum.value / {size} + ' {unit}' : '0'",
            "labelFlush": True,
        },
    }
    most_views = max(1, *(views for _, views in points))
    y = _counts("views", most_views, marks=3) | {"scale": {"domain": [0, most_views], "nice": True}}
    return _chart(
        [*start, *polls],
        height=130,
        encoding={"x": x, "y": y},
        layer=[
            {
                "mark": {
                    "type": "area", "color": "var(--tint)", "opacity": 0.14,
                    "aria": False,
                    "line": {"color": "var(--tint)", "strokeWidth": 2, "aria": False},
                },
            },
            {
                "transform": [{"filter": "isValid(datum.title)"}],
                "mark": {
                    "type": "circle", "color": "var(--tint)", "size": 12, "opacity": 1,
                },
                "encoding": {"description": _TITLE},
            },
        ],
    )  # fmt: skip


def age_marks(most_hours: float) -> tuple[int, str, list[int]]:
    """At most six marks at whole days, or at hours in the first two days, with their unit."""
    if most_hours <= 48:
        step, unit, size = (6 if most_hours <= 30 else 12), "h", 1
    else:
        days = most_hours / 24
        step = next(s for s in (1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 3650, 10**5) if days / s <= 6)
        unit, size = "d", 24
    count = int(most_hours / size / step)
    return size, unit, [i * step * size for i in range(count + 1)]


def hours_of_week(rows: Sequence[Row], strongest: float) -> Spec:
    """A platform's 168 hours: more views than usual or fewer, the stronger the fuller."""
    data = [
        {
            "weekday": row["weekday"],
            "hour": row["hour"],
            "strength": abs(row["effect"]),
            "is_more": row["effect"] >= 0,
            "is_told_apart": row["effect_lo"] > 0 or row["effect_hi"] < 0,
            "title": f"{WEEKDAYS[row['weekday'] - 1]} {row['hour']:02d}:00: "
            f"{signed(row['views_change'])} views ({signed(row['views_change_lo'])} to "
            f"{signed(row['views_change_hi'])}), {row['n_posts']} posts",
        }
        for row in rows
    ]
    names = f"{list(WEEKDAYS)}[datum.value - 1]"
    encoding = {
        "x": {
            "field": "hour", "type": "ordinal",
            "scale": {"domain": list(range(24)), "padding": 0.08},
            "axis": {
                "title": None, "labelAngle": 0, "values": [0, 6, 12, 18],
                "labelExpr": "pad(datum.value, 2, '0', 'left') + ':00'",
            },
        },
        "y": {
            "field": "weekday", "type": "ordinal",
            "scale": {"domain": list(range(1, 8)), "padding": 0.08},
            "axis": {"title": None, "labelExpr": names},
        },
    }  # fmt: skip
    cells = {
        "mark": {"type": "rect", "cornerRadius": 2},
        "encoding": {
            "color": {
                "condition": {"test": "datum.is_more", "value": "var(--more)"},
                "value": "var(--less)",
            },
            "opacity": {
                "field": "strength", "type": "quantitative", "legend": None,
                "scale": {"domain": [0, strongest], "range": [0.05, 1], "clamp": True},
            },
            "description": _TITLE,
        },
    }  # fmt: skip
    dots = {
        "transform": [{"filter": "datum.is_told_apart"}],
        "mark": {"type": "circle", "color": "var(--ink)", "size": 14, "opacity": 1, "aria": False},
    }
    return _chart(data, height=150, encoding=encoding, layer=[cells, dots])
