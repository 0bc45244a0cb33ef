"""Tables written as one JSON object, and envelopes that pipelines put around records."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import FileResult, load_files
from loaders.landing import Landing
from loaders.retry import retry_rejected

IDS = ["7412345678901234567", "7412345678901244574", "7412345678901254581"]
ROWS = [
    {"external_id": one, "platform": "tiktok", "view_count": i, "hashtags": [f"t{i}"]}
    for i, one in enumerate(IDS)
]
EMITTED = 1_720_000_000_123
KNOWN = datetime(2024, 7, 3, 9, 46, 40, 123_000, tzinfo=UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(landing: Landing, path: Path, content: Any, **options: Any) -> FileResult:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    (result,) = load_files(landing, [path], **({"table": "raw_videos"} | options))
    return result


def rows(landing: Landing) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(load.file) for load in landing.loads()])


# -- tables ---------------------------------------------------------------------------


def by_column(found: list[dict[str, Any]], labels: list[str]) -> dict[str, Any]:
    return {name: dict(zip(labels, [one[name] for one in found], strict=True)) for name in found[0]}


NUMBERS = ["0", "1", "2"]
NAMES = list(ROWS[0])
VALUES = [list(row.values()) for row in ROWS]
TABLES: dict[str, Any] = {
    "columns": by_column(ROWS, NUMBERS),
    "columns labelled by time": by_column(ROWS, ["1720000000000", "1720003600000", "-5"]),
    "columns labelled by text": by_column(ROWS, ["a", "b", "c"]),
    "one row": by_column(ROWS[:1], ["0"]),
    "index": dict(zip(NUMBERS, ROWS, strict=True)),
    "index labelled by text": dict(zip("abc", ROWS, strict=True)),
    "split": {"columns": NAMES, "index": [0, 1, 2], "data": VALUES},
    "split without an index": {"columns": NAMES, "data": VALUES},
    "table": {
        "schema": {"fields": [{"name": "index"}], "primaryKey": ["index"], "pandas_version": "1"},
        "data": [{"index": i, **row} for i, row in enumerate(ROWS)],
    },
    "lists": {name: [row[name] for row in ROWS] for name in NAMES},
    "polars": {"columns": [{"name": n, "datatype": "String", "values": [r[n] for r in ROWS]}
                           for n in NAMES]},
    "analytics": {"kind": "x#resultTable", "columnHeaders": [{"name": n} for n in NAMES],
                  "rows": VALUES},
}  # fmt: skip


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
@pytest.mark.parametrize("shape", TABLES)
def test_a_table_in_one_object_lands_row_by_row(
    landing: Landing, tmp_path: Path, shape: str, name: str
) -> None:
    count = 1 if shape == "one row" else 3
    result = load(landing, tmp_path / name, TABLES[shape])
    assert (result.message, result.read, result.rejected) == ("", count, 0)
    landed = rows(landing)
    assert landed["external_id"].to_list() == IDS[:count]
    assert landed["view_count"].to_list() == [0, 1, 2][:count]
    assert landed["hashtags"].to_list() == [["t0"], ["t1"], ["t2"]][:count]
    assert landed["_extra"].null_count() == count


def test_a_preset_reads_tables_too_and_keeps_what_is_refused(
    landing: Landing, tmp_path: Path
) -> None:
    found = [{"id": one, "view_count": i, "username": "u"} for i, one in enumerate(IDS)]
    found[1]["view_count"] = "many"
    how: dict[str, Any] = {"table": None, "preset": "tiktok-research"}
    result = load(landing, tmp_path / "a.json", by_column(found, NUMBERS), **how)
    assert (result.message, result.read, result.rejected) == ("", 3, 1)
    (rejected,) = landing.rejected()
    assert json.loads(rejected.raw) == found[1]


@pytest.mark.parametrize(
    "record",
    [
        {"external_id": "1", "platform": "x", "made_up": {"0": 1}},
        {"external_id": "1", "platform": "x", "hashtags": ["a", "b"]},
        {"ext": {"a": "1"}, "made_up": {"a": "2"}},
    ],
)
def test_a_record_is_no_table(landing: Landing, tmp_path: Path, record: dict[str, Any]) -> None:
    how = {"maps": {"external_id": "ext.a"}} if "ext" in record else {}
    result = load(landing, tmp_path / "a.json", record, sets={"platform": "x"}, **how)
    assert (result.message, result.read) == ("", 1)
    assert rows(landing)["external_id"].to_list() == ["1"]


# -- envelopes ------------------------------------------------------------------------

VIDEO = {"external_id": IDS[0], "platform": "tiktok", "view_count": 5}
ENVELOPES: dict[str, Any] = {
    "airbyte 1": {"_airbyte_ab_id": "x", "_airbyte_emitted_at": EMITTED, "_airbyte_data": VIDEO},
    "airbyte 2": {"_airbyte_raw_id": "x", "_airbyte_extracted_at": "2024-07-03T09:46:40.123Z",
                  "_airbyte_meta": {}, "_airbyte_data": json.dumps(VIDEO)},
    "airbyte message": {"type": "RECORD", "record": {"stream": "v", "emitted_at": EMITTED,
                                                     "data": VIDEO}},
    "singer": {"type": "RECORD", "stream": "v", "record": VIDEO,
               "time_extracted": "2024-07-03T09:46:40.123Z"},
    "flat": {**VIDEO, "_airbyte_raw_id": "x", "_airbyte_extracted_at": EMITTED},
    "meltano": {**VIDEO, "_sdc_extracted_at": "2024-07-03T09:46:40.123Z"},
}  # fmt: skip


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
@pytest.mark.parametrize("kind", ENVELOPES)
def test_an_envelope_is_opened_and_says_when_it_was_known(
    landing: Landing, tmp_path: Path, kind: str, name: str
) -> None:
    result = load(landing, tmp_path / name, ENVELOPES[kind])
    assert (result.message, result.rejected) == ("", 0)
    (row,) = rows(landing).to_dicts()
    assert (row["external_id"], row["view_count"]) == (IDS[0], 5)
    assert row["_extracted_at"] == KNOWN
    asked = "2025-01-01T00:00:00Z"
    assert load(landing, tmp_path / name, ENVELOPES[kind], extracted_at=asked).accepted == 1
    assert rows(landing)["_extracted_at"].max() == datetime(2025, 1, 1, tzinfo=UTC)


def test_a_raw_table_of_airbyte_in_csv_and_parquet(landing: Landing, tmp_path: Path) -> None:
    given = {**ENVELOPES["airbyte 1"], "_airbyte_data": json.dumps({"id": IDS[0], "n": 5})}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(given))
    writer.writeheader()
    writer.writerow(given)
    how: dict[str, Any] = {
        "maps": {"external_id": "id", "view_count": "n"}, "sets": {"platform": "tiktok"}
    }  # fmt: skip
    assert load(landing, tmp_path / "a.csv", text.getvalue(), **how).accepted == 1
    pl.DataFrame([given]).write_parquet(tmp_path / "a.parquet")
    (result,) = load_files(landing, [tmp_path / "a.parquet"], table="raw_videos", **how)
    assert result.accepted == 1
    assert rows(landing)["view_count"].to_list() == [5, 5]
    assert rows(landing)["_extracted_at"].to_list() == [KNOWN, KNOWN]


def test_every_preset_opens_envelopes_and_a_retry_does(landing: Landing, tmp_path: Path) -> None:
    found = [{"id": one, "view_count": 1, "username": "u"} for one in IDS]
    found[2] |= {"view_count": "x", "next": "https://x.example/?access_token=secret1"}
    text = "".join(
        json.dumps({"_airbyte_emitted_at": EMITTED, "_airbyte_data": one}) + "\n" for one in found
    )
    how: dict[str, Any] = {"table": None, "preset": "tiktok-research"}
    result = load(landing, tmp_path / "a.ndjson", text, **how)
    assert (result.message, result.accepted, result.rejected) == ("", 2, 1)
    assert set(rows(landing)["_extracted_at"]) == {KNOWN}
    (rejected,) = landing.rejected()
    assert json.loads(rejected.raw)["_airbyte_emitted_at"] == EMITTED
    assert b"secret1" not in rejected.raw


def test_a_retry_knows_when_the_envelope_was_made(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loaders import values

    integer = values.KINDS["integer"]

    def fails(value: Any, typing: Any) -> Any:
        raise values.NotTyped("not today")

    monkeypatch.setitem(values.KINDS, "integer", fails)
    assert load(landing, tmp_path / "a.ndjson", ENVELOPES["airbyte 1"]).rejected == 1
    monkeypatch.setitem(values.KINDS, "integer", integer)
    (recovered,) = retry_rejected(landing)
    (row,) = pl.read_parquet(recovered.file).to_dicts()
    assert (row["view_count"], row["_extracted_at"]) == (5, KNOWN)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "SCHEMA", "stream": "v", "schema": {}}, "it is a SCHEMA message of a pipeline"),
        ({"type": "STATE", "value": {"bookmarks": {}}}, "it is a STATE message"),
        ({"type": "LOG", "log": {"level": "INFO"}}, "it is a LOG message"),
        ({"_airbyte_data": "{cut", "_airbyte_emitted_at": 1}, "_airbyte_data is not valid JSON"),
        ({"_airbyte_data": VIDEO, "_airbyte_emitted_at": "soon"}, "_airbyte_emitted_at: 'soon' is"),
        ({"_airbyte_data": [1]}, "the record is a list"),
    ],
)
def test_what_holds_no_record_is_rejected_and_says_why(
    landing: Landing, tmp_path: Path, document: Any, reason: str
) -> None:
    text = json.dumps(ENVELOPES["airbyte 1"]) + "\n" + json.dumps(document) + "\n"
    result = load(landing, tmp_path / "a.ndjson", text)
    assert (result.accepted, result.rejected) == (1, 1)
    (rejected,) = landing.rejected()
    assert rejected.reason.startswith(reason)
