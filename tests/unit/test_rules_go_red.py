"""Rules allow for rounding and for nothing more: a millionth of a value breaks them."""

from __future__ import annotations

import re

import duckdb
import pytest

from tests.support.rules import condition

MILLIONTH = 1e-6
#: What the order of additions, or another engine, may change of a value.
ROUNDED = 1e-13

#: A rule, and values that keep it by nothing: the column that is moved comes first, and is
#: moved up (1) or down (-1).
ON_THE_EDGE: list[tuple[str, str, int, dict[str, float]]] = [
    ("creative_tag_effects", "q_not_below_p", -1, {"q_value": 1e-300, "p_value": 1e-300}),
    ("creative_tag_effects", "q_not_below_p", -1, {"q_value": 0.03, "p_value": 0.03}),
    ("creative_tag_effects", "q_not_below_p", 1, {"q_value": 1, "p_value": 0.03}),
    ("creative_tag_effects", "p_is_a_probability", 1, {"p_value": 1}),
    ("creative_tag_effects", "interval_around_lift", 1, {"lo": 0.2, "lift_log": 0.2, "hi": 0.3}),
    (
        "creative_tag_effects",
        "shrunk_is_smaller",
        1,
        {"shrunk_lift": 1, "lift_log": 0.6931471805599453},
    ),
    (
        "creative_pattern_performance",
        "lift_in_its_interval",
        -1,
        {"lift_hi": 0.05, "shrunk_lift": 0.05, "lift_lo": -0.1},
    ),
    ("creative_pattern_performance", "lift_above_minus_one", -1, {"lift_lo": -1, "lift": 0}),
    (
        "experiment_results",
        "shrunk_lies_within",
        1,
        {"lift_lo": 1e-9, "shrunk_lift": 1e-9, "lift_hi": 1},
    ),
    ("experiment_results", "shrunk_is_smaller", -1, {"shrunk_lift": -0.3, "lift": 0.3}),
    (
        "experiment_results",
        "chance_is_one",
        1,
        {"chance_to_win": 1, "engagement_rate_chance_to_win": 0},
    ),
    ("bandit_arms", "upper_end_is_a_share", 1, {"exploration_bonus": 0.7, "mean": 0.3}),
    ("bandit_arms", "chance_is_one", 1, {"chance_best": 1}),
    (
        "platform_benchmarks",
        "percentiles_ordered",
        -1,
        {"p75": 1e15, "p10": 1, "p25": 2, "p50": 1e15, "p90": 1e15},
    ),
    (
        "platform_benchmarks",
        "percentiles_ordered",
        1,
        {"p25": 0.1, "p10": 0, "p50": 0.1, "p75": 1, "p90": 1},
    ),
    ("forecast_accuracy", "correlation", 1, {"spearman": 1}),
    ("forecast_accuracy", "width", -1, {"median_width": 1}),
    ("int_forecasts", "within_interval", 1, {"lo80": 1e12, "predicted": 1e12, "hi80": 1e13}),
    ("int_forecasts", "never_under_what_is_there", -1, {"lo80": 1e15, "from_views": 1e15}),
    ("post_performance", "half_life_in_range", 1, {"half_life_hours": 168}),
    (
        "int_post_standing",
        "interval_holds_its_mean",
        -1,
        {"engagement_rate_eb_hi": 1e-7, "engagement_rate_eb": 1e-7, "engagement_rate_eb_lo": 1e-8},
    ),
    (
        "int_post_standing",
        "percentiles_are_shares",
        1,
        {"views_72h_percentile": 1, "engagement_percentile": 0.5},
    ),
    (
        "posting_times",
        "effect_is_the_sum_of_its_levels",
        1,
        {"effect": 0.5, "hour_effect": 0.4, "weekday_effect": -0.1, "cell_effect": 0.2},
    ),
    (
        "agent_health",
        "p50_below_p95",
        1,
        {"p50_duration_seconds": 4000, "p95_duration_seconds": 4000},
    ),
    ("similar_items", "cosine_in_range", -1, {"cosine": -1}),
    ("video_trends", "peak_is_largest", -1, {"peak_views_per_hour": 1e9, "views_per_hour": 1e9}),
    ("hashtag_trends", "score_in_range", 1, {"trend_score": 100}),
    ("hashtag_trends", "lift_in_its_interval", 1, {"lo80": 1, "expected_lift": 1, "hi80": 1}),
    (
        "trend_accuracy",
        "correlations",
        1,
        {"spearman": 1, "today_spearman": 0, "velocity_spearman": 0, "videos_spearman": 0},
    ),
    (
        "trend_accuracy",
        "growth",
        1,
        {
            "growth_ahead": 1,
            "today_growth_ahead": 0,
            "velocity_growth_ahead": 0,
            "videos_growth_ahead": 0,
        },
    ),
    ("product_trends", "saturation_in_range", 1, {"saturation": 1, "popularity": 1}),
]


def holds(model: str, rule: str, values: dict[str, float]) -> bool | None:
    """Whether a row of these values keeps a rule."""
    sql = condition(model, rule)
    assert set(re.findall(r"\w+", sql)) >= set(values)
    columns = ", ".join(f"cast({value!r} as double) as {name}" for name, value in values.items())
    with duckdb.connect() as connection:
        [(found,)] = connection.execute(f"select {sql} from (select {columns}) as t").fetchall()
    return None if found is None else bool(found)


@pytest.mark.parametrize(("model", "rule", "way", "values"), ON_THE_EDGE)
def test_a_millionth_breaks_a_rule_and_rounding_does_not(
    model: str, rule: str, way: int, values: dict[str, float]
) -> None:
    moved, value = next(iter(values.items()))
    assert holds(model, rule, values)
    assert holds(model, rule, {**values, moved: value + way * ROUNDED * abs(value)})
    assert not holds(model, rule, {**values, moved: value + way * MILLIONTH * abs(value)})
