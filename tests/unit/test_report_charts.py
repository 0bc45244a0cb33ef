"""What the report's charts and bars are made of, without a release."""

from __future__ import annotations

import re
from typing import Any

import altair
import pytest

from warehouse.charts import Spec
from warehouse.report import charts
from warehouse.report.drawing import ATTRIBUTES, TAGS, read_svg
from warehouse.report.intervals import scale
from warehouse.report.page import environment
from warehouse.report.weeks import last_weeks, together
from warehouse.settings import PROJECT_ROOT

DAYS = [
    {
        "day": f"2026-10-{day:02d}",
        "platform": platform,
        "views_gained": views,
        "engagements_gained": 2.0,
        "posts_published": 1.0,
    }
    for day in range(1, 29)
    for platform, views in (("tiktok", 1000.0 * day), ("a\0<b>&\ud800", 10.0))
]
HOURS = [
    {
        "weekday": weekday,
        "hour": hour,
        "effect": (hour - 12) / 100,
        "effect_lo": (hour - 22) / 100,
        "effect_hi": (hour - 2) / 100,
        "views_change": 0.1,
        "views_change_lo": -0.1,
        "views_change_hi": 0.2,
        "n_posts": 3,
    }
    for weekday in range(1, 8)
    for hour in range(24)
]
SPECS: dict[str, Spec] = {
    "views": charts.by_day(DAYS, "views_gained", "views"),
    "rates": charts.rates_by_day(DAYS),
    "growth": charts.growth([(1.0, 5), (30.0, 1200)]),
    "times": charts.hours_of_week(HOURS, 0.12),
}


@pytest.mark.parametrize("name", SPECS)
def test_every_chart_is_what_altair_would_write(name: str) -> None:
    """Vega-Lite leaves out in silence what it does not know: its schema does not."""
    altair.Chart.from_dict(dict(SPECS[name]), validate=True)  # raises


def test_a_chart_has_values_at_its_axis_and_no_more_than_is_allowed() -> None:
    drawn = charts.drawn(SPECS["views"])
    parts = list(drawn.walk())
    assert {part.tag for part in parts} <= TAGS
    assert {name for part in parts for name, _ in part.attributes} <= ATTRIBUTES
    said = [part.text for part in parts if part.tag == "text"]
    assert {"0", "10k", "20k", "28 Oct"} <= set(said)
    titles = [part.text for part in parts if part.tag == "title"]
    assert len(titles) == len(DAYS)
    assert titles[0] == "2026-10-01, tiktok: 1,000 views"
    # What a platform's name holds is a text that XML can hold, and nothing else is.
    assert "2026-10-01, a <b>& : 10 views" in titles


def test_days_without_anything_have_a_chart() -> None:
    nothing = [DAYS[0] | {"views_gained": None, "engagements_gained": None}]
    for spec in (charts.by_day(nothing, "views_gained", "views"), charts.rates_by_day(nothing)):
        assert any(part.text == "1 Oct" for part in charts.drawn(spec).walk())


def test_what_no_chart_needs_is_left_out() -> None:
    svg = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="a()">
      <script>a()</script><image href="x"/><g class="c"><a href="x"><path d="M0,0"/></a></g>
      <path d="M0,0L1,1" onclick="a()" style="x" fill="red"/></svg>"""
    assert [(part.tag, part.attributes) for part in read_svg(svg).walk()] == [
        ("svg", [("viewBox", "0 0 1 1")]),
        ("path", [("d", "M0,0L1,1"), ("fill", "red")]),
    ]


def test_an_hour_is_drawn_by_its_sign_strength_and_certainty() -> None:
    parts = list(charts.drawn(SPECS["times"]).walk())
    cells = [dict(part.attributes) for part in parts if part.children and part.tag == "path"]
    assert len(cells) == 168
    assert [
        sum(cell["fill"] == f"var(--{name})" for cell in cells) for name in ("less", "more")
    ] == [
        7 * 12,
        7 * 12,
    ]
    faint, strong = cells[12], cells[0]
    assert float(faint["opacity"]) < 0.1 < 0.9 < float(strong["opacity"])
    dots = [p for p in parts if ("fill", "var(--ink)") in p.attributes]
    assert len(dots) == 7 * 3  # effect_hi < 0 before 2:00, effect_lo > 0 at 23:00


def test_a_bar_lies_where_its_numbers_say() -> None:
    axis = scale([-0.5, 1.0, None])
    bar = axis.bar(0.0, -0.5, 1.0)
    assert bar is not None
    assert bar.at == pytest.approx(bar.nothing) == pytest.approx(50)
    assert 0 < bar.low < 5
    assert bar.side == "either"
    more, less = axis.bar(0.5, 0.1, 1.0), axis.bar(-0.3, -0.5, -0.1)
    assert more is not None
    assert less is not None
    assert (more.side, less.side) == ("more", "less")
    assert less.at < bar.nothing < more.at
    assert axis.bar(0.5, None, 1.0) is None
    # However large, it stays on the scale.
    huge = scale([-1.0, 1e9]).bar(1e9, -1.0, 1e9)
    assert huge is not None
    assert 0 <= huge.low < huge.low + huge.width <= 100
    assert huge.at <= 100


def _row(platform: str, last_day: str, views: float | None, **more: Any) -> dict[str, Any]:
    return {
        "platform": platform, "last_day": last_day, "views_gained": views,
        "engagements_gained": 10.0, "posts_published": 2, "posts_open": 1, "is_whole": True,
    } | more  # fmt: skip


def test_a_week_is_held_against_whole_weeks_before_it_only() -> None:
    rows = [
        _row("tiktok", "2026-10-29", 300.0),
        _row("tiktok", "2026-10-22", 200.0),
        _row("tiktok", "2026-10-15", 100.0),
        _row("tiktok", "2026-10-08", 1.0, is_whole=False),
        _row("youtube", "2026-10-28", 50.0),
        _row("youtube", "2026-10-21", 25.0, is_whole=False),
        _row("vine", "2026-09-01", 9e9),
    ]
    tiktok, youtube, vine = last_weeks(rows)
    assert (tiktok.platform, youtube.platform, vine.platform) == ("tiktok", "youtube", "vine")
    assert tiktok.views_change == pytest.approx(0.5)
    assert tiktok.views_against_usual == pytest.approx(1.0)
    assert tiktok.engagement_rate == pytest.approx(10 / 300)
    assert (youtube.views_change, youtube.views_against_usual) == (None, None)
    every = together(rows)
    assert every is not None
    assert (every.last_day, every.views, every.posts) == ("2026-10-29", 350.0, 4)
    assert every.views_change == pytest.approx(350 / 225 - 1)
    assert together([]) is None


def test_a_cell_says_on_a_phone_which_column_it_is_of() -> None:
    """The headings are hidden there: each cell's label is one of them, in their order."""
    folder = PROJECT_ROOT / "warehouse" / "report" / "templates"
    tables = 0
    for file in sorted(folder.glob("*.html")):
        text = file.read_text("utf-8")
        for columns, cells in re.findall(
            r"call\(\w+\) table\(.*?\n\s*(\[.*?\]).*?\n(.*?)\{% endcall", text, re.S
        ):
            if "+" in columns or "names" in cells:
                continue  # the ledger's are made of one list
            tables += 1
            headings = re.findall(r'"([^"]*)"', columns)
            assert re.findall(r'<td data-label="([^"]*)"', cells) == headings[1:], file.name
            assert cells.count("<td") == len(headings) - 1, file.name
    assert tables >= 11
    assert environment().get_template("ledger.html")


def test_a_week_that_no_poll_tells_the_days_of_is_compared_with_nothing() -> None:
    """A first load of old posts seems to have grown more every week."""
    rows = [
        {"platform": "tiktok", "last_day": f"2026-11-{day:02}", "posts_published": 3,
         "views_gained": views, "engagements_gained": 1, "posts_open": 0, "is_whole": True,
         "spread_share": spread}
        for day, views, spread in ((26, 600, 0.2), (19, 100, 0.9), (12, 300, 0.1))
    ]  # fmt: skip
    for week in (*last_weeks(rows), together(rows)):
        assert week is not None
        # Not against the week before, which is a guess; the usual is of the others.
        assert (week.views_change, week.views_against_usual, week.is_guess) == (None, 1.0, False)
    rows[0]["spread_share"] = 0.9
    for week in (*last_weeks(rows), together(rows)):
        assert week is not None
        assert (week.views_change, week.views_against_usual, week.is_guess) == (None, None, True)
