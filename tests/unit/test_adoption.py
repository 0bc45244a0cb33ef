"""Posts that ACE did not make: what is made for them as they land, once and for ever."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from common.errors import AceError, UsageError
from loaders.files import FileResult, load_files
from loaders.landing import Landing
from loaders.landing.writer import LoadWriter
from loaders.retry import retry_rejected
from loaders.values import KINDS, Typing, to_timestamp

MADE = ("products", "scripts", "experiments", "published_posts")
OWN = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
HEADER = "external_post_id,platform,published_at,caption,experiment_id,line\n"
FIRST = (
    "1,tiktok,2026-03-02T10:00:00Z,Deck day #Deck #white,,Boats\n"
    "2, TikTok ,2026-03-01T10:00:00Z,,,Boats\n"
    "1,youtube,2026-03-03T10:00:00Z,Deck day,,Films\n"
)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads happen after all the times named here."""
    now = datetime(2027, 6, 1, tzinfo=UTC)
    monkeypatch.setattr("loaders.landing.writer.utc_now", lambda: now)
    monkeypatch.setattr("loaders.adoption.utc_now", lambda: now)


def load(landing: Landing, rows: str, **options: Any) -> list[FileResult]:
    """Land posts with --adopt Shop."""
    path = Path(landing.url).parent / "posts.csv"
    path.write_text(HEADER + rows)
    given: dict[str, Any] = {
        "table": "published_posts",
        "adopt": "Shop",
        "extracted_at": NOVEMBER,
    } | options
    if given.get("backfill"):
        given["extracted_at"] = None
    return load_files(landing, [path], **given)


def rows(landing: Landing, resource: str) -> pl.DataFrame:
    frames = [pl.read_parquet(load.file) for load in landing.loads("files", resource)]
    return pl.concat(frames) if frames else pl.DataFrame()


def keys(landing: Landing) -> dict[str, set[str]]:
    names = ("product_id", "script_id", "experiment_id", "experiment_id")
    return {table: set(rows(landing, table)[name]) for table, name in zip(MADE, names, strict=True)}


def test_a_post_gets_all_that_it_hangs_on(landing: Landing) -> None:
    results = load(landing, FIRST)
    assert [(r.resource, r.accepted) for r in results] == list(zip(MADE, (1, 3, 3, 3), strict=True))
    (product,) = rows(landing, "products").to_dicts()
    assert (product["name"], product["source_platform"]) == ("Shop", "adopted")
    posts, scripts, experiments = (
        rows(landing, table) for table in ("published_posts", "scripts", "experiments")
    )
    assert posts["experiment_id"].to_list() == experiments["experiment_id"].to_list()
    assert posts["experiment_id"].n_unique() == 3
    assert experiments["script_id"].to_list() == scripts["script_id"].to_list()
    assert set(experiments["product_id"]) == set(scripts["product_id"]) == {product["product_id"]}
    # a post without words has a script without words
    assert scripts["script_text"].to_list() == ["Deck day #Deck #white", "", "Deck day"]
    assert experiments["variation_label"].to_list() == ["adopted"] * 3
    assert posts["hashtags"].to_list() == [["deck", "white"], None, None]


def test_what_is_made_is_known_with_its_post_and_as_old_as_it(landing: Landing) -> None:
    # the last one is scheduled: nothing of it was made in the future
    load(landing, FIRST + "3,tiktok,2027-03-01T10:00:00Z,Soon,,\n")
    published = [datetime(2026, 3, day, 10, tzinfo=UTC) for day in (2, 1, 3)]
    for table in ("scripts", "experiments"):
        assert rows(landing, table)["created_at"].to_list() == [*published, NOVEMBER]
    assert rows(landing, "products")["created_at"].to_list() == [published[1]]
    for table in MADE:
        assert set(rows(landing, table)["_extracted_at"]) == {NOVEMBER}


def test_a_backfill_knows_everything_when_its_post_went_out(landing: Landing) -> None:
    # a time that cannot be takes nothing else with it
    load(landing, FIRST + "3,tiktok,1970-01-01T00:00:00Z,Zero,,\n", backfill=True)
    posts = rows(landing, "published_posts")["_extracted_at"].to_list()
    for table in ("scripts", "experiments"):
        assert rows(landing, table)["_extracted_at"].to_list() == posts
        assert rows(landing, table)["created_at"].to_list() == [*posts[:3], None]
    (product,) = rows(landing, "products").to_dicts()
    assert product["_extracted_at"] == product["created_at"] == min(posts)


def test_a_later_export_updates_and_never_duplicates(landing: Landing) -> None:
    load(landing, FIRST)
    before = keys(landing)
    # one post edited, one that lost its words, one new; the oldest is not in it
    edited = (
        "1,tiktok,2026-03-02T10:00:00Z,Deck night,,\n"
        "1,youtube,2026-03-03T10:00:00Z,,,\n"
        "9,tiktok,2026-04-01T10:00:00Z,New,,\n"
    )
    load(landing, edited, extracted_at=DECEMBER)
    after = keys(landing)
    assert {table: len(after[table] - before[table]) for table in MADE} == {
        "products": 0, "scripts": 1, "experiments": 1, "published_posts": 1,
    }  # fmt: skip
    scripts = rows(landing, "scripts")
    assert scripts["script_text"].to_list()[3:] == ["Deck night", "Deck day", "New"]
    assert scripts["script_id"][3] == scripts["script_id"][0]
    # the product is as old as its oldest post, in every version
    products = rows(landing, "products").drop("_load_id", "_extracted_at", "_loaded_at")
    assert products.height == 2
    assert products.unique().height == 1
    # and with the same file again there is nothing to do
    (again,) = load(landing, edited, extracted_at=DECEMBER)
    assert again.status == "skipped"
    # unless it belongs to another product now
    assert load(landing, edited, extracted_at=DECEMBER, adopt="Other")[0].status == "landed"
    assert keys(landing)["experiments"] == after["experiments"]


def test_an_older_export_makes_the_product_older_whatever_is_known_when(landing: Landing) -> None:
    load(landing, FIRST, backfill=True)
    load(landing, "0,tiktok,2025-01-01T00:00:00Z,Old,,\n", backfill=True)
    oldest = datetime(2025, 1, 1, tzinfo=UTC)
    versions = rows(landing, "products").sort("_extracted_at", "_load_id", "_position")
    assert versions["created_at"][-1] == oldest
    assert versions["_extracted_at"][0] == oldest
    assert versions["product_id"].n_unique() == 1


def test_a_post_with_an_experiment_keeps_it(landing: Landing) -> None:
    load(landing, f"1,tiktok,2026-03-02T10:00:00Z,Ours,{OWN},\n", adopt=None)
    # the account's export has all its posts, also those that ACE made
    results = load(landing, f"5,tiktok,2026-03-02T10:00:00Z,Told,{OWN},\n" + FIRST)
    assert [r.accepted for r in results] == [1, 2, 2, 4]
    posts = rows(landing, "published_posts")
    assert posts["experiment_id"].to_list()[:3] == [OWN] * 3
    assert OWN not in posts["experiment_id"].to_list()[3:]
    assert OWN not in rows(landing, "experiments")["experiment_id"].to_list()


def test_a_post_that_is_adopted_again_has_no_experiment_of_its_own(landing: Landing) -> None:
    load(landing, FIRST)
    # what was made for a post before is made again: an edit must reach it
    results = load(landing, FIRST.replace("Deck day", "Deck night"), extracted_at=DECEMBER)
    assert [(r.resource, r.accepted) for r in results] == list(zip(MADE, (1, 3, 3, 3), strict=True))


def test_posts_that_all_have_an_experiment_need_nothing(landing: Landing) -> None:
    (result,) = load(landing, f"1,tiktok,2026-03-02T10:00:00Z,Ours,{OWN},\n")
    assert (result.resource, result.accepted) == ("published_posts", 1)


def test_a_post_that_nobody_could_name_is_left_as_it_is(landing: Landing) -> None:
    (result,) = load(landing, ",tiktok,2026-03-02T10:00:00Z,Draft,,\n4,,2026-03-02,No place,,\n")
    assert result.accepted == 2
    assert rows(landing, "published_posts")["experiment_id"].to_list() == [None, None]


@pytest.mark.parametrize("how", ["csv", "json"])
def test_every_post_can_name_its_product(landing: Landing, tmp_path: Path, how: str) -> None:
    if how == "csv":
        more = "4,tiktok,2026-03-02,No line,,  \n5,tiktok,2026-03-02,A number,,7\n"
        load(landing, FIRST + more, maps={"product": "line"})
    else:
        path = tmp_path / "posts.json"
        found = [
            {"external_post_id": str(i), "platform": "tiktok", "about": {"line": line}}
            for i, line in enumerate(["Boats", "Boats  ", "Films", None, 7])
        ]
        path.write_text(json.dumps(found))
        load_files(landing, [path], table="published_posts", adopt="Shop",
                   maps={"product": "about.line"})  # fmt: skip
    names = dict(rows(landing, "products").select("product_id", "name").iter_rows())
    experiments = rows(landing, "experiments")["product_id"]
    assert [names[key] for key in experiments] == ["Boats", "Boats", "Films", "Shop", "7"]


def test_products_are_the_same_for_the_same_name(landing: Landing) -> None:
    load(landing, "1,tiktok,2026-03-02T10:00:00Z,a,,\n", adopt="Caf\u00e9  Noir")
    load(landing, "2,tiktok,2026-03-02T10:00:00Z,b,,\n", adopt=" Cafe\u0301 Noir")
    assert rows(landing, "products")["product_id"].n_unique() == 1
    load(landing, "3,tiktok,2026-03-02T10:00:00Z,c,,Caf\u00e9 Noir\n", maps={"product": "line"})
    assert rows(landing, "products")["product_id"].n_unique() == 1
    # bytes that are no text, as a shell hands them on
    load(landing, "4,tiktok,2026-03-02T10:00:00Z,c,,\n", adopt="Caf\udce9")
    assert rows(landing, "products")["name"][-1] == "Caf\ufffd"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"adopt": None, "maps": {"product": "line"}}, "Add --adopt NAME"),
        ({"adopt": "  "}, "--adopt names no product"),
        ({"table": "performance_metrics"}, "--adopt is for posts"),
        ({"table": None, "preset": "youtube-trending"}, "the preset youtube-trending gives none"),
    ],
)
def test_what_makes_no_sense_is_said(
    landing: Landing, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as error:
        load(landing, FIRST, **options)
    assert sentence in str(error.value)


def test_a_product_column_that_is_not_there_is_said(landing: Landing, tmp_path: Path) -> None:
    (result,) = load(landing, FIRST, maps={"product": "lines"})
    assert (result.status, result.exit_code) == ("failed", 2)
    assert "has no column 'lines'. Did you mean 'line'?" in result.message
    path = tmp_path / "posts.json"
    path.write_text('[{"external_post_id": "1", "platform": "tiktok", "about": {"line": "x"}}]')
    (result,) = load_files(landing, [path], table="published_posts", adopt="Shop",
                           maps={"product": "about.lines"})  # fmt: skip
    assert (result.status, result.exit_code) == ("failed", 2)
    assert "no record of" in result.message
    assert "about.line" in result.message
    assert not landing.loads()


def test_a_retry_adopts_as_the_load_did(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    load(landing, FIRST.replace("2026-03-02T10:00:00Z", "then"), maps={"product": "line"})
    assert rows(landing, "experiments").height == 2

    def lenient(value: Any, typing: Typing) -> datetime | None:
        return NOVEMBER if value == "then" else to_timestamp(value, typing)

    monkeypatch.setitem(KINDS, "timestamp", lenient)
    (again,) = retry_rejected(landing)
    (post,) = pl.read_parquet(again.file).to_dicts()
    script, experiment = (rows(landing, table).to_dicts()[-1] for table in MADE[1:3])
    assert post["experiment_id"] == experiment["experiment_id"]
    assert experiment["script_id"] == script["script_id"]
    assert script["script_text"] == "Deck day #Deck #white"
    assert set(rows(landing, "products")["name"]) == {"Boats", "Films"}
    assert {script["_extracted_at"], post["_extracted_at"]} == {NOVEMBER}
    assert retry_rejected(landing) == []


@pytest.mark.parametrize("killed_at", MADE)
def test_a_kill_in_between_leaves_what_the_next_run_completes(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    class Killed(BaseException):
        pass

    commit = LoadWriter.commit

    def until(writer: LoadWriter, cursor: dict[str, Any] | None = None) -> Any:
        if writer.resource == killed_at:
            raise Killed
        return commit(writer, cursor)

    with monkeypatch.context() as patch:
        patch.setattr(LoadWriter, "commit", until)
        with pytest.raises(Killed):
            load(landing, FIRST)
    assert rows(landing, "published_posts").is_empty()
    load(landing, FIRST)
    assert [len(found) for found in keys(landing).values()] == [1, 3, 3, 3]


def test_a_landed_file_that_cannot_be_read_is_named(landing: Landing) -> None:
    load(landing, FIRST)
    (held,) = landing.loads("files", "scripts")
    data = bytearray(Path(held.file).read_bytes())
    data[4:200] = bytes(196)
    Path(held.file).write_bytes(data)
    with pytest.raises(AceError) as error:
        load(landing, "7,tiktok,2026-03-02T10:00:00Z,,,\n")
    assert held.file in str(error.value)
