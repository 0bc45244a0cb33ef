"""What landed beside a source's own past: planted changes are told, quiet worlds are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner

from agent_server.server import AgentServer
from repositories.volumes import Volume, judge, sentence
from tests.support import small_warehouse
from warehouse.cli import status
from warehouse.release.duckdb import DuckStore
from warehouse.report import write_report
from warehouse.settings import settings

AS_OF = datetime(2026, 11, 20, 12, tzinfo=UTC)
#: What a source lands a day: steady, with quiet weekends, growing, of bursts, on few days.
WORLDS = ("steady", "weekends", "growing", "varied", "bursts", "sparse")
DAYS = 40


def landed(rows: Sequence[int], today: int = 0, *, expects_more: bool = True) -> Volume:
    """The judgement of days of which the last is the one before as-of."""
    days = {
        (AS_OF - timedelta(days=len(rows) - place)).date(): int(count)
        for place, count in enumerate(rows)
        if count
    }
    counted = days | {AS_OF.date(): today}
    return judge("youtube", "performance_metrics", counted, AS_OF, expects_more=expects_more)


def _rows(kind: str, mean: float, random: np.random.Generator) -> list[int]:
    day = np.arange(DAYS)
    expected = {
        "steady": np.full(DAYS, mean),
        "weekends": mean * np.where(day % 7 < 2, 0.5, 1),
        "growing": mean * (1 + day / DAYS),
        "varied": mean * random.gamma(11, 1 / 11, DAYS),
        "bursts": mean * np.exp(random.normal(0, 0.5, DAYS)),
        "sparse": mean * (random.random(DAYS) < 0.3),
    }[kind]
    return [int(count) for count in random.poisson(expected)]


def test_quiet_worlds_hardly_ever_alarm() -> None:
    random = np.random.default_rng(7)
    worlds = 300
    alarms = sum(
        any(
            landed(_rows(kind, mean, random)).state not in ("usual", "unknown")
            for kind in WORLDS
            for mean in (3, 300)
        )
        for _ in range(worlds)
    )
    assert alarms <= 0.05 * worlds


@pytest.mark.parametrize("kind", ["steady", "weekends", "growing"])
@pytest.mark.parametrize(
    ("factor", "state"), [(0.05, "dropped"), (0.0, "stopped"), (2.5, "rose"), (1.0, "usual")]
)
def test_what_is_planted_is_found(kind: str, factor: float, state: str) -> None:
    random = np.random.default_rng(11)
    found: list[str] = []
    for _ in range(50):
        rows = _rows(kind, 300, random)
        found.append(landed([*rows[:-1], int(rows[-1] * factor)]).state)
    assert found.count(state) >= 47


def test_a_doubling_is_told_on_its_day_and_before_it_is_over() -> None:
    steady = [300 + 10 * (day % 5) for day in range(DAYS)]
    assert landed([*steady, 640]).state == "rose"
    early = landed(steady, today=640)
    assert (early.state, early.day) == ("rose", AS_OF.date())
    assert landed(steady, today=3).state == "usual", "the day is not over"


def test_sentences() -> None:
    steady = [300 + 10 * (day % 5) for day in range(DAYS)]
    assert sentence(landed([*steady, 12])) == (
        "performance_metrics from youtube: only 12 rows landed on 2026-11-19; "
        "usually 300 to 340 rows."
    )
    assert sentence(landed([*steady, 0, 0])) == (
        "performance_metrics from youtube: nothing landed for 2 days up to 2026-11-19; "
        "usually 300 to 340 rows a day, and of pauses none."
    )
    assert ": 640 rows landed on 2026-11-20" in sentence(landed(steady, today=640))


def test_a_pause_is_judged_by_the_pauses_before() -> None:
    workdays = [100 if day % 7 < 5 else 0 for day in range(42)]
    assert landed(workdays).state == "usual", "a weekend"
    assert landed([*workdays, 0, 0, 0, 0]).state == "usual"
    assert landed([*workdays, *[0] * 5]).state == "stopped"
    assert landed([*workdays, *[0] * 5], expects_more=False).state == "usual"


def test_too_short_a_past_says_nothing() -> None:
    assert landed([900, *[300] * 13, 5]).state == "unknown", "the first day is no measure"
    assert landed([900, *[300] * 14, 5]).state == "dropped"
    assert landed([]).state == "unknown"


def test_a_release_tells_it_as_of_itself(ace_home: Path) -> None:
    build = ace_home / "warehouse.duckdb"
    small_warehouse.make(build)
    with duckdb.connect(str(build)) as connection:
        connection.execute(
            "insert into meta.loads select 'y' || i, 'youtube', 'performance_metrics', null, "
            "timestamptz '2026-11-20 10:00:00+00' - to_days(i::integer), 0, "
            "case when i < 0 then 9000 when i = 1 then 12 else 300 + i end, 0, 0, null, null, '' "
            "from range(-2, 30) as r(i) where i <> 0"
        )
    store = DuckStore(ace_home, build, 5)
    store.record_passed(small_warehouse.passed())
    store.publish()
    said = CliRunner().invoke(status.command, ["--json"], catch_exceptions=False)
    found = {row["source"]: row for row in json.loads(said.stdout)["volumes"]}
    youtube = found["youtube"]
    assert (youtube["state"], youtube["rows"], youtube["day"]) == ("dropped", 12, "2026-11-19")
    shown = CliRunner().invoke(status.command, [], catch_exceptions=False).stdout
    assert "only 12 rows landed" in shown
    page = write_report(ace_home / "report.html").read_text("utf-8")
    assert "only 12 rows landed" in page
    server = AgentServer(settings())
    try:
        (told,) = server.answer("warehouse_status", {})["unusual"]
    finally:
        server.close()
    assert told == youtube["problem"]
