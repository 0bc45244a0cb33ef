"""``ace load instagram`` against a fake Graph API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina

from loaders.landing import Landing
from loaders.live.instagram import Instagram
from loaders.live.instagram.source import Wanted
from loaders.live.run import LiveResult, load_live
from tests.fakes.instagram import TOKEN, FakeInstagram, media

OWN = Wanted()


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def fake() -> Iterator[FakeInstagram]:
    with FakeInstagram([media(n) for n in range(5, 0, -1)], per_page=2) as made:
        yield made  # type: ignore[misc]


def run(
    fake: FakeInstagram,
    tmp_path: Path,
    wanted: Wanted = OWN,
    *,
    token: str = TOKEN,
    adopt: str | None = None,
) -> LiveResult:
    source = Instagram(fake.url, token=token, account="me", version="v25.0", wanted=wanted)
    return load_live(Landing(tmp_path / "landing"), tmp_path, source, adopt=adopt)


def landed(tmp_path: Path, resource: str) -> list[dict[str, Any]]:
    files = sorted((tmp_path / "landing").glob(f"instagram/{resource}/*.parquet"))
    return [row for file in files for row in pl.read_parquet(file).to_dicts()]


def polls(tmp_path: Path) -> list[dict[str, Any]]:
    return landed(tmp_path, "performance_metrics")


def test_each_media_is_one_poll_of_its_counts_and_insights(
    fake: FakeInstagram, tmp_path: Path
) -> None:
    result = run(fake, tmp_path)
    assert [(one.resource, one.accepted, one.rejected) for one in result.resources] == [
        ("performance_metrics", 5, 0)
    ]
    first = polls(tmp_path)[0]
    assert first["external_post_id"] == "17900000000000005"
    assert (first["views"], first["likes"], first["comments"], first["shares"]) == (105, 15, 5, 105)
    # Three pages of media, and one request for the insights of each.
    assert (result.asked, fake.repeated()) == (8, {})


def test_with_adopt_each_media_is_a_post_too(fake: FakeInstagram, tmp_path: Path) -> None:
    run(fake, tmp_path, adopt="My shop")
    posts = landed(tmp_path, "published_posts")
    assert len(posts) == len(polls(tmp_path)) == 5
    assert posts[0]["caption"] == "Take 5 #tinyhome"
    assert posts[0]["published_at"].isoformat() == "2026-11-01T12:00:00+00:00"
    assert "like_count" not in posts[0]["_extra"]
