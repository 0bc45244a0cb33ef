"""Experiments the simulated world has none of: several posts, two eras, no post at all."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from tests.support.models import model_sql

Post = tuple[str, str, str, int, float | None, str]

#: experiment, product, day of March, era, ln(1 + views at 72 hours), status at 72 hours
POSTS: list[Post] = [
    ("a", "x", "01", 0, 3.0, "ok"),
    ("a", "x", "05", 0, None, "pending"),
    ("b", "x", "01", 0, 1.0, "ok"),
    ("c", "x", "01", 0, 2.0, "exact"),
    ("d", "x", "01", 0, 4.0, "ok"),
    ("e", "y", "01", 0, 5.0, "ok"),
    ("e", "y", "20", 1, 6.0, "ok"),
    ("f", "y", "21", 1, 2.0, "ok"),
    ("g", "y", "02", 0, None, "gap"),
    ("g", "y", "06", 0, None, "pending"),
    ("h", "y", "02", 0, None, "gap"),
]
EXPERIMENTS = {"a": "x", "b": "x", "c": "x", "d": "x"} | dict.fromkeys("efghi", "y")


def key(name: str | int) -> str:
    number = name if isinstance(name, int) else ord(name)
    return f"00000000-0000-0000-0000-{number:012d}"


@pytest.fixture(scope="module")
def results() -> dict[str, dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table accepted_experiments (experiment_id uuid, product_id uuid, "
            "variation_label text, known_at timestamptz)"
        )
        connection.executemany(
            "insert into accepted_experiments values (?, ?, null, '2026-02-01 00:00:00+00')",
            [[key(name), key(product)] for name, product in EXPERIMENTS.items()],
        )
        connection.execute("create table int_post_facts (post_id uuid, status_72h text)")
        connection.execute(
            "create table int_post_outcomes (post_id uuid, experiment_id uuid, product_id uuid, "
            "platform text, published_at timestamptz, definition_era bigint, "
            "crosses_break boolean, views bigint, engagements bigint, views_72h double, "
            "engagement_rate_72h double, known_at timestamptz)"
        )
        for number, (name, product, day, era, log_views, status) in enumerate(POSTS):
            connection.execute("insert into int_post_facts values (?, ?)", [key(number), status])
            connection.execute(
                "insert into int_post_outcomes values (?, ?, ?, 'youtube', ?, ?, false, 1000, "
                "50, ?, null, '2026-03-25 00:00:00+00')",
                [
                    *(key(number), key(name), key(product)),
                    *(f"2026-03-{day} 00:00:00+00", era),
                    None if log_views is None else math.exp(log_views) - 1,
                ],
            )
        for step in ("int_experiment_arms", "int_experiment_comparison"):
            connection.execute(
                f"create table {step} as {model_sql(f'marts/creative/steps/{step}')}"
            )
        found = connection.execute(model_sql("marts/creative/experiment_results"))
        names = [column[0] for column in found.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    by_key = {key(name): name for name in EXPERIMENTS}
    assert len(rows) == len(EXPERIMENTS)
    return {by_key[str(row["experiment_id"])]: row for row in rows}


def test_a_pending_post_does_not_hide_the_other(results: dict[str, dict[str, Any]]) -> None:
    row = results["a"]
    assert (row["posts"], row["log_views_n"], row["status"]) == (2, 1, "too_little_data")
    assert row["log_views_mean"] == pytest.approx(3)
    assert (row["views"], row["engagements"]) == (2000, 100)


def test_the_control_is_without_the_experiment(results: dict[str, dict[str, Any]]) -> None:
    assert (results["a"]["control_scope"], results["a"]["control_n"]) == ("product", 3)
    assert results["a"]["control_sum"] == pytest.approx(1 + 2 + 4)
    assert results["b"]["control_sum"] == pytest.approx(3 + 2 + 4)
    assert results["a"]["lift"] == pytest.approx((3 - 7 / 3) / (7 / 3))


def test_posts_of_another_definition_of_a_view_are_not_compared(
    results: dict[str, dict[str, Any]],
) -> None:
    """Experiment e is judged by its newer post; its older one is in no control of newer ones."""
    row = results["e"]
    assert (row["posts"], row["log_views_n"]) == (1, 1)
    assert row["log_views_mean"] == pytest.approx(6)
    assert (row["control_scope"], row["control_n"]) == ("platform", 1)
    assert row["control_mean"] == pytest.approx(2)
    assert results["f"]["control_mean"] == pytest.approx(6)


def test_pending_and_unknown_are_told_apart(results: dict[str, dict[str, Any]]) -> None:
    assert results["g"]["status"] == "pending"
    assert results["h"]["status"] == "too_little_data"
    for name in "gh":
        assert results[name]["lift"] is results[name]["chance_to_win"] is None


def test_an_experiment_without_posts_has_a_row(results: dict[str, dict[str, Any]]) -> None:
    row = results["i"]
    assert (row["platform"], row["status"], row["posts"]) == ("none", "no_posts", 0)
    assert (row["log_views_n"], row["control_n"], row["views"]) == (0, 0, None)
    assert row["log_views_mean"] is row["lift"] is row["engagement_rate"] is None
    assert 0 < row["engagement_rate_eb_lo"] < row["engagement_rate_eb"]
    assert row["known_at"] == datetime(2026, 2, 1, tzinfo=UTC)
