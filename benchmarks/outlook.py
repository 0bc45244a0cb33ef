"""Opportunity: does product_trends say which products will gain, beside momentum and its like?

Two kinds of simulated products, each built by the project's own models: those of the demo, which
rise or fall by up to 6% a day, and waves, whose growth wanders, is high when a product is new and
low where competition is. For each day the ranks of the products are held against the change that
came: mean popularity of the next seven days by that of the last seven. A row of a day is made of
what its day knew (`int_product_outlook`), so one build serves all days. Seeds 1 to 3 were for
choosing signs and penalty, those reported were not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

SEEDS = (11, 12, 13)
#: Days before which nothing is judged: momentum and weekly change need a past.
BEGIN = 21
WEEK = timedelta(days=7)
MODELS = (
    *("int_product_snapshots", "int_product_popularity", "int_product_momentum"),
    *("int_product_trend_tests", "int_product_outlook", "int_product_trends", "product_trends"),
)


def lines(folder: Path) -> Iterator[Line]:
    """Rank correlation with the change that came, by kind of products."""
    import numpy as np

    for kind, world in {"demo": demo, "waves": waves}.items():
        found: dict[str, list[float]] = defaultdict(list)
        wrong = days = 0
        for seed in SEEDS:
            rows = built(folder / f"{kind}{seed}", world, seed)
            correlations, above, judged = score(rows)
            wrong, days = wrong + above, days + judged
            for name, value in correlations.items():
                found[name].append(value)
        mean = {name: float(np.mean(values)) for name, values in found.items()}
        yield Line(
            f"{kind}: opportunity and the next week's change", mean["opportunity"],
            mean["momentum"], unit="", ratio=mean["opportunity"] / max(
                value for name, value in mean.items() if name != "opportunity"
            ),
            sense=">=", limit=1.0,
            note="Spearman, peer: momentum; " + ", ".join(
                f"{name} {value:.3f}" for name, value in mean.items()
            ) + f"; {days} days of {len(SEEDS)} seeds",
        )  # fmt: skip
        yield Line(
            f"{kind}: falling ones above one that rises", float(wrong), unit="",
            ratio=float(wrong), limit=0,
            note="direction down and expected to fall, ranked above a direction of up",
        )  # fmt: skip


def demo(seed: int) -> tuple[Floats, Floats, Floats]:
    """Popularity by product and day, competition, and the day each product begins."""
    import numpy as np

    random = np.random.default_rng([seed, 1])
    products, days = 20, 60
    slope = random.integers(-1, 2, products) * random.uniform(0.03, 0.06, products)
    logs = np.log(random.uniform(15, 40, products))[:, None] + slope[:, None] * np.arange(days)
    logs += random.normal(0, 0.04, (products, days))
    competition = np.clip(random.normal(0.5, 0.15, products), 0, 1)
    return np.minimum(np.exp(logs), 100), competition, np.zeros(products)


def waves(seed: int) -> tuple[Floats, Floats, Floats]:
    """As `demo`: growth is a slow random walk that is drawn back, and the level as well."""
    import numpy as np

    random = np.random.default_rng([seed, 2])
    products, days = 40, 90
    begin = np.where(random.random(products) < 0.5, 0, random.integers(0, 60, products))
    competition = np.clip(random.normal(0.5, 0.2, products), 0, 1)
    level, growth = np.log(random.uniform(10, 30, products)), random.normal(0, 0.03, products)
    popularity = np.zeros((products, days))
    for day in range(days):
        age = np.maximum(day - begin, 0)
        growth = 0.93 * growth + random.normal(0, 0.012, products)
        growth += 0.012 * np.exp(-age / 6) * (age < 20) - 0.004 * (competition - 0.5)
        growth -= 0.002 * (level - 3)
        level = level + growth
        popularity[:, day] = np.exp(level + random.normal(0, 0.08, products))
    return popularity, competition, begin.astype(float)


def built(
    home: Path, world: Callable[[int], tuple[Floats, Floats, Floats]], seed: int
) -> list[dict[str, Any]]:
    """Rows of product_trends; one snapshot in 25 is lost."""
    import duckdb
    import numpy as np
    import polars as pl

    popularity, competition, begin = world(seed)
    random = np.random.default_rng([seed, 3])
    rows = []
    for product, series in enumerate(popularity):
        for day, value in enumerate(series):
            if day < begin[product] or random.random() < 0.04:
                continue
            at = datetime(2026, 1, 1, 16, product % 60, tzinfo=UTC) + timedelta(days=day)
            before = series[day - 1] if day > begin[product] else value
            rows.append(
                {
                    "snapshot_id": str(UUID(int=product * 1000 + day + 1)),
                    "product_id": str(UUID(int=product + 1)),
                    "snapshot_time": at,
                    "known_at": at,
                    "popularity_score": float(value),
                    "velocity_score": float(value - before),
                    "competition_score": float(competition[product]),
                    "tiktok_trend_tags": ["tag"],
                }
            )
    frame = pl.DataFrame(rows)  # noqa: F841 - read by the query
    models.new_landing(home)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(
            """
            create schema intermediate;
            create table intermediate.accepted_trend_snapshots as
            select * replace (
                cast(snapshot_id as uuid) as snapshot_id, cast(product_id as uuid) as product_id
            )
            from frame
            """
        )
    models.run(home, *MODELS)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        cursor = connection.execute("select * from marts.product_trends")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def score(rows: list[dict[str, Any]]) -> tuple[dict[str, float], int, int]:
    """Mean over days of each rank correlation; days on which a falling product that is expected
    to fall stands above a rising one; days judged."""
    import numpy as np
    from scipy.stats import rankdata, spearmanr

    history: dict[Any, list[tuple[datetime, float]]] = defaultdict(list)
    by_day: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        history[row["product_id"]].append((row["snapshot_time"], row["popularity"]))
        by_day[row["snapshot_time"].date()].append(row)
    first, last = min(by_day), max(by_day)
    found: dict[str, list[float]] = defaultdict(list)
    above = 0
    for day, of_day in by_day.items():
        falls = [
            r["opportunity"]
            for r in of_day
            if r["direction"] == "down"
            and r["expected_change"] < 0
            and r["opportunity"] is not None
        ]
        rises = [
            r["opportunity"]
            for r in of_day
            if r["direction"] == "up" and r["opportunity"] is not None
        ]
        above += bool(falls and rises and max(falls) > min(rises))
        if not first + timedelta(days=BEGIN) <= day <= last - WEEK:
            continue
        judged = [r for r in of_day if r["momentum"] is not None and r["weekly_change"] is not None]
        came = []
        for row in judged:
            at, past = row["snapshot_time"], history[row["product_id"]]
            after = [value for then, value in past if at < then <= at + WEEK]
            before = [value for then, value in past if at - WEEK < then <= at]
            came.append(np.log(np.mean(after) / np.mean(before)) if after else np.nan)
        ranks = {
            name: rankdata([sign * row[name] for row in judged])
            for name, sign in (
                *(("velocity", 1), ("novelty", 1)),
                *(("saturation", -1), ("competition", -1)),
            )
        }
        scores = {
            name: [row[name] for row in judged]
            for name in ("opportunity", "momentum", "weekly_change", "velocity")
        }
        scores["mean of four ranks"] = list(np.sum(list(ranks.values()), axis=0))
        for name, values in scores.items():
            found[name].append(float(spearmanr(values, came, nan_policy="omit").statistic))
    days = len(found["opportunity"])
    return {name: float(np.nanmean(values)) for name, values in found.items()}, above, days
