"""Nothing depends on the time zone of the machine: everything is UTC."""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from loaders.files import load_files
from loaders.landing import Landing
from repositories.connection import open_release
from tests.support import small_warehouse
from warehouse.build import parse_time
from warehouse.cli.status import collect
from warehouse.settings import PROJECT_ROOT

AT = datetime(2026, 10, 15, 12, tzinfo=UTC)


@pytest.fixture(params=["America/New_York", "Pacific/Kiritimati", "UTC"], autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's time zone: behind UTC, as far ahead as there is, and UTC itself."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_a_time_without_an_offset_is_utc() -> None:
    assert parse_time("2026-10-15T12:00", now=datetime(2027, 1, 1, tzinfo=UTC)) == AT
    assert parse_time("2026-10-15", now=datetime(2027, 1, 1, tzinfo=UTC)) == AT.replace(hour=0)
    assert parse_time("2026-10-15T14:00:00+02:00", now=datetime(2027, 1, 1, tzinfo=UTC)) == AT


def test_files_and_their_dates_are_read_as_utc(tmp_path: Path) -> None:
    file = tmp_path / "polls.csv"
    file.write_text(
        "platform,external_post_id,views,collected_at\n"
        "tiktok,1,5,2026-10-15 12:00:00\ntiktok,2,5,15 Oct 2026 12:00\n"
    )
    os.utime(file, (AT.timestamp(), AT.timestamp()))
    slow = tmp_path / "slow.csv"
    slow.write_text("platform,external_post_id,views,collected_at\ntiktok,3,5,15/10/2026 12:00\n")
    landing = Landing(tmp_path / "landing")
    load_files(landing, [file], table="performance_metrics")
    load_files(landing, [slow], table="performance_metrics", time_format="%d/%m/%Y %H:%M")
    load_files(landing, [slow], table="performance_metrics", time_format="%d/%m/%Y %H:%M",
               extracted_at="2026-10-15T12:00", again=True)  # fmt: skip
    rows = (
        duckdb.connect()
        .execute(
            "select epoch_us(collected_at), epoch_us(_extracted_at) from read_parquet("
            f"'{tmp_path}/landing/files/performance_metrics/[!._]*.parquet')"
        )
        .fetchall()
    )
    wanted = int(AT.timestamp() * 1_000_000)
    assert {row[0] for row in rows} <= {wanted, None}
    assert sum(row[0] == wanted for row in rows) >= 3
    assert sum(row[1] == wanted for row in rows) >= 2
    assert abs(landing.loads()[0].landed_at.timestamp() - time.time()) < 600


def test_releases_and_what_is_read_from_them_are_utc(ace_home: Path) -> None:
    made = small_warehouse.release(ace_home)
    assert made.as_of == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert abs(made.released_at.timestamp() - time.time()) < 600
    with open_release(ace_home) as reader:
        (row,) = reader.query(
            "select as_of, cast(as_of as text) as text, cast(as_of as date) as day, "
            "timestamp '2026-10-15 12:00' as naive, current_setting('TimeZone') as zone "
            "from meta.release"
        ).dicts()
    assert row == {
        "as_of": "2026-11-20T12:00:00Z",
        "text": "2026-11-20 12:00:00+00",
        "day": "2026-11-20",
        "naive": "2026-10-15T12:00:00Z",
        "zone": "UTC",
    }
    status = collect()
    assert 0 <= status["release"]["age_seconds"] < 600
    assert status["freshness"][0]["last_extracted_at"] == "2026-11-20T11:00:00Z"
    assert json.dumps(status)


def test_pages_and_screens_say_utc(ace_home: Path) -> None:
    from warehouse.cli.releases import command
    from warehouse.report import write_report

    test_releases_and_what_is_read_from_them_are_utc(ace_home)
    page = write_report(ace_home / "report.html").read_text("utf-8")
    assert "20 Nov 2026, 12:00 UTC" in page
    shown = CliRunner().invoke(command, [], catch_exceptions=False).output
    assert "2026-11-20 12:00" in shown
    assert f"{datetime.now(UTC):%Y-%m-%d %H:}" in shown


def test_nobody_asks_the_machine_for_its_time_zone() -> None:
    """Every clock is asked in UTC, and a time without a zone is never taken for local."""
    local = {
        "datetime.now", "datetime.fromtimestamp", "datetime.utcnow", "datetime.utcfromtimestamp",
        "datetime.today", "date.today", "date.fromtimestamp", "time.localtime", "time.ctime",
        "time.strftime", "time.mktime",
    }  # fmt: skip
    needs_zone = {"datetime.now": 0, "datetime.fromtimestamp": 1}
    for folder in ("common", "loaders", "repositories", "warehouse"):
        for file in (PROJECT_ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = ast.unparse(node.func)
                where = f"{file.name}:{node.lineno}"
                if name in local:
                    given = len(node.args) > needs_zone.get(name, 99) or node.keywords
                    assert given, f"{where}: {name} without a zone"
                if name.endswith(".astimezone"):
                    assert node.args or node.keywords, f"{where}: to the machine's zone"
