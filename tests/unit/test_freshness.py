"""Freshness against the wall clock: one limit for each source and table, one judgement."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from common.errors import UsageError
from loaders.landing import Landing
from loaders.schema import ASKED_SOURCES, SOURCES
from tests.support import small_warehouse
from warehouse import freshness, overview
from warehouse.cli import status
from warehouse.freshness import judge, limit_hours, of_landing, sentence
from warehouse.release.duckdb import DuckStore
from warehouse.report import write_report
from warehouse.settings import PROJECT_ROOT

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of limits of the test's own."""
    file = tmp_path / "stale_after.csv"
    file.write_text(freshness.LIMITS.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(freshness, "LIMITS", file)
    monkeypatch.setattr(freshness, "PROJECT_ROOT", tmp_path)
    freshness._limits.cache_clear()
    yield file
    freshness._limits.cache_clear()


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (hours_ago(47.9), "fresh"), (hours_ago(48.1), "stale"), (None, "stale"),
        (hours_ago(-0.9), "fresh"), (hours_ago(-1.1), "ahead"), (hours_ago(-1e5), "ahead"),
        (datetime(1, 1, 1, tzinfo=UTC), "stale"),
    ],
)  # fmt: skip
def test_a_source_is_judged_by_the_time_now(last: datetime | None, state: str) -> None:
    one = judge("files", "products", last, NOW)
    assert one.state == state
    if state in ("stale", "ahead"):
        assert "products from files" in sentence(one)


def test_the_simulated_world_is_expected_once() -> None:
    for source in ("demo", "youtube_trending"):
        assert judge(source, "raw_videos", hours_ago(9999), NOW).state == "unlimited"
        assert judge(source, "raw_videos", hours_ago(-9999), NOW).state == "unlimited"


def test_the_line_that_says_most_holds(limits: Path) -> None:
    limits.write_text(
        "source,resource,stale_after_hours,why\n*,*,10,\nfiles,*,20,\n*,products,30,\n"
        "files,scripts,,loaded once\n",
        "utf-8",
    )
    assert limit_hours("tiktok", "scripts") == 10
    assert limit_hours("files", "products") == 20
    assert limit_hours("inbox", "products") == 30
    assert limit_hours("files", "scripts") is None


@pytest.mark.parametrize(
    ("line", "said"),
    [("files,*,soon,", "'soon'"), ("files,*,-1,", "'-1'"), ("files,*,nan,", "'nan'"),
     ("file,*,1,", "no source 'file'"), ("files,posts,1,", "no resource 'posts'"),
     ("files", "no resource ''")],
)  # fmt: skip
def test_a_limit_nobody_understands_is_named_by_its_line(
    limits: Path, line: str, said: str
) -> None:
    limits.write_text(f"source,resource,stale_after_hours,why\n*,*,48,\n{line}\n", "utf-8")
    with pytest.raises(UsageError, match="line 3") as caught:
        limit_hours("files", "products")
    assert said in str(caught.value)


def land(landing: Landing, source: str, resource: str, at: datetime, known: datetime) -> None:
    with landing.open_load(source, resource, loaded_at=at) as load:
        load.write(pl.DataFrame({"created_at": [known], "_extracted_at": [known]}))
        load.commit(cursor={"x": 1} if source in ASKED_SOURCES else None)


def test_news_count_from_when_they_were_known_not_from_when_they_were_loaded(
    tmp_path: Path,
) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    land(landing, "files", "products", NOW, hours_ago(600))
    land(landing, "files", "products", NOW, hours_ago(700))
    (one,) = of_landing(landing.loads(), landing.heartbeats(), NOW)
    assert (one.state, one.hours) == ("stale", 600)


def test_a_database_that_was_asked_is_fresh_in_all_its_tables(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.prepare()
    land(landing, "supabase", "products", hours_ago(600), hours_ago(700))
    land(landing, "supabase", "scripts", hours_ago(50), hours_ago(50))

    def states() -> list[str]:
        return [one.state for one in of_landing(landing.loads(), landing.heartbeats(), NOW)]

    assert states() == ["stale", "stale"]
    landing.heartbeat("supabase", {}, loaded_at=hours_ago(47))
    assert states() == ["fresh", "fresh"]


def release(home: Path, last: datetime | None) -> None:
    build = home / "warehouse.duckdb"
    small_warehouse.make(build)
    with duckdb.connect(str(build)) as connection:
        connection.execute("update marts.feature_freshness set last_extracted_at = ?", [last])
        # As of the data nothing is ever old.
        connection.execute("update marts.feature_freshness set is_stale = false")
    store = DuckStore(home, build, 5)
    store.record_passed(small_warehouse.passed())
    store.publish()


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(status.command, list(arguments), catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


def ago(**delta: float) -> datetime:
    return datetime.now(UTC) - timedelta(**delta)


def test_status_calls_a_source_of_25_days_stale_though_nothing_else_landed(
    ace_home: Path,
) -> None:
    release(ace_home, ago(days=25))
    code, said, _ = run()
    assert (code, "25 days" in said, "stale" in said) == (0, True, True)
    (row,) = json.loads(run("--json")[1])["freshness"]
    assert (row["is_stale"], row["is_stale_as_of"], row["state"]) == (True, False, "stale")
    code, _, err = run("--check")
    assert code == 1
    assert "products from files is stale" in err
    assert "25 days ago; the limit is 48 hours" in err
    assert run("--check", "--json")[0] == 1


def test_check_passes_where_everything_is_fresh(ace_home: Path) -> None:
    release(ace_home, ago(hours=3))
    assert run("--check") == (0, run()[1], "")


def test_what_landed_since_only_has_to_be_built(ace_home: Path) -> None:
    release(ace_home, ago(days=25))
    land(Landing(ace_home / "landing"), "files", "products", ago(hours=1), ago(hours=1))
    code, _, err = run("--check")
    assert (code, "'ace build' takes it up" in err) == (1, True)


def test_a_clock_that_was_ahead_is_neither_fresh_nor_stale(ace_home: Path) -> None:
    release(ace_home, ago(days=-400))
    code, said, err = run("--check")
    assert code == 1
    assert "ahead" in said
    assert "lies ahead: a clock was or is wrong" in err
    assert "stale" not in said
    assert "day" not in said.split("ahead")[0].splitlines()[-1]


def test_before_the_first_release_what_landed_is_judged(ace_home: Path) -> None:
    assert run("--check")[0] == 0
    landing = Landing(ace_home / "landing")
    landing.prepare()
    assert run("--check")[0] == 0
    land(landing, "files", "products", ago(hours=1), ago(hours=1))
    assert run("--check")[0] == 0
    land(landing, "files", "scripts", ago(days=9), ago(days=9))
    code, said, err = run("--check")
    assert (code, "No release yet." in said, "scripts from files" in err) == (1, True, True)
    assert "products" not in err


def test_the_report_says_the_same_and_of_which_time(ace_home: Path) -> None:
    release(ace_home, ago(days=25))
    page = write_report(ace_home / "report.html").read_text("utf-8")
    assert "stale</b>" in page
    assert "25 d" in page
    assert f"{datetime.now(UTC):%-d %b %Y}" in page.split("when this page was written, ")[1][:100]


def test_ages_do_not_depend_on_how_a_time_is_written() -> None:
    class Rows:
        def tables(self) -> set[str]:
            return {"marts.feature_freshness"}

        def query(self, _: str) -> Any:
            return self

        def dicts(self) -> list[dict[str, Any]]:
            return [
                {"source": "files", "resource": "products", "is_stale": False,
                 "last_extracted_at": text}
                for text in ("2026-03-08T12:00:00Z", "2026-03-08T14:00:00+02:00")
            ]  # fmt: skip

    rows = overview.freshness(Rows(), NOW)  # type: ignore[arg-type]
    assert [row["hours_old"] for row in rows] == [36, 36]


def test_dbt_and_the_models_have_the_same_limits() -> None:
    seen = {}
    for file in (PROJECT_ROOT / "models/staging").glob("*/_*__sources.yml"):
        for source in yaml.safe_load(file.read_text("utf-8"))["sources"]:
            rule = source["config"]["freshness"]
            seen[source["name"]] = rule and rule["warn_after"]["count"]
            assert not rule or rule["warn_after"]["period"] == "hour"
    with freshness.LIMITS.open(encoding="utf-8", newline="") as limits:
        assert {row["resource"] for row in csv.DictReader(limits)} == {"*"}
    assert seen == {source: limit_hours(source, "products") for source in SOURCES}
