"""``ace check`` as users call it: Great Expectations, pages and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.landing import Landing, Rejected
from loaders.schema import RESOURCES, polars_schema
from tests.support.hostile import HOSTILE, Skeleton, assert_no_markup_of, policy_of
from warehouse.quality import CheckResult, run_checks

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def land_metrics(landing: Landing, views: list[int | None]) -> None:
    keys = [f"{n:08d}-0000-0000-0000-000000000000" for n in range(len(views))]
    with landing.open_load("demo", "performance_metrics", input="demo", loaded_at=NOW) as load:
        load.write(
            pl.DataFrame(
                {"metric_id": keys, "post_id": keys, "views": views, "collected_at": NOW},
                schema_overrides={"views": pl.Int64},
            )
        )
        load.reject([Rejected(len(views), b"{", "broken JSON")])
        load.commit()


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[CheckResult]]:
    """Three checks in a row: bad rows, nothing new, one new load that is fine."""
    home = tmp_path_factory.mktemp("home")
    landing = Landing(home / "landing")
    landing.prepare()
    land_metrics(landing, [1, -2, 3, None])
    results = [run_checks(landing, home / "quality"), run_checks(landing, home / "quality")]
    land_metrics(landing, list(range(40)))
    results.append(run_checks(Landing(home / "landing"), home / "quality"))
    return home, results


def test_bad_rows_warn_and_name_file_resource_rows_and_next_step(
    checked: tuple[Path, list[CheckResult]],
) -> None:
    first = checked[1][0]
    assert first.critical == []
    assert first.new_rows == 4
    found = {finding.check: finding for finding in first.warnings}
    assert set(found) == {"count: views", "required: views or view_count", "rejected share"}
    text = str(found["count: views"])
    assert "performance_metrics from demo: views is below 0 in 1 of 4 rows (row 1 of " in text
    assert f"{found['count: views'].file}" in text
    assert "ace quarantine" in text


def test_great_expectations_agrees_with_what_is_reported(
    checked: tuple[Path, list[CheckResult]],
) -> None:
    suites = {suite.suite: suite for suite in checked[1][0].results}
    assert set(suites) == {
        "landing.files",
        "landing.loads",
        "landing.freshness",
        "demo.performance_metrics",
    }
    assert suites["demo.performance_metrics"].failed == 2
    assert suites["landing.loads"].failed == 1
    assert not any("Great Expectations" in f.message for f in checked[1][0].warnings)


def test_nothing_new_is_not_judged_again_and_says_the_same(
    checked: tuple[Path, list[CheckResult]],
) -> None:
    first, second, third = checked[1]
    assert (first.judged, second.judged, third.judged) == (True, False, True)
    assert [f.check for f in second.warnings] == [f.check for f in first.warnings]
    assert not any(f.new for f in second.warnings if f.load_id)
    assert third.new_rows == 40
    suites = {suite.suite: suite for suite in third.results}
    assert suites["demo.performance_metrics"].failed == 0  # only the new load was judged
    assert {f.check for f in third.warnings} >= {f.check for f in first.warnings}  # none forgotten


def test_pages_are_there_and_need_no_network(checked: tuple[Path, list[CheckResult]]) -> None:
    home, results = checked
    index = results[-1].docs_path
    assert index == home / "quality" / "index.html"
    text = index.read_text()
    assert "demo.performance_metrics" in text
    pages = [page for page in (home / "quality").rglob("*.html") if ".store" not in page.parts]
    results_pages = list((home / "quality/validations/demo/performance_metrics").rglob("*.html"))
    assert len(results_pages) == 1  # the newest check of a suite
    assert results_pages[0].relative_to(home / "quality").as_posix() in text
    for page in pages:
        content = page.read_text()
        assert 'src="http' not in content
        assert "unpkg" not in content


def test_a_page_says_what_its_suite_is_about_and_what_the_index_says_of_it(
    checked: tuple[Path, list[CheckResult]],
) -> None:
    """Warnings forbid nothing, and neither page tells where on this machine files lie."""
    home, results = checked
    assert results[-1].critical == []
    pages = {
        page.parts[-4]: page.read_text() for page in home.glob("quality/validations/*/*/*/*/*")
    }
    loads = " ".join(re.sub(r"<[^>]+>", " ", pages["loads"]).split())
    assert "Data asset: loads of the landing" in loads
    assert "Status: Nothing critical, 1 not met" in loads
    metrics = " ".join(re.sub(r"<[^>]+>", " ", pages["performance_metrics"]).split())
    assert "Data asset: performance_metrics from demo" in metrics
    assert "Status: All met" in metrics
    for page in (*pages.values(), results[-1].docs_path.read_text()):
        assert str(home) not in page
        assert "Data asset: None" not in page


def test_nothing_that_was_landed_is_markup_in_any_page(tmp_path: Path) -> None:
    """Every column of every resource, whatever rule shows it."""
    landing = Landing(tmp_path / "landing")
    for resource, columns in RESOURCES.items():
        row: dict[str, Any] = {
            column.name: [HOSTILE] if column.kind == "text[]" else HOSTILE
            for column in columns
            if column.kind in ("text", "text[]", "json", "uuid")
        }
        schema = {name: kind for name, kind in polars_schema(resource).items() if name in row}
        with landing.open_load("files", resource, input=HOSTILE) as load:
            load.write(pl.DataFrame([row, row], schema=schema))
            load.reject([Rejected(2, HOSTILE.encode(), HOSTILE)])
            load.commit()
    result = run_checks(landing, tmp_path / "quality")
    pages = [page.read_text() for page in (tmp_path / "quality").rglob("*.html")]
    shown = 0
    for page in pages:
        assert_no_markup_of(page)
        assert policy_of(page)["default-src"] == ["'none'"]
        shown += any(HOSTILE in text for text in Skeleton(page).texts)
    assert len(pages) == 1 + 2 * (3 + len(RESOURCES))
    # On the pages of the resources whose texts have rules, and in the index.
    assert shown >= 5, result


def ace(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ACE_HOME": str(home)}
    environment.pop("ACE_LANDING", None)
    return subprocess.run(
        [sys.executable, "-c", "from warehouse.cli import main; main()", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_exit_codes_and_json(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    landing.prepare()
    with landing.open_load("files", "scripts", input="scripts.csv") as load:
        load.write(pl.DataFrame({"script_text": ["a", "b"]}))
        keyless = load.commit()
    run = ace(tmp_path, "check", "--json")
    assert run.returncode == 1, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    assert answer["passed"] is False
    (critical,) = answer["critical"]
    assert critical["load_id"] == keyless.load_id
    assert critical["file"] == keyless.file

    run = ace(tmp_path, "check")
    assert run.returncode == 1
    assert "CRITICAL  scripts from files: the load has no record with a source key" in run.stderr
    assert "Traceback" not in run.stderr

    run = ace(tmp_path, "check", "--accept", "no-such-load")
    assert run.returncode == 2
    assert "no load no-such-load" in run.stderr

    run = ace(tmp_path, "check", "--accept", keyless.load_id)
    assert run.returncode == 0, run.stderr
