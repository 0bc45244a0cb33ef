"""The simulated world: repeatable, labelled, and with the truth it claims to have."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from common.errors import UsageError
from loaders.demo import World, simulate
from loaders.demo.clock import moment
from loaders.demo.keys import uuids
from loaders.demo.operations import STORM_RETRIES, planted_failures, workflow_keys
from loaders.demo.resources import rows as all_rows
from loaders.demo.trends import days_without_collection, planted_tags
from loaders.demo.truth import POST_HASHTAGS, STYLES, VARIABLES
from loaders.demo.truth_files import true_posts
from loaders.schema import ALL_RESOURCES, RESOURCES


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(posts=300)


@pytest.fixture(scope="module")
def big() -> World:
    return simulate(posts=12_000, polls_per_post=8)


def final_counts(world: World) -> pl.DataFrame:
    """Last accepted poll of each post beside its truth."""
    polls = all_rows(world, "performance_metrics").filter(pl.col("_fate") == "accepted")
    names = {"views": "view_count", "likes": "like_count", "comments": "comment_count"}
    names["shares"] = "share_count"
    polls = polls.with_columns(pl.coalesce(a, b).alias(a) for a, b in names.items())
    last = polls.drop_nulls(["post_id", "views", "likes"]).sort("collected_at")
    last = last.group_by("post_id").last().drop("platform", "external_post_id")
    engagements = pl.col("likes") + pl.col("comments") + pl.col("shares").fill_null(0)
    truth = true_posts(world, np.arange(world.clock.posts, dtype=np.int64))
    return last.with_columns(engagements=engagements).join(truth, on="post_id")


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(world: World) -> None:
    again, other = simulate(posts=300), simulate(posts=300, seed=8)
    for resource in ALL_RESOURCES:
        rows = all_rows(world, resource)
        assert rows.equals(all_rows(again, resource)), resource
        assert not rows.equals(all_rows(other, resource)), resource


def test_default_month_is_fixed_and_ends_in_october() -> None:
    clock = simulate(posts=20).clock
    assert moment(clock.start) == datetime(2026, 10, 2, tzinfo=UTC)
    assert moment(clock.end).date().isoformat() == "2026-10-31"
    assert list(clock.loads) == sorted(clock.loads)
    moved = simulate(posts=20, days=3, start=datetime(2026, 1, 1, tzinfo=UTC))
    assert moment(moved.clock.end).date().isoformat() == "2026-01-03"


@pytest.mark.parametrize("size", [{"posts": 1}, {"days": 0}, {"loads": 0}, {"polls_per_post": 1}])
def test_impossible_sizes_are_refused(size: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="is not between"):
        simulate(**size)  # type: ignore[arg-type]


def test_everything_is_known_within_the_month_and_not_before_it_was_observed(
    world: World,
) -> None:
    for resource in ALL_RESOURCES:
        known = all_rows(world, resource)["_extracted_at"]
        assert known.null_count() == 0
        assert known.max() <= moment(world.clock.end)  # type: ignore[operator]
    polls = all_rows(world, "performance_metrics").filter(pl.col("_fate") != "quarantined")
    assert (polls["_extracted_at"] >= polls["collected_at"]).drop_nulls().all()


def test_products_say_that_they_are_simulated(world: World) -> None:
    products = all_rows(world, "products").drop_nulls("name")
    assert products["name"].str.ends_with("(simulated)").all()
    assert products["meta"].str.contains('"simulated":true', literal=True).all()


def test_keys_are_unique_uuids(world: World) -> None:
    for resource, columns in RESOURCES.items():
        rows = all_rows(world, resource).filter(pl.col("_fate") == "accepted")
        keys = rows[columns[0].name].drop_nulls()
        assert keys.n_unique() == len(keys), resource
        assert str(uuid.UUID(keys[0])) == keys[0]
    assert uuids(1, "a", np.arange(3)).to_list() != uuids(1, "b", np.arange(3)).to_list()


def test_children_have_parents(world: World) -> None:
    """Every accepted row refers to accepted rows only."""
    kept = {r: all_rows(world, r).filter(pl.col("_fate") == "accepted") for r in ALL_RESOURCES}
    links = [
        ("creative_patterns", "product_id", "products", "product_id"),
        ("scripts", "product_id", "products", "product_id"),
        ("scripts", "creative_pattern_id", "creative_patterns", "pattern_id"),
        ("video_assets", "script_id", "scripts", "script_id"),
        ("experiments", "script_id", "scripts", "script_id"),
        ("experiments", "asset_id", "video_assets", "asset_id"),
        ("published_posts", "experiment_id", "experiments", "experiment_id"),
        ("performance_metrics", "post_id", "published_posts", "post_id"),
        ("trend_snapshots", "product_id", "products", "product_id"),
    ]
    for child, column, parent, key in links:
        given = kept[child][column].drop_nulls()
        assert len(given) > 0
        assert given.is_in(kept[parent][key].implode()).all(), (child, column)


def test_quarantined_orphans_have_no_parent(world: World) -> None:
    orphans = all_rows(world, "performance_metrics").filter(pl.col("_reason") == "missing_parent")
    posts = all_rows(world, "published_posts").filter(pl.col("_fate") == "accepted")
    assert len(orphans) > 0
    assert not orphans["post_id"].drop_nulls().is_in(posts["post_id"].implode()).any()
    assert orphans["post_id"].null_count() > 0  # by external id


def test_some_parents_land_after_their_children(world: World) -> None:
    posts = all_rows(world, "published_posts").filter(pl.col("_fate") == "accepted")
    polls = all_rows(world, "performance_metrics").filter(pl.col("_fate") == "accepted")
    first = polls.group_by("post_id").agg(pl.col("_extracted_at").min().alias("first"))
    late = posts.join(first, on="post_id").filter(pl.col("first") < pl.col("_extracted_at"))
    batch = world.clock.batch(late["_extracted_at"].to_physical().to_numpy())
    assert (batch > world.clock.batch(late["first"].to_physical().to_numpy())).any()


def test_counts_grow_but_for_jitter_and_the_corrections_the_truth_names(world: World) -> None:
    polls = all_rows(world, "performance_metrics").filter(pl.col("_fate") == "accepted")
    polls = polls.with_columns(pl.coalesce("views", "view_count").alias("views"))
    polls = polls.drop_nulls(["post_id", "views"]).sort("post_id", "collected_at")
    before = pl.col("views").shift().over("post_id")
    drops = polls.with_columns(drop=1 - pl.col("views") / before).filter(
        (pl.col("drop") > 0) & pl.col("drop").is_finite()
    )
    truth = true_posts(world, np.arange(300, dtype=np.int64))
    corrected = set(truth.filter("corrected")["post_id"])
    large = drops.filter(pl.col("drop") > 0.01)
    assert 0 < large.height < drops.height
    assert set(large["post_id"]) <= corrected
    assert (large["drop"] > 0.09).all()


def test_youtube_tells_no_shares_and_unknown_is_not_zero(world: World) -> None:
    polls = all_rows(world, "performance_metrics").filter(pl.col("_fate") == "accepted")
    truth = true_posts(world, np.arange(300, dtype=np.int64)).select("post_id", kind="platform")
    known = (
        polls.drop_nulls("collected_at")
        .join(truth, on="post_id")
        .with_columns(shares=pl.coalesce("shares", "share_count"))
    )
    assert (
        known.filter(pl.col("kind") == "youtube")["shares"].null_count()
        == known.filter(pl.col("kind") == "youtube").height
    )
    assert known.filter(pl.col("kind") == "tiktok")["shares"].null_count() == 0


def test_observed_rates_follow_the_true_rates(big: World) -> None:
    seen = final_counts(big).filter(pl.col("views") >= 1000)
    ranks = seen.select(
        pl.corr(pl.col("engagements") / pl.col("views"), "true_engagement_rate", method="spearman")
    ).item()
    assert ranks > 0.95
    bias = seen.select(
        (pl.col("engagements") / pl.col("views") / pl.col("true_engagement_rate")).mean()
    ).item()
    assert bias == pytest.approx(1, abs=0.01)


def test_views_follow_the_stated_growth_curve(big: World) -> None:
    polls = all_rows(big, "performance_metrics").filter(pl.col("_fate") == "accepted")
    polls = polls.with_columns(pl.coalesce("views", "view_count").alias("views"))
    truth = true_posts(big, np.arange(big.clock.posts, dtype=np.int64)).filter(~pl.col("corrected"))
    seen = polls.drop_nulls("views").join(truth.drop("platform"), on="post_id")
    age = (pl.col("collected_at") - pl.col("published_at")).dt.total_seconds() / 3600
    share = 1 / (1 + (pl.col("half_life_hours") / age) ** pl.col("steepness"))
    ratio = seen.filter(age > 20).select(
        pl.col("views").sum() / (pl.col("log_views").exp() * share).sum()
    )
    assert ratio.item() == pytest.approx(1, abs=0.01)


def design(big: World, seen: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    """0/1 columns of style tags, variables and hashtags for an oracle regression."""
    catalogue = big.catalogue
    order = pl.DataFrame({"post_id": uuids(7, "post", np.arange(12_000)), "n": range(12_000)})
    post = seen.select("post_id").join(order, on="post_id", how="left", maintain_order="left")["n"]
    script = catalogue.experiment_script[catalogue.post_experiment[post.to_numpy()]]
    pattern = catalogue.script_pattern[script]
    columns, names = [np.ones(len(script))], ["one"]
    for number, platform in enumerate(("tiktok", "youtube")):
        columns.append((catalogue.post_platform[post.to_numpy()] == number).astype(float))
        names.append(platform)
    for number, style in enumerate(STYLES):
        has = (catalogue.pattern_styles[pattern] == number).any(axis=1) & (pattern >= 0)
        columns.append(has.astype(float))
        names.append(style.name)
    for at, (key, levels) in enumerate(VARIABLES.items()):
        for number, level in enumerate(levels[:-1]):
            columns.append((catalogue.script_variables[script, at] == number).astype(float))
            names.append(f"{key}={level.name}")
    for number, tag in enumerate(POST_HASHTAGS[:6]):
        has = (catalogue.post_tags[post.to_numpy()] == number).any(axis=1)
        columns.append(has.astype(float))
        names.append(tag.name)
    return np.stack(columns, axis=1), names


def test_an_oracle_regression_recovers_the_effects(big: World) -> None:
    seen = final_counts(big).filter(
        (pl.col("collected_at") - pl.col("published_at")).dt.total_hours() > 100
    )
    matrix, names = design(big, seen)
    assert matrix.shape[0] > 5_000
    views = np.log(seen["views"].to_numpy() + 1.0)
    found = dict(zip(names, np.linalg.lstsq(matrix, views, rcond=None)[0], strict=True))
    assert found["giveaway"] == pytest.approx(0.10, abs=0.12)
    assert found["ad"] == pytest.approx(-0.35, abs=0.12)
    assert found["tiktokmademebuyit"] == pytest.approx(0.30, abs=0.12)
    assert found["pacing=fast"] == pytest.approx(0.25, abs=0.12)  # against slow
    assert found["fast_cuts"] - found["asmr"] > 0.4
    rate = np.log((seen["engagements"] + 0.5).to_numpy() / (seen["views"] + 1).to_numpy())
    found = dict(zip(names, np.linalg.lstsq(matrix, rate, rcond=None)[0], strict=True))
    assert found["giveaway"] == pytest.approx(0.30, abs=0.06)
    assert found["ad"] == pytest.approx(-0.25, abs=0.06)


def test_planted_hashtags_run_their_course(world: World) -> None:
    rows = all_rows(world, "raw_videos").filter(pl.col("_fate") == "accepted")
    tags = pl.when(pl.col("hashtags").list.len() > 0).then("hashtags").otherwise("caption_hashtags")
    rows = rows.with_columns(
        tag=tags, platform=pl.col("platform").str.strip_chars().str.to_lowercase()
    )
    seen = rows.explode("tag").with_columns(day=pl.col("collected_at").dt.date())
    start = moment(world.clock.start).date()
    for planted in planted_tags(world.clock):
        own = seen.filter(
            (pl.col("tag") == planted.hashtag) & (pl.col("platform") == planted.platform)
        )
        day = (own["day"] - start).dt.total_days()
        if planted.kind == "breakout":
            quiet, loud = (day < planted.start_day).sum(), (day >= planted.start_day).sum()
            assert loud >= 5 * max(quiet, 1), planted
            if planted.base_share == 0:
                assert quiet == 0
        elif planted.kind == "slow_riser":
            assert float((day > 20).sum()) > 1.5 * float((day < 10).sum()), planted
        assert own.height > 10


def test_days_without_collection_have_no_rows(world: World) -> None:
    plain = all_rows(world, "raw_videos").filter(pl.col("_reason").is_null())
    start = moment(world.clock.start).date()
    days = set((plain["collected_at"].dt.date() - start).dt.total_days())
    gaps = [day for day, platform in days_without_collection(world.clock) if platform is None]
    assert len(gaps) == 3
    assert not days & set(gaps)
    assert len(days) == world.clock.days - len(gaps)


def test_planted_failures_are_there(world: World) -> None:
    events = all_rows(world, "system_events").filter(pl.col("_fate") == "accepted")
    planted = {p.kind: p for p in planted_failures(world)}

    def of(kind: str) -> pl.DataFrame:
        key = workflow_keys(world, np.array([planted[kind].workflow]))[0]
        return events.filter(pl.col("workflow_id") == key).sort("created_at")

    assert of("stuck_workflow")["event_type"].to_list()[-1] == "video.render.start"
    assert (of("retry_storm")["event_type"] == "publish.retry").sum() == STORM_RETRIES
    kinds = of("success_without_start")["event_type"].to_list()
    assert "video.render.success" in kinds
    assert "video.render.start" not in kinds
    silent = planted["silent_agent"]
    last = events.filter(pl.col("agent_name") == silent.agent_name)["created_at"].max()
    assert last <= moment(silent.at + 180_000_000)  # type: ignore[operator]
    product = uuids(7, "product", np.array([planted["stalled_product"].product]))[0]
    assert (all_rows(world, "scripts")["product_id"] == product).sum() == 3
    assert (all_rows(world, "video_assets")["product_id"] == product).sum() == 0


def test_no_other_workflow_is_left_open(world: World) -> None:
    events = all_rows(world, "system_events").filter(pl.col("_fate") == "accepted")
    runs = events.drop_nulls("workflow_id").group_by("workflow_id").agg("event_type")
    ended = pl.col("event_type").list.contains("workflow.end")
    ended |= pl.col("event_type").list.contains("workflow.abort")
    stuck = next(p for p in planted_failures(world) if p.kind == "stuck_workflow")
    key = workflow_keys(world, np.array([stuck.workflow]))[0]
    assert runs.filter(~ended)["workflow_id"].to_list() == [key]


def test_agents_but_the_silent_one_work_to_the_end(world: World) -> None:
    events = all_rows(world, "system_events").drop_nulls("agent_name")
    last = events.filter(pl.col("agent_name").str.ends_with("Agent")).group_by("agent_name")
    idle = last.agg(pl.col("created_at").max()).with_columns(
        gone=(moment(world.clock.end) - pl.col("created_at")).dt.total_minutes()
    )
    silent = idle.filter(pl.col("gone") > 60)["agent_name"].to_list()
    assert silent == ["OptimizationAgent"]
