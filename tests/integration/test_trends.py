"""Trends against statistics made in Python from the canonical rows."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pymannkendall
import pytest
from scipy import stats

if TYPE_CHECKING:
    from tests.support.builds import Warehouse

WINDOW = 28


def close(got: float | None, expected: float | None) -> bool:
    if got is None or expected is None:
        return got is None and expected is None
    return math.isclose(got, expected, rel_tol=1e-7, abs_tol=1e-9)


def robust_z(value: float, past: Sequence[float]) -> float | None:
    if len(past) < 7:
        return None
    median = float(np.median(past))
    away = np.abs(np.asarray(past) - median)
    mad, mean = float(np.median(away)), float(np.mean(away))
    if mad > 1e-12:
        return 0.6745 * (value - median) / mad
    return (value - median) / (1.253314 * mean) if mean > 1e-12 else None


def ewma_z(value: float, past: Sequence[float], ages: Sequence[float]) -> float | None:
    weights = 0.5 ** (np.asarray(ages) / 3)
    if not len(past) or weights.sum() ** 2 / (weights**2).sum() < 5:
        return None
    mean = np.average(past, weights=weights)
    variance = np.average((np.asarray(past) - mean) ** 2, weights=weights)
    if variance <= 1e-9 * np.average(np.asarray(past) ** 2, weights=weights):
        return None
    return float((value - mean) / math.sqrt(variance))


def days_of(rows: Sequence[dict[str, Any]]) -> dict[str, dict[date, dict[str, set[str]]]]:
    """Platform, day and video to its tags, as the video was last seen that day."""
    found: dict[str, dict[date, dict[str, set[str]]]] = defaultdict(lambda: defaultdict(dict))
    for row in sorted(rows, key=lambda row: row["collected_at"]):
        day = row["collected_at"].astimezone(UTC).date()
        tags = {tag.strip().lstrip("#").strip().lower() for tag in row["hashtags"]} - {""}
        found[row["platform"]][day][row["external_id"]] = tags
    return found


def complete_days(days: dict[date, dict[str, set[str]]]) -> list[date]:
    complete = []
    for day in sorted(days):
        earlier = [len(days[d]) for d in days if 0 < (day - d).days <= WINDOW]
        if len(earlier) < 3 or len(days[day]) >= 0.5 * float(np.median(earlier)):
            complete.append(day)
    return complete


def test_shares_and_their_statistics_are_those_of_numpy(demo: Warehouse) -> None:
    videos = demo.query(
        "select platform, external_id, collected_at, hashtags from canonical.raw_videos"
    )
    rows = demo.query("select * from marts.hashtag_trends")
    mart = {(row["platform"], row["hashtag"], row["day"]): row for row in rows}
    assert len(mart) == len(rows)
    expected = 0
    judged: dict[Any, int] = defaultdict(int)
    for platform, days in days_of(videos).items():
        complete = complete_days(days)
        counts: dict[Any, dict[str, int]] = {d: defaultdict(int) for d in days}
        for day, carried in days.items():
            for tags in carried.values():
                for tag in tags:
                    counts[day][tag] += 1
        expected += sum(len(tags) for tags in counts.values())
        for day in days:
            past = [d for d in complete if 0 < (day - d).days <= WINDOW]
            before = [d for d in past if d < day][-2:]
            total = len(days[day])
            for tag, seen in counts[day].items():
                row = mart[platform, tag, day]
                assert (row["videos"], row["platform_videos"]) == (seen, total)
                assert row["is_partial"] == (day not in complete)
                assert row["baseline_days"] == len(past)
                if day not in complete:
                    assert row["robust_z"] is row["trend_score"] is row["velocity"] is None
                    continue
                shares = [counts[d][tag] / len(days[d]) for d in past]
                z = robust_z(seen / total, shares)
                ewma = ewma_z(seen / total, shares, [(day - d).days for d in past])
                assert close(row["robust_z"], z), (row, z)
                assert close(row["ewma_z"], ewma), (row, ewma)
                kl = prior = velocity = None
                if past:
                    all_videos = sum(len(days[d]) for d in past)
                    with_tag = sum(counts[d][tag] for d in past)
                    prior = with_tag / all_videos
                    p = seen / total
                    kl = p * math.log(p / (max(with_tag, 0.5) / all_videos))
                    last = before[-1]
                    velocity = (
                        math.log((seen + 0.5) / (total + 1))
                        - math.log((counts[last][tag] + 0.5) / (len(days[last]) + 1))
                    ) / (day - last).days
                assert close(row["prior_share"], prior)
                assert close(row["kl_trend"], kl)
                assert close(row["velocity"], velocity)
                if len(past) >= 7:
                    stands_out = seen >= 5 and (prior == 0 or (z is not None and z > 3.5))
                    breakout = stands_out and row["expected_lift"] > 1.5
                    assert row["is_breakout"] == breakout
                    judged[breakout] += 1
                else:
                    assert row["is_breakout"] is None
    assert expected == len(mart)
    assert judged[True] > 20
    assert judged[False] > 10_000


@dataclass(frozen=True)
class Judged:
    """A tag on a complete day that seven others lie before."""

    tag: str
    day: date
    videos: int
    share: float
    past: float
    #: Shares of the three complete days after, where they have passed within 28 days.
    after: Sequence[float] | None
    #: The last of them.
    known: date | None
    rise: float
    listed: float
    #: Logarithm of the lift that came.
    lift: float | None


def judged_tags(videos: Sequence[dict[str, Any]], platform: str) -> list[Judged]:
    first: dict[str, date] = {}
    for row in videos:
        day = row["collected_at"].astimezone(UTC).date()
        if row["platform"] == platform:
            first[row["external_id"]] = min(day, first.get(row["external_id"], day))
    days = days_of(videos)[platform]
    complete = complete_days(days)
    carried = {
        day: [
            (tag, min((day - first[video]).days, 7))
            for video, tags in days[day].items()
            for tag in tags
        ]
        for day in complete
    }
    counts = {day: Counter(tag for tag, _ in carried[day]) for day in complete}
    found = []
    for number, day in enumerate(complete):
        if sum(0 < (day - d).days <= WINDOW for d in complete) < 7:
            continue
        total = len(days[day])
        ages: dict[str, list[int]] = defaultdict(list)
        for tag, age in carried[day]:
            ages[tag].append(age)
        usual = float(np.mean([age for _, age in carried[day]]))
        later = complete[number + 1 : number + 4]
        known = later[-1] if len(later) == 3 and (later[-1] - day).days <= WINDOW else None
        for tag, seen in counts[day].items():
            before = [counts[d][tag] / len(days[d]) for d in complete[number - 7 : number]]
            after = [counts[d][tag] / len(days[d]) for d in later] if known else None
            past, part = float(np.mean(before)), 0.25 / total
            share = seen / total
            found.append(
                Judged(
                    *(tag, day, seen, share, past, after, known),
                    math.log((share + part) / (past + part)),
                    float(np.mean(ages[tag])) - usual,
                    math.log((float(np.mean(after)) + part) / (past + part)) if after else None,
                )
            )
    return found


def fitted(known: Sequence[Judged]) -> tuple[Any, float]:
    """Coefficients and deviation: weighted least squares with twenty more rows for each
    coefficient that say what it was elsewhere."""
    usual = np.array([-0.1, 0.65, -0.25])
    x = np.array([[1.0, row.rise, row.listed] for row in known]).reshape(-1, 3)
    y = np.array([row.lift for row in known], dtype=float)
    root = np.sqrt([row.videos / (row.videos + 3) for row in known])
    rows = np.vstack([x * root[:, None], np.sqrt(20) * np.eye(3)])
    coefficients = np.linalg.lstsq(rows, np.append(y * root, np.sqrt(20) * usual), rcond=None)[0]
    squares = float(np.sum((root * (y - x @ coefficients)) ** 2))
    return coefficients, math.sqrt((squares + 20 * 0.35**2) / (len(known) + 20))


@pytest.fixture(scope="module")
def judged(demo: Warehouse) -> dict[str, list[Judged]]:
    videos = demo.query(
        "select platform, external_id, collected_at, hashtags from canonical.raw_videos"
    )
    return {name: judged_tags(videos, name) for name in ("tiktok", "instagram", "youtube")}


def test_expected_lifts_are_those_of_numpy(
    demo: Warehouse, judged: dict[str, list[Judged]]
) -> None:
    """Fitted day by day on what had come of tags by then, and of no tag later."""
    rows = demo.query(
        "select platform, hashtag, day, expected_lift, lo80, hi80, trend_score"
        " from marts.hashtag_trends where expected_lift is not null"
    )
    mart = {(row["platform"], row["hashtag"], row["day"]): row for row in rows}
    assert len(mart) == sum(map(len, judged.values()))
    most_known = 0
    for platform, tags in judged.items():
        fits = {}
        for day in {row.day for row in tags}:
            known = [
                row
                for row in tags
                if row.videos >= 3 and row.known and 0 <= (day - row.known).days <= 90
            ]
            most_known = max(most_known, len(known))
            fits[day] = fitted(known)
        for row in tags:
            coefficients, spread = fits[row.day]
            middle = float(coefficients @ [1.0, row.rise, row.listed])
            deviation = spread * math.sqrt((row.videos + 3) / row.videos)
            width = stats.norm.ppf(0.9) * deviation
            got = mart[platform, row.tag, row.day]
            assert close(math.log(got["expected_lift"]), middle), (row, got)
            assert close(math.log(got["lo80"]), middle - width), (row, got)
            assert close(math.log(got["hi80"]), middle + width), (row, got)
            likely = middle - 0.5244 * deviation
            likely *= row.videos / (row.videos + 13 * max(likely, 0))
            assert close(got["trend_score"], 100 / (1 + (1.5 / math.exp(likely)) ** 4)), (row, got)
            if row.videos <= 2:
                assert got["trend_score"] < 27
    assert most_known > 2000


def test_accuracy_is_that_of_scipy(demo: Warehouse, judged: dict[str, list[Judged]]) -> None:
    mart = {
        (row["platform"], row["hashtag"], row["day"]): row
        for row in demo.query("select * from marts.hashtag_trends where videos >= 3")
    }
    accuracy = demo.query("select * from marts.trend_accuracy")
    weeks: dict[Any, list[Judged]] = defaultdict(list)
    for platform, tags in judged.items():
        for row in tags:
            if row.videos >= 3 and row.after:
                weeks[platform, row.day - timedelta(days=row.day.weekday())].append(row)
    assert {(row["platform"], row["week"]) for row in accuracy} == weeks.keys()
    scores: dict[str, Callable[[Any, Judged], float]] = {
        "": lambda row, _: row["trend_score"],
        "today_": lambda _, row: row.share / row.past if row.past else 1e9,
        "velocity_": lambda row, _: row["velocity"],
        "videos_": lambda _, row: row.videos,
    }
    for got in accuracy:
        platform = got["platform"]
        tags = weeks[platform, got["week"]]
        lifts = [rounded(row.lift or 0) for row in tags]
        stayed = [np.mean(row.after or 0) > 1.5 * row.past * (1 + 1e-9) for row in tags]
        rows = [mart[platform, row.tag, row.day] for row in tags]
        inside = [
            row["lo80"] <= math.exp(tag.lift or 0) <= row["hi80"]
            for row, tag in zip(rows, tags, strict=True)
        ]
        assert (got["days"], got["tags"]) == (len({row.day for row in tags}), len(tags))
        assert close(got["all_share"], float(np.mean(stayed)))
        assert close(got["all_log_lift"], float(np.mean(lifts)))
        assert close(got["coverage80"], float(np.mean(inside)))
        flags = [bool(row["is_breakout"]) for row in rows]
        assert got["breakouts"] == sum(flags)
        assert got["breakouts_stayed"] == sum(np.logical_and(flags, stayed))
        for prefix, score in scores.items():
            values = [rounded(score(row, tag)) for row, tag in zip(rows, tags, strict=True)]
            expected = float(stats.spearmanr(values, lifts).statistic)
            assert close(got[f"{prefix}spearman"], None if math.isnan(expected) else expected)
            top: list[int] = []
            for day in {row.day for row in tags}:
                places = [n for n, row in enumerate(tags) if row.day == day]
                top += sorted(places, key=lambda n: (-values[n], tags[n].tag))[:20]
            assert close(got[f"{prefix}top20_share"], float(np.mean([stayed[n] for n in top])))
            assert close(got[f"{prefix}top20_log_lift"], float(np.mean([lifts[n] for n in top])))


def rounded(value: float) -> float:
    """Nine digits, as ranks are made of them."""
    return float(f"{value:.9g}")


def test_planted_breakouts_are_flagged_within_days(demo: Warehouse) -> None:
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_tags.parquet")
    flags = demo.query("select platform, hashtag, day from marts.hashtag_trends where is_breakout")
    for planted in truth.filter(pl.col("kind") == "breakout").to_dicts():
        mine = [
            row["day"]
            for row in flags
            if (row["platform"], row["hashtag"]) == (planted["platform"], planted["hashtag"])
        ]
        assert mine, planted
        assert min(mine) >= planted["start_day"], planted
        assert min(mine) <= planted["start_day"] + timedelta(days=4), planted


def test_a_day_without_collection_makes_no_fall(demo: Warehouse) -> None:
    """The first day after a gap is held against the last day before it, per day between."""
    rows = demo.query(
        "select * from marts.hashtag_trends where day > date '2020-01-01' and not is_partial"
    )
    by_key = {(row["platform"], row["hashtag"], row["day"]): row for row in rows}
    collected = defaultdict(set)
    for row in rows:
        collected[row["platform"]].add(row["day"])
    gaps = 0
    for (platform, tag, day), row in by_key.items():
        before = max((d for d in collected[platform] if d < day), default=None)
        if before is None or (day - before).days == 1:
            continue
        gaps += 1
        earlier = by_key.get((platform, tag, before))
        if earlier is None or earlier["share"] <= row["share"]:
            assert row["velocity"] > -0.02, row
    assert gaps > 50


def test_snapshots_are_tested_as_pymannkendall_tests_them(demo: Warehouse) -> None:
    snapshots = defaultdict(list)
    for row in demo.query(
        "select * from canonical.trend_snapshots"
        " where popularity_score is not null order by snapshot_time"
    ):
        snapshots[row["product_id"]].append(row)
    mart = {
        (row["product_id"], row["snapshot_time"]): row
        for row in demo.query("select * from marts.product_trends where popularity is not null")
    }
    assert len(mart) == sum(len(rows) for rows in snapshots.values())
    tested = 0
    for product, rows in snapshots.items():
        for number, snapshot in enumerate(rows):
            row = mart[product, snapshot["snapshot_time"]]
            window = rows[max(0, number - 29) : number + 1]
            values = [r["popularity_score"] for r in window]
            days = [
                (snapshot["snapshot_time"] - r["snapshot_time"]).total_seconds() / 86400
                for r in window
            ]
            past = [(v, a) for v, a in zip(values[:-1], days, strict=False) if a <= WINDOW]
            z = robust_z(values[-1], [v for v, _ in past])
            ewma = ewma_z(values[-1], [v for v, _ in past], [a for _, a in past])
            assert close(row["robust_z"], z), (row, z)
            assert close(row["momentum"], ewma), (row, ewma)
            if len(values) < 8:
                assert row["mk_z"] is None
                assert row["sen_slope"] is None
                continue
            tested += 1
            assert close(row["mk_z"], pymannkendall.original_test(values).z), (row, values)
            slope = stats.theilslopes(values, [-d for d in days]).slope
            assert close(row["sen_slope"], float(slope)), (row, slope)
            new = {t.lower() for t in snapshot["tiktok_trend_tags"]} - {
                t.lower() for t in rows[number - 1]["tiktok_trend_tags"]
            }
            if row["snapshots"] == number + 1:  # else one without popularity lies before
                assert row["new_tags"] == sorted(new), (row, new)
    assert tested > 50


def test_directions_are_those_planted(demo: Warehouse) -> None:
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_products.parquet")
    planted = {str(row["product_id"]): row["trend"] for row in truth.to_dicts()}
    latest = demo.query("select * from marts.product_trends where is_latest")
    known = [row for row in latest if str(row["product_id"]) in planted and row["direction"]]
    right = sum(row["direction"] == planted[str(row["product_id"])] for row in known)
    # Popularity ends at 100, where a riser stands still.
    capped = sum(row["popularity"] >= 99 for row in known)
    assert len(known) >= 10
    assert right >= len(known) - capped - 1


#: What a sign is worth while no past weeks are known, in the order of `outlooks`.
DEFAULTS = np.array([0, 0.05, 0.02, 0.01, 0.03, -0.02, 0.5, 1])


def centred_ranks(values: list[float | None]) -> list[float]:
    """Mid-ranks of -1 to 1; 0 for what is unknown, and where no other is known."""
    known = [float(f"{value:.9g}") for value in values if value is not None]
    if len(known) < 2:
        return [0.0] * len(values)
    ranks = iter((2 * stats.rankdata(known) - 1) / len(known) - 1)
    return [0.0 if value is None else float(next(ranks)) for value in values]


def outlooks(rows: list[dict[str, Any]]) -> dict[Any, float]:
    """Expected logarithms by product and time: signs and outcomes from the rows of the mart, a
    ridge regression for each day on the weeks that were over."""
    rows = [row for row in rows if row["popularity"] is not None]
    history = defaultdict(list)
    for row in rows:
        history[row["product_id"]].append((row["snapshot_time"], row["popularity"]))
    by_day = defaultdict(list)
    for row in rows:
        by_day[row["snapshot_time"].astimezone(UTC).date()].append(row)
    examples: list[tuple[date, Any, float | None, Any]] = []
    for day, of_day in by_day.items():
        ranks = [
            centred_ranks([row[name] for row in of_day])
            for name in ("velocity", "acceleration", "competition")
        ]
        for row, velocity, acceleration, competition in zip(of_day, *ranks, strict=True):
            at, now = row["snapshot_time"], row["popularity"]
            past = history[row["product_id"]]
            floor = 0.01 * max(value for then, value in past if then <= at)
            last = np.mean([v for t, v in past if at - timedelta(hours=167) <= t <= at])
            after = [v for t, v in past if at < t <= at + timedelta(hours=168)]
            change = row["weekly_change"]
            x = [
                1,
                np.clip(row["momentum"] or 0, -3, 3) / 3,
                velocity,
                acceleration,
                row["novelty"],
                competition,
                0 if change is None else np.clip(np.log1p(max(change, -0.999)), -1, 1),
                np.clip(np.log((now + floor) / (last + floor)), -1, 1),
            ]
            outcome = np.log((np.mean(after) + floor) / (last + floor)) if len(after) > 1 else None
            examples.append((day, x, outcome, (row["product_id"], at)))
    found = {}
    for day in by_day:
        over = [(x, y) for d, x, y, _ in examples if y is not None and d <= day - timedelta(days=8)]
        seen = np.array([one for one, _ in over]).reshape(-1, len(DEFAULTS))
        y = np.clip([outcome for _, outcome in over], -2, 2)
        ridge = 20 * np.eye(len(DEFAULTS))
        moved = np.linalg.solve(seen.T @ seen + ridge, seen.T @ (y - seen @ DEFAULTS))
        for d, signs, _, key in examples:
            if d == day:
                found[key] = float((DEFAULTS + moved) @ signs)
    return found


def test_opportunity_is_the_rank_of_what_is_expected(demo: Warehouse) -> None:
    rows = demo.query("select * from marts.product_trends")
    expected = outlooks(rows)
    by_day = defaultdict(list)
    fitted = 0
    for row in rows:
        by_day[row["snapshot_time"].astimezone(UTC).date()].append(row)
        outlook = expected.get((row["product_id"], row["snapshot_time"]))
        if outlook is None:
            assert row["expected_change"] is row["why"] is row["opportunity"] is None
            continue
        assert math.log1p(row["expected_change"]) == pytest.approx(outlook, abs=1e-7)
        fitted += "fitted on 0" not in row["why"]
    assert fitted > 100
    apart = 0
    for of_day in by_day.values():
        ranked = [row for row in of_day if row["opportunity"] is not None]
        for row in ranked:
            assert row["ranked_snapshots"] == len(of_day)
        falling = [
            row["opportunity"]
            for row in ranked
            if row["direction"] == "down" and row["expected_change"] < 0
        ]
        rising = [row["opportunity"] for row in ranked if row["direction"] == "up"]
        if falling and rising:
            assert max(falling) < min(rising)
            apart += 1
        others = [row for row in ranked if (row["weekly_change"] or 0) > 0]
        others.sort(key=lambda row: row["opportunity"])
        for one, other in itertools.pairwise(others):
            assert one["expected_change"] <= other["expected_change"] + 1e-8
    assert apart >= 10


def test_videos_are_as_last_seen(demo: Warehouse) -> None:
    seen = defaultdict(list)
    for row in demo.query("select * from canonical.raw_videos order by collected_at"):
        seen[row["platform"], row["external_id"]].append(row)
    rows = demo.query("select * from marts.video_trends")
    assert len(rows) == len(seen)
    base = datetime(2005, 12, 8, 7, 46, 43, tzinfo=UTC)
    for row in rows:
        mine = seen[row["platform"], row["external_id"]]
        assert row["observations"] == len(mine)
        assert row["views"] == max(r["view_count"] for r in mine)
        known = [row[name] for name in ("likes", "comments", "shares") if row[name] is not None]
        score = (
            math.log10(max(sum(known), 1))
            + (mine[0]["collected_at"] - base).total_seconds() / 45000
        )
        assert close(row["hot_score"], score if known else None), (row, score)
        if len(mine) > 1:
            hours = (mine[-1]["collected_at"] - mine[-2]["collected_at"]).total_seconds() / 3600
            if hours > 0.1:
                best = max(r["view_count"] for r in mine[:-1])
                assert close(row["views_per_hour"], (row["views"] - best) / hours)
