"""The list of ``make mutants`` fits the code: every change can be made and every test is there."""

from __future__ import annotations

from functools import cache

import pytest

from tests.mutants.changes import CLASSES, Change, changes, unit_tests
from warehouse.settings import PROJECT_ROOT


@cache
def dbt_tests() -> frozenset[str]:
    units = {name for path in (PROJECT_ROOT / "models").rglob("*.yml") for name in unit_tests(path)}
    return frozenset(units | {path.stem for path in (PROJECT_ROOT / "tests" / "dbt").glob("*.sql")})


@cache
def text(file: str) -> str:
    return (PROJECT_ROOT / file).read_text()


def is_there(test: str) -> bool:
    if "/" not in test:
        return test in dbt_tests()
    file, _, function = test.partition("::")
    return (PROJECT_ROOT / file).exists() and f"def {function.partition('[')[0]}" in text(file)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_change_applies(kind: str) -> None:
    for change in changes():
        if change.kind == kind:
            changed = change.made_in(text(change.file))
            assert changed is not None, f"{change.title}: not there, or more than once"
            assert changed != text(change.file), change.title


def test_every_change_names_tests_that_are_there() -> None:
    for change in changes():
        assert change.tests, change.title
        assert not [test for test in change.tests if not is_there(test)], change.title
        assert len({"/" in test for test in change.tests}) == 1, f"{change.title}: of one kind"


def test_every_class_is_known() -> None:
    assert {change.kind for change in changes()} <= set(CLASSES)


def test_a_change_is_made_at_one_place_whatever_the_layout() -> None:
    change = Change("dropped filter", "x.sql", "where a > 1 and", "where", ("t",))
    assert change.made_in("select b\nwhere a > 1\n    and b") == "select b\nwhere b"
    assert change.made_in("where a > 1 and b; where a > 1 and c") is None
    assert change.made_in("where a >= 1 and b") is None
