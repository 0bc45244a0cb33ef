"""``ace explain --row``: one row's versions, verdicts, landed files and what rests on it, on both
engines, of versions and marts made by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from common.errors import UsageError
from common.settings import Settings
from loaders.landing import Landing
from repositories.connection import open_release
from tests.conftest import PgServer
from tests.support import small_release
from tests.support.histories import Landed, land
from warehouse.lineage import NEWEST_BY, lineage
from warehouse.settings import PROJECT_ROOT

POST = "00000000-0000-0000-0000-0000000000a1"
TWIN = "00000000-0000-0000-0000-0000000000a2"
POLL = "00000000-0000-0000-0000-0000000000b1"
LOST = "00000000-0000-0000-0000-0000000000b2"
WAITS = "00000000-0000-0000-0000-0000000000b3"
GONE = "00000000-0000-0000-0000-0000000000ff"
ENGINES = ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
DAY = datetime(2026, 11, 1, tzinfo=UTC)

INT = {
    "_load_id": "text",
    "_position": "bigint",
    "_source": "text",
    "_known_at": "timestamptz",
    "_loaded_at": "timestamptz",
    "_source_key": "uuid",
    "_verdict": "text",
    "_reasons": "text[]",
    "_fields": "text[]",
    "_missing_reference": "text",
    "_effective_at": "timestamptz",
}
POLLS = INT | {
    "metric_id": "uuid",
    "post_id": "uuid",
    "platform": "text",
    "external_post_id": "text",
    "views": "bigint",
}
POSTS = INT | {
    "post_id": "uuid",
    "experiment_id": "uuid",
    "platform": "text",
    "external_post_id": "text",
}


def version(load: str, position: int, verdict: str, day: int, **values: Any) -> dict[str, Any]:
    known = DAY.replace(day=day)
    return {
        "_load_id": load,
        "_position": position,
        "_source": "files",
        "_known_at": known,
        "_loaded_at": known,
        "_verdict": verdict,
        "_reasons": [],
        "_fields": [],
    } | values


def tables(first: str) -> small_release.Tables:
    """Polls whose first version stands in the landed load ``first``."""
    poll = {"metric_id": POLL, "post_id": POST, "platform": "tiktok", "external_post_id": "x1"}
    held = {"metric_id": WAITS, "post_id": GONE, "_reasons": ["missing_parent"]}
    faulty = {"_reasons": ["missing_required", "out_of_range"], "_fields": ["post_id", "views"]}
    return {
        "intermediate.int_performance_metrics": (
            POLLS,
            [
                # Neither told in their order nor with loads in it.
                version("load-2", 0, "accepted", 4, **poll, views=15, _source_key=LOST),
                version(first, 0, "superseded", 2, **poll, views=12),
                version("load-3", 7, "duplicate", 3, **poll, views=12),
                version("load-3", 8, "quarantined", 3, **held)
                | {"_missing_reference": f"published_posts {GONE}"},
                version("018f0000-0000-7000-8000-000000000009", 9, "quarantined", 3, views=-5)
                | faulty,
            ],
        ),
        "intermediate.int_published_posts": (
            POSTS,
            [
                version("load-1", 0, "accepted", 1, post_id=POST, platform="tiktok")
                | {"external_post_id": "x1"},
                version("load-1", 1, "accepted", 1, post_id=TWIN, platform="youtube")
                | {"external_post_id": "x1"},
            ],
        ),
        "canonical.performance_metrics": (
            {"metric_id": "uuid", "post_id": "uuid", "views": "bigint"},
            [{"metric_id": POLL, "post_id": POST, "views": 15}],
        ),
        "canonical.published_posts": ({"post_id": "uuid"}, [{"post_id": POST}, {"post_id": TWIN}]),
        "marts.post_metric_history": (
            {"post_id": "uuid", "views_mono": "bigint"},
            [{"post_id": POST, "views_mono": n} for n in (12, 15)] + [{"post_id": TWIN}],
        ),
        "marts.post_performance": ({"post_id": "uuid"}, [{"post_id": TWIN}]),
    }


@pytest.fixture(scope="module", params=ENGINES)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, str]]:
    """Settings that find the release, and the load that has landed."""
    home = tmp_path_factory.mktemp("home")
    landing = Landing(home / "landing")
    landing.prepare()
    row = {"metric_id": POLL, "post_id": POST, "views": 12}
    land(landing, Landed("files", "performance_metrics", [row], [DAY], DAY))
    (load,) = landing.loads()
    if request.param == "duckdb":
        yield small_release.release(tables(load.load_id), home), load.load_id
        return
    server: PgServer = request.getfixturevalue("pg_server")
    url = server.create_database()
    yield small_release.release(tables(load.load_id), home, url), load.load_id
    server.drop_database(url)


def explained(warehouse: tuple[Settings, str], table: str, key: str) -> dict[str, Any]:
    config, _ = warehouse
    with open_release(config.home, target=config.target, postgres_url=config.postgres_url) as one:
        return lineage(one, Landing(config.landing), table, key)


def test_versions_stand_in_order_with_their_verdicts(warehouse: tuple[Settings, str]) -> None:
    first = warehouse[1]
    found = explained(warehouse, "performance_metrics", POLL)
    assert found["table"] == "canonical.performance_metrics"
    assert found["verdict"] == "accepted"
    assert found["row"] == {"metric_id": POLL, "post_id": POST, "views": 15}
    assert [(one["verdict"], one["why"]) for one in found["versions"]] == [
        ("superseded", "a newer valid version counts, load-2:0"),
        ("duplicate", f"says the same as the version before it, {first}:0"),
        ("accepted", "the newest valid version"),
    ]
    changed = [one["changed"] for one in found["versions"]]
    assert changed == [{}, {}, {"views": {"from": 12, "to": 15}}]


def test_a_version_names_its_landed_file(warehouse: tuple[Settings, str]) -> None:
    found = explained(warehouse, "canonical.performance_metrics", POLL)["versions"]
    assert Path(found[0]["file"]).is_file()
    assert [one["file"] for one in found[1:]] == [None, None]
    assert [one["position"] for one in found] == [0, 7, 0]


def test_what_rests_on_a_poll_are_the_rows_of_its_post(warehouse: tuple[Settings, str]) -> None:
    found = explained(warehouse, "performance_metrics", POLL)
    assert found["parents"] == [
        {
            "table": "canonical.published_posts",
            "column": "post_id",
            "key": POST,
            "is_accepted": True,
        }
    ]
    assert found["marts"] == [
        {"table": "marts.post_metric_history", "column": "post_id", "value": POST, "rows": 2}
    ]


def test_a_quarantined_row_says_what_it_waits_for(warehouse: tuple[Settings, str]) -> None:
    found = explained(warehouse, "performance_metrics", WAITS)
    assert (found["row"], found["verdict"], found["marts"]) == (None, "quarantined", [])
    assert [one["why"] for one in found["versions"]] == [f"waits for published_posts {GONE}"]
    assert [one["is_accepted"] for one in found["parents"]] == [False]


def test_a_row_without_a_key_is_named_by_its_place(warehouse: tuple[Settings, str]) -> None:
    place = "018f0000-0000-7000-8000-000000000009:9"
    found = explained(warehouse, "performance_metrics", place)
    assert found["key"] is None
    assert [one["why"] for one in found["versions"]] == ["lacks post_id; impossible views -5"]


@pytest.mark.parametrize("name", [LOST, "x1", "tiktok/x1", "TikTok/x1"])
def test_other_names_of_a_row_lead_to_it(warehouse: tuple[Settings, str], name: str) -> None:
    assert explained(warehouse, "performance_metrics", name)["key"] == POLL


def test_a_name_of_two_rows_or_of_none_is_refused(warehouse: tuple[Settings, str]) -> None:
    with pytest.raises(UsageError, match=f"fits 2 rows.*{POST}, {TWIN}"):
        explained(warehouse, "published_posts", "x1")
    assert explained(warehouse, "published_posts", "youtube/x1")["key"] == TWIN
    with pytest.raises(UsageError, match="No landed row of published_posts"):
        explained(warehouse, "published_posts", GONE)
    with pytest.raises(UsageError, match=r"not one of the twelve.*published_posts"):
        explained(warehouse, "published_post", POST)


def test_the_command_shows_it(
    warehouse: tuple[Settings, str], ace_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warehouse.cli.explain import command
    from warehouse.settings import settings

    config, first = warehouse
    monkeypatch.setenv("ACE_HOME", str(config.home))
    monkeypatch.setenv("ACE_TARGET", config.target)
    monkeypatch.setenv("ACE_POSTGRES_URL", config.postgres_url or "")
    settings.cache_clear()
    arguments = ["--row", "performance_metrics", POLL]
    shown = CliRunner().invoke(command, arguments, catch_exceptions=False).output
    assert "3 landed versions; the row is accepted." in shown
    assert "changed    views: 12 -> 15" in shown
    assert f"load       {first}" in shown
    assert "not in landing any more" in shown
    told = CliRunner().invoke(command, [*arguments, "--json"], catch_exceptions=False).output
    assert json.loads(told)["key"] == POLL
    with pytest.raises(UsageError, match="--row needs a key"):
        CliRunner().invoke(command, ["--row", "products"], catch_exceptions=False)


def test_versions_are_ordered_as_verdicts_order_them() -> None:
    given = {}
    for path in (PROJECT_ROOT / "models" / "versions").glob("int_*.sql"):
        if found := re.search(r"newest_by='(\w+)'", path.read_text()):
            given[path.stem.removeprefix("int_")] = found[1]
    assert given == NEWEST_BY
