"""Which known posts are polled when, and how well the ages at which posts are compared come out."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.landing import Landing
from loaders.live.known import HORIZONS, SLACK, KnownPost, due, known_posts, posts_to_poll

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def post(age_hours: float, since_hours: float | None) -> KnownPost:
    polled = None if since_hours is None else NOW - timedelta(hours=since_hours)
    return KnownPost("1", NOW - timedelta(hours=age_hours), polled)


def test_the_ages_are_those_of_the_seed() -> None:
    with (ROOT / "seeds" / "age_horizons.csv").open() as file:
        hours = [float(row["horizon_hours"]) for row in csv.DictReader(file)]
    assert [one / timedelta(hours=1) for one in HORIZONS] == hours


@pytest.mark.parametrize(
    ("age", "since", "is_due"),
    [
        (0.5, None, True), (0.5, 0.01, True), (11, 0.1, True),
        (13, 1, False), (13, 2, True), (25, 1.5, True), (25.5, 1, False),
        (80, 5, False), (80, 6, True), (72.2, 0.5, True), (168.5, 1, True),
        (300, 23, False), (300, 24, True), (300, 23.95, True),
        (24 * 60, 24 * 6, False), (24 * 60, 24 * 7, True),
        (24 * 900, 24 * 29, False), (24 * 900, 24 * 30, True), (24 * 900, None, True),
        (-1, None, False),
    ],
)  # fmt: skip
def test_young_posts_are_polled_more_often(age: float, since: float | None, is_due: bool) -> None:
    assert due(post(age, since), NOW) is is_due


@given(
    age=st.floats(0, 5000),
    since=st.floats(0, 5000),
    later=st.floats(0, 1000),
)
def test_who_waited_longer_is_due_as_well(age: float, since: float, later: float) -> None:
    """Of two posts of one age the one whose last poll is older is never left behind."""
    if due(post(age, since), NOW):
        assert due(post(age, since + later), NOW)


@pytest.mark.parametrize(("minutes", "good"), [(15, 1.0), (60, 0.8)])
def test_the_ages_of_comparison_come_out_well(minutes: int, good: float) -> None:
    """Of posts at any minute, with a run each so many minutes: the share of ages whose value
    is ``ok`` or ``exact`` (the polls around it no further apart than half of the age)."""
    fine = total = 0
    for offset in range(0, 60, 4):
        published = NOW + timedelta(minutes=offset, seconds=7 * offset)
        polls: list[datetime] = []
        now = NOW
        while now < published + timedelta(days=9):
            if due(KnownPost("1", published, polls[-1] if polls else None), now):
                polls.append(now)
            now += timedelta(minutes=minutes)
        for horizon in HORIZONS:
            at = published + horizon
            before = max((one for one in polls if one <= at), default=published)
            after = min(one for one in polls if one >= at)
            total += 1
            fine += after - before <= horizon / 2
    assert fine / total >= good
    assert timedelta(0) < SLACK < timedelta(minutes=10)


def test_a_post_that_may_be_gone_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = [
        KnownPost("gone", NOW - timedelta(days=99), None),
        KnownPost("new", NOW - timedelta(hours=1), None),
        KnownPost("old", NOW - timedelta(days=99), NOW - timedelta(days=40)),
        KnownPost("older", NOW - timedelta(days=99), NOW - timedelta(days=50)),
    ]
    monkeypatch.setattr("loaders.live.known.known_posts", lambda *given: posts)
    asked = posts_to_poll(Landing(tmp_path), "tiktok", NOW)
    assert asked == ["new", "older", "old", "gone"]


def test_posts_and_polls_of_every_source_count(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")
    landing.prepare()
    key = "00000000-0000-0000-0000-00000000000{}"

    def land(source: str, resource: str, records: list[dict[str, object]]) -> None:
        from loaders.records import type_records

        with landing.open_load(source, resource) as load:
            frame, rejected = type_records(resource, records)
            assert not rejected
            load.write(frame)
            load.commit()

    old = (NOW - timedelta(days=300)).isoformat()
    land("supabase", "published_posts", [
        {"post_id": key.format(1), "platform": "TikTok", "platform_post_id": "11",
         "posted_at": old},
        {"post_id": key.format(2), "platform": "youtube", "platform_post_id": "22",
         "posted_at": old},
        {"post_id": key.format(3), "platform": "tiktok", "posted_at": old},
    ])  # fmt: skip
    land("files", "published_posts", [
        {"platform": "tiktok", "external_post_id": "12", "published_at": old},
        {"platform": "tiktok", "external_post_id": "13", "published_at": NOW.isoformat()},
        {"platform": "tiktok", "external_post_id": "14",
         "published_at": (NOW + timedelta(days=1)).isoformat()},
    ])  # fmt: skip
    land("demo", "published_posts", [
        {"post_id": key.format(9), "platform": "tiktok", "external_post_id": "19",
         "posted_at": old},
    ])  # fmt: skip
    land("tiktok", "performance_metrics", [
        {"platform": "tiktok", "external_post_id": "12", "views": 1,
         "collected_at": (NOW - timedelta(days=31)).isoformat()},
    ])  # fmt: skip
    land("supabase", "performance_metrics", [
        {"post_id": key.format(1), "views": 1,
         "collected_at": (NOW - timedelta(days=3)).isoformat()},
    ])  # fmt: skip
    known = {one.external_id: one for one in known_posts(landing, "tiktok")}
    assert sorted(known) == ["11", "12", "13", "14"]
    assert known["11"].polled_at == NOW - timedelta(days=3)
    assert known["13"].polled_at is None
    # 11 was polled three days ago, 14 is not public yet.
    assert posts_to_poll(landing, "tiktok", NOW) == ["13", "12"]
    assert posts_to_poll(Landing(tmp_path / "none"), "tiktok", NOW) == []
