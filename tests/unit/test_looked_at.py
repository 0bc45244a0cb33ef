"""Tests of big tables look at the rows of what changed since the last build that passed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from loaders.schema import SOURCE_KEY
from tests.support.macros import environment, macro_source
from warehouse.settings import PROJECT_ROOT

#: Post 1 was built long ago, post 2 in build 5.
POLLS = """
create table post_changes (post_id integer, _build integer);
insert into post_changes values (1, 1), (2, 5);
create table polls (post_id integer, collected_at integer, views integer);
insert into polls values (1, 1, 10), (1, 2, 20), (2, 1, 10);
"""

RULES = """
{{ test_row_rules(
    'polls', key='post_id', unique_key=['post_id', 'collected_at'],
    required=['post_id'], rules={'views_known': 'views >= 0'},
    rows_of='post_id', changed_in=['post_changes']
) }}
"""


def _sql(template: str, passed: int, full_refresh: bool = False) -> str:
    """A data test as dbt would write it out after build `passed` has passed."""
    jinja = environment("duckdb")
    jinja.globals.update(
        execute=True,
        flags=SimpleNamespace(FULL_REFRESH=full_refresh),
        run_query=lambda _: SimpleNamespace(rows=[[passed]]),
        meta=lambda name: f"meta.{name}",
        ref=lambda name: name,
    )
    folder = PROJECT_ROOT / "macros" / "tests"
    tests = "\n".join((folder / f"{name}.sql").read_text() for name in ("looked_at", "row_rules"))
    tests = tests.replace("{% test ", "{% macro test_").replace("{% endtest", "{% endmacro")
    return jinja.from_string("\n".join((macro_source(), tests, template))).render()


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("update polls set views = -1 where post_id = 2", [("2", ["views_known"])]),
        ("insert into polls values (2, 1, 11)", [("2", ["post_id_collected_at_repeated"])]),
        # A row of nothing is nobody's: no change can name it.
        ("insert into polls values (null, 1, 11)", [(None, ["post_id_missing"])]),
    ],
)
def test_a_broken_row_of_what_changed_is_found(
    connection: duckdb.DuckDBPyConnection, broken: str, told: list[Any]
) -> None:
    connection.execute(POLLS)
    assert connection.execute(_sql(RULES, passed=4)).fetchall() == []
    connection.execute(broken)
    assert connection.execute(_sql(RULES, passed=4)).fetchall() == told


@pytest.mark.parametrize(
    "broken",
    ["update polls set views = -1 where post_id = 1", "insert into polls values (1, 1, 11)"],
)
def test_a_broken_row_of_long_ago_is_found_where_all_are_looked_at(
    connection: duckdb.DuckDBPyConnection, broken: str
) -> None:
    connection.execute(POLLS)
    connection.execute(broken)
    assert connection.execute(_sql(RULES, passed=4)).fetchall() == []
    forced, anew = _sql(RULES, passed=0), _sql(RULES, passed=4, full_refresh=True)
    assert connection.execute(forced).fetchall()[0][0] == "1"
    assert connection.execute(anew).fetchall()[0][0] == "1"


def _versions(connection: duckdb.DuckDBPyConnection) -> str:
    """The test of verdicts, and versions of two products: those of build 1 are old."""
    for table, key in SOURCE_KEY.items():
        connection.execute(
            f"create table int_{table} ({key} integer, _verdict text, _is_latest boolean, "
            "_reasons text[], _effective_at integer, _valid_from integer, _build integer)"
        )
    connection.execute(
        "insert into int_products values (1, 'superseded', false, [], 1, 1, 1), "
        "(1, 'accepted', true, [], 1, 1, 5), (2, 'accepted', true, [], 1, 1, 1)"
    )
    test = (PROJECT_ROOT / "tests" / "dbt" / "verdicts_are_consistent.sql").read_text()
    return test.replace("canonical_keys()", repr(SOURCE_KEY))


def test_verdicts_of_a_key_are_looked_at_with_its_old_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    test = _versions(connection)
    assert connection.execute(_sql(test, passed=4)).fetchall() == []
    connection.execute("update int_products set _verdict = 'accepted' where _build = 1")
    found = connection.execute(_sql(test, passed=4)).fetchall()
    assert found == [("products", 1, "two accepted rows")]


def test_verdicts_of_long_ago_are_looked_at_where_all_are(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    test = _versions(connection)
    connection.execute("update int_products set _is_latest = false where product_id = 2")
    assert connection.execute(_sql(test, passed=4)).fetchall() == []
    for sql in (_sql(test, passed=0), _sql(test, passed=4, full_refresh=True)):
        found = connection.execute(sql).fetchall()
        assert found == [("products", 2, "not one latest version")]
