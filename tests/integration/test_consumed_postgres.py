"""The loads that a build database on Postgres holds, read off its tables."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from warehouse.build.consumed import Consumed, _in_postgres

pytestmark = pytest.mark.postgres


def test_every_load_with_rows_is_found_once(postgres_url: str) -> None:
    assert _in_postgres(postgres_url) == Consumed({}, None)
    with psycopg.connect(postgres_url) as connection:
        for statement in (
            "create schema build_intermediate",
            "create schema build_meta",
            "create table build_intermediate.int_products (_load_id text)",
            "create table build_intermediate.int_scripts (_load_id text)",
            "insert into build_intermediate.int_products values ('b'), ('a'), ('b'), ('c')",
            "create table build_meta.builds (build bigint, as_of timestamptz)",
            "insert into build_meta.builds values (1, '2028-01-01Z'), (2, '2026-01-01Z')",
        ):
            connection.execute(statement.encode())
    assert _in_postgres(postgres_url) == Consumed(
        dict.fromkeys("abc", "products"),
        datetime(2026, 1, 1, tzinfo=UTC),
        {"a": 1, "b": 2, "c": 1},
        frozenset({"intermediate.int_products", "intermediate.int_scripts", "meta.builds"}),
    )
