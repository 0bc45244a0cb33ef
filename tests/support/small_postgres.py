"""A build on Postgres as small as can be, made by hand: what releases need."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from warehouse.release.model import Passed, TableDocument, TestOutcome
from warehouse.release.postgres import PostgresStore

SETUP = """
create schema build_canonical; create schema build_marts; create schema build_meta;
create schema build_intermediate;
create table build_meta.builds (build bigint, started_at timestamptz, as_of timestamptz,
    invocation_id text);
create table build_meta.loads (load_id text, source text, resource text, account text,
    landed_at timestamptz, read bigint, accepted bigint, rejected bigint, recovered bigint,
    known_at_min timestamptz, known_at_max timestamptz, file text);
create table build_meta.consumed (model text, build bigint);
insert into build_meta.loads values
    ('l1', 'files', 'products', null, '2026-11-20 12:00+00', 4, 3, 1, 0, null, null, 'f'),
    ('h1', 'files', '_heartbeat', null, '2026-11-20 12:00+00', 0, 0, 0, 0, null, null, 'f');
create table build_intermediate.int_products (product_id int, name text, meta jsonb,
    tags text[], price double precision);
create view build_canonical.products as select * from build_intermediate.int_products;
create table build_marts.twins (a int);
"""


def build(url: str, build: int, sql: str = "", readers: Sequence[str] = ()) -> PostgresStore:
    """The store of a build that passed, the ``build``-th, after ``sql`` changed its tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        if build == 1:
            connection.execute(SETUP)
            connection.execute(
                "insert into build_intermediate.int_products select i, 'n' || i, "
                "jsonb_build_object('i', i), array['a', null], i / 3.0 "
                "from generate_series(1, 100) as i"
            )
            connection.execute("insert into build_marts.twins values (1), (1), (null)")
        connection.execute(
            "insert into build_meta.builds values (%s, now(), '2026-11-20 12:00+00', %s)",
            (build, f"run-{build}"),
        )
        if sql:
            connection.execute(sql)
    store = PostgresStore(url, 3, readers)
    store.record_passed(
        Passed(
            fingerprint="f",
            git_revision=None,
            dbt_version="1.11.16",
            invocation_id=f"run-{build}",
            tests=[TestOutcome("t", "products", "pass", 0)],
            descriptions={("canonical", "products", "name"): "What it is called."},
            tables=[TableDocument("canonical", "products", "What is sold.", grain="a product")],
        )
    )
    return store
