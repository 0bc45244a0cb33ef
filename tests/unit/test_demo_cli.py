"""``ace load demo``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from common.errors import UsageError
from loaders.demo.truth_files import FILES
from loaders.landing import Landing, Rejected
from loaders.landing.compaction import compact
from loaders.landing.storage import Storage
from warehouse.cli.load_demo import command
from warehouse.settings import sample_unfinished, settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("ACE_HOME", str(tmp_path))
    monkeypatch.delenv("ACE_LANDING", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_lands_a_month_and_says_so_as_json(home: Path) -> None:
    arguments = ["--posts", "60", "--days", "8", "--no-real", "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert {row["resource"] for row in rows} >= {"products", "performance_metrics"}
    assert all(row["read"] == row["accepted"] + row["rejected"] for row in rows)
    assert not any(row["skipped"] for row in rows)
    assert (home / "demo_truth" / "truth_posts.parquet").is_file()
    again = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert all(row["skipped"] for row in json.loads(again.stdout))
    text = CliRunner().invoke(command, arguments[:-1], catch_exceptions=False)
    assert "were landed before" in text.stdout


def test_says_which_size_is_wrong(home: Path) -> None:
    result = CliRunner().invoke(command, ["--posts", "3"])
    assert isinstance(result.exception, UsageError)
    assert "--posts is 3" in str(result.exception)


def _videos(landing: Landing) -> None:
    """The user's own load of the same export as the sample."""
    with landing.open_load("youtube_trending", "raw_videos", fingerprint="own") as load:
        load.write(pl.DataFrame({"external_id": ["a"]}))
        load.commit()


def _remove(*arguments: str) -> str:
    done = CliRunner().invoke(command, ["--remove", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_remove_takes_out_what_the_demo_landed_and_nothing_else(home: Path) -> None:
    landing = Landing(home / "landing")
    landing.prepare()
    _videos(landing)
    with landing.open_load("files", "products") as load:
        load.write(pl.DataFrame({"product_id": ["a"]}))
        load.reject([Rejected(1, b"{", "broken")])
        load.commit()
    before = landing.loads()
    CliRunner().invoke(command, ["--posts", "60", "--days", "8"], catch_exceptions=False)
    sample_unfinished(home).touch()
    (home / "demo_truth" / "notes.txt").write_text("mine")
    demo = [load for load in Landing(home / "landing").loads() if load not in before]
    compact(Landing(home / "landing"), 2)
    said = _remove()
    left = Landing(home / "landing")
    assert [load.load_id for load in left.loads()] == [load.load_id for load in before]
    assert len(left.rejected()) == 1
    assert left.undone() == {load.load_id for load in demo}
    assert [file.name for file in (home / "demo_truth").iterdir()] == ["notes.txt"]
    assert not sample_unfinished(home).exists()
    rows = sum(load.accepted for load in demo if load.source == "demo")
    assert f"Took out {len(demo) - 1} loads of source demo: {rows:,} rows" in said
    assert "Took out 1 load of source youtube_trending" in said
    assert "Next: 'ace build'" in said
    assert _remove() == "There is no simulated world; nothing was taken out.\n"
    assert json.loads(_remove("--json")) == []
    # It can be landed again.
    CliRunner().invoke(command, ["--posts", "60", "--days", "8"], catch_exceptions=False)
    assert len(Landing(home / "landing").loads()) == len(before) + len(demo)


def test_a_removal_that_was_killed_is_finished_by_the_next(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CliRunner().invoke(command, ["--posts", "60", "--days", "8"], catch_exceptions=False)
    move, moves = Storage.move, 0

    def killed(storage: Storage, name: str, target: str) -> None:
        nonlocal moves
        moves += 1
        if name.startswith("_rejected"):
            raise KeyboardInterrupt
        move(storage, name, target)

    monkeypatch.setattr(Storage, "move", killed)
    CliRunner().invoke(command, ["--remove"])
    assert moves > 1
    monkeypatch.setattr(Storage, "move", move)
    _remove()
    landing = Landing(home / "landing")
    assert (landing.loads(), landing.rejected()) == ([], [])
    assert list((home / "landing" / "_rejected").rglob("*.parquet")) == []
    assert not (home / "demo_truth").exists()


def test_remove_takes_no_sizes(home: Path) -> None:
    result = CliRunner().invoke(command, ["--remove", "--posts", "60"])
    assert isinstance(result.exception, UsageError)
    assert "--posts says what to simulate" in str(result.exception)


def test_every_file_of_the_truth_is_known(home: Path) -> None:
    CliRunner().invoke(command, ["--posts", "60", "--days", "8", "--no-real"])
    assert {file.name for file in (home / "demo_truth").iterdir()} == set(FILES)
