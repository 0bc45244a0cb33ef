"""Which nodes a build runs after one that passed: what moved, and everything downstream of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from warehouse.build.consumed import Consumed
from warehouse.build.stale import Increment, moving_names, plan, since
from warehouse.release.model import TestOutcome, Unreleased

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROJECT = "ace_warehouse"
MACROS = {
    "meta": "{{ 'meta.' ~ name }}",
    "as_of": "{{ meta('this_build') }}",
    "known_by_now": "_known_at <= {{ as_of() }}",
    "unseen_loads": "select load_id from {{ meta('loads') }}",
    "arrived": "{{ unseen_loads(table) }} {{ known_by_now() }}",
    "asked": "{{ return(adapter.dispatch('asked')()) }}",
    "duckdb__asked": "{%- do run_query('select 1') -%}",
    "age": "{{ as_of() }} - published_at",
    "share": "a / b",
}


def node(kind: str, name: str, parents: Iterable[str], code: str, **more: Any) -> Any:
    return SimpleNamespace(
        resource_type=kind,
        name=name,
        alias=name,
        schema="marts",
        raw_code=code,
        tags=[],
        relation_name=f"marts.{name}",
        depends_on=SimpleNamespace(nodes=list(parents)),
        config=SimpleNamespace(
            materialized=more.get("materialized", "table"), meta=more.get("meta", {})
        ),
    )


def project(adapter: str = "duckdb") -> Any:
    """A source of polls and one of notes; marts on each, and one on the time alone."""
    found = [
        node("seed", "names", [], ""),
        node("model", "stg_polls", ["source.polls"], "select", materialized="view"),
        node("model", "stg_notes", ["source.notes"], "select", materialized="view"),
        node("model", "int_polls", ["model.stg_polls"], "{{ arrived('polls') }}"),
        node(
            "model",
            "int_notes",
            ["model.stg_notes"],
            "{{ arrived('notes') }} {{ as_of() }}",
            meta={"due": "published_at <="},
        ),
        node("model", "growth", ["model.int_polls", "seed.names"], "{{ share() }}"),
        node("model", "shown", ["model.growth"], "select", materialized="view"),
        node("model", "memory", ["model.int_notes"], "select"),
        node("model", "clock", ["seed.names"], "{{ age('posts') }}"),
        node("model", "called", [], "{% if x %}{{ asked() }}{% endif %}"),
        node("test", "growth_rules", ["model.growth"], "select"),
        node("test", "memory_rules", ["model.memory"], "select"),
        node("test", "names_rules", ["seed.names"], "select"),
    ]
    return SimpleNamespace(
        nodes={f"{one.resource_type}.{one.name}": one for one in found},
        sources={
            f"source.{name}": SimpleNamespace(identifier=f"files__{name}")
            for name in ("polls", "notes")
        },
        macros={
            name: SimpleNamespace(name=name, macro_sql=text, package_name=PROJECT)
            for name, text in MACROS.items()
        },
        metadata=SimpleNamespace(project_name=PROJECT, adapter_type=adapter),
    )


def increment(
    *moved: str, relations: Iterable[str] = (), finds: Callable[[str], bool] = lambda _: False
) -> Increment:
    names = [one.name for one in project().nodes.values() if one.resource_type != "test"]
    return Increment(
        loads=frozenset({"l2"}),
        moved=frozenset(moved),
        until=NOW,
        relations=frozenset(relations or {f"marts.{name}" for name in names}),
        tests=[
            TestOutcome("growth_rules", "growth", "pass", 0),
            TestOutcome("memory_rules", "memory", "warn", 3),
            TestOutcome("names_rules", "names", "pass", 0),
        ],
        finds=finds,
    )


ALWAYS = {"clock", "called"}


def ran(manifest: Any, given: Increment | None) -> set[str]:
    nodes = plan(manifest, given).nodes
    assert nodes is not None
    return {key.partition(".")[2] for key in nodes}


def test_what_landed_moves_what_reads_it_and_time_what_reads_it() -> None:
    assert ran(project(), increment()) == ALWAYS
    assert ran(project(), increment("files__polls")) == {
        *ALWAYS, "int_polls", "growth", "growth_rules"
    }  # fmt: skip
    assert ran(project(), increment("files__notes")) == {
        *ALWAYS, "int_notes", "memory", "memory_rules"
    }  # fmt: skip


def test_rows_that_are_due_move_their_table() -> None:
    asked: list[str] = []

    def finds(query: str) -> bool:
        asked.append(query)
        return True

    assert ran(project(), increment(finds=finds)) == {
        *ALWAYS, "int_notes", "memory", "memory_rules"
    }  # fmt: skip
    assert asked == [
        "select 1 from marts.int_notes where published_at <= "
        "timestamptz '2026-03-01T12:00:00.000000Z'"
    ]


def test_postgres_makes_the_views_anew_that_it_drops() -> None:
    assert "shown" not in ran(project(), increment("files__polls"))
    found = ran(project("postgres"), increment("files__polls"))
    assert "shown" in found
    assert "stg_polls" not in found


def test_outcomes_of_tests_that_do_not_run_are_kept() -> None:
    chosen = plan(project(), increment("files__polls"))
    assert {key: one.failures for key, one in chosen.kept.items()} == {
        "test.memory_rules": 3,
        "test.names_rules": 0,
    }
    # One that the last build did not know runs, whatever it looks at.
    first = replace(increment("files__polls"), tests=[])
    assert {"memory_rules", "names_rules"} <= ran(project(), first)


def test_everything_runs_without_an_increment_or_where_a_table_is_missing() -> None:
    assert plan(project(), None).nodes is None
    lost = sorted(increment().relations - {"marts.memory"})
    assert plan(project(), increment("files__polls", relations=lost)).nodes is None


def test_a_macro_that_reads_the_time_or_asks_the_database_moves_its_callers() -> None:
    moving = moving_names(project())
    assert {"age", "asked", "as_of", "meta"} <= moving
    assert not {"arrived", "known_by_now", "unseen_loads", "share"} & moving


LAST = Unreleased("this", NOW, {"l1"})


def load(load_id: str, accepted: int) -> Any:
    return SimpleNamespace(
        load_id=load_id, source="files", resource="polls", accepted=accepted, landed_at=NOW
    )


@pytest.mark.parametrize(
    ("rows", "moved"),
    [
        ({"l1": 3, "l2": 2}, set()),
        # Landed since, hidden by the time so far, or deleted by somebody.
        ({"l1": 3}, {"files__polls"}),
        ({"l1": 2, "l2": 2}, {"files__polls"}),
        ({"l2": 2}, {"files__polls"}),
    ],
)
def test_a_source_moved_when_its_table_lacks_rows(rows: dict[str, int], moved: set[str]) -> None:
    held = Consumed(dict.fromkeys(rows, "polls"), NOW, rows)
    landed = [load("l1", 3), load("l2", 2), load("l3", 0)]
    found = since(LAST, "this", held, landed, NOW, lambda _: False)
    assert found is not None
    assert found.moved == moved
    assert found.variables() == {
        "only_loads": ["l2", "l3"],
        "as_of_at_most": "2026-03-01T12:00:00+00:00",
        "contracts_held": True,
    }


@pytest.mark.parametrize(
    ("last", "fingerprint"), [(None, "this"), (LAST, "another")], ids=["no build", "project"]
)
def test_nothing_is_left_out_after_anything_but_a_build_of_this_project_that_passed(
    last: Unreleased | None, fingerprint: str
) -> None:
    held = Consumed({}, NOW)
    assert since(last, fingerprint, held, [load("l1", 3)], NOW, lambda _: False) is None
