"""Forecasts against NumPy, on the simulated world: fits, intervals, and the backtest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy import stats

from tests.support.builds import Warehouse

Floats = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]

PAIRS = ((24, 72), (24, 168), (72, 168))
LEAST = 50
MOST = 2000
RIDGE = 5.0


@pytest.fixture(scope="module")
def posts(demo: Warehouse) -> Rows:
    """Each post's ages and polls as the marts give them: forecasts are a function of these."""
    ages: dict[Any, dict[int, Any]] = defaultdict(dict)
    for row in demo.query("select * from marts.post_age_metrics"):
        ages[row["post_id"]][row["horizon_hours"]] = row
    polls: dict[Any, Rows] = defaultdict(list)
    for row in demo.query("select * from marts.post_metric_history where views is not null"):
        polls[row["post_id"]].append(row)
    return [
        row | {"ages": ages[row["post_id"]], "polls": polls[row["post_id"]]}
        for row in demo.query("select post_id, platform from canonical.published_posts")
    ]


def midnight_after(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def monday_before(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=moment.weekday()
    )


def examples(posts: Rows, start: int, target: int) -> Rows:
    """The posts whose views at `start` hours are known, and what is known of `target`."""
    found = []
    for post in posts:
        first, last = post["ages"][start], post["ages"][target]
        if first["views"] is None:
            continue
        early = [
            poll
            for poll in post["polls"]
            if 0 < poll["age_hours"] <= 0.75 * start and poll["known_at"] <= first["known_at"]
        ]
        slope = np.nan
        if early:
            poll = max(early, key=lambda one: one["age_hours"])
            slope = np.log((first["views"] + 1) / (poll["views_mono"] + 1)) / np.log(
                start / poll["age_hours"]
            )
        pending = last["status"] == "pending"
        found.append(
            {
                "post_id": post["post_id"],
                "platform": post["platform"],
                "start": first["views"],
                "slope": slope,
                "pending": pending,
                "target": last["views"],
                "usable": bool(first["views"] and last["views"] and not last["crosses_break"]),
                "origin": midnight_after(first["known_at"]),
                "known": None if pending else max(first["known_at"], last["known_at"]),
                "start_known": first["known_at"],
            }
        )
    return found


def type_6(values: Floats, position: float) -> float:
    values = np.sort(values)
    position = min(max(position, 1.0), float(len(values)))
    return float(np.interp(position, np.arange(1, len(values) + 1), values))


def central(values: Floats) -> float:
    """The value that makes the mean of |value / v - 1| smallest: brute force."""
    candidates = np.sort(values)
    losses = [np.abs(one / values - 1).sum() for one in candidates]
    return float(candidates[int(np.argmin(losses))])


class Fit:
    """Growth as a linear function of early slope and size, least squares of relative error."""

    def __init__(self, known: Rows) -> None:
        self.rows = sorted(known, key=lambda one: (one["known"], str(one["post_id"])))[-MOST:]
        start = np.array([one["start"] for one in self.rows])
        target = np.array([one["target"] for one in self.rows])
        slope = np.array([one["slope"] for one in self.rows])
        size = np.log(start)
        seen = slope[~np.isnan(slope)]
        self.size = (size.mean(), size.std())
        self.slope = (seen.mean(), seen.std()) if len(seen) else (0.0, 0.0)
        reached = start / target
        alpha = reached.sum() / (reached**2).sum()
        # ridge regression as ordinary least squares with five pseudo-observations
        design = self.features(slope, size) * reached[:, None]
        towards = np.zeros(5)
        towards[0] = alpha
        self.theta = np.linalg.lstsq(
            np.vstack([design, np.sqrt(RIDGE) * np.eye(5)]),
            np.concatenate([np.ones(len(reached)), np.sqrt(RIDGE) * towards]),
            rcond=None,
        )[0]
        fitted = np.maximum(self.features(slope, size) @ self.theta, 1)
        self.edges = np.quantile(fitted, [0.2, 0.4, 0.6, 0.8])
        self.missed = target / start / fitted
        self.bins = np.searchsorted(self.edges, fitted * (1 - 1e-12))
        self.median = float(np.median(target))
        self.newest = max(one["known"] for one in self.rows)

    def features(self, slope: Floats, size: Floats) -> Floats:
        def scaled(values: Floats, moments: tuple[float, float]) -> Floats:
            mean, deviation = moments
            if deviation == 0:
                return np.zeros_like(values)
            return np.clip(np.nan_to_num((values - mean) / deviation), -3, 3)

        z = scaled(slope, self.slope)
        return np.column_stack(
            [np.ones(len(z)), np.isnan(slope).astype(float), z, z * z, scaled(size, self.size)]
        )

    def predict(self, start: float, slope: float) -> tuple[float, float, float]:
        one = self.features(np.array([slope]), np.log([start])) @ self.theta
        growth = max(float(one[0]), 1.0)
        missed = self.missed[self.bins == np.searchsorted(self.edges, growth * (1 - 1e-12))]
        n = len(missed)
        centre = (n * central(missed) + 10 * central(self.missed)) / (n + 10)
        if n < 20:
            missed, n = self.missed, len(self.missed)
        low = type_6(missed, (n + 1) / 10)
        below = np.mean(missed < low * (1 - 1e-9))
        high = type_6(missed, (n + 1) * (0.8 + below))
        point = max(growth * (1 + centre) / 2, 1.0)
        return (
            start * point,
            start * min(max(growth * low, 1.0), point),
            start * max(growth * high, point),
        )


def fit_for(rows: Rows, platform: str, at: datetime | None) -> Fit | None:
    """The platform's own fit, else that of all, else none; of what was known at a time."""
    known = [one for one in rows if one["usable"] and (at is None or one["known"] <= at)]
    own = [one for one in known if one["platform"] == platform]
    if len(own) >= LEAST:
        return Fit(own)
    return Fit(known) if len(known) >= LEAST else None


@pytest.fixture(scope="module")
def live(demo: Warehouse) -> dict[tuple[Any, int, int], dict[str, Any]]:
    rows = demo.query("select * from marts.post_forecasts")
    return {(row["post_id"], row["from_hours"], row["target_hours"]): row for row in rows}


@pytest.mark.parametrize("pair", PAIRS)
def test_pending_values_are_forecast_as_numpy_does(
    demo: Warehouse,
    posts: Rows,
    live: dict[tuple[Any, int, int], dict[str, Any]],
    pair: tuple[int, int],
) -> None:
    rows = examples(posts, *pair)
    pending = [one for one in rows if one["pending"]]
    assert len(pending) > 30
    assert {one["post_id"] for one in pending} == {key[0] for key in live if key[1:] == pair}
    fits = {platform: fit_for(rows, platform, None) for platform in {r["platform"] for r in rows}}
    latest = {
        row["post_id"]: row
        for row in demo.query("select post_id, views, known_at from intermediate.int_post_facts")
    }
    for one in pending:
        got = live[(one["post_id"], *pair)]
        now = latest[one["post_id"]]
        fit = fits[one["platform"]]
        if not one["start"]:
            assert got["predicted"] is None
            assert got["method"] == "no_views"
            continue
        assert fit is not None
        point, low, high = fit.predict(one["start"], one["slope"])
        expected = [max(value, now["views"] or 0) for value in (point, low, high)]
        assert [got["predicted"], got["lo80"], got["hi80"]] == pytest.approx(expected, rel=1e-6)
        assert got["n_train"] == len(fit.rows)
        known = [one["start_known"], fit.newest]
        assert got["known_at"] == max([*known, now["known_at"]] if low < expected[1] else known)


def test_nothing_pending_has_a_value_yet(demo: Warehouse) -> None:
    assert demo.query(
        """
        select count(*) as n
        from marts.post_forecasts as forecasts
        inner join marts.post_age_metrics as ages
            on forecasts.post_id = ages.post_id and forecasts.target_hours = ages.horizon_hours
        where ages.status <> 'pending' or ages.views is not null
        """
    ) == [{"n": 0}]


def scored(posts: Rows, pair: tuple[int, int]) -> Rows:
    """Every forecast that could be made before its outcome was known, with the outcome."""
    rows = examples(posts, *pair)
    fits: dict[tuple[str, datetime], Fit | None] = {}
    found = []
    for one in rows:
        if one["pending"] or not one["usable"] or one["origin"] >= one["known"]:
            continue
        key = (one["platform"], monday_before(one["origin"]))
        if key not in fits:
            fits[key] = fit_for(rows, *key)
        fit = fits[key]
        if fit is not None:
            point, low, high = fit.predict(one["start"], one["slope"])
            found.append(one | {"predicted": point, "low": low, "high": high, "naive": fit.median})
    return found


def column(rows: Sequence[dict[str, Any]], name: str) -> Floats:
    return np.array([row[name] for row in rows])


@pytest.mark.parametrize("pair", PAIRS)
def test_the_backtest_knows_only_what_was_known(
    demo: Warehouse, posts: Rows, pair: tuple[int, int]
) -> None:
    table = {
        row["platform"]: row
        for row in demo.query("select * from marts.forecast_accuracy")
        if (row["from_hours"], row["target_hours"]) == pair
    }
    forecasts = scored(posts, pair)
    assert set(table) == {"all"} | {one["platform"] for one in forecasts}
    for platform, got in table.items():
        rows = [one for one in forecasts if platform in ("all", one["platform"])]
        actual, predicted = column(rows, "target"), column(rows, "predicted")
        naive = column(rows, "naive")
        inside = (actual >= column(rows, "low") * (1 - 1e-9)) & (
            actual <= column(rows, "high") * (1 + 1e-9)
        )
        expected = {
            "n": len(rows),
            "mrse": np.mean((predicted / actual - 1) ** 2),
            "median_ape": np.median(np.abs(predicted / actual - 1)),
            "spearman": stats.spearmanr(predicted, actual)[0],
            "coverage80": np.mean(inside),
            "median_width": np.median(column(rows, "high") / column(rows, "low")),
            "naive_mrse": np.mean((naive / actual - 1) ** 2),
            "naive_median_ape": np.median(np.abs(naive / actual - 1)),
        }
        assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-6)
        if np.ptp(naive) > 0:
            assert got["naive_spearman"] == pytest.approx(stats.spearmanr(naive, actual)[0])
        else:
            assert got["naive_spearman"] is None
        assert got["first_origin_at"] == min(one["origin"] for one in rows)
        assert got["known_at"] == max(one["known"] for one in rows)


def test_four_intervals_in_five_hold_the_outcome(demo: Warehouse) -> None:
    """What the simulated posts came to: forecasts are of outcomes, not of expectations."""
    found = demo.query(
        "select * from intermediate.int_forecasts where predicted is not null and not is_pending"
    )
    inside = [row["lo80"] <= row["target_views"] <= row["hi80"] for row in found]
    assert len(inside) > 500
    assert 0.75 <= np.mean(inside) <= 0.85


def test_forecasts_come_near_what_the_simulation_means(demo: Warehouse) -> None:
    """Also those still pending, whose outcome no table knows."""
    truth = {
        row["post_id"]: row
        for row in pl.read_parquet(demo.home / "demo_truth" / "truth_posts.parquet").to_dicts()
    }
    found = demo.query("select * from marts.post_forecasts where predicted is not null")
    meant = [truth[str(row["post_id"])][f"expected_views_{row['target_hours']}h"] for row in found]
    predicted = [row["predicted"] for row in found]
    assert len(found) > 200
    assert stats.spearmanr(predicted, meant)[0] > 0.95
    assert np.median(np.abs(np.array(predicted) / np.array(meant) - 1)) < 0.2


def test_far_better_than_the_median(demo: Warehouse) -> None:
    for row in demo.query("select * from marts.forecast_accuracy where platform = 'all'"):
        assert row["mrse"] < 0.05 * row["naive_mrse"]
        assert row["median_ape"] < 0.3 * row["naive_median_ape"]
        assert row["spearman"] > 0.95
        assert 0.75 <= row["coverage80"] <= 0.85
