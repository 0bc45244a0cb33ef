"""Metrics count what they say, on both engines: a few rows with values worked out by hand.

Sessions are in another time zone than the days that are counted.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import psycopg
import pytest

from common.errors import UsageError
from tests.conftest import PgServer
from tests.support.metrics_by_hand import ROWS, WORKED_OUT
from tests.support.semantics import semantic_manifest
from warehouse.metrics import Metrics


@pytest.fixture(scope="module")
def manifest() -> str:
    return semantic_manifest()


@contextlib.contextmanager
def _duckdb() -> Iterator[Any]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'America/New_York'")
        yield connection


@contextlib.contextmanager
def _postgres(server: PgServer) -> Iterator[Any]:
    url = server.create_database()
    with psycopg.connect(
        url, options="-c timezone=America/New_York", autocommit=True
    ) as connection:
        yield connection
    server.drop_database(url)


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def asked(request: pytest.FixtureRequest, manifest: str) -> Iterator[tuple[Metrics, Any]]:
    """The metrics in an engine's words, and a database of that engine with the rows above."""
    with contextlib.ExitStack() as stack:
        if request.param == "duckdb":
            connection = stack.enter_context(_duckdb())
        else:
            connection = stack.enter_context(_postgres(request.getfixturevalue("pg_server")))
        connection.execute(ROWS)
        yield Metrics(manifest, request.param), connection


def _rows(asked: tuple[Metrics, Any], *question: Any, **how: Any) -> list[tuple[Any, ...]]:
    metrics, connection = asked
    rows = connection.execute(metrics.sql(*question, **how)).fetchall()
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "year"):
        return str(value)[:10]
    return pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize(("names", "by", "expected"), WORKED_OUT)
def test_metrics_are_what_was_worked_out_by_hand(
    asked: tuple[Metrics, Any], names: list[str], by: list[str], expected: list[tuple[Any, ...]]
) -> None:
    assert _rows(asked, names, by) == expected


def test_filter_order_and_limit_are_those_asked_for(asked: tuple[Metrics, Any]) -> None:
    where = ["{{ Entity('platform') }} = 'tiktok'", "{{ Dimension('post__verdict') }} <> 'weak'"]
    assert _rows(asked, ["views"], where=where) == [(1000,)]
    found = _rows(asked, ["posts"], ["post__verdict"], order=["-post__verdict"], limit=2)
    assert [row[0] for row in found] == ["weak", "unknown"]
    found = _rows(asked, ["views"], ["week", "platform"], order=["-views"])
    assert [row[-1] for row in found] == [1000, 900, 100]


def test_every_metric_was_worked_out(manifest: str) -> None:
    defined = {one["name"] for one in json.loads(manifest)["metrics"]}
    assert defined == {name for names, _, _ in WORKED_OUT for name in names}
    listed = {one.name: one for one in Metrics(manifest, "duckdb").listed()}
    assert set(listed) == defined
    assert {"platform", "product", "pattern", "week"} <= set(listed["views"].group_by)
    assert {"platform", "product", "week"} <= set(listed["views_gained"].group_by)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ((["vews"],), "There is no metric 'vews'.*views"),
        ((["views"], ["platfrm"]), "views cannot be grouped by 'platfrm'.*platform"),
        ((["views", "views_gained"], ["pattern"]), "views and views_gained cannot be grouped"),
        ((["views"], ["platform"], ["platform = "], ["posts"]), "no column 'posts'"),
        ((["views"], [], ["{{ Dimension('post__verdct') }} = 'weak'"]), "--where is not"),
    ],
)
def test_what_there_is_none_of_is_said_in_a_sentence(
    manifest: str, question: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(UsageError) as error:
        Metrics(manifest, "duckdb").sql(*question)
    assert re.search(said, f"{error.value} {error.value.hint}")
