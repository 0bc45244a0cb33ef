"""Effects of tags over so many posts that p values are next to nothing, where ranks of them tie."""

from __future__ import annotations

import duckdb
import pytest

from tests.support.models import model_sql
from tests.support.rules import condition, rules

#: Posts of two halves of the tags, which differ a lot while posts hardly scatter.
WORLD = """
create table numbered as
select n, cast(lpad(cast(n as text), 32, '0') as uuid) as post_id, 'tiktok' as platform,
    cast(lpad(cast(n % 7 as text), 32, '0') as uuid) as product_id,
    {apart} * (n % 12 // 6 + 0.01 * (n % 12)) + 0.01 * sin(n) as log_lift_72h,
    timestamptz '2026-01-01 00:00:00+00' as known_at
from generate_series(1, 6000) as numbers (n);
create table int_post_outcomes as select * exclude (n) from numbered;
create table int_post_tags as
select post_id, 'style' as kind, 'tag ' || n % 12 as tag, known_at from numbered;
"""


@pytest.mark.parametrize("apart", [0, 0.0001, 0.003, 0.01, 0.1, 1])
def test_the_rules_hold_whatever_the_p_values(apart: float) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(WORLD.format(apart=apart))
        connection.execute(
            "create table effects as " + model_sql("marts/creative/creative_tag_effects")
        )
        [(rows, tiniest)] = connection.execute(
            "select count(p_value), min(p_value) from effects"
        ).fetchall()
        assert rows == 24
        assert (tiniest < 1e-290) == (apart >= 0.1)
        for rule in rules("creative_tag_effects"):
            broken = connection.execute(
                f"select * from effects where not ({condition('creative_tag_effects', rule)})"
            ).fetchall()
            assert broken == [], rule
