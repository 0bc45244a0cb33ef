"""Every analysis says what it answers, compiles, and runs on the built simulated world."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import altair
import pytest
from click.testing import CliRunner

from common.errors import UsageError
from repositories.values import plain
from tests.support.builds import Warehouse
from warehouse.analyses import analysis
from warehouse.cli import docs
from warehouse.pictures import layout, picture
from warehouse.settings import PROJECT_ROOT

ANALYSES = sorted(path.name for path in (PROJECT_ROOT / "analyses").glob("*.sql"))
#: Tables of a release, named as public models are.
PUBLIC = {
    f"{schema}.{path.stem}"
    for schema, folder in (("marts", "models/marts"), ("canonical", "models/canonical"))
    for path in (PROJECT_ROOT / folder).rglob("*.sql")
} | {f"reference.{path.stem}" for path in (PROJECT_ROOT / "seeds").glob("*.csv")}


@pytest.fixture(scope="module")
def compiled(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each analysis; compiled in a folder of its own, the fixture is only read."""
    from dbt.cli.main import dbtRunner

    from tests.support.parsed import parsed_project
    from warehouse.build.dbt_run import _close_connections, _environment

    folder = tmp_path_factory.mktemp("analyses")
    with _environment(demo.environment()):
        common = (
            *("--project-dir", str(PROJECT_ROOT)),
            *("--profiles-dir", str(PROJECT_ROOT / "profiles")),
            *("--target", "duckdb", "--target-path", str(folder)),
            *("--log-path", str(folder), "--log-level", "none"),
        )
        done = dbtRunner(manifest=parsed_project("duckdb", common)).invoke(
            ["compile", "--select", "resource_type:analysis", "--no-populate-cache", *common]
        )
        _close_connections("duckdb")
    assert done.success, done.exception
    return {path.name: path.read_text() for path in folder.glob("compiled/**/analyses/*.sql")}


def test_the_documentation_is_one_file_with_sources_and_questions(
    compiled: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.parsed import parsed_project
    from warehouse.build import dbt_run

    def parsed(kept: None, target: str, folder: Path) -> Any:
        manifest = parsed_project("duckdb", ())
        manifest.write(str(folder / "target" / "manifest.json"))
        return manifest

    monkeypatch.setattr(dbt_run, "_manifest", parsed)
    monkeypatch.setenv("ACE_HOME", str(tmp_path))
    file = tmp_path / "docs.html"
    done = CliRunner().invoke(docs.command, ["--output", str(file)], catch_exceptions=False)
    assert done.output == f"Wrote {file}\n"
    page = file.read_text("utf-8")
    assert "At which hours of the week do posts do better" in page
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=["']https?:""", page)
    # A source's columns are described nowhere else.
    assert page.count('"_record_hash": {"name"') > 40


def test_there_are_enough() -> None:
    assert len(ANALYSES) >= 15


@pytest.mark.parametrize("name", ANALYSES)
def test_analysis_runs_and_says_what_it_answers(
    demo: Warehouse, compiled: dict[str, str], name: str
) -> None:
    source = (PROJECT_ROOT / "analyses" / name).read_text()
    assert source.startswith("{#\n")
    one = analysis(Path(name).stem)
    assert one.question.endswith("?")
    assert len(one.reading) > 80, "how its answer is read"
    expected = demo.query(compiled[name])
    assert expected
    # As `ace analysis` runs it on a release, where schemas have their public names.
    assert demo.query(one.sql(PUBLIC, {})) == expected
    # Its chart asks for columns that it has; Altair's schema knows all of the specification.
    asked = layout(one.chart)
    assert asked.columns <= expected[0].keys()
    rows = [{name: plain(value) for name, value in row.items()} for row in expected]
    assert altair.Chart.from_dict(dict(picture(asked, rows, one.question, "a note")))
    assert "Chart:" not in one.reading


def test_parameters_narrow_the_answer(demo: Warehouse) -> None:
    hours = analysis("best_hours")
    assert hours.parameters == {"platform": "all"}
    found = demo.query(hours.sql(PUBLIC, {"platform": "tiktok"}))
    assert {row["platform"] for row in found} == {"tiktok"}
    assert demo.query(hours.sql(PUBLIC, {"platform": "it's none"})) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("plattform", "x", r"no parameter plattform\. It takes days \(30\), platform \(all\)"),
        ("days", "many", r"days .* is a number, not 'many'\. For example: --set days=30"),
        ("days", "1 day) --", "is a number"),
    ],
)
def test_a_wrong_parameter_is_a_sentence(name: str, value: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        analysis("top_posts").sql(PUBLIC, {name: value})


def test_an_unknown_analysis_brings_the_near_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean best_hours"):
        analysis("best_hour")


def test_the_stalled_product_stands_first(demo: Warehouse, compiled: dict[str, str]) -> None:
    """The one product of the simulated world that has scripts and never a post."""
    import polars as pl

    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_products.parquet")
    stalled = truth.filter(pl.col("stalled"))["product_id"].to_list()
    first = demo.query(compiled["stalled_content.sql"])[0]
    assert [str(first["product_id"])] == stalled
    assert first["posts"] == 0
    assert first["scripts"] > 0


def test_items_that_stand_still_are_those_counted(
    demo: Warehouse, compiled: dict[str, str]
) -> None:
    """As many as content_funnel says, the oldest since when it says."""
    counted = demo.query(
        "select product_id, stalled_at, stalled_items, stalled_since, stalled_hours "
        "from marts.content_funnel where is_stalled"
    )
    found = demo.query(compiled["stalled_items.sql"])
    assert counted
    assert {row["product_id"] for row in found} == {row["product_id"] for row in counted}
    for row in counted:
        its = [one for one in found if one["product_id"] == row["product_id"]]
        assert len({one["item_id"] for one in its}) == len(its) == row["stalled_items"]
        assert {one["waits_for"] for one in its} == {row["stalled_at"]}
        assert min(one["since"] for one in its) == row["stalled_since"]
        assert max(one["waiting_hours"] for one in its) == pytest.approx(row["stalled_hours"])


def test_a_hook_is_all_its_patterns(demo: Warehouse, compiled: dict[str, str]) -> None:
    patterns = demo.query(
        "select hook_text, lift_posts, ln(1 + lift) as log_lift, shrunk_lift, lift_lo, lift_hi "
        "from marts.creative_pattern_performance join canonical.creative_patterns "
        "using (pattern_id) where is_total and lift_posts > 0"
    )
    found = demo.query(compiled["hooks_that_help.sql"])
    assert {row["hook"] for row in found} == {row["hook_text"] for row in patterns}
    for row in found:
        its = [one for one in patterns if one["hook_text"] == row["hook"]]
        posts = sum(one["lift_posts"] for one in its)
        assert (row["patterns"], row["posts"]) == (len(its), posts)
        mean = sum(one["lift_posts"] * one["log_lift"] for one in its) / posts
        assert math.log1p(row["lift"]) == pytest.approx(mean)
        expected = [one["shrunk_lift"] for one in its]
        assert (row["least"], row["most"]) == (min(expected), max(expected))
        assert row["surely_better"] == sum(one["lift_lo"] > 0 for one in its)
        assert row["surely_worse"] == sum(one["lift_hi"] < 0 for one in its)
    assert [row["least"] for row in found] == sorted((r["least"] for r in found), reverse=True)
