"""What repositories know of tables and marts is what the contracts say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import UsageError
from common.settings import settings as load_settings
from loaders.landing import Landing
from repositories import InvalidValue, Warehouse
from repositories.columns import Relation
from repositories.connection import NoReleaseError
from repositories.marts import MARTS
from repositories.select import select
from warehouse.cli import main, run

ROOT = Path(__file__).parents[2]


def contracts(folder: str) -> dict[str, dict[str, Any]]:
    files = (ROOT / folder).glob("*.yml" if folder.endswith("canonical") else "*/*.yml")
    found = [yaml.safe_load(file.read_text("utf-8"))["models"][0] for file in files]
    return {one["name"]: one for one in found}


def test_every_mart_is_known_by_its_key() -> None:
    found = contracts("models/marts")
    # Days that metrics are asked by: made from a mart, and in `reference`.
    del found["time_spine"]
    assert set(MARTS) == set(found)
    for name, contract in found.items():
        tests = [
            one["row_rules"]["arguments"] for one in contract["data_tests"] if "row_rules" in one
        ]
        key = tests[0].get("unique_key") or contract["config"]["meta"]["grain"].split(", ")
        assert set(MARTS[name].key) == set(key), name
        columns = {column["name"] for column in contract["columns"]}
        assert set(MARTS[name].key) <= columns


def test_no_column_has_a_name_that_asking_needs() -> None:
    for name, contract in (contracts("models/marts") | contracts("models/canonical")).items():
        columns = {column["name"] for column in contract["columns"]}
        assert not columns & {"columns", "order_by", "limit", "after", "frame", "key"}, name
        assert not [column for column in columns if "__" in column], name


def test_docs_tell_how_old_each_mart_may_be() -> None:
    text = (ROOT / "docs" / "agents.md").read_text("utf-8")
    for name, kept in MARTS.items():
        hours = int(kept.tolerance.total_seconds() / 3600)
        (line,) = [one for one in text.splitlines() if one.startswith(f"| {hours} h |")]
        assert f"`{name}`" in line


def test_before_the_first_release_only_writing_is_possible(ace_home: Path) -> None:
    with Warehouse.open() as warehouse:
        warehouse.agent_notes.create(agent_name="A", content="x")
        assert warehouse.pending().journaled == {"agent_notes": 1}
        with pytest.raises(NoReleaseError, match="There is no release"):
            warehouse.agent_notes.find()
        with pytest.raises(NoReleaseError):
            _ = warehouse.release


def test_text_is_ordered_by_code_points_whatever_the_database_is_like() -> None:
    relation = Relation("marts", "m", {"id": "uuid", "name": "text"}, ("id",))
    asked: dict[str, Any] = {"filters": {"name__gte": "a"}, "order_by": "-name"}
    sql, values = select(relation, "postgres", **asked)
    assert 'where ("name" collate "C" >= ?) order by "name" collate "C" desc nulls last' in sql
    assert values == ["a"]
    assert "collate" not in select(relation, "duckdb", **asked)[0]


def test_ace_run_lands_what_agents_wrote_first(
    ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_settings()
    with Warehouse.open() as warehouse:
        warehouse.agent_notes.create(agent_name="A", content="x")
        run._load(config, Landing(config.landing))
        assert warehouse.pending().landed == {"agent_notes": 1}
    out = capsys.readouterr().out
    # So the sample is not landed beside it.
    assert out.startswith("agent_notes: 1 read, 1 landed, 0 rejected")
    assert "what has landed is used (1 load)" in out


def test_rows_are_all_written_or_none(ace_home: Path) -> None:
    good = {"agent_name": "A", "content": "x"}
    with Warehouse.open() as warehouse:
        with pytest.raises(InvalidValue, match=r"^Row 1: agent_notes.importance: expected a num"):
            warehouse.agent_notes.create_many([good, good | {"importance": "high"}])
        for wrong in ("content", None, [1]):
            with pytest.raises(UsageError, match="A row is a dict"):
                warehouse.agent_notes.create_many([good, wrong])  # type: ignore[list-item]
        with pytest.raises(InvalidValue, match=r"agent_notes\.1: expected no such field"):
            warehouse.agent_notes.create_many([{1: 2}])  # type: ignore[dict-item]
        assert warehouse.agent_notes.create_many([]) == []
        assert warehouse.pending().total == 0


def test_the_inbox_is_landed_by_its_command(
    ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ace(*arguments: str) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert ended.value.code == 0
        return capsys.readouterr()

    assert ace("load", "inbox")[0] == "Nothing waits in the inbox.\n"
    with Warehouse.open() as warehouse:
        ids = warehouse.agent_notes.create_many(
            [{"agent_name": "A", "content": "x", "key": "k"}, {"agent_name": "A", "content": "y"}]
        )
        warehouse.system_events.log("A", "a.b.c", {"n": 1})
        assert len(set(ids)) == 2
        out, err = ace("load", "inbox")
        assert out.startswith("agent_notes: 2 read, 2 landed, 0 rejected, load ")
        assert "\nsystem_events: 1 read, 1 landed, 0 rejected, load " in out
        assert err == ""
        assert warehouse.pending().landed == {"agent_notes": 2, "system_events": 1}
        warehouse.agent_notes.create(agent_name="A", content="again", key="k")
        (file,) = (ace_home / "landing/inbox/_journal/agent_notes").iterdir()
        file.write_bytes(file.read_bytes() + b"{broken\nnever finished")
        out, err = ace("load", "inbox")
        assert out.startswith("agent_notes: 1 read, 0 landed, 1 rejected, load ")
        assert "(1 line left out: of a key that had landed)" in out
        assert "why with: ace quarantine list" in out
        assert err == (
            f"ace: agent_notes: process {os.getpid()} ended in the middle of a line, which was "
            "never acknowledged; it is left out.\n"
        )


def test_importing_the_package_is_no_more_than_reading_it() -> None:
    """Commands that open a release import the package: models and Polars come when asked for."""
    probe = "import sys, repositories.connection as c; print([n for n in {} if n in sys.modules])"
    heavy = ("pydantic", "polars", "pyarrow", "duckdb", "loaders")
    done = subprocess.run(
        [sys.executable, "-c", probe.format(heavy)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    done = subprocess.run(
        [sys.executable, "-c", "import sys\nfrom repositories import Warehouse\n"
         "print([n for n in ('polars', 'pyarrow', 'duckdb') if n in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"
