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

BANDS = {1: 6, 6: 24, 24: 72, 72: 168}
PAIRS = [(start, target) for start in BANDS for target in (24, 72, 168) if target > start]
LEAST = 50
MOST = {0: 2000, 1: 100}
RIDGES = np.array([5.0, 5.0, 5.0, 100.0, 20.0])


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


def monday_before(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(
        days=moment.weekday()
    )


def start_of(post: dict[str, Any], start: int) -> Rows:
    """The polls up to the one of an age from `start` that a forecast starts from, the last."""
    polls = sorted(post["polls"], key=lambda one: one["age_hours"])
    until = BANDS[start]
    within = [one for one in polls if start <= one["age_hours"] < until]
    if not within:
        return []
    chosen = within[-1]
    if polls[-1]["age_hours"] >= until:  # not the latest: at an age that is the post's own
        lot = (int(str(post["post_id"])[-2:], 16) + 0.5) / 256
        drawn = [one for one in within if one["age_hours"] <= start + lot * (until - start)]
        chosen = drawn[-1] if drawn else within[0]
    return [one for one in polls if 0 < one["age_hours"] <= chosen["age_hours"]]


def examples(posts: Rows, start: int, target: int) -> Rows:
    """The posts with a poll from `start` hours up to the next, and what is known of `target`."""
    found = []
    for post in posts:
        polls, last = start_of(post, start), post["ages"][target]
        pending = last["status"] == "pending"
        latest = max((poll["age_hours"] for poll in post["polls"]), default=0.0)
        if not polls or (pending and latest >= BANDS[start]):
            continue
        first = polls[-1]
        early = [poll for poll in polls if poll["age_hours"] <= 0.6 * first["age_hours"]]
        slope = np.nan
        if early:
            poll = early[-1]
            slope = np.log((first["views_mono"] + 1) / (poll["views_mono"] + 1)) / np.log(
                first["age_hours"] / poll["age_hours"]
            )
        origin = max(poll["known_at"] for poll in polls)
        found.append(
            {
                "post_id": post["post_id"],
                "platform": post["platform"],
                "age": first["age_hours"],
                "ahead": np.log(target / first["age_hours"]),
                "start": first["views_mono"],
                "slope": slope,
                "pending": pending,
                "target": last["views"],
                # growth is of one view more where there are none
                "added": 0 if first["views_mono"] else 1,
                "usable": last["views"] is not None
                and bool(last["views"] or not first["views_mono"])
                and not last["crosses_break"],
                "origin": origin,
                "known": None if pending else max(origin, last["known_at"]),
            }
        )
    return found


def type_6(values: Floats, position: float) -> float:
    values = np.sort(values)
    position = min(max(position, 1.0), float(len(values)))
    return float(np.interp(position, np.arange(1, len(values) + 1), values))


def column(rows: Sequence[dict[str, Any]], name: str) -> Floats:
    return np.array([row[name] for row in rows])


class Fit:
    """Growth from what is ahead, early slope and size, least squares of relative error."""

    def __init__(self, known: Rows) -> None:
        newest = sorted(known, key=lambda one: (one["known"], str(one["post_id"])))
        self.rows = newest[-MOST[known[0]["added"]] :]
        added = column(self.rows, "added")
        start, target = column(self.rows, "start") + added, column(self.rows, "target") + added
        slope, ahead = column(self.rows, "slope"), column(self.rows, "ahead")
        size, grown, reached = np.log(start), np.log(target / start), start / target
        seen = slope[~np.isnan(slope)]
        self.size = (size.mean(), size.std())
        self.slope = (seen.mean(), seen.std()) if len(seen) else (0.0, 0.0)
        # each post's own power of age, weighted by how far it has to go
        powers = np.minimum(grown / ahead, 2)
        self.exponent = max(float(np.average(powers, weights=ahead**2)), 0.01)
        left = (np.exp(self.exponent * ahead) - 1) * reached
        self.scaling = max(float(np.linalg.lstsq(left[:, None], 1 - reached, rcond=None)[0][0]), 0)
        # ridge regression as ordinary least squares with pseudo-observations, each as large as
        # the root mean square of what is ahead
        design = self.features(slope, size) * left[:, None]
        usual = np.sqrt(RIDGES * np.mean(left**2))
        towards = np.zeros(5)
        towards[0] = self.scaling * usual[0]
        self.theta = np.linalg.lstsq(
            np.vstack([design, np.diag(usual)]),
            np.concatenate([1 - reached, towards]),
            rcond=None,
        )[0]
        self.unseen = bool(added[0])
        units = self.spread(self.growth(ahead, slope, size), ahead)
        distance = grown / units
        self.middle = float(np.linalg.lstsq(units[:, None], grown, rcond=None)[0][0])
        self.low = type_6(distance, (len(distance) + 1) / 10)
        below = float(np.mean(distance < self.low * (1 - 1e-9)))
        self.high = type_6(distance, (len(distance) + 1) * (0.8 + below))
        self.median = float(np.median(column(self.rows, "target")))
        self.newest = max(one["known"] for one in self.rows)

    def features(self, slope: Floats, size: Floats) -> Floats:
        def scaled(values: Floats, moments: tuple[float, float]) -> Floats:
            mean, deviation = moments
            if deviation == 0:
                return np.zeros_like(values)
            return np.clip(np.nan_to_num((values - mean) / deviation), -3, 3)

        z = scaled(slope, self.slope)
        columns = [np.ones(len(z)), np.isnan(slope), z, z * z, scaled(size, self.size)]
        return np.column_stack(columns).astype(np.float64)

    def growth(self, ahead: Floats, slope: Floats, size: Floats) -> Floats:
        left = np.exp(self.exponent * ahead) - 1
        growth: Floats = 1 + left * (self.features(slope, size) @ self.theta)
        return np.maximum(growth, 1)

    def alpha(self, ahead: Floats) -> Floats:
        growth: Floats = 1 + (np.exp(self.exponent * ahead) - 1) * self.scaling
        return growth

    def spread(self, growth: Floats, ahead: Floats) -> Floats:
        usual: Floats = 0.75 * np.log(growth) + 0.25 * np.log(self.alpha(ahead))
        spread: Floats = 1 - np.exp(-ahead) if self.unseen else usual
        return np.maximum(spread, 1e-6)

    def predict(self, one: dict[str, Any]) -> tuple[float, float, float]:
        ahead, slope = np.array([one["ahead"]]), np.array([one["slope"]])
        start = one["start"] + one["added"]
        growth = self.growth(ahead, slope, np.log([start]))
        spread = self.spread(growth, ahead)
        if self.unseen:  # the mean in logarithms, not the least relative error
            growth = np.exp(self.middle * spread)
        low = np.clip(np.exp(self.low * spread), 1, growth)
        high = np.maximum(np.exp(self.high * spread), growth)
        point, low, high = (start * float(value[0]) - one["added"] for value in (growth, low, high))
        return point, low, high

    def scaled(self, one: dict[str, Any]) -> float:
        return float(one["start"] * self.alpha(np.array([one["ahead"]]))[0])


def fit_for(rows: Rows, platform: str, added: int, at: datetime | None) -> Fit | None:
    """The platform's own fit, else that of all, else none; of what was known at a time, of posts
    with views or (one is added) of those without."""
    known = [
        one
        for one in rows
        if one["usable"] and one["added"] == added and (at is None or one["known"] <= at)
    ]
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
    posts: Rows, live: dict[tuple[Any, int, int], dict[str, Any]], pair: tuple[int, int]
) -> None:
    rows = examples(posts, *pair)
    pending = [one for one in rows if one["pending"]]
    assert pending
    assert {one["post_id"] for one in pending} == {key[0] for key in live if key[1:] == pair}
    fits = {
        (platform, added): fit_for(rows, platform, added, None)
        for platform in {row["platform"] for row in rows}
        for added in (0, 1)
    }
    for one in pending:
        got = live[(one["post_id"], *pair)]
        fit = fits[one["platform"], one["added"]]
        assert (got["latest_age_hours"], got["latest_views"]) == (one["age"], one["start"])
        if fit is None:
            assert one["added"]
            assert got["predicted"] is None
            assert got["method"] == "too_few_posts"
            continue
        assert [got["predicted"], got["lo80"], got["hi80"]] == pytest.approx(
            fit.predict(one), rel=1e-6
        )
        assert got["n_train"] == len(fit.rows)
        assert got["known_at"] == max(one["origin"], fit.newest)


def test_what_is_ahead_has_a_forecast_from_the_latest_poll(demo: Warehouse) -> None:
    """Of every post with views at 1 hour or later, of each age it has not been polled at."""
    [found] = demo.query(
        """
        with latest as (
            select post_id, max(age_hours) as age_hours, max(views_mono) as views
            from marts.post_metric_history
            where views is not null
            group by post_id
        )

        select
            count(*) as ahead,
            count(forecasts.predicted) as told,
            count(*) filter (where forecasts.latest_views = latest.views
                and forecasts.latest_age_hours = latest.age_hours
                and forecasts.predicted >= latest.views) as from_the_latest
        from latest
        inner join (values (24), (72), (168)) as targets (target_hours)
            on latest.age_hours < targets.target_hours
        left join marts.post_forecasts as forecasts
            on latest.post_id = forecasts.post_id
            and targets.target_hours = forecasts.target_hours
        where latest.age_hours >= 1 and latest.views > 0
        """
    )
    assert found["ahead"] > 150
    assert found["told"] == found["from_the_latest"] == found["ahead"]


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
    """Every forecast that could be made before its outcome was known, with the outcome; also of
    posts without views, of which relative errors tell nothing."""
    rows = examples(posts, *pair)
    fits: dict[tuple[str, int, datetime], Fit | None] = {}
    found = []
    for one in rows:
        if one["pending"] or not one["usable"] or one["origin"] >= one["known"]:
            continue
        key = (one["platform"], one["added"], monday_before(one["origin"]))
        if key not in fits:
            fits[key] = fit_for(rows, *key)
        fit = fits[key]
        if fit is not None:
            point, low, high = fit.predict(one)
            others = {"naive": fit.median, "scaled": fit.scaled(one)}
            found.append(one | {"predicted": point, "low": low, "high": high} | others)
    return found


@pytest.mark.parametrize("pair", PAIRS)
def test_the_backtest_knows_only_what_was_known(
    demo: Warehouse, posts: Rows, pair: tuple[int, int]
) -> None:
    table = {
        row["platform"]: row
        for row in demo.query("select * from marts.forecast_accuracy")
        if (row["from_hours"], row["target_hours"]) == pair
    }
    forecasts = [one for one in scored(posts, pair) if one["start"]]
    assert set(table) == {"all"} | {one["platform"] for one in forecasts}
    for platform, got in table.items():
        rows = [one for one in forecasts if platform in ("all", one["platform"])]
        actual, predicted = column(rows, "target"), column(rows, "predicted")
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
        }
        rules = {"naive": "naive", "scaled": "scaled", "unchanged": "start"}
        for name, rule in rules.items():
            values = column(rows, rule)
            expected[f"{name}_mrse"] = np.mean((values / actual - 1) ** 2)
            expected[f"{name}_median_ape"] = np.median(np.abs(values / actual - 1))
            if np.ptp(values) > 0:
                expected[f"{name}_spearman"] = stats.spearmanr(values, actual)[0]
            else:
                assert got[f"{name}_spearman"] is None
        assert {name: got[name] for name in expected} == pytest.approx(expected, rel=1e-6)
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


def test_better_than_what_needs_no_method(demo: Warehouse) -> None:
    """Also than constant scaling from the age of the same poll, by a tenth of its error."""
    rows = demo.query("select * from marts.forecast_accuracy where platform = 'all'")
    assert len(rows) == len(PAIRS)
    for row in rows:
        assert row["mrse"] < 0.9 * row["scaled_mrse"]
        assert row["median_ape"] < 0.9 * row["scaled_median_ape"]
        assert row["mrse"] < min(row["unchanged_mrse"], row["naive_mrse"])
        assert row["spearman"] > row["scaled_spearman"]
        assert 0.72 <= row["coverage80"] <= 0.88
