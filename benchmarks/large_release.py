"""A release as large as is wanted on either engine, made without a build: what reads are timed on.

Its tables have the columns of their contracts and the indexes of every release; values are made
from the number of the row, keys spread evenly.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.build import ROOT
from common.pgconnect import own_sql
from common.settings import Settings
from warehouse.release.model import Passed

#: Tables, and how many rows in a row have the same value of a column (else each its own).
TABLES: dict[str, dict[str, int]] = {
    "canonical.published_posts": {"experiment_id": 10},
    "canonical.performance_metrics": {"post_id": 4},
    "canonical.products": {},
    "marts.post_performance": {"experiment_id": 10, "product_id": 50},
    "marts.post_metric_history": {"post_id": 4},
    "marts.post_age_metrics": {"post_id": 5},
    "marts.hashtag_trends": {"hashtag": 30},
    "marts.creative_briefs": {},
}
_PASSED = Passed("f", None, "1.11.16", "run-1")
_LOADS = (
    "load_id text, source text, resource text, account text, landed_at timestamptz, read bigint, "
    "accepted bigint, rejected bigint"
)


def on_duckdb(home: Path, rows: int) -> Settings:
    """A release file below ``home``; canonical tables are views on versions, as in every one."""
    import duckdb

    from warehouse.release.duckdb import DuckStore

    home.mkdir(parents=True, exist_ok=True)
    file = home / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(_schemas(""))
        connection.execute(_bookkeeping("meta"))
        for name, same in TABLES.items():
            schema, table = name.split(".")
            target = name if schema == "marts" else f"intermediate.int_{table}"
            numbers = f"(select range as i from range({rows}))"
            verdict = ", 'accepted' as _verdict" if schema == "canonical" else ""
            values = _values(name, same)
            connection.execute(f"create table {target} as select {values}{verdict} from {numbers}")
            if schema == "canonical":
                columns = ", ".join(columns_of(name))
                connection.execute(
                    f"create view {name} as select {columns} from {target} "
                    "where _verdict = 'accepted'"
                )
    store = DuckStore(home, file, 1)
    store.record_passed(_PASSED)
    store.publish()
    file.unlink()
    return Settings(home, "duckdb", str(home / "landing"), None, None, {})


def on_postgres(home: Path, url: str, rows: int) -> Settings:
    """A release of empty tables, whose rows are then put where publication puts them."""
    import psycopg

    from warehouse.release.postgres import PostgresStore

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(own_sql(_schemas("build_")))
        connection.execute(own_sql(_bookkeeping("build_meta")))
        for name, same in TABLES.items():
            values = _values(name, same)
            connection.execute(
                own_sql(
                    f"create table build_{name} as select {values} from generate_series(1, 0) as i"
                )
            )
        store = PostgresStore(url, 1)
        store.record_passed(_PASSED)
        store.publish()
        for name, same in TABLES.items():
            columns = ", ".join(f'"{one}"' for one in columns_of(name))
            connection.execute(
                own_sql(
                    f"insert into release.{name.replace('.', '__')} "
                    f"({columns}, _hash, _from_release) select {_values(name, same)}, "
                    f"md5(i::text), 1 from generate_series(0, {rows - 1}) as i"
                )
            )
        connection.execute("vacuum analyze")
    return Settings(home, "postgres", str(home / "landing"), url, None, {})


def columns_of(name: str) -> dict[str, str]:
    """Name and type of the columns of a table (``marts.x``), as its contract has them."""
    schema, _, table = name.partition(".")
    [path] = (ROOT / "models" / schema).rglob(f"{table}.yml")
    for model in yaml.safe_load(path.read_text("utf-8"))["models"]:
        if model["name"] == table:
            return {one["name"]: one["data_type"] for one in model["columns"]}
    raise ValueError(f"{path} has no model {table}")


def _schemas(prefix: str) -> str:
    own = [f"{prefix}{one}" for one in ("canonical", "marts", "meta", "intermediate")]
    return "; ".join(f"create schema {one}" for one in own)


def _bookkeeping(schema: str) -> str:
    return (
        f"create table {schema}.builds (build bigint, started_at timestamptz, as_of timestamptz, "
        f"invocation_id text); create table {schema}.consumed (model text, build bigint); "
        f"create table {schema}.loads ({_LOADS}); insert into {schema}.builds values (1, now(), "
        "timestamptz '2026-11-20 12:00:00+00', 'run-1')"
    )


def _values(table: str, same: dict[str, int]) -> str:
    return ", ".join(
        f'{_value(name, kind, same.get(name, 1))} as "{name}"'
        for name, kind in columns_of(table).items()
    )


def _value(name: str, kind: str, rows: int) -> str:
    """What both engines understand: a value of row ``i``, the same in so many rows."""
    number = f"cast(floor(i / {rows}.0) as bigint)"
    if kind == "uuid":
        return f"cast(md5('{name}' || {number}) as uuid)"
    if kind == "text":
        if name == "platform":
            return "case i % 3 when 0 then 'tiktok' when 1 then 'youtube' else 'instagram' end"
        # Ids are each another, the words of all other texts are few.
        return f"'{name} ' || {number}" + (
            "" if name in ("external_post_id", "hashtag") else " % 50"
        )
    return {
        "bigint": "i % 100000",
        "integer": "cast(i % 100000 as integer)",
        "double precision": "cast(i as double precision) / 7",
        "boolean": "i % 2 = 0",
        "timestamptz": "timestamptz '2026-01-01 00:00:00+00' + interval '1 minute' * (i % 500000)",
        "date": "date '2026-01-01' + cast(i % 30 as integer)",
        "text[]": "array['one', 'two']",
    }.get(kind, "cast('{\"one\": [1, 2]}' as json)")
