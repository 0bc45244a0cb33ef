"""The report: one file that needs nothing else, where data can never become markup."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support import hostile, small_warehouse
from warehouse.cli.report import command
from warehouse.quality.pages import write_index
from warehouse.release.duckdb import DuckStore
from warehouse.report.charts import age_marks, growth
from warehouse.report.data import Report
from warehouse.report.page import environment
from warehouse.report.text import compact, day, hours, percent
from warehouse.settings import PROJECT_ROOT, settings

#: What would let a value into a page as HTML.
UNESCAPED = re.compile(r"\bMarkup\b|markupsafe|\|\s*safe\b|\bautoescape\b|\bEnvironment\(")
VOID = {"meta", "link", "br"}


class _Page(HTMLParser):
    """Collects tags, addresses and text, and checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _report(home: Path, source: str = "files", build: int = 1) -> tuple[str, _Page]:
    small_warehouse.make(home / "warehouse.duckdb", source=source, build=build)
    store = DuckStore(home, home / "warehouse.duckdb", 5)
    store.record_passed(small_warehouse.passed(build))
    store.publish()
    result = CliRunner().invoke(command, [], catch_exceptions=False)
    assert result.exit_code == 0
    text = (home / "report.html").read_text("utf-8")
    return text, _Page(text)


def test_nothing_is_requested_and_no_script_runs(ace_home: Path) -> None:
    text, page = _report(ace_home)
    assert "script" not in page.tags
    assert all(address.startswith(("#", "data:,")) for address in page.addresses)
    assert "url(" not in text
    assert "@import" not in text
    assert page.open == []


def _page_of(home: Path, text: str) -> tuple[str, set[str]]:
    """The report of a warehouse in which every text is ``text``, and the columns in it."""
    named = hostile.make(home / "warehouse.duckdb", text)
    store = DuckStore(home, home / "warehouse.duckdb", 5)
    store.record_passed(replace(small_warehouse.passed(), dbt_version=text, git_revision=text))
    store.publish()
    result = CliRunner().invoke(command, [], catch_exceptions=False)
    assert result.exit_code == 0
    page = (home / "report.html").read_text("utf-8")
    found = hostile.Skeleton(page)
    said = " ".join([*found.texts, *found.attributes])
    marks = {name: name.partition("#") for name in named}
    return page, {where for where, _, mark in marks.values() if f"{text}#{mark}" in said}


def test_no_value_of_any_column_is_ever_markup(
    ace_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, shown = _page_of(ace_home, hostile.HOSTILE)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("ACE_HOME", str(other))
    settings.cache_clear()
    plain, _ = _page_of(other, hostile.HARMLESS)
    assert hostile.Skeleton(page).markup == hostile.Skeleton(plain).markup
    hostile.assert_no_markup_of(page)
    # Enough of it is there for this to mean something.
    assert shown >= {
        *(f"quarantine.rows.{name}" for name in ("table_name", "source", "key", "reasons")),
        "quarantine.rows.missing_reference",
        "marts.row_ledger.table_name", "marts.row_ledger.source",
        "marts.feature_freshness.source", "marts.feature_freshness.resource",
        "marts.post_performance.platform", "marts.post_performance.external_post_id",
        "marts.post_performance.variation_label", "canonical.products.name",
        "canonical.creative_patterns.hook_text", "canonical.creative_patterns.structure",
        "marts.creative_tag_effects.tag", "marts.creative_tag_effects.kind",
        "marts.hashtag_trends.hashtag", "marts.hashtag_trends.platform",
        "marts.product_trends.direction", "marts.forecast_accuracy.platform",
        "marts.workflow_runs.workflow_id", "marts.agent_health.agent_name",
        "marts.content_funnel.stalled_at",
    }  # fmt: skip


def test_html_is_written_in_templates_only() -> None:
    """No code and no template says of a value that it is HTML: it cannot get in unescaped."""
    ours = PROJECT_ROOT / "warehouse"
    templates = [file for file in ours.glob("*/templates/*") if file.suffix != ".css"]
    assert len(templates) > 10
    for file in [*ours.rglob("*.py"), *templates]:
        if file != ours / "templates.py":
            assert not UNESCAPED.search(file.read_text("utf-8")), file


def test_no_page_runs_scripts_or_fetches_anything(ace_home: Path) -> None:
    write_index(ace_home, {}, [])
    for page in (_report(ace_home)[0], (ace_home / "index.html").read_text("utf-8")):
        policy = hostile.policy_of(page)
        assert policy["default-src"] == ["'none'"]
        assert not policy.keys() & {"script-src", "connect-src", "frame-src"}
        assert policy["form-action"] == policy["base-uri"] == ["'none'"]


def test_it_says_what_it_is_about(ace_home: Path) -> None:
    _, page = _report(ace_home)
    words = " ".join(" ".join(page.text).split())
    for expected in (
        "Release 1", "20 Nov 2026, 12:00 UTC", "balanced", "missing_required", "30.0B",
        "tests passed", "Freshness",
    ):  # fmt: skip
        assert expected in words
    assert page.tags.count("caption") == page.tags.count("table") == 4
    assert page.tags.count("svg") == 3


def test_simulated_data_is_labelled_and_real_data_is_not(ace_home: Path) -> None:
    assert "Simulated data" not in _report(ace_home)[0]
    assert "Simulated data" in _report(ace_home, source="demo", build=2)[0]


def test_a_warehouse_without_posts_has_a_report(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_warehouse, "POSTS", "select 1")
    text, page = _report(ace_home)
    assert "No post has been polled yet" in text
    assert page.open == []


def test_a_place_that_cannot_be_written_is_one_sentence(ace_home: Path, tmp_path: Path) -> None:
    _report(ace_home)
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(command, ["--output", str(tmp_path / "file" / "r.html")])
    assert "cannot be written" in str(result.exception)


def _growth(points: list[tuple[float, int]], label: str) -> str:
    module = environment().get_template("chart.html").module
    return str(module.chart(growth(points), label))  # type: ignore[attr-defined]


def test_a_curve_begins_at_nothing_and_each_poll_says_what_it_is() -> None:
    svg = _growth([(10.0, 50), (100.0, 200)], "a & b")
    assert re.findall(r"<title>(.*?)</title>", svg) == [
        "50 views after 10.0 hours", "200 views after 100.0 hours",
    ]  # fmt: skip
    # The line goes from the floor at no age through the first poll to the right end of the top.
    (line,) = (d for d in re.findall(r' d="(M[^"]*)"', svg) if d.count("L") == 2 and "Z" not in d)
    (x0, y0), *_, (x1, y1) = (map(float, pair.split(",")) for pair in re.split("[ML]", line)[1:])
    assert x0 == 0
    assert x1 > 250
    assert (round(y0), round(y1)) == (max(round(y0), 90), 0)
    assert 'aria-label="a &amp; b"' in svg
    assert {"0", "100", "200", "1 d", "4 d"} <= set(re.findall(r">([^<]+)</text>", svg))


@pytest.mark.parametrize("last", [0.0, 0.5, 26, 47, 49, 200, 24 * 400, 24 * 4000])
def test_any_age_has_few_enough_marks(last: float) -> None:
    _, _, marks = age_marks(max(24.0, last))
    assert 2 <= len(marks) <= 7
    assert marks == sorted(set(marks))
    assert _growth([(last, 0)], "x").count("<text") >= 3


def test_numbers_are_short_and_unknown_is_never_zero() -> None:
    assert [compact(v) for v in (0, 999, 9999, 12345, 999_950, 1.23e6, 3e10)] == [
        "0", "999", "9,999", "12.3k", "1000k", "1.2M", "30.0B",
    ]  # fmt: skip
    assert [hours(v) for v in (0.5, 5.25, 100)] == ["30 min", "5.2 h", "4 d"]
    assert compact(None) == percent(None) == hours(None) == day(None) == "\N{EN DASH}"


def test_what_a_tag_brings_is_relative_and_its_interval_logarithms() -> None:
    row = {"tag": "asmr", "kind": "style", "posts_with": 10, "posts_without": 20}
    row |= {"shrunk_lift": 0.5, "lo": math.log(1.1), "hi": math.log(2), "q_value": 0.01}
    row |= {"adjusted_lift": 0.25, "adjusted_lo": 0.05, "adjusted_hi": 0.75}
    empty: list[dict[str, object]] = []
    report = Report(
        datetime.now(UTC),
        {},
        False,
        empty,
        empty,
        {},
        empty,
        {},
        {},
        marts={"patterns": [], "tags": [row]},
    )
    page = environment().get_template("works.html").render(report=report)
    assert "+50%" in page
    assert "+10% to +100%" in page
    assert "+5% to +75%" in page
