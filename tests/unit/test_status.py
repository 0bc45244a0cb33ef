"""``ace status`` and ``ace quarantine``: stable keys, honest words, 80 columns."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from loaders.landing import Landing, Rejected
from loaders.schema import ALL_RESOURCES, SOURCES
from repositories import Warehouse
from tests.support import small_warehouse
from warehouse.cli import load, quarantine, status
from warehouse.cli._show import age
from warehouse.release.duckdb import DuckStore


def _release(home: Path, loads: tuple[str, ...] = ("l1",), build: int = 1) -> None:
    small_warehouse.make(home / "warehouse.duckdb", loads=loads, build=build)
    store = DuckStore(home, home / "warehouse.duckdb", 5)
    store.record_passed(small_warehouse.passed(build))
    store.publish()


def _land(home: Path) -> str:
    with Landing(home / "landing").open_load("files", "products", input="p.csv") as load:
        load.write(pl.DataFrame({"name": ["a"]}))
        load.reject(
            [Rejected(1, b"\x1b[31mbad\xff", "price_usd: 'x' is not a number", "price_usd")]
        )
        return load.commit().load_id


def _run(command: object, *arguments: str) -> str:
    result = CliRunner().invoke(command, list(arguments), catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.output


def test_before_the_first_release_it_names_the_next_step(ace_home: Path) -> None:
    load = _land(ace_home)
    said = json.loads(_run(status.command, "--json"))
    assert said["release"] is None
    assert [one["load_id"] for one in said["pending_loads"]] == [load]
    assert "ace run" in _run(status.command)
    assert "no release yet" in _run(quarantine.command)


def test_what_was_written_and_has_not_landed_is_shown(ace_home: Path) -> None:
    warehouse = Warehouse.open()
    warehouse.agent_notes.create(
        agent_name="AnalystAgent", topic="hooks", content="Short ones.", importance=0.7
    )
    assert json.loads(_run(status.command, "--json"))["waiting_writes"] == {"agent_notes": 1}
    assert "'ace load inbox' lands them" in _run(status.command)
    assert CliRunner().invoke(load.command, ["inbox"]).exit_code == 0
    assert json.loads(_run(status.command, "--json"))["waiting_writes"] == {}
    assert "ace load inbox" not in _run(status.command)


def test_json_has_stable_keys(ace_home: Path) -> None:
    _release(ace_home)
    load = _land(ace_home)
    said = json.loads(_run(status.command, "--json"))
    assert set(said) == {
        "release", "simulated", "freshness", "volumes", "ledger", "quarantine",
        "pending_loads", "landed_loads", "left_out", "gone_loads", "ahead_loads",
        "waiting_writes", "open_requests",
    }  # fmt: skip
    assert said["release"]["release"] == 1
    assert said["release"]["as_of"] == "2026-11-20T12:00:00Z"
    assert said["release"]["age_seconds"] >= 0
    assert said["ledger"] == {
        "read": 5, "landed": 4, "rejected": 1, "accepted": 2, "duplicate": 1, "superseded": 0,
        "quarantined": 1, "balance": 0,
    }  # fmt: skip
    assert said["quarantine"] == [
        {
            "table_name": "products",
            "source": "files",
            "reason": "missing_required",
            "rows": 1,
            "oldest_since": "2026-11-01T00:00:00Z",
        }
    ]
    assert said["pending_loads"][0]["load_id"] == load
    assert said["simulated"] is False


def test_a_built_load_is_not_pending(ace_home: Path) -> None:
    load = _land(ace_home)
    _release(ace_home, loads=(load,))
    assert json.loads(_run(status.command, "--json"))["pending_loads"] == []


def test_text_fits_80_columns_and_an_imbalance_is_loud(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _release(ace_home)
    _land(ace_home)
    assert "balanced" in _run(status.command)
    monkeypatch.setattr(small_warehouse, "POSTS", "update marts.row_ledger set balance = -3;")
    _release(ace_home, build=2)
    said = _run(status.command)
    assert "OUT OF BALANCE by 3 rows" in said
    assert max(len(line) for line in said.splitlines()) <= 80


def test_the_longest_names_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    longest = {"source": max(SOURCES, key=len), "resource": max(ALL_RESOURCES, key=len)}
    known = {"last_asked_at": "2017-10-22T00:00:00+00:00", "hours_old": 80_000.0}
    status._freshness([longest | known | {"state": state} for state in status.STATES])
    lines = capsys.readouterr().out.splitlines()[4:]
    assert len(lines) == len(status.STATES)
    assert all(line.split()[:2] == list(longest.values()) for line in lines)


def test_quarantine_lists_rejected_records_too(ace_home: Path) -> None:
    _release(ace_home)
    load = _land(ace_home)
    said = json.loads(_run(quarantine.command, "list", "--json"))
    assert said["quarantined"][0]["example_load_id"] == "l1"
    (one,) = said["rejected"]
    assert (one["resource"], one["rows"], one["example_load_id"]) == ("products", 1, load)
    assert one["example_reason"] == "price_usd: 'x' is not a number"


def test_quarantine_names_what_is_wrong_in_words(ace_home: Path) -> None:
    _release(ace_home)
    listed = _run(quarantine.command, "list")
    assert "missing_required   since 2026-11-01  no name, source_platform" in listed
    assert max(len(line) for line in listed.splitlines()) <= 80
    (held,) = json.loads(_run(quarantine.command, "list", "--json"))["quarantined"]
    assert held["fields"] == {"name": 1, "source_platform": 1}
    assert "at fault   name missing, source_platform missing" in _run(quarantine.command, "show")


def test_quarantine_names_the_parent_and_the_value(
    ace_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = """create or replace view quarantine.rows as
        select 'performance_metrics' as table_name, 'files' as source, 'l1' as load_id,
            7::bigint as position, null::varchar as key, ['missing_parent', 'out_of_range'] as
            reasons, ['post_id', 'views'] as fields, 'published_posts tiktok/7' as
            missing_reference, '{"views": -5}'::json as payload,
            timestamptz '2026-11-01 00:00:00+00' as since from staging.stg_files__products;"""
    monkeypatch.setattr(small_warehouse, "POSTS", view)
    _release(ace_home)
    shown = _run(quarantine.command, "show")
    assert "waits for  published_posts: no accepted row there has the key tiktok/7" in shown
    assert "at fault   post_id missing, views -5" in shown
    listed = _run(quarantine.command, "list")
    assert "waits for published_posts tiktok/7" in listed
    # Which of the two reasons a field belongs to is not told.
    assert "e.g. no key" in listed
    monkeypatch.setattr(small_warehouse, "POSTS", view.replace("'missing_parent', ", ""))
    _release(ace_home, build=2)
    assert "impossible post_id, views" in _run(quarantine.command, "list")


def test_show_filters_and_cannot_drive_the_terminal(ace_home: Path) -> None:
    _release(ace_home)
    load = _land(ace_home)
    said = json.loads(_run(quarantine.command, "show", "--json"))
    assert said["quarantined"][0]["payload"] == {"name": None}
    assert said["rejected"][0]["raw"] == "\x1b[31mbad\\xff"
    only = json.loads(_run(quarantine.command, "show", "--load", load, "--json"))
    assert (only["quarantined"], len(only["rejected"])) == ([], 1)
    assert "Nothing is held back" in _run(quarantine.command, "show", "--table", "scripts")
    text = _run(quarantine.command, "show")
    assert "\x1b[31mbad" not in text
    assert "\\x1b[31mbad" in text


def test_a_wrong_table_name_is_corrected(ace_home: Path) -> None:
    result = CliRunner().invoke(quarantine.command, ["show", "--table", "product"])
    assert "Did you mean products?" in str(result.exception)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "never"), (1, "1 second"), (89, "89 seconds"), (120, "2 minutes"),
     (7200, "2 hours"), (86400 * 3, "3 days")],
)  # fmt: skip
def test_ages_read_as_people_say_them(seconds: float | None, text: str) -> None:
    assert age(seconds) == text
