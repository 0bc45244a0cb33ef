"""Charts of answers, without a release but for the command's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair
import pytest
from click.testing import CliRunner

from common.errors import AceError, UsageError
from tests.support import small_warehouse
from warehouse import analyses as questions
from warehouse import charts
from warehouse.cli.analysis import command
from warehouse.pictures import MOST_ROWS, layout, picture
from warehouse.release.duckdb import DuckStore

HARD = "'\"</text><script>\\ \u2028 {datum} ünï"


def _valid(spec: Any) -> dict[str, Any]:
    altair.Chart.from_dict(dict(spec), validate=True)
    return dict(spec)


def test_a_row_is_a_bar_with_its_name_whatever_that_holds() -> None:
    rows = [{"a.b": 3, "c[0]": HARD, "d": True}, {"a.b": 5, "c[0]": HARD, "d": None}]
    spec = _valid(picture(layout("bar x=a.b y=c[0]+d colour=d"), rows, "What?", "Now"))
    svg = charts.svg(spec, {})
    assert svg.count("&lt;script&gt;") == 2
    assert "<script" not in svg
    for said in ("What?", "Now", "a.b", "True", "unknown"):
        assert said in svg


def test_an_interval_has_its_ends_and_a_facet_its_own_rows() -> None:
    rows = [{"x": 0.1, "l": -1, "h": 1, "y": n, "f": f"f{n % 2}"} for n in range(100)]
    spec = _valid(picture(layout("interval x=x lo=l hi=h y=y facet=f"), rows, "q?", "n"))
    assert len(spec["data"]["values"]) == 2 * MOST_ROWS
    assert spec["title"]["subtitle"] == "n; the first 80 of 100"
    first = spec["data"]["values"][0]
    assert (first["lo"], first["hi"], first["label"], first["facet"]) == (-1, 1, "0", "f0")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((1, 2.5, 3), "quantitative"),
        (("2026-01-01", "2026-01-02T10:00:00Z", "2026-01-03 00:00:00"), "temporal"),
        (("b", "a", "2026"), "ordinal"),
    ],
)
def test_a_line_knows_times_and_numbers(values: tuple[Any, ...], kind: str) -> None:
    rows = [{"x": value, "y": 1} for value in values] + [{"x": None, "y": 2}, {"x": 4, "y": None}]
    spec = _valid(picture(layout("line x=x y=y"), rows, "q?", "n"))
    assert spec["encoding"]["x"]["type"] == kind
    assert len(spec["data"]["values"]) == 3


def test_an_answer_without_anything_to_draw_is_a_sentence() -> None:
    for rows in ([], [{"x": None, "y": 1}]):
        with pytest.raises(AceError, match="nothing to draw"):
            picture(layout("bar x=x y=y"), rows, "q?", "n")


@pytest.mark.parametrize("line", ["pie x=a y=b", "bar x=a", "interval x=a y=b", "bar x=a y=b z=c"])
def test_a_layout_that_is_none_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match="no chart"):
        layout(line)


def test_every_analysis_has_a_chart() -> None:
    assert all(layout(one.chart) for one in questions.analyses())


def test_the_command_writes_a_picture_of_a_release(
    ace_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_warehouse.make(ace_home / "warehouse.duckdb", source="demo")
    store = DuckStore(ace_home, ace_home / "warehouse.duckdb", 5)
    store.record_passed(small_warehouse.passed(1))
    store.publish()
    one = questions.Analysis(
        "views", "How many views?", "", {}, "select * from {{ ref('post_performance') }}",
        "bar x=views y=external_post_id",
    )  # fmt: skip
    monkeypatch.setattr(questions, "analysis", lambda name: one)
    specs: list[Any] = []
    monkeypatch.setattr(charts, "png", _kept(charts.png, specs))
    file = tmp_path / "views.png"
    runner = CliRunner()
    done = runner.invoke(command, ["views", "--png", str(file)], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, f"Wrote {file}\n")
    assert file.read_bytes().startswith(b"\x89PNG\r\n")
    (spec,) = specs
    assert spec["title"]["subtitle"] == "Release 1, as of 2026-11-20 12:00 UTC, with simulated data"
    assert [row["x"] for row in spec["data"]["values"]] == [10**10, 2 * 10**10, 3 * 10**10]
    failed = runner.invoke(command, ["views", "--png", str(tmp_path / "no" / "x.png")])
    assert isinstance(failed.exception, AceError)
    assert "cannot be written" in str(failed.exception)
    for wrong in (["--png", "x.png"], ["views", "--png", "x.png", "--json"]):
        assert isinstance(runner.invoke(command, wrong).exception, UsageError)


def _kept(draw: Any, specs: list[Any]) -> Any:
    def png(spec: Any) -> bytes:
        specs.append(spec)
        return bytes(draw(spec))

    return png
