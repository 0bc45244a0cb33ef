"""What a load says: what is missing, what nothing took, what a dry run would do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from loaders.files import FileResult, load_files
from loaders.landing import Landing
from loaders.schema import NATURAL_KEYS, REQUIRED, RESOURCES, SOURCE_KEY, spellings, twins

PROJECT = Path(__file__).parents[2]
ID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(landing: Landing, tmp_path: Path, table: str, *records: Any, **how: Any) -> FileResult:
    path = tmp_path / "a.ndjson"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    (result,) = load_files(landing, [path], table=table, **how)
    return result


def complete(table: str) -> dict[str, Any]:
    """A record with everything its table needs, each in its first way."""
    kinds = {column.name: column.kind for column in RESOURCES[table]}
    values = {"uuid": ID, "timestamp": "2026-01-01T00:00:00Z"}
    names = [name for need in REQUIRED[table] for name in need[0]]
    return {name: values.get(kinds[name], "x") for name in names}


@pytest.mark.parametrize("table", RESOURCES)
def test_what_is_needed_is_what_the_models_require(table: str) -> None:
    model = (PROJECT / f"models/versions/int_{table}.sql").read_text()
    found = re.search(r"required=\[(.*?)\]", model)
    staged = re.findall(r"'(\w+)'", found[1]) if found else []
    ours = {column for need in REQUIRED[table] for way in need for column in way}
    renamed = {"given_reference_id": "reference_id"}
    # The staging model fills an agent in.
    defaulted = {"agent_name"} if table == "system_events" else set()
    assert {renamed.get(name, name) for name in staged} - defaulted <= ours
    if table not in NATURAL_KEYS:
        assert ((SOURCE_KEY[table],),) in REQUIRED[table]
    assert ours <= {column.name for column in RESOURCES[table]}


@pytest.mark.parametrize("table", RESOURCES)
def test_each_missing_column_is_said_at_load(landing: Landing, tmp_path: Path, table: str) -> None:
    whole = complete(table)
    assert load(landing, tmp_path, table, whole).notices == ()
    told = 0
    for need in REQUIRED[table]:
        left = {name: value for name, value in whole.items() if name not in need[0]}
        result = load(landing, tmp_path, table, left)
        if result.status == "failed":
            assert "tells" in result.message or "No field" in result.message
            continue  # without it the file could be any table's
        (said,) = result.notices
        assert f"No record has {need[0][0]}" in said
        told += 1
    assert told or table in ("creative_patterns", "performance_metrics")


def test_rows_without_a_key_are_counted(landing: Landing, tmp_path: Path) -> None:
    records = [
        {"platform": "x", "external_id": "1"}, {"platform": " ", "external_id": "2"},
        {"external_id": None, "platform": "x"}, {"external_id": "", "platform": "x"},
    ]  # fmt: skip
    (said,) = load(landing, tmp_path, "raw_videos", *records).notices
    assert "1 without platform, 2 without external_id" in said
    assert "'ace build' will hold" in said


def test_all_rows_without_something_say_how_to_give_it(landing: Landing, tmp_path: Path) -> None:
    records = [{"external_post_id": str(i), "published_at": "2026-01-01"} for i in range(1200)]
    (said,) = load(landing, tmp_path, "published_posts", *records).notices
    assert "No record has platform or experiment_id, which published_posts needs" in said
    assert "hold all 1,200 back" in said
    assert "--set platform=NAME --adopt NAME." in said
    path = tmp_path / "a.ndjson"
    how: dict[str, Any] = {"table": "published_posts", "sets": {"platform": "x"}, "adopt": "Shop"}
    *made, posts = load_files(landing, [path], **how, dry_run=True)
    assert [one.resource for one in made] == ["products", "scripts", "experiments"]
    assert (posts.resource, posts.landed, posts.notices) == ("published_posts", 1200, ())
    assert {one.resource for one in landing.loads()} == {"published_posts"}


@pytest.mark.parametrize(
    "record",
    [
        {"post_id": ID, "views": 1}, {"platform": "x", "external_post_id": "1", "views": 1},
        {"platform": "x", "platform_post_id": "1", "views": 1},
    ],
)  # fmt: skip
def test_either_key_will_do(landing: Landing, tmp_path: Path, record: dict[str, Any]) -> None:
    assert load(landing, tmp_path, "performance_metrics", record).notices == ()


def test_a_field_nothing_took_is_named_with_the_column_it_may_be(
    landing: Landing, tmp_path: Path
) -> None:
    known = {"platform": "x", "external_id": "1", "like_count": 1}
    strange = {"view_cuont": 1, "Total shares": 2, "capital_gain": 3, "likes_counts": 4, "no": None}
    near, others = load(landing, tmp_path, "raw_videos", {**known, **strange}).notices
    assert "'view_cuont' (like view_count)" in near
    assert "--map view_count=view_cuont" in near
    assert "--map 'share_count=Total shares'" in near
    # What has a value already is no suggestion, and what has none was not given.
    assert "'capital_gain', 'likes_counts'" in others
    assert "no'" not in others


def test_a_summary_is_bounded(landing: Landing, tmp_path: Path) -> None:
    known = {"platform": "x", "external_id": "1"}
    records = [{**known, f"field {i} {'x' * 200}": i} for i in range(3000)]
    (said,) = load(landing, tmp_path, "raw_videos", *records).notices
    assert len(said) < 400
    assert said.endswith("and 995 more.")


def test_names_of_the_same_thing() -> None:
    assert spellings("raw_videos", "view_count") == ("view_count",)
    assert spellings("performance_metrics", "view_count") == ("views", "view_count")
    assert twins("published_posts") == {"external_id": "external_post_id"}
    assert twins("products") == {}


def test_a_file_of_which_nothing_lands_is_an_error(landing: Landing, tmp_path: Path) -> None:
    bad, good = {"views": "many", "post_id": ID}, {"views": 1, "post_id": ID}
    result = load(landing, tmp_path, "performance_metrics", bad, bad)
    assert (result.status, result.exit_code, result.landed, result.rejected) == ("landed", 1, 0, 2)
    assert "could be read as performance_metrics" in result.message
    assert f"ace quarantine show --load {result.load_id}" in result.message
    assert "2 rejected, e.g. record 1: views: 'many' is not a whole number." in result.notices
    mixed = load(landing, tmp_path, "performance_metrics", bad, good)
    assert (mixed.exit_code, mixed.message) == (0, "")


def test_a_dry_run_says_the_same_and_leaves_nothing(landing: Landing, tmp_path: Path) -> None:
    records = [{"views": 1, "post_id": ID}, {"views": "x"}, {"views": 2, "a": 1}]
    dry = load(landing, tmp_path, "performance_metrics", *records, dry_run=True)
    assert (dry.status, dry.read, dry.landed, dry.rejected) == ("dry_run", 3, 2, 1)
    assert dry.load_id is None
    assert not (tmp_path / "landing").exists()
    done = load(landing, tmp_path, "performance_metrics", *records)
    assert (done.status, done.read, done.landed, done.rejected) == ("landed", 3, 2, 1)
    assert set(done.notices) < set(dry.notices)
    assert "1 rejected, record 2: views: 'x' is not a whole number." in dry.notices
    before = sorted(path for path in (tmp_path / "landing").rglob("*"))
    assert load(landing, tmp_path, "performance_metrics", *records, dry_run=True).status == (
        "skipped"
    )
    again = load(landing, tmp_path, "performance_metrics", *records, dry_run=True, again=True)
    assert again.status == "dry_run"
    assert sorted(path for path in (tmp_path / "landing").rglob("*")) == before


def test_a_dry_run_fails_as_the_load_would(landing: Landing, tmp_path: Path) -> None:
    assert (
        load(landing, tmp_path, "performance_metrics", {"views": "x"}, dry_run=True).exit_code == 1
    )
    missing = load_files(landing, [tmp_path / "no.csv"], table="scripts", dry_run=True)
    assert missing[0].exit_code == 2
    (tmp_path / "a.json").write_text("[")
    broken = load_files(landing, [tmp_path / "a.json"], table="scripts", dry_run=True)
    assert broken[0].exit_code == 1
    assert not (tmp_path / "landing").exists()


def test_a_dry_run_of_a_preset(landing: Landing) -> None:
    path = PROJECT / "tests/fixtures/youtube_trending/US_2017.csv"
    (dry,) = load_files(landing, [path], preset="youtube-trending", dry_run=True)
    assert (dry.status, dry.landed, dry.notices) == ("dry_run", 6, ())


def test_a_field_of_which_a_path_took_a_part_was_taken(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text('{"external_id": "1", "platform": "x", "stats": {"seen": 5}, "other": 1}\n')
    [result] = load_files(
        Landing(tmp_path / "landing"), [file], table="raw_videos", maps={"view_count": "stats.seen"}
    )
    assert result.notices == ("Kept in _extra, no column's field: 'other'.",)
