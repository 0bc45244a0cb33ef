"""Rules compare computed doubles through the macros of ``macros/engine/rounding.sql`` only.

A bare ``<=`` between two doubles stops a build whenever two ways of computing the same
number end in different last bits, which happens more often the more rows there are.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from tests.support.rules import ROUNDING
from warehouse.settings import PROJECT_ROOT

#: The only thing a double may be asked besides.
IS_NULL = re.compile(r"(\b\w+|\bcoalesce\([\w, ]+\)) is (not )?null\b")


def _rendered(rule: str) -> str:
    """A rule without what it compares through the macros."""
    environment = Environment()
    environment.globals.update(
        {name: lambda *_, **__: "true" for name in ROUNDING},
        var=lambda _: "1",
        byte_length=lambda text: f"length({text})",
        type_timestamptz=lambda: "timestamptz",
        **{name: lambda value, *_: value for name in ("as_text", "json_part", "array_words")},
    )
    return environment.from_string(rule).render()


def bare_doubles(rule: str, doubles: set[str]) -> set[str]:
    """Columns of doubles that a rule asks anything but whether they are known."""
    left = IS_NULL.sub("true", _rendered(rule))
    return {name for name in re.findall(r"\w+", left) if name in doubles}


@cache
def _tables() -> list[dict[str, Any]]:
    """What the ymls say of every model and seed."""
    paths = [
        path for folder in ("models", "seeds") for path in (PROJECT_ROOT / folder).rglob("*.yml")
    ]
    documents = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in sorted(paths)]
    return [
        table
        for document in documents
        for kind in ("models", "seeds")
        for table in document.get(kind, [])
    ]


def _doubles(table: dict[str, Any]) -> set[str]:
    return {
        column["name"]
        for column in table["columns"]
        if str(column.get("data_type", "")).startswith("double precision")
    }


def test_no_rule_compares_doubles_bare() -> None:
    found: list[tuple[dict[str, Any], str, str]] = []
    for table in _tables():
        for test in table.get("data_tests", []):
            if isinstance(test, dict) and "row_rules" in test:
                rules = test["row_rules"]["arguments"].get("rules", {})
                found += [(table, name, rule) for name, rule in rules.items()]
    bare = {
        f"{table['name']}.{name}": columns
        for table, name, rule in found
        if (columns := bare_doubles(rule, _doubles(table)))
    }
    assert bare == {}
    assert len(found) > 150
    assert sum(any(f"{name}(" in rule for name in ROUNDING) for _, _, rule in found) > 60


def test_every_column_of_a_rule_has_a_type() -> None:
    """Without one, a double would pass for something else."""
    for table in _tables():
        if any("row_rules" in test for test in table.get("data_tests", [])):
            untyped = [c["name"] for c in table["columns"] if not c.get("data_type")]
            assert not untyped, table["name"]


def test_no_other_test_of_a_model_compares_doubles() -> None:
    """Singular tests over models, and generic ones other than row_rules."""
    doubles = {table["name"]: _doubles(table) for table in _tables()}
    singular = [
        path
        for path in sorted((PROJECT_ROOT / "tests" / "dbt").glob("*.sql"))
        if "tags=['macros']" not in path.read_text()
    ]
    assert len(singular) >= 4
    for path in singular:
        text = path.read_text()
        named = set().union(*(doubles[name] for name in doubles if f"'{name}'" in text))
        assert not named & set(re.findall(r"\w+", text)), path.name
    kinds = {
        next(iter(test)) if isinstance(test, dict) else test
        for table in _tables()
        for part in (table, *table["columns"])
        for test in part.get("data_tests", [])
    }
    assert kinds <= {"row_rules", "unique", "unique_together", "relationships"}


@pytest.mark.parametrize(
    "rule",
    [
        "low <= high",
        "low = high",
        "count >= 1 and low between 0 and 1",
        "low is null or not low > 0",
        "abs(low) <> 0",
        "low * 2 < count",
        "{{ at_least('low', 0) }} or high in (1, 2)",
        "coalesce(low, 0) >= 0",
        "(low is null) = (high > 1)",
    ],
)
def test_a_bare_comparison_is_seen(rule: str) -> None:
    assert bare_doubles(rule, {"low", "high"})


@pytest.mark.parametrize(
    "rule",
    [
        "count >= 1",
        "low is null",
        "(low is null) = (high is not null)",
        "not is_partial or coalesce(low, high) is null",
        "{{ within('low', 0, 'high') }} and count between 1 and 10",
    ],
)
def test_what_compares_no_doubles_is_left_alone(rule: str) -> None:
    assert not bare_doubles(rule, {"low", "high"})
