"""What a pattern is worth, in random worlds whose truth is known: no luck of one seed.

Every world has patterns of a true lift and rate, and posts that scatter around them, of
some patterns many and of others one. The mart's SQL runs on these posts alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from tests.support.models import PATTERN_STEPS, model_sql, steps_sql

Floats = npt.NDArray[np.float64]
WORLDS = 12
PATTERNS = 60


@dataclass
class World:
    """The true values of the patterns beside what the mart makes of their posts."""

    posts: npt.NDArray[np.int64]
    true_lift: Floats
    between: float
    within: float
    raw: Floats
    shrunk: Floats
    low: Floats
    high: Floats
    true_rate: Floats
    raw_rate: Floats
    shrunk_rate: Floats


@cache
def world(seed: int, equal: bool = False) -> World:
    random = np.random.default_rng(seed)
    between, within = random.uniform(0.15, 0.5), random.uniform(0.7, 1.3)
    posts = np.full(PATTERNS, 8)
    if not equal:
        posts = np.minimum(1 + random.geometric(0.12, PATTERNS), 60)
        posts[: PATTERNS // 3] = 1
    true_lift = random.normal(0.1, between, PATTERNS)
    true_rate = 0.05 * np.exp(random.normal(0, 0.4, PATTERNS))
    of = np.repeat(np.arange(PATTERNS), posts)
    lifts = true_lift[of] + random.normal(0, within, len(of))
    views = np.exp(random.normal(8, 1.2, len(of))).astype(np.int64) + 100
    rates = true_rate[of] * random.gamma(6, 1 / 6, len(of))
    engagements = random.poisson(views * rates)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            """
            create table accepted_creative_patterns as
            select cast(lpad(cast(n as text), 32, '0') as uuid) as pattern_id,
                timestamptz '2026-01-01 00:00:00+00' as known_at
            from generate_series(0, ?) as numbers (n)
            """,
            [PATTERNS - 1],
        )
        connection.execute(
            "create table platform_benchmarks (platform text, metric text, horizon_hours bigint, "
            "prior_shape double precision, prior_rate double precision)"
        )
        connection.execute(
            "create table given (n bigint, pattern bigint, lift double, views bigint, "
            "engagements bigint)"
        )
        connection.executemany(
            "insert into given values (?, ?, ?, ?, ?)",
            [
                [n, int(of[n]), float(lifts[n]), int(views[n]), int(engagements[n])]
                for n in range(len(of))
            ],
        )
        connection.execute(
            """
            create table int_post_outcomes as
            select cast(lpad(cast(n as text), 32, '0') as uuid) as post_id, 'tiktok' as platform,
                cast(lpad(cast(pattern as text), 32, '0') as uuid) as pattern_id,
                timestamptz '2026-02-01 00:00:00+00' + interval (n) hour as published_at,
                timestamptz '2026-05-01 00:00:00+00' as known_at, 0 as definition_era,
                false as crosses_break, views, engagements, lift as log_lift_72h,
                1000 * exp(lift) as views_72h, cast(1000 as double) as reference_median_72h
            from given
            """
        )
        connection.execute(steps_sql("marts/creative/steps", PATTERN_STEPS))
        rows = connection.execute(
            f"select ln(1 + lift), ln(1 + shrunk_lift), ln(1 + lift_lo), ln(1 + lift_hi), "
            f"engagement_rate, engagement_rate_eb "
            f"from ({model_sql('marts/creative/creative_pattern_performance')}) as performance "
            f"where platform = 'tiktok' order by pattern_id"
        ).fetchall()
    raw, shrunk, low, high, raw_rate, shrunk_rate = np.array(rows, dtype=np.float64).T
    return World(
        posts, true_lift, between, within, raw, shrunk, low, high, true_rate, raw_rate, shrunk_rate
    )


def error(values: Floats, true: Floats) -> float:
    return float(np.sqrt(np.mean((values - true) ** 2)))


def order(values: Floats, true: Floats) -> float:
    return float(stats.spearmanr(values, true).statistic)


def test_shrunk_lifts_are_nearer_the_truth_in_every_world() -> None:
    for seed in range(WORLDS):
        one = world(seed)
        assert error(one.shrunk, one.true_lift) < 0.85 * error(one.raw, one.true_lift)


def test_shrunk_lifts_are_nearly_as_good_as_with_the_true_spreads() -> None:
    """The best there is knows mean and spreads of the world; the mart measures them."""
    ratios = []
    for seed in range(WORLDS):
        one = world(seed)
        kept = one.between**2 / (one.between**2 + one.within**2 / one.posts)
        best = 0.1 + kept * (one.raw - 0.1)
        ratios.append(error(one.shrunk, one.true_lift) / error(best, one.true_lift))
    assert np.mean(ratios) < 1.08
    assert max(ratios) < 1.3


def test_the_order_gets_better_where_patterns_have_more_and_fewer_posts() -> None:
    gains = [
        order(one.shrunk, one.true_lift) - order(one.raw, one.true_lift)
        for one in map(world, range(WORLDS))
    ]
    assert np.mean(gains) > 0.02
    assert stats.ttest_1samp(gains, 0, alternative="greater").pvalue < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_the_order_stays_where_all_have_as_many_posts(seed: int) -> None:
    one = world(seed, equal=True)
    assert order(one.shrunk, one.raw) == pytest.approx(1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = np.concatenate(
        [
            (one.low <= one.true_lift) & (one.true_lift <= one.high)
            for one in map(world, range(WORLDS))
        ]
    )
    assert 0.90 < held.mean() < 0.98


def test_shrunk_rates_are_nearer_the_truth_and_in_better_order() -> None:
    gains = []
    for seed in range(WORLDS):
        one = world(seed)
        assert error(one.shrunk_rate, one.true_rate) < error(one.raw_rate, one.true_rate)
        gains.append(order(one.shrunk_rate, one.true_rate) - order(one.raw_rate, one.true_rate))
    assert np.mean(gains) > 0.02
