"""Names of fields: other spellings reach their column, in every format and both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import FileResult, load_files
from loaders.files.mapping import folded
from loaders.landing import Landing

ID = "7412345678901234567"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(
    landing: Landing, tmp_path: Path, form: str, records: list[dict[str, Any]], **how: Any
) -> FileResult:
    """The records in one format; ``slow`` are lines that no vectorised pass takes."""
    path = tmp_path / f"a.{form.removeprefix('slow.')}"
    quote = '"' if form == "slow.csv" else ""
    if form.endswith("csv"):
        cells = [list(records[0]), *(r.values() for r in records)]
        lines = [",".join(f"{quote}{'' if c is None else c}{quote}" for c in row) for row in cells]
        path.write_text("\n".join(lines) + "\n")
    elif form == "parquet":
        pl.DataFrame(records).write_parquet(path)
    elif form == "json":
        path.write_text(json.dumps(records))
    else:
        records = [*records, {"author": 5}] if form.startswith("slow") else records
        path.write_text("".join(json.dumps(r) + "\n" for r in records))
    (result,) = load_files(landing, [path], **{"table": "raw_videos", **how})
    return result


def landed(landing: Landing, *columns: str) -> list[tuple[Any, ...]]:
    frame = pl.concat([pl.read_parquet(load.file) for load in landing.loads()])
    return frame.select(columns).rows()[:2]


FORMS = ["csv", "slow.csv", "ndjson", "slow.ndjson", "json", "parquet"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("views", "key"),
    [
        ("view_count", "external_id"), ("View_Count", "External ID"), ("viewCount", "externalId"),
        ("VIEW-COUNT", "EXTERNAL_ID"), (" view count ", "external-id"), ("views", "externalid"),
        ("Views", "External Post ID"), ("\u00a0VIEWS\u200b", "platform_post_id"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_name_reaches_its_column(
    landing: Landing, tmp_path: Path, form: str, views: str, key: str
) -> None:
    records = [{"Platform": "tiktok", key: ID, views: 7, "caption": "a"}]
    assert load(landing, tmp_path, form, records).status == "landed"
    assert landed(landing, "platform", "external_id", "view_count", "caption", "_extra")[0] == (
        "tiktok", ID, 7, "a", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "record", "columns"),
    [
        ("performance_metrics", {"views": 1, "like_count": 2}, {"views": 1, "like_count": 2}),
        ("performance_metrics", {"Likes": 2, "viewCount": 1}, {"likes": 2, "view_count": 1}),
        ("performance_metrics", {"external_id": ID}, {"external_post_id": ID}),
        ("raw_videos", {"external_id": ID, "likes": 1, "shares": 2, "comments": 3, "views": 4},
         {"like_count": 1, "share_count": 2, "comment_count": 3, "view_count": 4}),
        ("published_posts", {"external_id": ID, "Posted At": "2026-01-01T00:00:00Z"},
         {"external_post_id": ID}),
    ],
)  # fmt: skip
def test_every_table_takes_both_spellings(
    landing: Landing,
    tmp_path: Path,
    table: str,
    record: dict[str, Any],
    columns: dict[str, Any],
) -> None:
    records = [{"platform": "tiktok", **record, "caption": "x"}]
    for form in ("ndjson", "slow.csv"):
        result = load(landing, tmp_path, form, records, table=table, sets={"platform": "tiktok"})
        assert (result.accepted, result.rejected) == (1, 0)
    assert landed(landing, *columns) == [tuple(columns.values())] * 2


@pytest.mark.parametrize("form", FORMS)
def test_the_exact_name_wins_and_the_other_is_kept(
    landing: Landing, tmp_path: Path, form: str
) -> None:
    record = {"platform": "x", "external_id": ID, "Views": 1, "view_count": 2}
    load(landing, tmp_path, form, [record])
    ((views, extra),) = landed(landing, "view_count", "_extra")[:1]
    assert views == 2
    assert str(json.loads(extra)["Views"]) == "1"


@pytest.mark.parametrize("form", FORMS)
def test_two_names_of_one_column_are_refused_naming_both(
    landing: Landing, tmp_path: Path, form: str
) -> None:
    record = {"platform": "x", "external_id": ID, "Views": 1, "VIEW COUNT": 2}
    result = load(landing, tmp_path, form, [record])
    if form.endswith("json"):
        (refused,) = [r.reason for r in landing.rejected()]
        assert result.accepted + result.rejected == result.read
    else:
        assert (result.status, result.exit_code) == ("failed", 2)
        assert "--map view_count='Views'" in result.message
        refused = result.message
    assert "'Views' and 'VIEW COUNT' are both view_count" in refused
    # A mapping says which is meant.
    load(landing, tmp_path, form, [record], maps={"view_count": "VIEW COUNT"})
    assert landed(landing, "view_count")[-1:] == [(2,)]


def test_a_field_without_a_value_claims_no_column(landing: Landing, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"platform": "x", "external_id": ID, "view_count": None, "views": 4, "Views": None},
        {"platform": "x", "external_id": ID, "view_count": 5, "views": None},
    ]
    load(landing, tmp_path, "json", records)
    assert landed(landing, "view_count") == [(4,), (5,)]


def test_a_mapped_field_is_what_it_was_mapped_to(landing: Landing, tmp_path: Path) -> None:
    record = {"platform": "x", "external_id": ID, "Views": 9, "likes": 1}
    load(landing, tmp_path, "csv", [record], maps={"share_count": "Views"})
    assert landed(landing, "view_count", "share_count", "like_count") == [(None, 9, 1)]


def test_a_sign_is_no_spelling() -> None:
    assert folded("Likes (%)") != folded("likes")
    assert folded("\uff36iew\uff3fCount") == folded("view count")
