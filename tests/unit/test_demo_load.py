"""Landing the demo: counts conserve, the truth files say what was landed, twice is once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from common.errors import UsageError
from loaders.demo import load_demo, simulate
from loaders.demo.dirt import bad_records, rejections
from loaders.demo.land import SOURCE
from loaders.demo.real import ATTRIBUTION, load_real, real_videos
from loaders.landing import Landing
from loaders.schema import ALL_RESOURCES, BOOKKEEPING, RESOURCES

VERDICTS = ["accepted", "duplicate", "superseded", "quarantined"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    load_demo(Landing(folder / "landing"), posts=120, truth_dir=folder / "truth", real=False)
    return folder


def landed(home: Path, resource: str) -> pl.DataFrame:
    files = sorted((home / "landing" / SOURCE / resource).glob("[!_.]*.parquet"))
    return pl.concat(pl.read_parquet(file) for file in files)


def truth(home: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(home / "truth" / f"truth_{name}.parquet")


def test_the_truth_counts_what_was_landed(home: Path) -> None:
    dirt = truth(home, "dirt")
    assert (dirt["read"] == dirt["landed"] + dirt["rejected"]).all()
    assert (dirt["landed"] == dirt.select(pl.sum_horizontal(VERDICTS)).to_series()).all()
    loads = Landing(home / "landing").loads(SOURCE)
    for resource in ALL_RESOURCES:
        expected = dirt.filter(pl.col("table_name") == resource).sort("batch")
        own = [load for load in loads if load.resource == resource]
        assert [load.read for load in own] == expected["read"].to_list(), resource
        assert [load.rejected for load in own] == expected["rejected"].to_list(), resource
        assert landed(home, resource).height == expected["landed"].sum()


def test_the_stated_verdicts_are_those_of_the_rules(home: Path) -> None:
    """Recount duplicates and superseded rows of the polls from the landed rows alone."""
    rows = landed(home, "performance_metrics")
    keyed = rows.drop_nulls("metric_id").sort("metric_id", "_extracted_at", "_load_id", "_position")
    hashes = pl.col("_record_hash")
    repeats = keyed.filter(hashes == hashes.shift().over("metric_id")).height
    unnamed = rows.filter(pl.col("metric_id").is_null() & pl.col("external_post_id").is_not_null())
    repeats += unnamed.height - unnamed["_record_hash"].n_unique()
    dirt = truth(home, "dirt").filter(pl.col("table_name") == "performance_metrics")
    assert repeats == dirt["duplicate"].sum() > 0
    versions = keyed.group_by("metric_id").agg(hashes.n_unique().alias("n"))
    assert (versions["n"] - 1).sum() == dirt["superseded"].sum()


def test_every_quarantined_row_has_one_of_the_known_reasons(home: Path) -> None:
    reasons = truth(home, "reasons").filter(pl.col("verdict") == "quarantined")
    assert set(reasons["reason"]) == {
        "missing_parent",
        "missing_required",
        "not_published_yet",
        "out_of_range",
    }


def test_landed_rows_are_labelled_and_within_their_load(home: Path) -> None:
    for load in Landing(home / "landing").loads():
        assert (load.source, load.account) == (SOURCE, "simulated")
        assert load.input is not None
        assert load.input.startswith("simulated month")
    for resource in ALL_RESOURCES:
        rows = landed(home, resource)
        assert (rows["_source"] == SOURCE).all()
        assert (rows["_extracted_at"] <= rows["_loaded_at"]).all()


def test_landing_again_changes_nothing(home: Path) -> None:
    landing = Landing(home / "landing")
    before = landing.loads()
    again = load_demo(Landing(home / "landing"), posts=120, real=False)
    assert Landing(home / "landing").loads() == before
    assert {entry.new for entry in again} == {False}


def test_another_world_does_not_mix_with_the_first(home: Path) -> None:
    with pytest.raises(UsageError, match="another simulated world"):
        load_demo(Landing(home / "landing"), posts=120, seed=8, real=False)


def test_batch_by_batch_gives_the_rows_of_one_go(home: Path, tmp_path: Path) -> None:
    for batch in range(5):
        load_demo(Landing(tmp_path / "landing"), posts=120, batches=[batch], real=False)
    for resource in ALL_RESOURCES:
        columns = [
            c for c in [c.name for c in RESOURCES[resource]] + list(BOOKKEEPING) if c != "_load_id"
        ]
        one, other = (landed(folder, resource).select(columns) for folder in (home, tmp_path))
        assert one.equals(other), resource


def test_bad_records_are_kept_as_received_and_are_bad(home: Path) -> None:
    kept = Landing(home / "landing").rejected(SOURCE)
    world = simulate(posts=120)
    sent = [bad.raw for r in ALL_RESOURCES for bad in bad_records(world, r)]
    assert sorted(record.raw for record in kept) == sorted(sent)
    assert all(record.reason for record in kept)
    with pytest.raises(AssertionError, match="was meant to be refused"):
        rejections("performance_metrics", [b'{"views":"12"}'], 0)


def test_truth_names_every_planted_thing(home: Path) -> None:
    posts = truth(home, "posts")
    assert posts.height == 120
    assert posts["true_engagement_rate"].is_between(0, 0.4).all()
    accepted = landed(home, "published_posts")
    assert posts["post_id"].is_in(accepted["post_id"].implode()).all()
    kinds = set(truth(home, "operations")["kind"])
    assert kinds >= {"stuck_workflow", "silent_agent", "retry_storm"}
    assert kinds >= {"success_without_start", "stalled_product"}
    assert set(truth(home, "tags")["kind"]) == {"breakout", "slow_riser", "seasonal", "noise"}
    effects = truth(home, "effects")
    assert {"style", "hour", "weekday", "hashtag", "variable", "product"} <= set(effects["kind"])
    hours = effects.filter(pl.col("kind") == "hour").group_by("platform")
    means = hours.agg(pl.col("effect_log_views").mean())["effect_log_views"]
    assert np.allclose(means, 0)
    facts = json.loads((home / "truth" / "truth.json").read_text())
    assert facts["simulated"] is True
    assert facts["posts"] == 120


def test_unusable_vectors_are_among_the_embeddings(home: Path) -> None:
    texts = landed(home, "embeddings")["embedding"].to_list()
    assert "[0.1, 0.2, oops" in texts
    assert "[]" in texts
    assert sum(text is None for text in texts) == 2
    assert any(text and set(text) <= set("[0., ]") and text != "[]" for text in texts)


def test_real_videos_carry_their_attribution_and_land_once(tmp_path: Path) -> None:
    rows = real_videos()
    assert rows.height == 6_801
    assert rows["external_id"].n_unique() == 1_587
    assert (rows["_extracted_at"] == rows["collected_at"]).all()
    assert rows["collected_at"].dt.year().unique().to_list() == [2017]
    assert rows["_extra"].str.contains(ATTRIBUTION, literal=True).all()
    landing = Landing(tmp_path / "landing")
    landing.prepare()
    load = load_real(landing)
    assert load is not None
    assert (load.source, load.accepted) == ("youtube_trending", 6_801)
    assert load_real(landing) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_smallest_world_lands(tmp_path: Path, seed: int) -> None:
    load_demo(
        Landing(tmp_path), posts=10, days=2, seed=seed, truth_dir=tmp_path / "truth", real=False
    )
    assert Landing(tmp_path).loads(SOURCE)
