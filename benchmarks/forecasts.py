"""Forecasts on real and simulated posts: ours, as the models make them, beside three rules.

News: cumulative feedback on news items every 20 minutes for two days, on two platforms. An item
is a post, its feedback its views; 20 minutes count as 70, so that two days are the week our ages
cover; it is polled as collectors do, often at first and daily in the end. Items appear over
sixteen weeks in the order of their numbers, which decides only what is known when.
Trending: views of YouTube's trending videos day by day. When they were published is not in the
file: they count as 4 to 36 hours old on their first day.
Demo: simulated worlds; the method was chosen on seed 7.

The backtest of the models forecasts each post from a poll with what was known on the Monday
before. The rules are worked out in NumPy for the same posts from the same earlier ones: constant
scaling (from matured posts' counts interpolated at the very age of the poll), the count there
was, and the account's median. Posts without views by then have lines of their own, in
logarithms of one view more: no rule grows anything from nothing, and relative errors of those
that get none do not exist. Beside ours are none and the mean of earlier posts without views at
that age.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Floats = npt.NDArray[np.float64]

SAMPLE = Path(__file__).resolve().parent / "samples" / "news_popularity.parquet"
FILES = {"googleplus": "GooglePlus_Palestine.csv", "linkedin": "LinkedIn_Palestine.csv"}
SLICES = 144
SLICE = timedelta(minutes=70)
WEEKS = 16
#: A Monday; the series has no dates of its own.
START = datetime(2020, 3, 2, tzinfo=UTC)
#: Ages in hours at which a news item is polled.
POLLED = (1.2, 3, 6, 9, 12, 18, 24, 36, 48, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168)
#: The first seed is the one the method was chosen on.
SEEDS = (7, 11)
DEMO_POSTS = 3000
RULES = ("scaled", "last", "median")
#: So much less than by constant scaling the error is to be.
LIMIT = 0.9
#: There the mean is what one can know, apart from the age and how it is shrunk.
LIMIT_OF_UNSEEN = 1.1
#: Fewer forecasts than this say nothing of a method.
LEAST = 50
#: The age up to which a poll counts as one from an age.
NEXT = {1: 6, 6: 24, 24: 72, 72: 168}


def lines(folder: Path, data: Path | None = None) -> Iterator[Line]:
    """A line per world, age of the poll and target, all platforms together."""
    import polars as pl

    worlds: dict[str, Callable[[Path], datetime | None]] = {
        "news": lambda home: _land_posts(home, news(data)),
        "trending": lambda home: _land_posts(home, trending()),
        **{
            f"demo {seed}": partial(models.land_demo, posts=DEMO_POSTS, seed=seed) for seed in SEEDS
        },
    }
    last = pl.col("last")
    for name, land in worlds.items():
        home = folder / name.replace(" ", "-")
        scored, share = by_the_models(home, land(home))
        yield Line(
            f"{name}: forecasts of what is ahead", share, None, "",
            ratio=share, sense=">=", limit=0.95,
            note="with a poll at 1 hour or older, of each age ahead that 50 have reached",
        )  # fmt: skip
        for (start, target), rows in scored.sort("from_hours", "target_hours").group_by(
            "from_hours", "target_hours", maintain_order=True
        ):
            what = f"{name}: {start}-{NEXT[start]} h to {target} h"
            seen, unseen = rows.filter(last > 0), rows.filter(last == 0)
            if len(seen) >= LEAST:
                yield _line(what, seen)
            if len(unseen) >= LEAST:
                yield _line_of_unseen(f"{what}, no views", unseen)


def _line(name: str, rows: pl.DataFrame) -> Line:
    """Mean squared relative error of ours beside that of constant scaling; the rest in the note."""
    import numpy as np

    actual = rows["target_views"].to_numpy()
    missed = {one: rows[one].to_numpy() / actual - 1 for one in ("ours", *RULES)}
    mrse = {one: float(np.mean(miss**2)) for one, miss in missed.items()}
    inside = (actual >= rows["lo80"].to_numpy() * (1 - 1e-9)) & (
        actual <= rows["hi80"].to_numpy() * (1 + 1e-9)
    )
    figures = ", ".join(
        f"{one} {mrse[one]:.4f}/{np.median(np.abs(miss)):.3f}" for one, miss in missed.items()
    )
    return Line(
        name, mrse["ours"], mrse["scaled"], "",
        ratio=mrse["ours"] / mrse["scaled"], limit=LIMIT,
        note=f"n {len(rows)}, mrse/median APE: {figures}, coverage80 {np.mean(inside):.3f}",
    )  # fmt: skip


def _line_of_unseen(name: str, rows: pl.DataFrame) -> Line:
    """Mean squared error of ln(1 + views) of ours beside that of earlier posts' mean."""
    import numpy as np

    actual = rows["target_views"].to_numpy()
    mean, none = (
        float(np.mean((np.log1p(rows[one].to_numpy()) - np.log1p(actual)) ** 2))
        for one in ("unseen", "last")
    )
    ours = float(np.mean((np.log1p(rows["ours"].to_numpy()) - np.log1p(actual)) ** 2))
    inside = np.mean((actual >= rows["lo80"].to_numpy()) & (actual <= rows["hi80"].to_numpy()))
    return Line(
        name, ours, mean, "", ratio=ours / mean, limit=LIMIT_OF_UNSEEN,
        note=f"n {len(rows)}, msle of none {none:.4f}, still none {np.mean(actual == 0):.2f}, "
        f"coverage80 {inside:.3f}",
    )  # fmt: skip


def read(data: Path | None = None) -> pl.DataFrame:
    """platform, item and its counts by slice, null before it was observed; from 4 slices on."""
    import polars as pl

    if data is None:
        return pl.read_parquet(SAMPLE)
    counts = [f"TS{number}" for number in range(1, SLICES + 1)]
    frames = [
        pl.read_csv(data / name, infer_schema_length=None).select(
            pl.lit(platform).alias("platform"),
            pl.col("IDLink").alias("item"),
            pl.concat_list(
                pl.when(pl.col(name) >= 0).then(pl.col(name)).cast(pl.Int32) for name in counts
            ).alias("counts"),
        )
        for platform, name in FILES.items()
    ]
    return pl.concat(frames).sort("platform", "item")


def news(data: Path | None = None) -> pl.DataFrame:
    """platform, item, published_at, collected_at, views of the news items."""
    import polars as pl

    items = read(data)
    numbers = items["item"].unique().sort()
    step = timedelta(weeks=WEEKS) / len(numbers)
    published = pl.DataFrame(
        {"item": numbers, "published_at": [START + step * place for place in range(len(numbers))]}
    )
    polled = sorted({round(age * timedelta(hours=1) / SLICE) for age in POLLED})
    return (
        items.join(published, on="item", maintain_order="left")
        .with_columns(slice=pl.lit(list(range(1, SLICES + 1))))
        .explode("counts", "slice")
        .filter(pl.col("slice").is_in(polled))
        .drop_nulls("counts")
        .select(
            "platform",
            pl.col("item").cast(pl.String),
            "published_at",
            collected_at=pl.col("published_at") + pl.col("slice") * SLICE,
            views=pl.col("counts"),
        )
    )


def trending() -> pl.DataFrame:
    """The same of the trending videos, once a day."""
    import polars as pl

    from loaders.demo.real import real_videos

    rows = (
        real_videos()
        .select(item="external_id", collected_at="collected_at", views="view_count")
        .drop_nulls()
        .unique(["item", "collected_at"])
    )
    first = rows.group_by("item").agg(first=pl.col("collected_at").min())
    ages = [timedelta(hours=4 + 32 * int(models.key(one)[:4], 16) / 65536) for one in first["item"]]
    published = first.with_columns(published_at=pl.col("first") - pl.Series(ages))
    return rows.join(published, on="item").select(
        pl.lit("youtube").alias("platform"), "item", "published_at", "collected_at", "views"
    )


def _land_posts(home: Path, polls: pl.DataFrame) -> datetime:
    """Land items as posts and counts as polls. The build is as of when the last appears, so that
    outcomes are ahead of some."""
    import polars as pl

    landing = models.new_landing(home)
    polls = polls.with_columns(
        post_id=pl.Series(
            [models.key(f"{one}{item}") for one, item in polls.select("platform", "item").rows()]
        )
    )
    posts = polls.unique("post_id", maintain_order=True)
    start = min(posts["published_at"].to_list()) - timedelta(days=1)
    parents = [models.key("benchmark")]
    models.land(
        landing, "products", start,
        product_id=parents, name=["Items"], source_platform=["benchmark"],
    )  # fmt: skip
    models.land(landing, "experiments", start, experiment_id=parents, product_id=parents)
    models.land(
        landing, "published_posts", posts["published_at"].to_list(),
        post_id=posts["post_id"].to_list(), experiment_id=parents * len(posts),
        platform=posts["platform"].to_list(), external_post_id=posts["post_id"].to_list(),
        published_at=posts["published_at"].to_list(),
    )  # fmt: skip
    models.land(
        landing, "performance_metrics", polls["collected_at"].to_list(),
        metric_id=[
            models.key(f"{one}|{at}") for one, at in polls.select("post_id", "collected_at").rows()
        ],
        post_id=polls["post_id"].to_list(), views=polls["views"].to_list(),
        collected_at=polls["collected_at"].to_list(),
    )  # fmt: skip
    last: datetime = max(posts["published_at"].to_list())
    return last + timedelta(days=1)


def by_the_models(home: Path, as_of: datetime | None) -> tuple[pl.DataFrame, float]:
    """Build what landed: the backtest with the rules beside it, and the share of what is
    ahead of posts with a poll at 1 hour or older that has a forecast, of ages with any."""
    import duckdb
    import polars as pl

    variables = {"as_of": as_of.isoformat() if as_of else None}
    models.build(home, "+forecast_accuracy", "+post_forecasts", variables=variables)

    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        forecasts, polls, outcomes = (
            pl.DataFrame(connection.sql(query).to_arrow_table())
            for query in (
                "select post_id::varchar as post_id, platform, from_hours, target_hours, fit_at, "
                "from_age_hours, from_views as last, target_views, predicted as ours, lo80, hi80 "
                "from intermediate.int_forecasts where not is_pending and predicted is not null",
                "select post_id::varchar as post_id, list(age_hours order by age_hours) as ages, "
                "list(views_mono order by age_hours) as views, coalesce(max(age_hours) "
                "filter (where views_mono = 0), 0) as unseen_until from marts.post_metric_history "
                "where views is not null and age_hours > 0 group by post_id",
                "select ages.post_id::varchar as post_id, posts.platform, "
                "horizon_hours as target_hours, views as outcome, ages.known_at "
                "from marts.post_age_metrics as ages "
                "inner join intermediate.accepted_published_posts as posts "
                "on ages.post_id = posts.post_id where views is not null and not crosses_break",
            )
        )
        (share,) = connection.execute(
            "select avg(case when forecasts.predicted is null then 0 else 1 end) from ("
            "select post_id, max(age_hours) as age_hours from marts.post_metric_history "
            "where views is not null group by post_id having max(age_hours) >= 1) as posts "
            "inner join (select distinct target_hours from marts.post_forecasts "
            "where predicted is not null) as targets on posts.age_hours < targets.target_hours "
            "left join marts.post_forecasts as forecasts on posts.post_id = forecasts.post_id "
            "and targets.target_hours = forecasts.target_hours"
        ).fetchone() or [0.0]
    return with_rules(forecasts, outcomes.join(polls, on="post_id")), float(share)


def with_rules(forecasts: pl.DataFrame, matured: pl.DataFrame) -> pl.DataFrame:
    """Our forecasts and those of the rules for the same posts, learned from the same earlier
    ones: what was known on the Monday before."""
    import numpy as np
    import polars as pl

    found: list[pl.DataFrame] = []
    groups = forecasts.group_by("platform", "target_hours", "fit_at")
    for (platform, target_hours, fit_at), group in groups:
        known = matured.filter(
            pl.col("platform") == platform,
            pl.col("target_hours") == target_hours,
            pl.col("known_at") <= fit_at,
        )
        ages = group["from_age_hours"].to_numpy()
        seen = known.filter(pl.col("outcome") > 0)
        reached = np.array(
            [
                _count_at(ages, np.array(row["ages"]), np.array(row["views"])) / row["outcome"]
                for row in seen.iter_rows(named=True)
            ]
        )
        alpha = reached.sum(axis=0) / (reached**2).sum(axis=0)
        unseen = known["unseen_until"].to_numpy()[:, None] >= ages
        logs = np.log1p(known["outcome"].to_numpy())[:, None]
        grown = (unseen * logs).sum(axis=0) / np.maximum(unseen.sum(axis=0), 1)
        found.append(
            group.with_columns(
                pl.Series("scaled", group["last"].to_numpy() * alpha),
                pl.Series("unseen", np.expm1(grown)),
                pl.lit(seen["outcome"].median()).alias("median"),
            )
        )
    return pl.concat(found)


def _count_at(at: Floats, ages: Floats, counts: Floats) -> Floats:
    """Counts at other ages than those of the polls: log-log, linear from nothing; 0 before it."""
    import numpy as np

    seen = counts > 0
    ages, counts = ages[seen], counts[seen]
    between = np.exp(np.interp(np.log(at), np.log(ages), np.log(counts)))
    return np.where(at < ages[0], counts[0] * at / ages[0], between)
