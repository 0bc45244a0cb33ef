"""A build database as small as can be, made by hand: what releases and readers need.

Values are chosen to be awkward: a 20-digit id, a decimal, NaN, JSON, an array, a
script in a title.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.release.duckdb import DuckStore
from warehouse.release.model import Passed, ReleaseSummary, TableDocument, TestOutcome

AS_OF = "2026-11-20 12:00:00+00"

TABLES = """
create schema raw; create schema staging; create schema intermediate;
create schema canonical; create schema marts; create schema quarantine; create schema meta;

create table meta.builds (build bigint, started_at timestamptz, as_of timestamptz,
    invocation_id varchar);
create table meta.loads (load_id varchar, source varchar, resource varchar, account varchar,
    landed_at timestamptz, read bigint, accepted bigint, rejected bigint, recovered bigint,
    known_at_min timestamptz, known_at_max timestamptz, file varchar);
create table meta.this_build (build bigint, as_of timestamptz);
create table meta.consumed (model varchar, build bigint);

create table raw.landed as select 1 as a;
create view staging.stg_files__products as select * from raw.landed;
create table intermediate.int_products (product_id uuid, name varchar, price decimal(18, 2),
    meta json, tags varchar[], _verdict varchar, _build bigint);
create view canonical.products as
    select product_id, name, price, meta, tags from intermediate.int_products
    where _verdict = 'accepted';
create view quarantine.rows as
    select 'products' as table_name, 'files' as source, 'l1' as load_id, 7::bigint as position,
        null::varchar as key, ['missing_required']::varchar[] as reasons,
        ['name', 'source_platform']::varchar[] as fields,
        null::varchar as missing_reference, '{"name": null}'::json as payload,
        timestamptz '2026-11-01 00:00:00+00' as since
    from staging.stg_files__products;

create table marts.row_ledger (table_name varchar, source varchar, read bigint, landed bigint,
    rejected bigint, accepted bigint, duplicate bigint, superseded bigint, quarantined bigint,
    balance bigint, oldest timestamptz);
insert into marts.row_ledger values
    ('products', 'files', 5, 4, 1, 2, 1, 0, 1, 0, timestamptz '2026-11-01 00:00:00+00');
create table marts.feature_freshness (source varchar, resource varchar,
    last_extracted_at timestamptz, age_hours double, is_stale boolean);
insert into marts.feature_freshness values
    ('files', 'products', timestamptz '2026-11-20 11:00:00+00', 1.0, false);
create table marts.post_performance (post_id uuid, platform varchar, external_post_id varchar,
    published_at timestamptz, views bigint, likes bigint, comments bigint, shares bigint,
    engagements bigint, engagement_rate double, performance_score double, age_hours double,
    views_per_hour double, product_id uuid, variation_label varchar, views_72h double);
create table marts.post_metric_history (post_id uuid, collected_at timestamptz, views_mono bigint,
    age_hours double);
"""

POSTS = """
insert into marts.post_performance
    select ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'tiktok',
        '<script>alert(' || i || ')</script>', timestamptz '2026-11-01 00:00:00+00',
        10000000000 * i, 10 * i, i, null, 11 * i, 'nan'::double, 1.5 * i, 100.0, 5.0,
        null, null, 10.0 * i
    from range(1, 4) as r(i);
insert into marts.post_metric_history
    select post_id, published_at + to_hours(h), views * h // 100, h
    from marts.post_performance, unnest([0, 10, 50, 100]) as u(h);
"""


def make(
    path: Path,
    products: int = 2,
    loads: tuple[str, ...] = ("l1",),
    build: int = 1,
    source: str = "files",
) -> None:
    """Write the build file anew, as dbt would leave it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(TABLES)
        connection.execute(POSTS)
        connection.execute(
            "insert into meta.builds values (?, now(), ?::timestamptz, ?)",
            [build, AS_OF, f"run-{build}"],
        )
        for load in loads:
            connection.execute(
                "insert into meta.loads values (?, ?, 'products', null, ?::timestamptz, "
                "4, 3, 1, 0, null, null, 'secret/place.parquet')",
                [load, source, AS_OF],
            )
        connection.execute(
            "insert into intermediate.int_products select uuid(), "
            "'Product ' || i, 12.50, '{\"id\": 12345678901234567890}', ['a', 'b'], "
            "'accepted', 1 from range(?) as r(i)",
            [products],
        )


def passed(build: int = 1, fingerprint: str = "f") -> Passed:
    return Passed(
        fingerprint=fingerprint,
        git_revision="abc",
        dbt_version="1.11.16",
        invocation_id=f"run-{build}",
        tests=[TestOutcome("unique_products", "products", "pass", 0)],
        descriptions={("canonical", "products", "name"): "What shoppers call it; isn't a key."},
        tables=[TableDocument("canonical", "products", "What is sold.", grain="a product")],
    )


def release(home: Path) -> ReleaseSummary:
    """Make it in a home, and release it there; what the release is."""
    file = home / "warehouse.duckdb"
    make(file)
    store = DuckStore(home, file, 5)
    store.record_passed(passed())
    return store.publish()
