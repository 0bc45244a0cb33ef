"""Rules hold where numbers come near to the ends of doubles: large samples, wild counts."""

from __future__ import annotations

import duckdb
import pytest

from tests.support.models import PATTERN_STEPS, model_sql, steps_sql
from tests.support.rules import condition, rules

#: Posts of two halves of the tags, which differ a lot while posts hardly scatter.
TAGS = """
create table numbered as
select n, cast(lpad(cast(n as text), 32, '0') as uuid) as post_id, 'tiktok' as platform,
    cast(lpad(cast(n % 7 as text), 32, '0') as uuid) as product_id,
    cast(lpad(cast(n % 12 as text), 32, '0') as uuid) as pattern_id, null::uuid as script_id,
    {apart} * (n % 12 // 6 + 0.01 * (n % 12)) + 0.01 * sin(n) as log_lift_72h,
    timestamptz '2026-01-01 00:00:00+00' as known_at
from generate_series(1, 6000) as numbers (n);
create table int_post_outcomes as select * exclude (n) from numbered;
create table int_pattern_tags as
select distinct pattern_id, 'style' as kind, 'tag ' || n % 12 as tag, known_at from numbered;
create table int_script_tags as
select pattern_id as script_id, cast([] as text[]) as tags, known_at from numbered limit 0;
create table accepted_published_posts as
select post_id, cast([] as text[]) as hashtags from numbered limit 0;
create table int_hashtag_tags as
select hashtags, '' as tag from accepted_published_posts;
"""


TAG_STEPS = ("int_choice_tags", "int_tagged_posts", "int_adjusted_tags")


def broken(connection: duckdb.DuckDBPyConnection, model: str, table: str) -> dict[str, int]:
    """Rules of a model that rows of a table break, and how many do."""
    found = {}
    for rule in rules(model):
        sql = f"select count(*) from {table} where not ({condition(model, rule)})"
        [(rows,)] = connection.execute(sql).fetchall()
        if rows:
            found[rule] = rows
    return found


@pytest.mark.parametrize("apart", [0, 0.0001, 0.003, 0.01, 0.1, 1])
def test_p_values_next_to_nothing(apart: float) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(TAGS.format(apart=apart))
        connection.execute(steps_sql("marts/creative/steps", TAG_STEPS))
        connection.execute(
            "create table effects as " + model_sql("marts/creative/creative_tag_effects")
        )
        [(rows, tiniest)] = connection.execute(
            "select count(p_value), min(p_value) from effects"
        ).fetchall()
        assert rows == 24
        assert (tiniest < 1e-290) == (apart >= 0.1)
        assert broken(connection, "creative_tag_effects", "effects") == {}


@pytest.mark.parametrize("apart", [0, 0.0002, 0.0004])
def test_q_values_are_those_of_benjamini_and_hochberg(apart: float) -> None:
    from scipy.stats import false_discovery_control

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(TAGS.format(apart=apart))
        connection.execute(steps_sql("marts/creative/steps", TAG_STEPS))
        found = connection.execute(
            "select p_value, q_value from"
            f" ({model_sql('marts/creative/creative_tag_effects')}) as effects"
            " where platform = 'tiktok'"
        ).fetchall()
    p_values, q_values = zip(*found, strict=True)
    assert len(set(p_values)) > 6
    assert list(q_values) == pytest.approx(list(false_discovery_control(p_values)), rel=1e-9)


#: Posts reach what counts allow at most where none is usual, or none where that is usual:
#: logarithms of lifts from -37 to 37.
WILD = """
create table products as select cast(lpad('1', 32, '0') as uuid) as product_id;
create table accepted_products as
select cast(lpad(cast(n as text), 32, '0') as uuid) as product_id,
    timestamptz '2026-01-01 00:00:00+00' as known_at
from generate_series(1, 2) as numbers (n);
create table accepted_creative_patterns as
select cast(lpad(cast(n as text), 32, '0') as uuid) as pattern_id, product_id,
    timestamptz '2026-01-01 00:00:00+00' as known_at
from generate_series(1, 8) as numbers (n) cross join products;
create table platform_benchmarks as
select 'tiktok' as platform, 'engagement_rate' as metric, 0 as horizon_hours,
    cast(0.1 as double) as prior_shape, cast(2 as double) as prior_rate;
create table int_post_outcomes as
select cast(lpad(cast(n as text), 32, '0') as uuid) as post_id, 'tiktok' as platform,
    cast(lpad(cast(1 + n % 8 as text), 32, '0') as uuid) as pattern_id, product_id,
    timestamptz '2026-02-01 00:00:00+00' + interval (n) hour as published_at,
    timestamptz '2026-05-01 00:00:00+00' as known_at, 0 as definition_era, false as crosses_break,
    n % 8 < 3 or n % 16 in (6, 7) as is_large,
    cast(case when is_large then 10000000000000000 else 0 end as bigint) as views,
    cast(case when n % 3 = 0 then 10000000000000000 else 0 end as bigint) as engagements,
    cast(views as double) as views_72h,
    cast(case when is_large then 0 else 1e16 end as double) as reference_median_72h,
    ln((1 + views_72h) / (1 + reference_median_72h)) as log_lift_72h
from generate_series(1, 32) as numbers (n) cross join products;
create table product_trends as
select product_id, 'up' as direction, false as is_stale, cast(1 as double) as opportunity,
    timestamptz '2026-01-01 00:00:00+00' as known_at, true as is_latest
from products;
"""


def test_lifts_as_wild_as_counts_allow() -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(WILD)
        connection.execute(steps_sql("marts/creative/steps", PATTERN_STEPS))
        for model in ("creative_pattern_performance", "experiment_gaps"):
            connection.execute(f"create table {model} as {model_sql(f'marts/creative/{model}')}")
            assert broken(connection, model, model) == {}, model
        [(least, most, rows)] = connection.execute(
            "select min(lift_lo), max(lift_hi), (select count(*) from experiment_gaps)"
            " from creative_pattern_performance"
        ).fetchall()
        assert least == -1
        assert most > 1e16
        assert rows > 0
