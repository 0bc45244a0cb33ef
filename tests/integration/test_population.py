"""Benchmarks, standing, products and posting times against NumPy and SciPy.

The oracles start from the facts of single posts. They run over the simulated world and over
random posts that have what that world lacks: eras of a platform's views, tiny platforms,
counts of nought and of billions, ties, posts of a past quarter, busy hours of the week. For
the random posts the models' own compiled SQL runs in a database of their own.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pytest
from scipy import stats

from loaders.landing import Landing
from tests.support.builds import Warehouse

Row = dict[str, Any]
RATES = {
    "engagement_rate": "engagements",
    "like_rate": "likes",
    "comment_rate": "comments",
    "share_rate": "shares",
}
AS_OF = datetime(2026, 9, 30, tzinfo=UTC)
MODELS = (
    ("intermediate", "marts/performance/steps/int_post_outcomes"),
    ("marts", "marts/performance/platform_benchmarks"),
    ("intermediate", "marts/performance/steps/int_post_standing"),
    ("marts", "marts/performance/product_performance"),
    ("intermediate", "marts/performance/steps/int_time_cells"),
    ("marts", "marts/performance/posting_times"),
)


def random_posts(draw: random.Random) -> tuple[list[Row], list[Row]]:
    """Facts of posts, and their values at two ages."""
    posts, ages = [], []
    sizes = {"tiktok": 1500, "youtube": 300, "instagram": 60, "x": 4, "linkedin": 30}
    changed = datetime(2026, 8, 24, tzinfo=UTC)
    number = 0
    for platform, size in sizes.items():
        for _ in range(size):
            number += 1
            days = draw.uniform(1, 110) if draw.random() < 0.9 else draw.uniform(1, 9)
            published = AS_OF - timedelta(days=days)
            if platform == "tiktok" and draw.random() < 0.8:
                # Busy hours: Monday to Friday at 9 and 18.
                published = published.replace(hour=draw.choice([9, 18]))
                published -= timedelta(days=max(published.weekday() - 4, 0))
            polled = min(AS_OF, published + timedelta(days=draw.uniform(0.1, 20)))
            crossing = platform == "youtube" and published < changed <= polled
            views = int(math.exp(draw.gauss(6, 2)))
            views = draw.choice([0, 7, 7_000_000_000]) if draw.random() < 0.03 else views
            rate = draw.gammavariate(5, 0.008)
            counts = {
                "likes": int(rate * views * 0.8) + draw.randint(0, 1),
                "comments": None if draw.random() < 0.1 else int(rate * views * 0.1),
                # LinkedIn's are always nought, X never shows any.
                "shares": {"linkedin": 0, "x": None}.get(platform, int(rate * views * 0.1)),
            }
            if draw.random() < 0.05:
                counts = dict.fromkeys(counts)
            known = [count for count in counts.values() if count is not None]
            engagements = sum(known) if known else None
            hidden = draw.random() < 0.04
            post: Row = {
                "post_id": UUID(int=number),
                "platform": platform,
                "product_id": UUID(int=draw.randint(1, 25)) if draw.random() < 0.9 else None,
                "pattern_id": None,
                "script_id": None,
                "experiment_id": UUID(int=number),
                "published_at": published,
                "last_collected_at": polled,
                "definition_era": int(platform == "youtube" and published >= changed),
                "crosses_break": crossing,
                "views": None if hidden else views,
                "engagements": engagements,
                **counts,
                "known_at": polled,
            }
            for name, events in RATES.items():
                value = post[events]
                shown = post["views"] is not None and views >= 100 and value is not None
                post[name] = value / views if shown else None
            for hours in (24, 72):
                reached = polled >= published + timedelta(hours=hours) and draw.random() < 0.93
                end = published + timedelta(hours=hours)
                share = hours / (hours + 30)
                at_age = {
                    "post_id": post["post_id"],
                    "horizon_hours": hours,
                    # Few distinct values, so that posts tie.
                    "views": float(f"{views * share:.1g}") if reached else None,
                    "likes": counts["likes"] * share if reached and counts["likes"] else None,
                    "comments": None,
                    "shares": None,
                    "crosses_break": platform == "youtube" and published < changed <= end,
                    "known_at": polled,
                }
                enough = reached and at_age["views"] >= 100 and at_age["likes"] is not None
                liked = at_age["likes"] / at_age["views"] if enough else None
                at_age |= {"engagement_rate": liked, "like_rate": liked}
                at_age |= {"comment_rate": None, "share_rate": None}
                ages.append(at_age)
                post[f"views_{hours}h"] = at_age["views"]
                post[f"engagement_rate_{hours}h"] = liked
                late = polled >= end
                post[f"status_{hours}h"] = "ok" if reached else "gap" if late else "pending"
            posts.append(post)
    return posts, ages


def random_world(folder: Path, compiled: Path) -> Warehouse:
    """Random posts, and the models' SQL run over them."""
    import polars as pl

    posts, ages = random_posts(random.Random(20260930))
    world = Warehouse(folder, Landing(str(folder / "landing")))
    products = [{"product_id": UUID(int=n), "known_at": AS_OF} for n in range(1, 28)]
    inputs = {
        "intermediate.int_post_facts": posts,
        "marts.post_age_metrics": ages,
        "intermediate.accepted_products": products,
    }
    with duckdb.connect(str(world.database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for schema in ("intermediate", "marts", "reference", "meta"):
            connection.execute(f"create schema {schema}")
        for name, rows in inputs.items():
            frame = pl.DataFrame(  # noqa: F841 - read by the query
                [{k: str(v) if isinstance(v, UUID) else v for k, v in row.items()} for row in rows],
                infer_schema_length=None,
            )
            casts = ", ".join(
                f"cast({key} as uuid) as {key}" for key in rows[0] if key.endswith("_id")
            )
            connection.execute(f"create table {name} as select * replace ({casts}) from frame")
        connection.execute(
            f"""
            create table meta.this_build as select 1 as build, timestamptz '{AS_OF}' as as_of;
            create table reference.age_horizons as select unnest([24, 72]) as horizon_hours;
            create table reference.metric_definition_changes as
            select 'youtube' as platform, 'views' as metric,
                timestamptz '2026-08-24 00:00:00+00' as changed_at
            """
        )
        for schema, path in MODELS:
            sql = (compiled / f"{path}.sql").read_text()
            connection.execute(f"create table {schema}.{Path(path).name} as {sql}")
    return world


@dataclass
class World:
    """One world's posts as an oracle needs them."""

    warehouse: Warehouse
    as_of: datetime
    posts: list[Row]
    ages: list[Row]

    def comparable_72h(self, post: Row, hours: int = 72) -> float | None:
        """Views at an age, unless a change of definition fell before it."""
        return None if self.crosses[post["post_id"], hours] else post[f"views_{hours}h"]

    def __post_init__(self) -> None:
        self.crosses = {
            (row["post_id"], row["horizon_hours"]): row["crosses_break"] for row in self.ages
        }

    def is_recent(self, post: Row) -> bool:
        return bool(self.as_of - timedelta(days=90) < post["published_at"] <= self.as_of)


@pytest.fixture(scope="module", params=["simulated", "random"])
def world(
    request: pytest.FixtureRequest, demo: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> World:
    warehouse = demo
    if request.param == "random":
        compiled = demo.home / "target" / "compiled" / "ace_warehouse" / "models"
        warehouse = random_world(tmp_path_factory.mktemp("random"), compiled)
    return World(
        warehouse,
        warehouse.query("select as_of from meta.this_build")[0]["as_of"],
        warehouse.query("select * from intermediate.int_post_facts"),
        warehouse.query("select * from marts.post_age_metrics"),
    )


def close(value: float | None, expected: float | None, tolerance: float = 1e-9) -> bool:
    if value is None or expected is None:
        return value is None and expected is None
    return math.isclose(value, expected, rel_tol=tolerance, abs_tol=1e-12)


def observed(world: World, hours: int) -> list[Row]:
    """Comparable values at an age (0: the last poll), one row for each post."""
    by_id = {post["post_id"]: post for post in world.posts}
    rows = []
    for row in world.posts if hours == 0 else world.ages:
        if row["views"] is None or row["crosses_break"] or row.get("horizon_hours", 0) != hours:
            continue
        post = by_id[row["post_id"]]
        known = [row[name] for name in ("likes", "comments", "shares") if row[name] is not None]
        rows.append(
            {
                **row,
                "engagements": sum(known) if known else None,
                "platform": post["platform"],
                "era": post["definition_era"],
                "recent": world.is_recent(post),
            }
        )
    newest = {p: max(r["era"] for r in rows if r["platform"] == p) for p in platforms(rows)}
    return [row for row in rows if row["era"] == newest[row["platform"]]]


def platforms(rows: list[Row]) -> set[str]:
    return {row["platform"] for row in rows}


def gamma_prior(events: list[float], exposure: list[float]) -> tuple[float, float]:
    """Marshall's moments, as in textbooks."""
    o, e = np.array(events, float), np.array(exposure, float)
    mean = o.sum() / e.sum()
    phi = (e * (o / e - mean) ** 2).sum() / e.sum() - mean / e.mean()
    if phi <= 0 or mean / phi > 1e6:
        return mean * 1e6, 1e6
    return mean**2 / phi, mean / phi


def beta_prior(successes: list[float], trials: list[float]) -> tuple[float, float]:
    n = np.array(trials, float)
    y = np.minimum(np.array(successes, float), n)
    p, k = y.sum() / n.sum(), len(n)
    spread = (n * (y / n - p) ** 2).sum()
    rho = (spread / (p * (1 - p)) - (k - 1)) / (n.sum() - (n**2).sum() / n.sum() - (k - 1))
    weight = 1e6 if rho <= 0 else min(max(1 / rho - 1, 2), 1e6)
    return p * weight, (1 - p) * weight


def test_benchmarks(world: World) -> None:
    cells = {
        (row["platform"], row["horizon_hours"], row["metric"]): row
        for row in world.warehouse.query("select * from marts.platform_benchmarks")
    }
    scopes = platforms(world.posts) | {"all"}
    horizons = {0} | {row["horizon_hours"] for row in world.ages}
    assert set(cells) == {(s, h, m) for s in scopes for h in horizons for m in ["views", *RATES]}
    origins = set()
    for hours in horizons:
        rows = observed(world, hours)
        for metric in ["views", *RATES]:
            usable: dict[str, list[tuple[float, float]]] = {}
            for scope in scopes:
                mine = [row for row in rows if scope in (row["platform"], "all")]
                cell = cells[scope, hours, metric]
                shown = [r[metric] for r in mine if r["recent"] and r[metric] is not None]
                assert cell["n_posts"] == len(shown)
                for share in (10, 25, 50, 75, 90):
                    expected = float(np.percentile(shown, share)) if shown else None
                    assert close(cell[f"p{share}"], expected), (scope, hours, metric, share)
                usable[scope] = (
                    [(row["views"], 1) for row in mine]
                    if metric == "views"
                    else [
                        (row[RATES[metric]], row["views"])
                        for row in mine
                        if row["views"] > 0 and row[RATES[metric]] is not None
                    ]
                )
                assert cell["prior_posts"] == len(usable[scope])
            for scope in scopes:
                cell = cells[scope, hours, metric]
                source = scope if len(usable[scope]) >= 5 else "all"
                origin: str | None = source
                pairs = usable[source]
                o, e = [a for a, _ in pairs], [b for _, b in pairs]
                if len(pairs) >= 5 and sum(o) > 0:
                    expected_prior: tuple[float | None, ...] = gamma_prior(o, e)
                    if metric != "views":
                        expected_prior += beta_prior(o, e)
                elif metric == "views":
                    origin, expected_prior = None, (None, None)
                else:
                    origin = "fallback"
                    mean = (sum(o) + 1) / (sum(e) + 25)
                    expected_prior = (1, 1 / mean, 1, 1 / mean - 1)
                names = ("prior_shape", "prior_rate", "prior_alpha", "prior_beta")
                for name, expected in zip(names, expected_prior, strict=False):
                    assert close(cell[name], expected, 1e-7), (scope, hours, metric, name)
                assert cell["prior_from"] == origin
                origins.add(origin)
    if len(scopes) == 6:  # the random world
        assert {"tiktok", "all", "fallback"} <= origins


def test_shrunken_rates_and_their_intervals(world: World) -> None:
    priors = {
        row["platform"]: (row["prior_shape"], row["prior_rate"])
        for row in world.warehouse.query(
            "select * from marts.platform_benchmarks "
            "where horizon_hours = 0 and metric = 'engagement_rate'"
        )
    }
    standing = {
        row["post_id"]: row
        for row in world.warehouse.query("select * from intermediate.int_post_standing")
    }
    assert len(standing) == len(world.posts)
    for post in world.posts:
        shape, rate = priors[post["platform"]]
        if post["views"] and post["engagements"] is not None:
            shape, rate = shape + post["engagements"], rate + post["views"]
        got = standing[post["post_id"]]
        assert close(got["engagement_rate_eb"], shape / rate)
        # Wilson and Hilferty's cube: within 2% from a shape of 2 on, of 15% from 0.5.
        tolerance = 0.02 if shape >= 2 else 0.15
        for name, share in (("engagement_rate_eb_lo", 0.025), ("engagement_rate_eb_hi", 0.975)):
            exact = float(stats.gamma.ppf(share, shape, scale=1 / rate))
            assert close(got[name], exact, tolerance), (shape, rate, name)


def test_percentiles_and_verdicts(world: World) -> None:
    standing = {
        row["post_id"]: row
        for row in world.warehouse.query("select * from intermediate.int_post_standing")
    }

    def ranks(values: dict[UUID, float | None]) -> dict[UUID, tuple[float | None, int]]:
        groups: dict[tuple[str, int], list[float]] = defaultdict(list)
        for post in world.posts:
            if (value := values[post["post_id"]]) is not None:
                groups[post["platform"], post["definition_era"]].append(value)
        found: dict[UUID, tuple[float | None, int]] = {}
        for post in world.posts:
            value = values[post["post_id"]]
            among = groups[post["platform"], post["definition_era"]]
            if value is not None:
                rank = float(stats.percentileofscore(among, value, kind="mean")) / 100
                found[post["post_id"]] = (rank if len(among) >= 20 else None, len(among))
        return found

    views = ranks(
        {p["post_id"]: world.comparable_72h(p) if world.is_recent(p) else None for p in world.posts}
    )
    engagement = ranks(
        {
            p["post_id"]: (
                p["engagement_rate"] if world.is_recent(p) and not p["crosses_break"] else None
            )
            for p in world.posts
        }
    )
    seen = set()
    for post in world.posts:
        got = standing[post["post_id"]]
        percentile, among = views.get(post["post_id"], (None, None))
        assert close(got["views_72h_percentile"], percentile)
        assert got["percentile_posts"] == among
        assert close(got["engagement_percentile"], engagement.get(post["post_id"], (None, 0))[0])
        if post["status_72h"] == "pending":
            verdict = "pending"
        elif percentile is None:
            verdict = "unknown"
        else:
            ladder = ((0.95, "breakout"), (0.75, "strong"))
            verdict = next(
                (word for least, word in ladder if percentile >= least - 1e-12),
                "weak" if percentile <= 0.25 + 1e-12 else "normal",
            )
        assert got["verdict"] == verdict
        seen.add(verdict)
    # Whether a post of the simulated world has a gap at 72 hours is chance.
    has_gap = any(post["status_72h"] == "gap" for post in world.posts)
    every = {"breakout", "strong", "normal", "weak", "pending"}
    assert seen == every | ({"unknown"} if has_gap else set())


def test_baselines_are_medians_of_earlier_posts(world: World) -> None:
    standing = {
        row["post_id"]: row
        for row in world.warehouse.query("select * from intermediate.int_post_standing")
    }
    earlier: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    scopes = set()
    for post in sorted(world.posts, key=lambda p: (p["published_at"], str(p["post_id"]))):
        got, value = standing[post["post_id"]], world.comparable_72h(post)
        if value is None:
            assert got["baseline_ratio"] is got["baseline_posts"] is got["baseline_scope"] is None
            continue
        place = (post["platform"], post["definition_era"])
        product = (*place, post["product_id"])
        own = earlier[product] if post["product_id"] is not None else []
        scope, before = ("product", own) if own else ("platform", earlier[place])
        before = before[-50:]
        middle = statistics.median(before) if before else 0
        assert got["baseline_posts"] == (len(before) or None)
        assert got["baseline_scope"] == (scope if before else None)
        assert close(got["baseline_ratio"], value / middle if middle else None)
        scopes.add(got["baseline_scope"])
        earlier[place].append(value)
        earlier[product].append(value)
    assert scopes == {"product", "platform", None}


def test_products(world: World) -> None:
    priors = {
        row["platform"]: (row["prior_shape"], row["prior_rate"])
        for row in world.warehouse.query(
            "select * from marts.platform_benchmarks "
            "where horizon_hours = 0 and metric = 'engagement_rate'"
        )
    }
    medians = {
        row["post_id"]: row["platform_median_72h"]
        for row in world.warehouse.query("select * from intermediate.int_post_outcomes")
    }
    rows = world.warehouse.query("select * from marts.product_performance")
    products = world.warehouse.query("select product_id from intermediate.accepted_products")
    got = {(row["product_id"], row["platform"]): row for row in rows}
    groups: dict[tuple[UUID, str], list[Row]] = {(p["product_id"], "all"): [] for p in products}
    for post in world.posts:
        if post["product_id"] is not None:
            groups[post["product_id"], "all"].append(post)
            groups.setdefault((post["product_id"], post["platform"]), []).append(post)
    assert set(got) == set(groups)
    trends = 0
    for (product, scope), posts in groups.items():
        row = got[product, scope]
        assert row["posts"] == len(posts)
        for name in ("views", "engagements"):
            known = [post[name] for post in posts if post[name] is not None]
            assert row[name] == (sum(known) if known else None)
        pairs = [
            (post["engagements"], post["views"])
            for post in posts
            if post["views"] and post["engagements"] is not None
        ]
        y, n = sum(a for a, _ in pairs), sum(b for _, b in pairs)
        assert close(row["engagement_rate"], y / n if n >= 100 else None)
        shape, rate = priors[scope]
        if n:
            # Variance of the pooled rate at rate 1: chance, and posts that differ by the prior.
            weight = 1 / (1 / n + sum((b / n) ** 2 for _, b in pairs) / rate)
            shape, rate = shape + weight * y / n, rate + weight
        assert close(row["engagement_rate_eb"], shape / rate)
        assert row["engagement_rate_eb_lo"] == pytest.approx(
            stats.gamma.ppf(0.025, shape, scale=1 / rate), rel=0.02
        )
        assert row["engagement_rate_eb_hi"] == pytest.approx(
            stats.gamma.ppf(0.975, shape, scale=1 / rate), rel=0.02
        )
        valued = [post for post in posts if world.comparable_72h(post) is not None]
        eras = {
            p: max(post["definition_era"] for post in valued if post["platform"] == p)
            for p in platforms(valued)
        }
        alike = [post for post in valued if post["definition_era"] == eras[post["platform"]]]
        values = [world.comparable_72h(post) for post in alike]
        median = float(np.median(np.array(values, float))) if values else None
        assert close(row["views_72h_median"], median)
        best = min(alike, key=lambda p: (-p["views_72h"], str(p["post_id"])), default=None)
        assert row["best_post_id"] == (best and best["post_id"])
        recent = [
            post
            for post in posts
            if world.as_of - timedelta(days=30) < post["published_at"] <= world.as_of
        ]
        shown = [post["views"] for post in recent if post["views"] is not None]
        assert (row["posts_30d"], row["views_30d"]) == (len(recent), sum(shown) if shown else None)
        assert row["last_published_at"] == max((p["published_at"] for p in posts), default=None)
        order = sorted(valued, key=lambda p: (p["published_at"], str(p["post_id"])))[-10:]
        logs = [math.log((1 + p["views_72h"]) / (1 + medians[p["post_id"]])) for p in order]
        trend = np.mean(logs[5:]) - np.mean(logs[:5]) if len(logs) == 10 else None
        assert (row["trend_last5"] is None) == (trend is None)
        if trend is not None:
            assert row["trend_last5"] == pytest.approx(float(trend), abs=1e-9)
            trends += 1
    assert trends > 10


def hour_and_weekday_effects(
    n: np.ndarray, mean: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Textbook normal regression, nothing taken apart: the covariance of all cells under each
    combination of spreads, the posterior of all 168 true effects, mixed by likelihood. Cells
    are weekday * 24 + hour."""
    same_hour = np.kron(np.ones((7, 7)), np.eye(24))
    same_day = np.kron(np.eye(7), np.ones((24, 24)))
    seen = n > 0
    fits = []
    for hour, day, cell in itertools.product(
        [0.05, 0.12, 0.3, 0.7], [0.05, 0.12, 0.3, 0.7], [0.01, 0.1, 0.2, 0.4]
    ):
        parts = [hour**2 * same_hour, day**2 * same_day, cell**2 * np.eye(168)]
        prior = parts[0] + parts[1] + parts[2]
        observed = prior[np.ix_(seen, seen)] + np.diag(noise / n[seen])
        gain = np.linalg.solve(observed, prior[seen]).T
        posterior = prior - gain @ prior[seen]
        fits.append(
            (
                stats.multivariate_normal(cov=observed).logpdf(mean[seen]) if seen.any() else 0.0,
                gain @ mean[seen],
                np.diag(posterior),
                [part[:, seen] @ np.linalg.solve(observed, mean[seen]) for part in parts],
            )
        )
    likelihood = np.exp([fit[0] - max(f[0] for f in fits) for fit in fits])
    credence = likelihood / likelihood.sum()
    effects = np.array([fit[1] for fit in fits])
    effect = credence @ effects
    variance = credence @ (np.array([fit[2] for fit in fits]) + effects**2) - effect**2
    levels = [credence @ np.array([fit[3][level] for fit in fits]) for level in range(3)]
    return effect, np.sqrt(variance), levels


def test_posting_times(world: World) -> None:
    rows = world.warehouse.query("select * from marts.posting_times")
    assert len(rows) == 168 * len(platforms(world.posts))
    raw_effects = 0
    for platform in platforms(world.posts):
        logs: dict[int, list[tuple[datetime, float]]] = defaultdict(list)
        for post in world.posts:
            value = world.comparable_72h(post, 24)
            if post["platform"] == platform and value is not None:
                logs[post["definition_era"]].append((post["published_at"], math.log1p(value)))
        cells: dict[int, list[float]] = defaultdict(list)
        for values in logs.values():
            usual = float(np.mean([value for _, value in values]))
            for at, value in values:
                at = at.astimezone(UTC)
                cells[at.weekday() * 24 + at.hour].append(value - usual)
        n = np.array([len(cells.get(cell, [])) for cell in range(168)])
        mean = np.array([np.mean(cells[cell]) if cell in cells else 0.0 for cell in range(168)])
        within = sum(((np.array(v) - np.mean(v)) ** 2).sum() for v in cells.values())
        total = sum((np.array(v) ** 2).sum() for v in cells.values())
        noise = 1.0
        if n.sum():
            noise = (within + 10 * (1 + total) / n.sum()) / (n.sum() - len(cells) + 10)
        effect, deviation, levels = hour_and_weekday_effects(n, mean, max(noise, 0.01))
        mine = {r["weekday"] * 24 - 24 + r["hour"]: r for r in rows if r["platform"] == platform}
        for cell, row in mine.items():
            assert row["n_posts"] == n[cell]
            assert row["hour_n"] == n[cell % 24 :: 24].sum()
            assert row["weekday_n"] == n[cell // 24 * 24 :][:24].sum()
            assert row["effect"] == pytest.approx(effect[cell], abs=1e-8)
            half = stats.norm.ppf(0.975) * deviation[cell]
            assert row["effect_lo"] == pytest.approx(effect[cell] - half, abs=1e-8)
            assert row["effect_hi"] == pytest.approx(effect[cell] + half, abs=1e-8)
            assert row["hour_effect"] == pytest.approx(levels[0][cell], abs=1e-8)
            assert row["weekday_effect"] == pytest.approx(levels[1][cell], abs=1e-8)
            assert row["cell_effect"] == pytest.approx(levels[2][cell], abs=1e-8)
            assert (row["effect_raw"] is not None) == (n[cell] >= 10)
            if row["effect_raw"] is not None:
                assert row["effect_raw"] == pytest.approx(mean[cell], abs=1e-9)
                raw_effects += 1
        in_order = sorted(mine.values(), key=lambda row: row["rank"])
        assert [row["rank"] for row in in_order] == list(range(1, 169))
        assert all(a["effect"] >= b["effect"] - 2e-9 for a, b in itertools.pairwise(in_order))
    if len(platforms(world.posts)) == 5:  # the random world
        assert raw_effects >= 10


def test_shown_beside_the_facts(demo: Warehouse) -> None:
    """post_performance has a row for every post, with its standing and its forecast."""
    [counts] = demo.query(
        """
        select
            count(*) as posts,
            count(*) filter (where s.verdict is distinct from p.verdict) as other_verdicts,
            count(*) filter (where s.engagement_rate_eb is distinct from p.engagement_rate_eb)
                as other_rates,
            count(p.views_168h_forecast) as forecasts,
            count(*) filter (where p.views_168h_forecast is not null and f.predicted is null)
                as not_from_the_latest_age
        from marts.post_performance as p
        full join intermediate.int_post_standing as s on p.post_id = s.post_id
        left join marts.post_forecasts as f
            on p.post_id = f.post_id and f.target_hours = 168
            and f.from_hours = p.forecast_from_hours and f.predicted = p.views_168h_forecast
            and (f.from_hours = 72 or p.views_72h is null)
        """
    )
    assert counts["posts"] == 600
    assert counts["other_verdicts"] == counts["other_rates"] == 0
    assert counts["forecasts"] > 20
    assert counts["not_from_the_latest_age"] == 0
