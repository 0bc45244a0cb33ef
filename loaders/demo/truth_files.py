"""The truth beside the world: Parquet files that tests hold the warehouse to.

truth_posts        each post's true level and engagement rate, growth and expected views
truth_effects      every effect: named ones, and those of products and patterns
truth_tags         planted trending hashtags
truth_gaps         days without collection, and the outage of the metrics collector
truth_products     each product's effects, the hook it does best with, the course of its popularity
truth_trials       arms of trials: experiments with many posts, and what each does to views
truth_operations   planted failures of agents, workflows and products
truth_similar      pairs of scripts with all but equal vectors
truth_dirt         per table and load: rows read, rejected, and by final verdict
truth_reasons      per table, verdict and reason: rows
truth.json         seed, sizes, times
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from loaders.demo import truth
from loaders.demo.catalogue_rows import external_ids, product_names
from loaders.demo.clock import DAY, HOUR, PLATFORMS, moment
from loaders.demo.frames import pick, times
from loaders.demo.growth import chunks, corrected_posts, outage, share_of_views
from loaders.demo.keys import Ints, uuid_or_null, uuids
from loaders.demo.memory import near_duplicates
from loaders.demo.operations import planted_failures, workflow_keys
from loaders.demo.trends import days_without_collection, planted_tags, product_direction
from loaders.demo.world import World

#: Every file of the truth.
FILES = (
    *(
        f"truth_{name}.parquet"
        for name in (
            "posts", "effects", "tags", "gaps", "products", "trials", "operations", "similar",
            "dirt", "reasons",
        )
    ),
    "truth.json",
)  # fmt: skip
VERDICTS = ("accepted", "duplicate", "superseded", "quarantined")


class Tally:
    """Counts what is landed, by resource, load, and the verdict it must end with."""

    def __init__(self) -> None:
        self.rows: Counter[tuple[str, int, str, str | None]] = Counter()
        self.rejected: Counter[tuple[str, int]] = Counter()

    def add(self, resource: str, frame: pl.DataFrame, batch: Ints) -> None:
        """Count the rows of a simulated frame; ``batch`` is the load of each row."""
        counted = (frame.select("_fate", "_reason").with_columns(batch=pl.Series(batch))).group_by(
            "batch", "_fate", "_reason"
        )
        for one, fate, reason, rows in counted.len().iter_rows():
            self.rows[resource, one, fate, reason] += rows

    def reject(self, resource: str, batch: int, rows: int) -> None:
        """Count records that cannot be typed."""
        self.rejected[resource, batch] += rows

    def dirt(self) -> pl.DataFrame:
        """One row per table and load: read, landed, rejected and rows by final verdict."""
        keys = sorted({key[:2] for key in self.rows} | set(self.rejected))
        rows = []
        for table, batch in keys:
            by = Counter[str]()
            for (name, one, fate, _), count in self.rows.items():
                if (name, one) == (table, batch):
                    by[fate] += count
            landed, rejected = by.total(), self.rejected[table, batch]
            verdicts = [by[verdict] for verdict in VERDICTS]
            rows.append((table, "demo", batch, landed + rejected, landed, rejected, *verdicts))
        schema = ["table_name", "source", "batch", "read", "landed", "rejected", *VERDICTS]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def reasons(self) -> pl.DataFrame:
        """Rows by table, final verdict and reason (null: an ordinary row)."""
        by = Counter[tuple[str, str, str | None]]()
        for (table, _, fate, reason), count in self.rows.items():
            by[table, fate, reason] += count
        rows = sorted(((*k, n) for k, n in by.items()), key=lambda r: (r[0], r[1], r[2] or ""))
        schema = {"table_name": pl.String, "verdict": pl.String, "reason": pl.String}
        return pl.DataFrame(rows, schema={**schema, "rows": pl.Int64}, orient="row")


def true_posts(world: World, posts: Ints) -> pl.DataFrame:
    """What is true of each post: nobody could read these numbers off the platforms."""
    catalogue, seed = world.catalogue, world.clock.seed
    platform = catalogue.post_platform[posts]
    experiment = catalogue.post_experiment[posts]
    script = catalogue.experiment_script[experiment]
    rate, final = catalogue.post_rate[posts], np.exp(catalogue.post_log_views[posts])
    half_life, steepness = catalogue.post_half_life[posts], catalogue.post_steepness[posts]
    published = catalogue.post_published[posts]
    expected = {
        f"expected_views_{hours}h": pl.Series(
            final * share_of_views(np.full(len(posts), float(hours)), half_life, steepness)
        )
        for hours in (1, 6, 24, 72, 168)
    }
    parts = {
        f"true_{name}_rate": pl.Series(rate * catalogue.post_split[posts, k])
        for k, name in enumerate(("like", "comment", "share"))
    }
    return pl.DataFrame(
        {
            "post_id": uuids(seed, "post", posts),
            "platform": pick(PLATFORMS, platform),
            "external_post_id": external_ids(world, posts),
            "product_id": uuids(seed, "product", catalogue.script_product[script]),
            "script_id": uuids(seed, "script", script),
            "pattern_id": uuid_or_null(seed, "pattern", catalogue.script_pattern[script]),
            "experiment_id": uuids(seed, "experiment", experiment),
            "published_at": times(published),
            "weekday": (published // DAY + 3) % 7 + 1,
            "hour": published // HOUR % 24,
            "true_engagement_rate": pl.Series(rate),
            **parts,
            "log_views": pl.Series(catalogue.post_log_views[posts]),
            "expected_log_views": pl.Series(catalogue.post_expected[posts]),
            "half_life_hours": pl.Series(half_life),
            "steepness": pl.Series(steepness),
            **expected,
            "corrected": pl.Series(corrected_posts(world, posts)),
        }
    )


def _effects(world: World) -> pl.DataFrame:
    catalogue, seed = world.catalogue, world.clock.seed
    parts = [truth.named_effects()]
    for kind, views, rates in (
        ("product", catalogue.product_views, catalogue.product_rate),
        ("pattern", catalogue.pattern_views, catalogue.pattern_rate),
    ):
        # A pattern's own effect; those of its tags and structure come on top.
        columns = {
            "kind": pl.Series([kind] * len(views)),
            "platform": pl.Series([None] * len(views), dtype=pl.String),
            "name": uuids(seed, kind, np.arange(len(views), dtype=np.int64)),
            "effect_log_views": pl.Series(views),
            "effect_log_rate": pl.Series(rates),
        }
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def _trials(world: World) -> pl.DataFrame:
    catalogue, seed = world.catalogue, world.clock.seed
    index = np.flatnonzero(catalogue.experiment_trial >= 0)
    return pl.DataFrame(
        {
            "experiment_id": uuids(seed, "experiment", index),
            "trial": pl.Series(catalogue.experiment_trial[index]),
            "effect_log_views": pl.Series(catalogue.experiment_views[index]),
        }
    )


def _tags(world: World) -> pl.DataFrame:
    start = world.clock.start
    return pl.DataFrame(
        [
            (
                tag.platform,
                tag.hashtag,
                tag.kind,
                moment(start + tag.start_day * DAY).date(),
                tag.base_share,
                tag.peak_share,
            )
            for tag in planted_tags(world.clock)
        ],
        schema=["platform", "hashtag", "kind", "start_day", "base_share", "peak_share"],
        orient="row",
    )


def _gaps(world: World) -> pl.DataFrame:
    start = world.clock.start
    rows = [
        ("no_trend_collection", platform, moment(start + d * DAY), moment(start + (d + 1) * DAY))
        for d, platform in days_without_collection(world.clock)
    ]
    down, up = outage(world.clock)
    rows.append(("no_metric_polls", None, moment(down), moment(up)))
    kinds = {"kind": pl.String, "platform": pl.String}
    spans = {name: pl.Datetime("us", "UTC") for name in ("since", "until")}
    return pl.DataFrame(rows, schema={**kinds, **spans}, orient="row")


def _products(world: World) -> pl.DataFrame:
    catalogue = world.catalogue
    index = np.arange(catalogue.products, dtype=np.int64)
    hooks = [effect.name for effect in truth.VARIABLES["hook_type"]]
    return pl.DataFrame(
        {
            "product_id": uuids(world.clock.seed, "product", index),
            "name": pl.Series(product_names(world)),
            "effect_log_views": pl.Series(catalogue.product_views),
            "effect_log_rate": pl.Series(catalogue.product_rate),
            "trend": pick(("down", "stable", "up"), product_direction(world) + 1),
            "favourite": pl.Series([*hooks, None]).gather(
                pl.Series(catalogue.product_favourite % (len(hooks) + 1)).cast(pl.UInt32)
            ),
            "stalled": pl.Series(index == catalogue.stalled_product),
        }
    )


def _operations(world: World) -> pl.DataFrame:
    planted = planted_failures(world)
    workflow = np.array([p.workflow for p in planted], dtype=np.int64)
    product = np.array([p.product for p in planted], dtype=np.int64)
    return pl.DataFrame(
        {
            "kind": [p.kind for p in planted],
            "agent_name": [p.agent_name for p in planted],
            "workflow_id": workflow_keys(world, workflow),
            "product_id": uuid_or_null(world.clock.seed, "product", product),
            "at": times(np.array([p.at for p in planted], dtype=np.int64)),
        }
    )


def _similar(world: World) -> pl.DataFrame:
    pairs = np.array(near_duplicates(world), dtype=np.int64)
    seed = world.clock.seed
    return pl.DataFrame(
        {
            "reference_id": uuids(seed, "script", pairs[:, 0]),
            "neighbour_id": uuids(seed, "script", pairs[:, 1]),
        }
    )


def write_truth(world: World, tally: Tally, folder: Path) -> None:
    """Write every truth file into a folder, replacing an earlier world's."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "truth_effects": _effects(world),
        "truth_tags": _tags(world),
        "truth_gaps": _gaps(world),
        "truth_products": _products(world),
        "truth_trials": _trials(world),
        "truth_operations": _operations(world),
        "truth_similar": _similar(world),
        "truth_dirt": tally.dirt(),
        "truth_reasons": tally.reasons(),
    }
    for name, frame in tables.items():
        frame.write_parquet(folder / f"{name}.parquet")
    writer: pq.ParquetWriter | None = None
    for posts in chunks(world):
        table = true_posts(world, posts).to_arrow(compat_level=pl.CompatLevel.oldest())
        if writer is None:
            writer = pq.ParquetWriter(folder / "truth_posts.parquet", table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    clock = world.clock
    facts = {
        "simulated": True,
        "seed": clock.seed,
        "posts": clock.posts,
        "days": clock.days,
        "polls_per_post": clock.polls_per_post,
        "start": moment(clock.start).isoformat(),
        "loads": [moment(at).isoformat() for at in clock.loads],
        "products": world.catalogue.products,
        "patterns": world.catalogue.patterns,
        "scripts": world.catalogue.scripts,
        "experiments": world.catalogue.experiments,
    }
    (folder / "truth.json").write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
