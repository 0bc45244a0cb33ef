"""Age metrics, their versions and growth by day against an interpolation written with NumPy."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from loaders.landing import Landing
from tests.support.age_oracle import METRICS, age_metrics, growth_by_day, same
from tests.support.builds import Warehouse
from tests.support.histories import Landed, _uuid, land
from tests.support.random_polls import HORIZONS, LOADED, RandomPolls

Row = dict[str, Any]
VALUES = ("status", "views", "likes", "comments", "shares", "engagement_rate")
GROWTH = ("views_gained", "engagements_gained", "views_unplaced", "engagements_unplaced")
RATES = ("like_rate", "comment_rate", "share_rate")


@pytest.fixture(scope="module")
def random_world(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("polls")
    warehouse = Warehouse(folder, Landing(str(folder / "landing")))
    warehouse.landing.prepare()
    polls = RandomPolls(7, posts=120, polls=14)
    for load in polls.loads():
        land(warehouse.landing, load)
    land(warehouse.landing, long_after(polls))
    warehouse.build(
        *("--select", "+post_age_metrics", "+performance_metrics", "+daily_metrics"),
        *("--exclude-resource-type", "test", "unit_test"),
    )
    return warehouse


def long_after(polls: RandomPolls) -> Landed:
    """Polls of some posts when nobody had looked for a month and more, some on days in a row."""
    rows, known = [], []
    for number in range(0, polls.posts, 5):
        for days in (55, 56.3, 100):
            at = polls.published[number] + timedelta(days=days)
            row: Row = {"post_id": _uuid("post", number), "collected_at": at}
            row |= {"views": round(10**6 * days), "likes": round(10**4 * days)}
            rows.append(row | ({"shares": 9} if days == 100 else {}))
            known.append(at)
    return Landed("files", "performance_metrics", rows, known, LOADED + timedelta(days=30))


@pytest.fixture(params=["demo", "random_world"])
def world(request: pytest.FixtureRequest) -> Warehouse:
    warehouse: Warehouse = request.getfixturevalue(request.param)
    return warehouse


def by_post(rows: list[Row]) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[str(row["post_id"])].append(row)
    return grouped


def posts_of(world: Warehouse) -> dict[str, Row]:
    rows = world.query(
        "select post_id, published_at, _state_from from intermediate.int_published_posts"
        " where _verdict = 'accepted'"
    )
    return {str(row["post_id"]): row for row in rows}


def polls_of(world: Warehouse) -> dict[str, list[Row]]:
    return by_post(
        world.query(
            "select polls.*, versions.counts_as_written from canonical.performance_metrics as polls"
            " join intermediate.int_performance_metrics as versions"
            " on polls.metric_id = versions.metric_id and versions._verdict = 'accepted'"
        )
    )


def test_values_and_status_at_every_age(world: Warehouse) -> None:
    polls = polls_of(world)
    posts = posts_of(world)
    rows = world.query("select * from marts.post_age_metrics")
    assert len(rows) == len(posts) * len(HORIZONS)
    for row in rows:
        post_id = str(row["post_id"])
        expected = age_metrics(polls[post_id], posts[post_id]["published_at"], row["horizon_hours"])
        for column in (*VALUES, *RATES):
            assert same(row[column], expected[column]), (column, row, expected)
    assert {row["status"] for row in rows} >= {"ok", "coarse", "gap", "pending"}


class Past:
    """Which polls of a post counted at a time, from the landed versions of each key."""

    def __init__(self, world: Warehouse) -> None:
        rows = world.query(
            "select metric_id, post_id, coalesce(collected_at, _known_at) as collected_at,"
            " views, likes, comments, shares, counts_as_written, _known_at, _load_id, _position,"
            " _effective_at"
            " from intermediate.int_performance_metrics"
            " where _verdict in ('accepted', 'superseded') and _effective_at is not null"
        )
        self.versions: dict[Any, list[Row]] = defaultdict(list)
        for row in sorted(rows, key=lambda r: (r["_known_at"], r["_load_id"], r["_position"])):
            self.versions[row["metric_id"]].append(row)
        self.keys_of: dict[str, set[Any]] = defaultdict(set)
        for row in rows:
            self.keys_of[str(row["post_id"])].add(row["metric_id"])

    def moments(self, post_id: str) -> list[datetime]:
        """When anything changed, and the seconds around it."""
        changes = {
            row["_effective_at"] for key in self.keys_of[post_id] for row in self.versions[key]
        }
        around = [timedelta(0), timedelta(microseconds=-1), timedelta(hours=1)]
        return sorted({change + step for change in changes for step in around})

    def polls(self, post_id: str, moment: datetime) -> list[Row]:
        found = []
        for key in self.keys_of[post_id]:
            valid = [row for row in self.versions[key] if row["_effective_at"] <= moment]
            if valid and str(valid[-1]["post_id"]) == post_id:
                found.append(valid[-1])
        return found


def test_every_version_says_what_was_known_while_it_held(world: Warehouse) -> None:
    past, posts = Past(world), posts_of(world)
    versions: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in world.query(
        "select * from intermediate.int_post_age_metric_versions order by known_from"
    ):
        versions[str(row["post_id"]), row["horizon_hours"]].append(row)
    several = 0
    for post_id, post in posts.items():
        moments = [moment for moment in past.moments(post_id) if moment >= post["_state_from"]]
        for horizon in HORIZONS:
            held = versions.pop((post_id, horizon), [])
            several += len(held) > 1
            for moment in moments:
                holding = [
                    row
                    for row in held
                    if row["known_from"] <= moment
                    and (row["known_to"] is None or moment < row["known_to"])
                ]
                expected = age_metrics(past.polls(post_id, moment), post["published_at"], horizon)
                assert len(holding) <= 1
                said = holding[0] if holding else dict.fromkeys(VALUES) | {"status": "pending"}
                for column in VALUES:
                    assert same(said[column], expected[column]), (moment, column, said, expected)
            for before, after in pairwise(held):
                assert before["known_to"] is not None
                touching = before["known_to"] == after["known_from"]
                assert before["known_to"] <= after["known_from"]
                assert not touching or any(before[c] != after[c] for c in VALUES)
            for row in held:
                assert row["known_from"] >= post["_state_from"]
    assert not versions, "versions of posts that are not there"
    assert several > 20


def test_the_mart_is_the_latest_version(world: Warehouse) -> None:
    columns = "post_id, horizon_hours, status, views, likes, comments, shares, engagement_rate"
    latest = world.query(
        f"select {columns}, known_from as known_at from intermediate.int_post_age_metric_versions"
        " where known_to is null order by 1, 2"
    )
    mart = world.query(
        f"select {columns}, known_at from marts.post_age_metrics"
        " where status <> 'pending' or coalesce(likes, comments, shares) is not null order by 1, 2"
    )
    assert mart == latest


def test_days_hold_the_growth_between_their_ends(world: Warehouse) -> None:
    """And add up to what the last polls say, whatever was interpolated."""
    polls, posts = (
        polls_of(world),
        world.query(
            "select posts.post_id, posts.platform, posts.published_at, experiments.product_id"
            " from intermediate.accepted_published_posts as posts"
            " join intermediate.accepted_experiments as experiments using (experiment_id)"
        ),
    )
    expected: dict[tuple[Any, ...], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    newest: dict[str, date] = {}
    for post in posts:
        group = (post["platform"], post["product_id"])
        published_at = post["published_at"].astimezone(UTC)
        expected[published_at.date(), *group]["posts_published"] += 1
        of_post = polls[str(post["post_id"])]
        if not of_post:
            continue
        last = max(published_at, *(poll["collected_at"].astimezone(UTC) for poll in of_post)).date()
        newest[post["platform"]] = max(last, newest.get(post["platform"], last))
        expected[last, *group]["posts_open"] += 1
        active = {
            max(published_at, poll["collected_at"].astimezone(UTC)).date() for poll in of_post
        }
        for metric in METRICS:
            name = "views" if metric == "views" else "engagements"
            parts = growth_by_day(of_post, metric, published_at)
            active.update(parts[0])
            for kind, days in zip(("gained", "unplaced"), parts, strict=True):
                for day, grown in days.items():
                    expected[day, *group][f"{name}_{kind}"] += grown
        for day in active:
            expected[day, *group]["posts_active"] += 1
    rows = world.query("select * from marts.daily_metrics order by day")
    assert len(rows) == len(expected)
    totals: dict[tuple[Any, ...], float] = defaultdict(float)
    for row in rows:
        group = (row["platform"], row["product_id"])
        found = expected[row["day"], *group]
        for column in ("posts_published", "posts_active", "posts_open"):
            assert row[column] == found.get(column, 0), (column, row)
        for column in GROWTH:
            assert (row[column] is None) == (column not in found), (column, row)
            assert math.isclose(row[column] or 0, found.get(column, 0), rel_tol=1e-9, abs_tol=1e-6)
        totals[group] += found.get("views_gained", 0) + found.get("views_unplaced", 0)
        assert math.isclose(row["views_total"] or 0, totals[group], rel_tol=1e-9, abs_tol=1e-6)
        assert row["is_complete"] == (row["day"] < newest.get(row["platform"], date.min))
    placed = sum(row["views_gained"] or 0 for row in rows)
    told = placed + sum(row["views_unplaced"] or 0 for row in rows)
    last_polls = world.query(
        "select sum(views) as views from (select max(views_mono) as views"
        " from marts.post_metric_history group by post_id) as posts"
    )
    assert math.isclose(told, last_polls[0]["views"], rel_tol=1e-9)
    weeks: dict[date, float] = defaultdict(float)
    for row in rows:
        weeks[row["day"] - timedelta(days=row["day"].weekday())] += row["views_gained"] or 0
    assert len(weeks) > 1
    assert math.isclose(sum(weeks.values()), placed, rel_tol=1e-12)


def test_a_post_polled_years_later_has_no_row_for_each_day_since(random_world: Warehouse) -> None:
    days, unplaced = random_world.query(
        "select count(*) as days, count(views_unplaced) as unplaced"
        f" from intermediate.int_post_days where post_id = '{_uuid('post', 0)}'"
    )[0].values()
    assert unplaced == 2
    assert days < 55
