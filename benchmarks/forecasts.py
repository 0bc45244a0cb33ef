"""Forecasts on real posts: ours, as the models make them, beside three that everyone knows.

The news series: cumulative feedback on news items every 20 minutes for two days, on two
platforms. An item is a post, its feedback its views; 20 minutes count as 70, so that two
days are the week our ages cover. Items appear over sixteen weeks in the order of their
numbers, which decides only what is known when. The backtest of the models forecasts each
with what was known on the Monday before; the others are computed in NumPy for the same
items from the same earlier ones. Items without feedback at the earlier age are not
forecast, by anyone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.measure import Line, run_process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = Path(__file__).resolve().parent / "samples" / "news_popularity.parquet"
FILES = {"googleplus": "GooglePlus_Palestine.csv", "linkedin": "LinkedIn_Palestine.csv"}
SLICES = 144
SLICE = timedelta(minutes=70)
WEEKS = 16
#: A Monday; the series has no dates of its own. The build is as of two weeks after the last.
START = datetime(2020, 3, 2, tzinfo=UTC)
AS_OF = START + timedelta(weeks=WEEKS + 2)
PAIRS = ((24, 72), (24, 168), (72, 168))
METHODS = ("ours", "constant scaling", "log-normal", "naive")
#: Below this many, what a share more or less makes of an item drowns everything.
FLOORS = (0, 5)
Z80 = 1.2815515655446004


def lines(folder: Path, data: Path | None = None) -> Iterator[Line]:
    """A line per pair of ages, method and least feedback, both platforms together."""
    items = read(data)
    scored = by_the_models(folder, items)
    for from_hours, target_hours in PAIRS:
        rows = scored.filter(from_hours=from_hours, target_hours=target_hours)
        for floor in FLOORS:
            kept = rows.filter(rows["from_views"] >= floor)
            found = {method: score(kept, method) for method in METHODS}
            peer = found["constant scaling"]["mrse"]
            for method, values in found.items():
                ours = method == "ours"
                yield Line(
                    f"{from_hours}->{target_hours}, {method}"
                    + (f", from {floor}" if floor else ""),
                    values["mrse"], peer, "",
                    ratio=values["mrse"] / peer if ours else None,
                    limit=1.0 if ours else None,
                    note=f"n {values['n']:.0f}, mrse {values['mrse']:.4f}, "
                    f"median APE {values['median_ape']:.3f}, Spearman {values['spearman']:.3f}, "
                    f"coverage80 {values['coverage80']:.3f}, width {values['width']:.2f}",
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


def by_the_models(folder: Path, items: pl.DataFrame) -> pl.DataFrame:
    """Land items as posts and counts as polls, build the backtest, add the peers to it."""
    import duckdb
    import polars as pl

    from loaders.landing import Landing

    home = folder / "home"
    landing = Landing(str(home / "landing"))
    landing.prepare()
    numbers = items["item"].unique().sort()
    step = timedelta(weeks=WEEKS) / len(numbers)
    published = pl.DataFrame(
        {"item": numbers, "published_at": [START + step * place for place in range(len(numbers))]}
    )
    posts = items.join(published, on="item", maintain_order="left").with_columns(
        post_id=pl.struct("platform", "item").map_elements(
            lambda one: _key(f"{one['platform']}{one['item']}"), return_dtype=pl.String
        )
    )
    parents = [_key("news")]
    _land(
        landing, "products", START,
        product_id=parents, name=["News"], source_platform=["news"],
    )  # fmt: skip
    _land(landing, "experiments", START, experiment_id=parents, product_id=parents)
    _land(
        landing, "published_posts", posts["published_at"].to_list(),
        post_id=posts["post_id"].to_list(), experiment_id=parents * len(posts),
        platform=posts["platform"].to_list(), external_post_id=posts["post_id"].to_list(),
        published_at=posts["published_at"].to_list(),
    )  # fmt: skip
    polls = (
        posts.select("post_id", "published_at", "counts")
        .with_columns(slice=pl.lit(list(range(1, SLICES + 1))))
        .explode("counts", "slice")
        .drop_nulls("counts")
        .with_columns(collected_at=pl.col("published_at") + pl.col("slice") * SLICE)
    )
    _land(
        landing, "performance_metrics", polls["collected_at"].to_list(),
        metric_id=[_key(f"{one}|{at}") for one, at in polls.select("post_id", "slice").rows()],
        post_id=polls["post_id"].to_list(), views=polls["counts"].to_list(),
        collected_at=polls["collected_at"].to_list(),
    )  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    run_process(
        [
            sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build",
            "--select", "+forecast_accuracy", "--exclude-resource-type", "test", "unit_test",
            "--profiles-dir", "profiles", "--target", "duckdb",
            "--vars", json.dumps({"as_of": AS_OF.isoformat()}),
            "--target-path", str(folder / "dbt"), "--log-path", str(folder / "dbt"),
        ],
        kept | {"ACE_HOME": str(home), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        ROOT,
    )  # fmt: skip
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        examples = connection.sql(
            "select * replace (post_id::varchar as post_id) "
            "from intermediate.int_forecast_examples where is_example"
        ).to_arrow_table()
        ours = connection.sql(
            "select post_id::varchar as post_id, from_hours, target_hours, predicted, lo80, hi80, "
            "naive from intermediate.int_forecasts where not is_pending and predicted is not null"
        ).to_arrow_table()
    return with_peers(pl.DataFrame(examples), pl.DataFrame(ours))


def with_peers(examples: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """Our forecasts and those of the peers for the same items, learned from the same ones."""
    import numpy as np
    import polars as pl

    rows = examples.join(ours, on=["post_id", "from_hours", "target_hours"], how="inner")
    found: list[pl.DataFrame] = []
    groups = rows.group_by("platform", "from_hours", "target_hours", "fit_at")
    for (platform, from_hours, target_hours, fit_at), group in groups:
        known = examples.filter(
            pl.col("platform") == platform,
            pl.col("from_hours") == from_hours,
            pl.col("target_hours") == target_hours,
            pl.col("target_known_at") <= fit_at,
        )
        grown = (known["target_views"] / known["from_views"]).to_numpy()
        start = group["from_views"].to_numpy()
        logs = np.log(grown)
        mean, deviation = logs.mean(), logs.std(ddof=1)
        low, high = np.quantile(grown, [0.1, 0.9])
        few, many = np.quantile(known["target_views"].to_numpy(), [0.1, 0.9])
        found.append(
            group.rename({"predicted": "ours", "lo80": "ours_lo", "hi80": "ours_hi"}).with_columns(
                pl.Series("constant scaling", start * (1 / grown).sum() / (1 / grown**2).sum()),
                pl.Series("constant scaling_lo", start * low),
                pl.Series("constant scaling_hi", start * high),
                pl.Series("log-normal", start * np.exp(mean + deviation**2 / 2)),
                pl.Series("log-normal_lo", start * np.exp(mean - Z80 * deviation)),
                pl.Series("log-normal_hi", start * np.exp(mean + Z80 * deviation)),
                pl.lit(few).alias("naive_lo"),
                pl.lit(many).alias("naive_hi"),
            )
        )
    return pl.concat(found)


def score(rows: pl.DataFrame, method: str) -> dict[str, float]:
    """Relative errors, rank correlation, and how often and how wide the 80% interval is."""
    import numpy as np
    from scipy import stats

    actual = rows["target_views"].to_numpy()
    predicted = rows[method].to_numpy()
    low, high = rows[f"{method}_lo"].to_numpy(), rows[f"{method}_hi"].to_numpy()
    miss = predicted / actual - 1
    inside = (actual >= low * (1 - 1e-9)) & (actual <= high * (1 + 1e-9))
    return {
        "n": float(len(rows)),
        "mrse": float(np.mean(miss**2)),
        "median_ape": float(np.median(np.abs(miss))),
        "spearman": float(stats.spearmanr(predicted, actual)[0]),
        "coverage80": float(np.mean(inside)),
        "width": float(np.median(high / np.maximum(low, 0.5))),
    }


def _key(text: str) -> str:
    return str(UUID(md5(text.encode()).hexdigest()))


def _land(
    landing: Any, resource: str, known_at: datetime | list[datetime], **columns: list[Any]
) -> None:
    import polars as pl

    from loaders.schema import RESOURCES

    rows = len(next(iter(columns.values())))
    times = known_at if isinstance(known_at, list) else [known_at] * rows
    frame = pl.DataFrame(
        {one.name: columns.get(one.name, [None] * rows) for one in RESOURCES[resource]},
        schema={one.name: one.polars for one in RESOURCES[resource]},
    ).with_columns(pl.Series("_extracted_at", times, dtype=pl.Datetime("us", "UTC")))
    with landing.open_load("files", resource) as writer:
        writer.write(frame)
        writer.commit()
