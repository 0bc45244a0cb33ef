"""Verdicts on experiments although somebody looks after every build.

Teams as they are: a product tries arms of 5 to 40 posts, some truly better, some worse, half of
them neither; each day brings some of the posts, and each day somebody reads the status and stops
when it says leading. Every look of every seed is a product of its own, so that one build of the
project's own models shows them all. Beside our verdict stand the usual 95% interval and the
chance to win of 95%, read as often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import polars as pl

#: Posts of an arm; what it does to ln(views); how far posts of an arm lie apart.
SIZES = (5, 10, 20, 40)
EFFECTS = (0.7, -0.7, 0.0, 0.0)
DEVIATION = 0.9
LOOKS = 30
#: The number of posts at which the verdict is told soonest was chosen on seeds from 100 on.
SEEDS = tuple(range(1, 21))
VERDICTS = {
    "our status": "status",
    "95% interval, fixed": "fixed",
    "chance to win of 95%": "chance",
}


@dataclass(frozen=True)
class Told:
    """How often verdicts were given at any look, of arms that are better, and of those not."""

    better: float
    worse: float
    wrong: float
    last_better: float


def drawn(
    seeds: Sequence[int] = SEEDS,
    looks: int = LOOKS,
    sizes: Sequence[int] = SIZES,
    effects: Sequence[float] = EFFECTS,
) -> pl.DataFrame:
    """A row per post that a look sees: seed, look, arm, size, effect, post, log_views.

    A look sees the posts of the looks before it and some more.
    """
    import numpy as np
    import polars as pl

    arms = [(size, effect) for size in sizes for effect in effects]
    rows = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        for arm, (size, effect) in enumerate(arms):
            values = random.normal(7 + effect, DEVIATION, size)
            for look in range(1, looks + 1):
                seen = -(-size * look // looks)
                rows += [(seed, look, arm, size, effect, p, float(values[p])) for p in range(seen)]
    schema = ["seed", "look", "arm", "size", "effect", "post", "log_views"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def lines(folder: Path) -> Iterator[Line]:
    """Wrong and right verdicts of each way to read one, over all looks."""
    read = by_the_models(folder, drawn())
    for name, column in VERDICTS.items():
        told = judged(read, column)
        ours = column == "status"
        yield Line(
            f"{name}: arms no better that ever led", told.wrong, unit="", ratio=told.wrong,
            limit=0.05 if ours else None,
            note=f"{len(SEEDS)} seeds, {LOOKS} looks; decided of the better ones "
            f"{told.better:.2f} (at the last look {told.last_better:.2f}), of the worse "
            f"{told.worse:.2f}",
        )  # fmt: skip
    for size in SIZES:
        told = judged(read.filter(read["size"] == size), "status")
        yield Line(
            f"arms of {size} posts: better ones that led", told.better, unit="",
            note=f"worse ones that lost {told.worse:.2f}, no better that led {told.wrong:.3f}",
        )  # fmt: skip


def judged(read: pl.DataFrame, column: str) -> Told:
    """What ``column`` (leading, losing or anything else) said at any look of each arm."""
    import polars as pl

    arms = read.group_by("seed", "arm", "effect").agg(
        led=pl.col(column).eq_missing("leading").any(),
        lost=pl.col(column).eq_missing("losing").any(),
        leads=pl.col(column).eq_missing("leading").sort_by("look").last(),
    )

    def share(arms: pl.DataFrame, name: str) -> float:
        return float(arms[name].cast(pl.Float64).mean() or 0)  # type: ignore[arg-type]

    better, worse = arms.filter(pl.col("effect") > 0), arms.filter(pl.col("effect") < 0)
    return Told(
        better=share(better, "led"),
        worse=share(worse, "lost"),
        wrong=share(arms.filter(pl.col("effect") <= 0), "led"),
        last_better=share(better, "leads"),
    )


def by_the_models(folder: Path, posts: pl.DataFrame) -> pl.DataFrame:
    """Land every look as a product, build experiment_results; one row per look and arm."""
    import duckdb
    import polars as pl

    home = folder / "home"
    landing = models.new_landing(home)
    now = datetime.now(UTC).replace(microsecond=0)
    published, seen_at = now - timedelta(days=30), now - timedelta(days=27)
    keyed = posts.with_columns(
        product=pl.format("product {} {}", "seed", "look"),
        experiment=pl.format("arm {} {} {}", "seed", "look", "arm"),
        name=pl.format("post {} {} {} {}", "seed", "look", "arm", "post"),
    )
    looks = keyed["product"].unique().sort().to_list()
    arms = keyed.unique("experiment").sort("experiment")
    keys = [models.key(name) for name in keyed["name"]]
    models.land(
        landing, "products", now - timedelta(days=40),
        product_id=[models.key(look) for look in looks], name=looks,
        source_platform=["simulated"] * len(looks),
    )  # fmt: skip
    models.land(
        landing, "experiments", now - timedelta(days=40),
        experiment_id=[models.key(arm) for arm in arms["experiment"]],
        product_id=[models.key(look) for look in arms["product"]],
    )  # fmt: skip
    models.land(
        landing, "published_posts", published,
        post_id=keys, experiment_id=[models.key(arm) for arm in keyed["experiment"]],
        platform=["tiktok"] * len(keys), external_post_id=keys,
        published_at=[published] * len(keys),
    )  # fmt: skip
    models.land(
        landing, "performance_metrics", seen_at,
        metric_id=[models.key(f"poll of {one}") for one in keys], post_id=keys,
        views=(keyed["log_views"].exp() - 1).round().cast(pl.Int64).to_list(),
        collected_at=[seen_at] * len(keys),
    )  # fmt: skip
    models.build(home, "+experiment_results")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.sql(
            "select experiment_id::varchar as experiment_id, status, chance_to_win, lift, lift_se"
            " from marts.experiment_results"
        ).to_arrow_table()
    told = with_other_verdicts(pl.DataFrame(found))
    named = arms.with_columns(
        experiment_id=pl.Series([models.key(arm) for arm in arms["experiment"]])
    )
    read = named.select("seed", "look", "arm", "size", "effect", "experiment_id").join(
        told, on="experiment_id"
    )
    assert len(read) == len(arms), "each arm of each look has a row"
    return read


def with_other_verdicts(told: pl.DataFrame) -> pl.DataFrame:
    """The verdicts that ours is compared with, from columns of experiment_results."""
    import polars as pl

    return told.with_columns(
        fixed=_verdict(
            pl.col("lift") - 1.96 * pl.col("lift_se") > 0,
            pl.col("lift") + 1.96 * pl.col("lift_se") < 0,
        ),
        chance=_verdict(pl.col("chance_to_win") >= 0.95, pl.col("chance_to_win") <= 0.05),
    )


def _verdict(leads: pl.Expr, loses: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(leads).then(pl.lit("leading")).when(loses).then(pl.lit("losing"))
