"""``ace load demo``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from loaders.errors import UsageError
from warehouse.cli.load_demo import command
from warehouse.settings import settings


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
