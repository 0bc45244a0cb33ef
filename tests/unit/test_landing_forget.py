"""What is forgotten is in no landed file any more, every other row is, and the counts hold."""

from __future__ import annotations

import contextlib
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from common.errors import AceError
from loaders.landing import Landing, Load, Rejected
from loaders.landing.compaction import compact
from loaders.landing.forget import Subject, erase
from loaders.landing.forgotten import finish, unfinished
from loaders.landing.storage import Storage
from loaders.landing.undo import undo
from loaders.retry import retry_rejected
from loaders.schema import RESOURCES, SOURCES
from loaders.values import KINDS
from warehouse.cli.status import command as status

DAY = datetime(2026, 11, 1, tzinfo=UTC)
POST = "00000000-0000-0000-0000-0000000000a1"
OTHER = "00000000-0000-0000-0000-0000000000a2"
GONE = "7301234567890"
KEPT = "7309999999999"
Rows = list[dict[str, Any]]
SUBJECT = Subject("tiktok", frozenset({GONE}))


@pytest.fixture(params=["path", "memory"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    if request.param == "path":
        return Landing(tmp_path / "landing")
    return Landing(f"memory://{tmp_path.name}-{id(request)}/landing")


def land(
    landing: Landing,
    resource: str,
    rows: list[dict[str, Any]],
    rejected: list[bytes] | None = None,
    **options: Any,
) -> Load:
    kinds = {column.name: column.polars for column in RESOURCES[resource]}
    schema = {name: kind for name, kind in kinds.items() if any(name in row for row in rows)}
    with landing.open_load("files", resource, **options) as load:
        load.write(pl.DataFrame(rows, schema=schema))
        raws = rejected or []
        load.reject([Rejected(len(rows) + n, raw, "bad") for n, raw in enumerate(raws)])
        return load.commit()


def again(landing: Landing) -> Landing:
    return Landing(landing.url)


def rows(landing: Landing) -> dict[str, list[dict[str, Any]]]:
    """Every landed row by table, each once, without the hash of its text."""
    found: dict[str, list[dict[str, Any]]] = {}
    for load in landing.loads():
        name = f"{load.source}/{load.resource}/{load.file.rsplit('/', 1)[-1]}"
        with landing.storage.reader(name) as file:
            frame = pl.DataFrame(file.read()).filter(pl.col("_load_id") == load.load_id)
        assert frame.height == load.accepted
        assert load.read + load.recovered == load.accepted + load.rejected
        found.setdefault(load.resource, []).extend(frame.rows(named=True))
    return {table: there for table, there in found.items() if there}


def texts(landing: Landing) -> str:
    """Everything that any file of the zone says, footers included."""
    said = []
    for zone in (landing, Landing(f"{landing.url}/_undone")):
        for source, resources in SOURCES.items():
            for resource in (*resources, "_heartbeat"):
                for folder in (f"{source}/{resource}", f"_rejected/{source}/{resource}"):
                    for name in zone.storage.names(folder):
                        with zone.storage.reader(name) as file:
                            said += [str(file.metadata.metadata), str(file.read().to_pylist())]
    said += [str(name) for name in landing.storage.names("_forgotten")]
    return "\n".join(said)


def poll(platform: str, external_id: str, views: int) -> dict[str, Any]:
    return {"platform": platform, "external_post_id": external_id, "views": views}


def test_rows_of_a_post_go_and_the_others_stay_as_they_are(landing: Landing) -> None:
    posts: Rows = [
        {"post_id": POST, "platform": "TikTok ", "external_post_id": f" {GONE}"},
        {"post_id": OTHER, "platform": "tiktok", "external_post_id": KEPT},
        {"post_id": None, "platform": "tiktok", "platform_post_id": GONE},
        # The same id on another platform is another post.
        {"post_id": None, "platform": "youtube", "external_post_id": GONE},
        # A draft of it, which only has its key.
        {"post_id": POST, "caption": "soon"},
    ]
    load = land(landing, "published_posts", posts)
    polls: Rows = [poll("tiktok", GONE, 1), poll("tiktok", KEPT, 2), {"post_id": POST, "views": 3}]
    land(landing, "performance_metrics", polls)
    land(landing, "embeddings", [{"reference_id": POST}, {"reference_id": OTHER}])
    before = rows(again(landing))

    looked = erase(again(landing), SUBJECT, dry=True)
    assert rows(again(landing)) == before
    done = erase(again(landing), SUBJECT)
    assert looked == done
    assert done.rows == {"published_posts": 3, "performance_metrics": 2, "embeddings": 1}
    after = rows(again(landing))
    assert after == {
        "published_posts": [before["published_posts"][1], before["published_posts"][3]],
        "performance_metrics": [before["performance_metrics"][1]],
        "embeddings": [before["embeddings"][1]],
    }
    (left,) = again(landing).loads("files", "published_posts")
    assert (left.load_id, left.landed_at) == (load.load_id, load.landed_at)
    assert (left.read, left.accepted, left.forgotten) == (2, 2, 3)
    assert erase(again(landing), SUBJECT).is_nothing


def test_what_was_undone_rejected_or_compacted_is_forgotten_too(landing: Landing) -> None:
    bad = [f'{{"id": "{GONE}"}}'.encode(), f'{{"id": "{GONE}1"}}'.encode()]
    loads = [
        land(landing, "performance_metrics", [poll("tiktok", one, 1)], bad, loaded_at=DAY)
        for one in (GONE, KEPT, GONE)
    ]
    undo(landing, loads[2].load_id)
    compact(again(landing), 2)
    done = erase(again(landing), SUBJECT)
    assert (done.rows, done.rejected) == ({"performance_metrics": 2}, 3)
    assert f'"{GONE}"' not in texts(again(landing))
    assert f"'{GONE}'" not in texts(again(landing))
    fresh = again(landing)
    counts = [(load.read, load.accepted, load.rejected) for load in fresh.loads()]
    assert counts == [(1, 0, 1), (2, 1, 1)]
    assert [one.raw for one in fresh.rejected()] == [bad[1], bad[1]]
    assert fresh.undone() == {loads[2].load_id}


def test_a_recovered_record_goes_with_what_it_was_recovered_from(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [
        f'{{"platform":"tiktok","external_post_id":"{one}","views":"five"}}'.encode()
        for one in (KEPT, GONE)
    ]
    land(landing, "performance_metrics", [poll("tiktok", KEPT, 1)], bad)
    monkeypatch.setitem(KINDS, "integer", lambda value, typing: 5)
    (retry,) = retry_rejected(again(landing))
    assert retry.recovered == 2
    erase(again(landing), SUBJECT)
    first, second = again(landing).loads()
    assert (first.read, first.accepted, first.rejected) == (2, 1, 1)
    assert (second.read, second.accepted, second.recovered) == (0, 1, 1)
    assert again(landing).rejected() == []
    assert GONE not in texts(again(landing))
    rows(again(landing))


def test_an_author_goes_with_all_videos_and_what_hangs_on_them(landing: Landing) -> None:
    videos: Rows = [
        {"external_id": "v1", "platform": "tiktok", "author": "@Someone"},
        {"external_id": "v1", "platform": "tiktok", "author": None},
        {"external_id": "v2", "platform": "tiktok", "author": "someone"},
        {"external_id": "v3", "platform": "youtube", "author": "someone"},
        {"external_id": "v4", "platform": "tiktok", "author": "someone else"},
    ]
    land(landing, "raw_videos", videos)
    done = erase(again(landing), Subject("tiktok", author="SOMEONE"))
    assert done.rows == {"raw_videos": 3}
    assert [row["external_id"] for row in rows(again(landing))["raw_videos"]] == ["v3", "v4"]
    load = land(again(landing), "raw_videos", [{"external_id": "v5"} | one for one in videos[:1]])
    assert (load.read, load.forgotten) == (0, 1)


def test_mentions_are_told_and_go_only_when_asked(landing: Landing) -> None:
    notes: Rows = [{"content": f"see {GONE}."}, {"content": f"see {GONE}1"}, {"content": None}]
    land(landing, "agent_notes", notes)
    land(landing, "system_events", [{"payload": f'{{"postId":"{POST}"}}'}, {"payload": "{}"}])
    land(landing, "published_posts", [{"post_id": POST, "platform": "tiktok",
                                       "external_post_id": GONE}])  # fmt: skip
    looked = erase(again(landing), SUBJECT, dry=True)
    assert looked.mentions == {"agent_notes": 1, "system_events": 1}
    erase(again(landing), SUBJECT)
    assert len(rows(again(landing))["agent_notes"]) == 3
    # Its key is not known any more, now that it is gone; its id is.
    assert erase(again(landing), SUBJECT, mentions=True).mentions == {"agent_notes": 1}
    assert len(rows(again(landing))["agent_notes"]) == 2


def test_what_was_forgotten_does_not_land_again(landing: Landing) -> None:
    posts: Rows = [{"post_id": POST, "platform": "tiktok", "external_post_id": GONE}]
    land(landing, "published_posts", posts)
    erase(again(landing), SUBJECT)
    polls: Rows = [poll("tiktok", KEPT, 1), poll("TikTok", GONE, 2), {"post_id": POST, "views": 3}]
    load = land(again(landing), "performance_metrics", polls)
    assert (load.read, load.accepted, load.forgotten) == (1, 1, 2)
    (row,) = rows(again(landing))["performance_metrics"]
    assert (row["views"], row["_position"]) == (1, 0)
    assert (unfinished(landing.storage), GONE in texts(landing)) == (True, False)
    finish(landing.storage)
    assert not unfinished(landing.storage)


def test_status_says_that_a_request_is_open(ace_home: Path) -> None:
    landing = Landing(ace_home / "landing")
    erase(landing, SUBJECT)
    shown = CliRunner().invoke(status, catch_exceptions=False).output
    assert "A request to forget was not finished" in shown
    finish(landing.storage)
    shown = CliRunner().invoke(status, ["--json"], catch_exceptions=False).output
    assert json.loads(shown)["open_requests"] is False


class Killed(BaseException):
    """What a killed process looks like from inside."""


def killed_after(patch: pytest.MonkeyPatch, steps: int) -> None:
    """Let the storage of landing zones write or remove so many files, and no more."""
    done = [0]

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            done[0] += 1
            if done[0] > steps:
                raise Killed
            return original(*arguments, **options)

        return call

    for name in ("commit", "remove"):
        patch.setattr(Storage, name, counted(getattr(Storage, name)))


def random_zone(landing: Landing, draw: random.Random) -> None:
    posts: Rows = [
        {"post_id": POST, "platform": "tiktok", "external_post_id": GONE},
        {"post_id": OTHER, "platform": "tiktok", "external_post_id": KEPT},
        {"post_id": POST, "caption": "a draft"},
        {"post_id": OTHER, "caption": "another"},
    ]
    # Whoever is killed has to know the key afterwards.
    land(landing, "published_posts", posts[:1])
    for _ in range(draw.randint(1, 3)):
        land(landing, "published_posts", draw.choices(posts, k=2))
    for _ in range(draw.randint(2, 5)):
        found = [poll("tiktok", draw.choice([GONE, KEPT]), n) for n in range(draw.randint(1, 3))]
        found += [{"post_id": draw.choice([POST, OTHER]), "views": 100}]
        bad = [draw.choice([GONE, KEPT]).encode() for _ in range(draw.randint(0, 3))]
        last = land(landing, "performance_metrics", found, bad)
    if draw.random() < 0.3:
        undo(landing, last.load_id)
    if draw.random() < 0.5:
        compact(again(landing), 2)


def of_other(row: dict[str, Any]) -> bool:
    return bool(row["external_post_id"] == KEPT or row["post_id"] == OTHER)


@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_the_zone_is_whole_and_erasing_goes_on(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    landing = Landing(tmp_path)
    random_zone(landing, draw)
    before = rows(again(landing))
    kept = {table: [row for row in found if of_other(row)] for table, found in before.items()}
    kept = {table: found for table, found in kept.items() if found}
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Killed):
        killed_after(patch, draw.randint(0, 12))
        erase(again(landing), SUBJECT)
    now = rows(again(landing))
    for table, found in kept.items():
        assert [row for row in now[table] if of_other(row)] == found
        assert all(row in before[table] for row in now[table])
    erase(again(landing), SUBJECT)
    assert rows(again(landing)) == kept
    assert not {GONE, POST} & set(re.findall(r"[\w-]+", texts(again(landing))))
    assert erase(again(landing), SUBJECT).is_nothing


def test_nothing_is_changed_where_a_file_cannot_be_read(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    load = land(landing, "performance_metrics", [poll("tiktok", GONE, 1)])
    Path(load.file).with_name("damaged.parquet").write_bytes(b"PAR1")
    with pytest.raises(AceError, match=r"damaged\.parquet cannot be read"):
        erase(again(landing), SUBJECT)
    assert len(rows(again(landing))["performance_metrics"]) == 1
    Path(load.file).with_name("damaged.parquet").unlink()
    with again(landing).shared_lock(), pytest.raises(AceError, match="A build is using"):
        erase(again(landing), SUBJECT)
