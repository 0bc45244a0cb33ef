"""A source's own numbers where uuids belong: derived, kept aside, or refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import FileResult, load_files
from loaders.keys import REFERENCE_TYPES, REFERENCES, derived_key, own_key
from loaders.landing import Landing
from loaders.schema import RESOURCES, SOURCE_KEY

OBJECT_ID = "507e191e810c19729de860ea"
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
TIKTOK = {"platform": "tiktok", "external_id": "7361111111111111111"}
POST = {"platform": "tiktok", "external_post_id": "7361111111111111111"}

#: A link fills the platform, too.
LINK = "https://www.tiktok.com/@lampshop/video/7361111111111111111"


class Folder:
    """Loads records, one file for each call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.landing = Landing(path / "landing")

    def load(self, table: str, *records: dict[str, Any], **how: Any) -> FileResult:
        file = self.path / f"{table}.ndjson"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        (result,) = load_files(self.landing, [file], table=table, **how)
        return result

    def rows(self, table: str) -> list[dict[str, Any]]:
        loads = self.landing.loads("files", table)
        return pl.concat(pl.read_parquet(load.file) for load in loads).to_dicts()


def said(result: FileResult) -> str:
    return "\n".join(result.notices)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (17, "17"), ("17", "17"), (" 17 ", "17"), (17.0, "17"), ("17.0", "17"), (-1, "-1"),
        (7361111111111111111, "7361111111111111111"), ("abc123", "abc123"), ("-Nx1_a", "-Nx1_a"),
        (OBJECT_ID, OBJECT_ID), ({"$oid": OBJECT_ID}, OBJECT_ID), ({"$numberLong": "5"}, "5"),
        ("12345e123456789012345678", "12345e123456789012345678"),
        (True, None), (1.5, None), (7.361111111111111e18, None), ("7.36E+18", None),
        ("12e5", None), ("", None), ("N/A", None), ("null", None), ("-", None), ("#REF!", None),
        ('="17"', None), ("desk lamp", None), ("x" * 300, None), ([1], None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_what_a_source_calls_a_row(value: Any, key: str | None) -> None:
    assert own_key(value) == key


def test_references_are_known_to_the_schema_and_types_are_those_of_the_seed() -> None:
    uuids = {c.name for columns in RESOURCES.values() for c in columns if c.kind == "uuid"}
    assert uuids - set(SOURCE_KEY.values()) <= {*REFERENCES, "reference_id"}
    seed = Path(__file__).parents[2] / "seeds/reference_types.csv"
    rows = csv.DictReader(seed.open())
    assert {row["reference_type"]: row["table_name"] for row in rows} == REFERENCE_TYPES


def test_rows_and_references_to_them_have_one_key_in_every_file(folder: Folder) -> None:
    folder.load("products", {"product_id": 17, "name": "lamp"}, {"product_id": OBJECT_ID})
    result = folder.load(
        "scripts",
        {"script_id": "s1", "product_id": "17.0", "script_text": "x", "trend_reference": None},
        {"script_id": UUID, "product_id": {"$oid": OBJECT_ID}, "script_text": "x"},
    )
    folder.load(
        "embeddings",
        {"embedding_id": 1, "reference_type": "product", "reference_id": 17, "embedding": "[1]"},
    )
    lamp, other = folder.rows("products")
    one, two = folder.rows("scripts")
    (embedding,) = folder.rows("embeddings")
    assert lamp["product_id"] == derived_key("files", "products", 17)
    assert json.loads(lamp["_extra"]) == {"product_id": 17}
    assert [one["product_id"], two["product_id"]] == [lamp["product_id"], other["product_id"]]
    assert embedding["reference_id"] == lamp["product_id"]
    assert one["script_id"] == derived_key("files", "scripts", "s1") != lamp["product_id"]
    assert two["script_id"] == UUID
    assert json.loads(one["_extra"]) == {"product_id": "17.0", "script_id": "s1"}
    assert result.notices == (
        "product_id: 2 values are no uuids, such as '17': "
        "each stands for one key, the same in every file.",
        "script_id: 1 value is no uuid, such as 's1': "
        "each stands for one key, the same in every file.",
    )


@pytest.mark.parametrize(
    ("table", "record", "how", "extra"),
    [
        ("raw_videos", {"id": 1, **TIKTOK}, {}, {"id": 1}),
        ("raw_videos", {"nr": 1, **TIKTOK}, {"maps": {"id": "nr"}}, {"nr": 1}),
        ("raw_videos", {"id": 1, "external_id": "1"}, {"sets": {"platform": "x"}}, {"id": 1}),
        ("published_posts", {"post_id": 1, **POST}, {}, {"post_id": 1}),
        ("published_posts", {"post_id": 1, "external_post_id": LINK}, {}, {"post_id": 1}),
        ("performance_metrics", {"post_id": 1, "external_post_id": LINK}, {}, {"post_id": 1}),
        ("performance_metrics", {"metric_id": 1, "views": 2, **POST}, {}, {"metric_id": 1}),
        ("performance_metrics", {"metric_id": 1, "post_id": UUID}, {}, {"metric_id": 1}),
        ("performance_metrics", {"post_id": 1, **POST}, {}, {"post_id": 1}),
    ],
)
def test_a_number_beside_a_natural_key_is_no_key(
    folder: Folder, table: str, record: dict[str, Any], how: dict[str, Any], extra: dict[str, Any]
) -> None:
    result = folder.load(table, record, **how)
    (row,) = folder.rows(table)
    assert row[SOURCE_KEY[table]] is None
    assert row.get("post_id") in (None, UUID)
    assert json.loads(row["_extra"]) == extra
    assert "kept in _extra, since a number" in said(result)


def test_a_post_without_an_external_id_and_its_poll_meet_by_number(folder: Folder) -> None:
    folder.load("published_posts", {"post_id": 7, "platform": "tiktok"})
    result = folder.load("performance_metrics", {"metric_id": 1, "post_id": "7", "views": 3})
    (post,), (poll,) = folder.rows("published_posts"), folder.rows("performance_metrics")
    assert post["post_id"] == poll["post_id"] == derived_key("files", "published_posts", 7)
    assert poll["metric_id"] is None
    assert "give the polls platform and external_post_id" in said(result)


@pytest.mark.parametrize(
    ("table", "record", "reason", "notice"),
    [
        ("raw_videos", {"id": 1, "caption": "x"}, "id: '1' is not a uuid", "external_id=id"),
        ("raw_videos", {"id": "abc", "external_id": "", "platform": "x"}, "id: 'abc'", "=id"),
        ("performance_metrics", {"metric_id": 3, "views": 1}, "metric_id: '3'", "=metric_id"),
        ("products", {"product_id": 7.361111111111111e18}, "is not a uuid", None),
        ("products", {"product_id": "a b"}, "product_id: 'a b' is not a uuid", None),
        ("products", {"product_id": True}, "is not a uuid", None),
        ("embeddings", {"reference_type": "dream", "reference_id": 1}, "is not a uuid", None),
    ],
)
def test_what_is_no_key_is_refused(
    folder: Folder, table: str, record: dict[str, Any], reason: str, notice: str | None
) -> None:
    result = folder.load(table, record)
    assert (result.accepted, result.rejected) == (0, 1)
    (rejected,) = folder.landing.rejected()
    assert reason in rejected.reason
    assert (notice in said(result)) if notice else "no uuid" not in said(result)


@pytest.mark.parametrize("post", [{}, POST])
def test_a_constant_may_be_a_number(folder: Folder, post: dict[str, Any]) -> None:
    """Beside a natural key it is none, as in a record."""
    folder.load("performance_metrics", {"views": 3, **post}, sets={"post_id": "7"})
    (poll,) = folder.rows("performance_metrics")
    assert poll["post_id"] == (None if post else derived_key("files", "published_posts", 7))


def test_two_files_that_count_from_one_stay_two_videos(folder: Folder) -> None:
    folder.load("raw_videos", {"id": 1, **TIKTOK})
    folder.load("raw_videos", {"id": 1, **TIKTOK, "external_id": "7362222222222222222"})
    assert [row["id"] for row in folder.rows("raw_videos")] == [None, None]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_numbers_in_typed_columns_are_numbers_too(tmp_path: Path, kind: str) -> None:
    frame = pl.DataFrame({"product_id": [17.0, None], "name": ["lamp", "desk"]})
    path = tmp_path / f"products.{kind}"
    getattr(frame, f"write_{kind}")(path)
    landing = Landing(tmp_path / "landing")
    (result,) = load_files(landing, [path], table="products")
    assert result.accepted == 2
    found = pl.read_parquet(landing.loads()[0].file)["product_id"].to_list()
    assert found == [derived_key("files", "products", 17), None]
