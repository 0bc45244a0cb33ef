"""What incremental models must survive does happen in the seasons that are built to show it.

Counted from the rows that land, not from what the generator meant: an event that vanished from
it would leave the property tests green and blind.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from loaders.schema import SOURCE_KEY
from tests.support import seasons
from tests.support.histories import Row
from tests.support.seasons import ALONE, SEASONS, START, Season
from warehouse.settings import PROJECT_ROOT

BREAK = START + timedelta(days=seasons.BREAK)


@pytest.fixture(scope="module", params=SEASONS)
def season(request: pytest.FixtureRequest) -> Season:
    return Season(request.param)


def versions(season: Season, table: str) -> Iterator[tuple[Row, Row]]:
    """Rows of later steps beside what steps before had said last of the same key."""
    before: dict[Any, Row] = {}
    for step in season.steps:
        rows = [row for _, row in step.rows.get(table, [])]
        for row in rows:
            key = name(table, row)
            if key in before:
                yield before[key], row
        before.update({name(table, row): row for row in rows})


def name(table: str, row: Row) -> Any:
    """What says that two rows are of one thing."""
    if table == "published_posts":
        return row["external_post_id"] or row["post_id"]
    if table == "raw_videos":
        return row["external_id"]
    return row[SOURCE_KEY[table]]


def changed(season: Season, table: str, column: str) -> int:
    return sum(was[column] != row[column] for was, row in versions(season, table))


def chosen(row: Row, field: str) -> Any:
    return json.loads(row["creative_variables"])[field]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("products", "name"),
        ("creative_patterns", "structure"),
        ("creative_patterns", "style_tags"),
        ("scripts", "product_id"),
        ("video_assets", "script_id"),
        ("experiments", "product_id"),
        ("experiments", "script_id"),
        ("experiments", "asset_id"),
        ("experiments", "variation_label"),
        ("published_posts", "published_at"),
        ("published_posts", "experiment_id"),
        ("published_posts", "hashtags"),
        ("published_posts", "post_id"),
        ("performance_metrics", "views"),
        ("performance_metrics", "collected_at"),
        ("embeddings", "embedding"),
        ("embeddings", "reference_id"),
        ("embeddings", "metadata"),
        ("trend_snapshots", "popularity_score"),
        ("trend_snapshots", "product_id"),
        ("raw_videos", "view_count"),
    ],
)
def test_what_was_built_is_another_later(season: Season, table: str, column: str) -> None:
    assert changed(season, table, column) >= 2


def test_a_script_follows_another_pattern_and_makes_other_choices(season: Season) -> None:
    pairs = list(versions(season, "scripts"))
    for field in ("creativePatternId", "hookStyle"):
        assert sum(chosen(was, field) != chosen(row, field) for was, row in pairs) >= 2


def test_a_script_named_by_a_posts_experiment_is_deleted(season: Season) -> None:
    pairs = list(versions(season, "experiments"))
    assert any(was["script_id"] and row["script_id"] is None for was, row in pairs)


def test_a_pattern_comes_after_posts_whose_scripts_name_it(season: Season) -> None:
    first, *later = season.steps
    rows = {table: [row for _, row in known] for table, known in first.rows.items()}
    there = {row["pattern_id"] for row in rows["creative_patterns"]}
    come = {
        row["pattern_id"] for step in later for _, row in step.rows.get("creative_patterns", [])
    }
    naming = {
        row["script_id"]
        for row in rows["scripts"]
        if chosen(row, "creativePatternId") in come - there
    }
    used = {row["experiment_id"] for row in rows["experiments"] if row["script_id"] in naming}
    assert sum(row["experiment_id"] in used for row in rows["published_posts"]) >= 10


def test_a_poll_is_moved_to_another_post(season: Season) -> None:
    pairs = [
        (was["post_id"], row["post_id"])
        for was, row in versions(season, "performance_metrics")
        if was.get("post_id") and row.get("post_id")
    ]
    assert sum(one != other for one, other in pairs) >= 2


def test_a_poll_leaves_the_post_of_its_platform_id_when_the_one_of_its_key_comes(
    season: Season,
) -> None:
    first, *later = season.steps
    named = {
        row["post_id"]
        for _, row in first.rows["performance_metrics"]
        if row.get("post_id") and row.get("external_post_id")
    }
    there = {row["post_id"] for _, row in first.rows["published_posts"]}
    come = {row["post_id"] for step in later for _, row in step.rows.get("published_posts", [])}
    assert len(named & come - there) >= 2


def test_a_post_loses_all_its_polls(season: Season) -> None:
    keys = {
        row["external_post_id"]: row["post_id"] or row["external_post_id"]
        for step in season.steps
        for _, row in step.rows.get("published_posts", [])
    }
    polls: dict[str, Any] = {}
    lost, before = 0, set[Any]()
    for step in season.steps:
        for _, row in step.rows.get("performance_metrics", []):
            external = row.get("external_post_id")
            polls[row["metric_id"]] = row.get("post_id") or keys.get(external, external)
        lost += len(before - set(polls.values()))
        before = set(polls.values())
    assert lost >= 2


def test_what_was_built_waits_for_an_experiment_its_script_and_its_product(season: Season) -> None:
    """Posts before their experiment, that before its script, that before its product."""
    chain = [
        ("published_posts", "experiment_id", "experiments"),
        ("experiments", "script_id", "scripts"),
        ("scripts", "product_id", "products"),
    ]
    for child, column, parent in chain:
        first: dict[str, int] = {}
        for number, step in enumerate(season.steps):
            for _, row in step.rows.get(parent, []):
                first.setdefault(row[column], number)
        waited = [
            row
            for number, step in enumerate(season.steps)
            for _, row in step.rows.get(child, [])
            if row[column] and first.get(row[column], number) > number
        ]
        assert waited, child


def test_a_post_gets_its_key_after_polls_named_it_otherwise(season: Season) -> None:
    """Its derived key is gone then: the post of that key vanishes."""
    polled = {
        row["external_post_id"]
        for _, row in season.steps[0].rows["performance_metrics"]
        if row.get("external_post_id")
    }
    late = {
        row["external_post_id"]
        for was, row in versions(season, "published_posts")
        if was["post_id"] is None and row["post_id"] is not None
    }
    assert len(late & polled) >= 2


def test_polls_arrive_late_and_out_of_order(season: Season) -> None:
    newest: dict[Any, float] = {}
    late = 0
    rows = [row for step in season.steps for row in step.rows.get("performance_metrics", [])]
    for _, row in sorted(rows, key=lambda known: known[0]):
        post = row.get("post_id") or row["external_post_id"]
        collected = (row["collected_at"] - START) / timedelta(days=1)
        late += collected < newest.get(post, collected)
        newest[post] = max(collected, newest.get(post, collected))
    assert late >= 10


def test_a_draft_is_published_and_a_time_comes(season: Season) -> None:
    rows = [(step, row) for step in season.steps for _, row in step.rows.get("published_posts", [])]
    assert sum(row["published_at"] is None for _, row in rows) >= 3
    waiting = [
        (number, row["published_at"] - timedelta(hours=24))
        for number, step in enumerate(season.steps[:-1])
        for _, row in step.rows.get("published_posts", [])
        if row["published_at"] and row["published_at"] - timedelta(hours=24) > step.at
    ]
    # By a step that brings nothing.
    empty = [number for number, step in enumerate(season.steps) if not step.rows]
    assert any(n < e and due <= season.steps[e].at for n, due in waiting for e in empty)


def test_polls_of_a_post_lie_on_both_sides_of_a_change_of_definition(season: Season) -> None:
    with (PROJECT_ROOT / "seeds" / "metric_definition_changes.csv").open() as file:
        assert any(f"youtube,views,{BREAK:%Y-%m-%d}" in line for line in file)
    assert START < BREAK < season.steps[1].at
    posts = {
        name("published_posts", row): row
        for step in season.steps
        for _, row in step.rows.get("published_posts", [])
        if row["platform"] == "youtube" and row["published_at"] and row["published_at"] < BREAK
    }
    named = {row["post_id"]: external for external, row in posts.items()}
    after: Counter[Any] = Counter()
    for step in season.steps:
        for _, row in step.rows.get("performance_metrics", []):
            external = row.get("external_post_id") or named.get(row.get("post_id"))
            if external in posts and row["collected_at"] > BREAK:
                after[external] += 1
    assert len(after) >= 3
    crossed = [
        (was["published_at"] < BREAK) != (row["published_at"] < BREAK)
        for was, row in versions(season, "published_posts")
        if was["published_at"] and row["published_at"]
    ]
    assert any(crossed)


def test_posts_leave_the_days_that_percentiles_look_back(season: Season) -> None:
    first, *_, last = season.steps
    days = timedelta(days=90)
    left = [
        row
        for _, row in first.rows["published_posts"]
        if row["published_at"] and first.at - days < row["published_at"] <= last.at - days
    ]
    assert len(left) >= 20


def test_there_are_posts_enough_for_forecasts_of_each_platform(season: Season) -> None:
    """More than forecast_min_posts, to begin with, of one meaning of a view."""
    posts = season.steps[0].rows["published_posts"]
    counts = Counter(row["platform"] for _, row in posts if row["external_post_id"])
    assert counts["tiktok"] > 50
    assert sum(counts.values()) > 80


def test_posts_without_views_are_enough_for_forecasts_of_such(season: Season) -> None:
    """In all, more than forecast_min_posts; of the last ones some have none yet."""
    polls = [row for step in season.steps for _, row in step.rows.get("performance_metrics", [])]
    named = {row.get("post_id") or row["external_post_id"] for row in polls if row["views"] == 0}
    assert len(named) > 60
    last = [step for step in season.steps if len(step.rows) > 10][-1]
    late = [
        row
        for _, row in last.rows["performance_metrics"]
        if row["collected_at"] > last.at - timedelta(hours=3)
    ]
    assert any(row["views"] == 0 for row in late)


def test_posts_are_hours_old_when_the_last_of_them_are_polled(season: Season) -> None:
    """What they will have after a day is ahead of them."""
    step = [step for step in season.steps if len(step.rows) > 10][-1]
    ages = [
        step.at - row["published_at"]
        for _, row in step.rows["published_posts"]
        if row["published_at"]
    ]
    assert any(timedelta(hours=3) < age < timedelta(hours=24) for age in ages)


def test_steps_bring_everything_nothing_and_one_table(season: Season) -> None:
    tables = [set(step.rows) for step in season.steps]
    assert sum(len(found) > 10 for found in tables) == 3
    assert tables.count(set()) == 1
    assert sum(len(found) == 1 for found in tables) >= 3


def test_every_table_lands_alone_in_one_of_the_seasons() -> None:
    """Of twenty: `make test` builds the first of them, `make soak` as many as it is told."""
    drawn = {
        table
        for seed in range(1, 21)
        for step in Season(seed).steps
        if len(step.rows) == 1
        for table in step.rows
    }
    assert drawn == set(ALONE)
