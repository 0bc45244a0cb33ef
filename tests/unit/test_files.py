"""The files source: formats, mapping, clocks, and what is done with bad input."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from common.errors import UsageError
from loaders.files import FileResult, load_files
from loaders.landing import Landing

ID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def put(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def one(landing: Landing, path: Path, table: str = "performance_metrics", **how: Any) -> FileResult:
    (result,) = load_files(landing, [path], table=table, **how)
    return result


def rows(landing: Landing) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(load.file) for load in landing.loads()])


def reasons(landing: Landing) -> list[str]:
    return [record.reason for record in landing.rejected()]


POLLS = [{"post_id": ID, "views": 5, "collected_at": "2024-01-02T12:00:00Z"}, {"views": 7}]
LINES = "".join(json.dumps(poll) + "\n" for poll in POLLS)
CSV = f"post_id,views,collected_at\n{ID},5,2024-01-02T12:00:00Z\n,7,\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.ndjson", LINES), ("a.jsonl", LINES), ("a.json", LINES), ("a.txt", LINES),
        ("a.json", json.dumps(POLLS)), ("a.json", json.dumps(POLLS, indent=2)),
        ("a.json", "\ufeff" + json.dumps(POLLS)), ("a.ndjson", "\ufeff" + LINES),
        ("a.ndjson", LINES.replace("\n", "\r\n")), ("a.ndjson", LINES.rstrip("\n")),
        ("a.json", json.dumps(POLLS[0], indent=1) + "\n" + json.dumps(POLLS[1], indent=1)),
        ("a.csv", CSV), ("a.csv", "\ufeff" + CSV), ("a.csv", CSV.replace("\n", "\r\n")),
        ("a.csv", CSV.replace(",", ";")), ("a.tsv", CSV.replace(",", "\t")),
        ("a.csv", CSV.rstrip("\n")), ("a.csv", "\n" + CSV + "\n\n"), ("a", CSV),
        ("a.csv", CSV.encode("utf-16")), ("a.ndjson", LINES.encode("utf-16")),
        ("a.ndjson.gz", gzip.compress(LINES.encode())), ("a.csv.gz", gzip.compress(CSV.encode())),
        ("a.ndjson.zst", zstandard.compress(LINES.encode())),
        ("a.csv.zst", zstandard.compress(CSV.encode()[:9]) + zstandard.compress(CSV.encode()[9:])),
        ("a.json", gzip.compress(json.dumps(POLLS).encode())),
    ],
)  # fmt: skip
def test_every_spelling_lands_the_same(
    landing: Landing, tmp_path: Path, name: str, content: str | bytes
) -> None:
    result = one(landing, put(tmp_path, name, content))
    assert (result.status, result.read, result.accepted) == ("landed", 2, 2)
    assert result.message == ""
    landed = rows(landing)
    assert landed["views"].to_list() == [5, 7]
    assert landed["post_id"].to_list() == [ID, None]
    assert landed["collected_at"].to_list() == [datetime(2024, 1, 2, 12, tzinfo=UTC), None]
    assert landed["_extra"].null_count() == 2


def test_parquet_lands_in_both_ways(landing: Landing, tmp_path: Path) -> None:
    clean = pl.DataFrame({"post_id": [ID, None], "views": [5, 7]})
    clean.write_parquet(tmp_path / "a.parquet")
    clean.with_columns(zz=pl.lit(1), views=pl.col("views").cast(str)).write_parquet(
        tmp_path / "b.parquet"
    )
    assert one(landing, tmp_path / "a.parquet").accepted == 2
    assert one(landing, tmp_path / "b.parquet").accepted == 2
    landed = rows(landing)
    assert landed["views"].to_list() == [5, 7, 5, 7]
    assert landed["_record_hash"].n_unique() == 2
    assert landed["_extra"].to_list() == [None, None, '{"zz":1}', '{"zz":1}']


def test_nested_fields_constants_and_a_list_inside_an_object(
    landing: Landing, tmp_path: Path
) -> None:
    document = {
        "cursor": 1,
        "data": {"items": [{"vid": 7386111312293610270, "authorMeta": {"name": "x"}, "n": "1.2K"}]},
        "more": True,
    }
    result = one(
        landing,
        put(tmp_path, "a.json", json.dumps(document)),
        "raw_videos",
        records="data.items",
        maps={"external_id": "vid", "author": "authorMeta.name", "view_count": "n"},
        sets={"platform": "tiktok"},
    )
    assert result.accepted == 1
    (row,) = rows(landing).to_dicts()
    assert row["external_id"] == "7386111312293610270"
    assert (row["author"], row["view_count"], row["platform"]) == ("x", 1200, "tiktok")
    assert json.loads(row["_extra"])["_precision"] == {"view_count": "1.2K"}


def test_a_constant_fills_only_what_is_missing(landing: Landing, tmp_path: Path) -> None:
    given = [{"platform": "x", "external_id": "1"}, {"platform": ""}, {"external_id": "3"}]
    content = "".join(json.dumps(record) + "\n" for record in given)
    path = put(tmp_path, "a.ndjson", content)
    one(landing, path, "raw_videos", sets={"platform": "tiktok", "view_count": "3"})
    one(landing, put(tmp_path, "b.ndjson", content + "{}\n[]\n"), "raw_videos",
        sets={"platform": "tiktok", "view_count": "3"})  # fmt: skip
    assert rows(landing)["platform"].to_list()[:6] == ["x", "tiktok", "tiktok"] * 2
    assert rows(landing)["view_count"].to_list() == [3] * 7


def test_a_displaced_field_is_not_lost(landing: Landing, tmp_path: Path) -> None:
    one(landing, put(tmp_path, "a.ndjson", '{"views":1,"plays":9}\n'), maps={"views": "plays"})
    (row,) = rows(landing).to_dicts()
    assert (row["views"], row["_extra"]) == (9, '{"views":1}')


# -- clocks ---------------------------------------------------------------------


def test_known_at_is_the_modification_time_unless_told(landing: Landing, tmp_path: Path) -> None:
    path = put(tmp_path, "a.ndjson", LINES)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    one(landing, path)
    one(landing, path, extracted_at="2024-05-01T00:00:00+02:00")
    one(landing, path, backfill=True)
    first, second, third = landing.loads()
    assert first.known_at_min == first.known_at_max == datetime.fromtimestamp(1_700_000_000, UTC)
    assert second.known_at_min == datetime(2024, 4, 30, 22, tzinfo=UTC)
    known = pl.read_parquet(third.file)["_extracted_at"].to_list()
    # A record without a time of its own is known when it was landed.
    assert known == [datetime(2024, 1, 2, 12, tzinfo=UTC), third.landed_at]


def test_the_same_file_is_landed_once(landing: Landing, tmp_path: Path) -> None:
    path = put(tmp_path, "a.ndjson", LINES)
    first = one(landing, path)
    second = one(landing, put(tmp_path, "copy.ndjson", LINES))
    assert (second.status, second.load_id, second.exit_code) == ("skipped", first.load_id, 0)
    assert one(landing, path, sets={"platform": "x"}).status == "landed"
    assert one(landing, path, again=True).status == "landed"
    assert len(landing.loads()) == 3


# -- bad input --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"views": "abc"}', "views: 'abc' is not a whole number"),
        ('{"views": Infinity}', "views: 'inf' is not a whole number"),
        ('{"views": 9223372036854775808}', "does not fit into 64 bits"),
        ('{"views": true}', "is not a whole number"),
        ('{"post_id": "x y"}', "post_id: 'x y' is not a uuid"),
        ('{"collected_at": "2024-02-30T00:00:00Z"}', "is not a possible time"),
        ('{"views": 1', "not valid JSON"),
        ("null", "the record is null, not an object"),
        ("[1]", "the record is a list"),
        ("\x00", "not valid JSON"),
    ],
)
def test_one_bad_line_is_kept_aside(
    landing: Landing, tmp_path: Path, bad: str, reason: str
) -> None:
    result = one(landing, put(tmp_path, "a.ndjson", f"{LINES}{bad}\n{LINES}"))
    assert (result.read, result.accepted, result.rejected, result.exit_code) == (5, 4, 1, 0)
    (rejected,) = landing.rejected()
    assert reason in rejected.reason
    assert (rejected.position, rejected.raw.decode()) == (2, bad)
    assert rows(landing)["_position"].to_list() == [0, 1, 3, 4]


def test_twenty_digit_ids_null_bytes_and_far_years_land(landing: Landing, tmp_path: Path) -> None:
    line = (
        '{"external_id": 12345678901234567890, "caption": "a\\u0000b", "like_count": -4,'
        ' "collected_at": "9999-01-01T00:00:00Z"}'
    )
    result = one(landing, put(tmp_path, "a.ndjson", line + "\n"), "raw_videos")
    assert (result.accepted, result.null_characters) == (1, 1)
    (row,) = rows(landing).to_dicts()
    assert row["external_id"] == "12345678901234567890"
    assert (row["caption"], row["like_count"]) == ("a\ufffdb", -4)
    assert row["collected_at"].year == 9999


def test_ten_megabytes_in_one_field(landing: Landing, tmp_path: Path) -> None:
    text = "é" * 5_000_000
    for name, content in (
        (
            "a.ndjson",
            json.dumps({"external_id": "1", "caption": text}) + "\n" + '{"caption": "b"}\n',
        ),
        ("a.json", json.dumps([{"external_id": "1", "caption": text}, {"caption": "b"}])),
        ("a.csv", f'caption,external_id\n"{text}",1\nb,2\n'),
    ):
        assert one(landing, put(tmp_path, name, content), "raw_videos").accepted == 2
    assert rows(landing)["caption"].to_list() == [text, "b"] * 3


def test_a_broken_array_lands_its_whole_elements(landing: Landing, tmp_path: Path) -> None:
    content = json.dumps([*POLLS, {"views": 9}])[:-5]
    result = one(landing, put(tmp_path, "a.json", content))
    assert (result.accepted, result.rejected, result.exit_code) == (2, 1, 0)
    assert "breaks off here" in reasons(landing)[0]


def test_a_cut_csv_record_is_one_rejected_record(landing: Landing, tmp_path: Path) -> None:
    content = 'external_id,caption,author\n1,"two\nlines",x\n2,"cut, here\nand there\nand'
    result = one(landing, put(tmp_path, "a.csv", content), "raw_videos")
    assert (result.accepted, result.rejected) == (1, 1)
    assert reasons(landing) == [
        "the quote opened on line 4 is never closed; the file seems cut off here"
    ]
    assert rows(landing)["caption"].to_list() == ["two\nlines"]


def test_a_stray_quote_costs_one_record(landing: Landing, tmp_path: Path) -> None:
    content = 'external_id,caption,author\n1,"stray,x\n2,fine,y\n3,fine,z\n'
    result = one(landing, put(tmp_path, "a.csv", content), "raw_videos")
    assert (result.accepted, result.rejected) == (2, 1)
    assert rows(landing)["external_id"].to_list() == ["2", "3"]


def test_csv_rows_of_a_wrong_length(landing: Landing, tmp_path: Path) -> None:
    content = "external_id,caption,author\n1,a\n2,b,c\n3,b,c,d\n4,b,c,\n5,cu"
    result = one(landing, put(tmp_path, "a.csv", content), "raw_videos")
    assert rows(landing)["external_id"].to_list() == ["2", "4"]
    assert (result.read, result.rejected) == (5, 3)
    assert reasons(landing) == [
        "line 2 has 2 fields where the header has 3",
        "line 4 has 4 fields where the header has 3",
        "line 6 has 2 fields where the header has 3; the file seems cut off here",
    ]


def test_windows_1252(landing: Landing, tmp_path: Path) -> None:
    text = "Caf\u00e9 \u2014 \u201cx\u201d \u20ac"
    content = f'external_id,caption\n1,"{text}"\n'.encode("cp1252")
    assert one(landing, put(tmp_path, "a.csv", content), "raw_videos").accepted == 1
    line = f'{{"external_id": "1", "caption": "{text}"}}\n'.encode("cp1252")
    assert one(landing, put(tmp_path, "a.ndjson", line), "raw_videos").accepted == 1
    assert rows(landing)["caption"].to_list() == [text, text]


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_cut_compressed_data_lands_what_is_whole(
    landing: Landing, tmp_path: Path, suffix: str, cut: float
) -> None:
    lines = "".join(json.dumps({"views": i * 7919}) + "\n" for i in range(200_000)).encode()
    packed = gzip.compress(lines) if suffix == "gz" else zstandard.compress(lines)
    path = put(tmp_path, f"a.ndjson.{suffix}", packed[: int(len(packed) * cut)])
    result = one(landing, path)
    if result.status == "failed":
        # So little was left that not one block could be unpacked.
        assert "cannot be read" in result.message
        return
    assert 0 < result.accepted < 200_000
    assert "the compressed data is damaged from here on" in reasons(landing)[-1]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "is empty"),
        ("a.json", b"  \n", "holds no JSON"),
        ("a.json", b'{"views": ', "is not valid JSON: the text ends early"),
        ("a.json", b'[{"views": 1, ', "is not valid JSON"),
        ("a.json", b'"text"', "not JSON objects"),
        ("a.parquet", b"PAR1 cut", "is a damaged or cut Parquet file"),
        ("a.parquet", b"x,y\n", "is named like Parquet but is not"),
        ("a.csv.gz", b"views\n1\n", "is not compressed that way"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00broken", "cannot be read"),
        ("a.csv", b"PK\x03\x04....", "is a ZIP or Excel file"),
        ("a.csv", b"views,likes,views\n1,2,3\n", "has two columns named 'views' (1 and 3)"),
    ],
)
def test_unreadable_files_fail_alone(
    landing: Landing, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    bad, good = put(tmp_path, name, content), put(tmp_path, "good.ndjson", LINES)
    results = load_files(landing, [bad, good], table="performance_metrics")
    assert [r.status for r in results] == ["failed", "landed"]
    assert sentence in results[0].message
    assert str(bad) in results[0].message
    assert results[0].exit_code == 1
    assert len(landing.loads()) == 1


def test_no_permission(landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.csv", CSV)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("loaders.files.inputs.open", denied, raising=False)
    result = one(landing, path)
    assert result.exit_code == 1
    assert f"No permission to read {path}" in result.message


def test_globs_folders_and_what_matches_nothing(landing: Landing, tmp_path: Path) -> None:
    put(tmp_path, "in/a.ndjson", LINES)
    put(tmp_path, "in/deep/b.csv", CSV)
    put(tmp_path, "in/README.md", "no data")
    put(tmp_path, "empty/README.md", "no data")
    paths: list[str | Path] = [
        tmp_path / "in", f"{tmp_path}/in/*.ndjson", f"{tmp_path}/*.xyz",
        tmp_path / "missing.csv", tmp_path / "empty",
    ]  # fmt: skip
    results = load_files(landing, paths, table="performance_metrics")
    assert [r.status for r in results] == ["failed"] * 3 + ["landed"] * 2
    assert {r.exit_code for r in results[:3]} == {2}
    assert "No file matches" in results[0].message
    assert "There is no file" in results[1].message
    assert "holds no CSV" in results[2].message


def test_a_file_that_fits_nothing_says_what_it_has(landing: Landing, tmp_path: Path) -> None:
    result = one(landing, put(tmp_path, "a.csv", "foo,bar\n1,2\n"))
    assert result.exit_code == 2
    assert "No field of" in result.message
    assert "it has foo, bar" in result.message
    result = one(landing, put(tmp_path, "b.json", '{"page": 1, "items": [{"views": 1}]}'))
    assert "add --records items" in result.message
    assert landing.loads() == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Say what the files hold"),
        ({"table": "performance_metric"}, "Did you mean 'performance_metrics'"),
        ({"preset": "tiktok-reserch"}, "Did you mean 'tiktok-research'"),
        ({"table": "raw_videos", "maps": {"view_cuont": "x"}}, "Did you mean"),
        ({"table": "raw_videos", "sets": {"view_counts": "x"}}, "Did you mean 'view_count'"),
        ({"table": "raw_videos", "sets": {"view_count": "x"}}, "--set view_count: 'x'"),
        ({"table": "raw_videos", "time_zone": "Mars/Base"}, "There is no time zone"),
        ({"table": "raw_videos", "extracted_at": "soon"}, "--extracted-at: 'soon'"),
        ({"table": "raw_videos", "backfill": True, "extracted_at": "2024-01-01"}, "Give one"),
        ({"preset": "tiktok-research", "maps": {"caption": "x"}}, "--map does not go with"),
        ({"preset": "tiktok-research", "table": "scripts"}, "has nothing for scripts"),
    ],
)
def test_options_that_make_no_sense_stop_before_any_file(
    landing: Landing, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_files(landing, [put(tmp_path, "a.csv", CSV)], **options)
    assert sentence in str(caught.value)
    assert landing.loads() == []


# -- presets ----------------------------------------------------------------------


def test_a_preset_lands_each_resource_as_a_load_of_its_own(
    landing: Landing, tmp_path: Path
) -> None:
    video = {"id": 7386111312293610270, "create_time": 1704196800, "username": "x",
             "video_description": "#a", "view_count": 5}  # fmt: skip
    page = {"data": {"videos": [video, "junk"]}, "error": {"code": "ok"}}
    path = put(tmp_path, "a.json", json.dumps(page))
    (result,) = load_files(landing, [path], preset="tiktok-research")
    assert (result.source, result.resource) == ("tiktok_research", "raw_videos")
    assert (result.accepted, result.rejected) == (1, 1)
    assert rows(landing)["external_id"].to_list() == ["7386111312293610270"]
    assert load_files(landing, [path], preset="tiktok-research")[0].status == "skipped"


@pytest.mark.parametrize(
    ("content", "name"),
    [("title,x\nA,1\n", "a.csv"), ('{"title": "A"}\n', "a.ndjson"), ('[{"title": "A"}]', "a.json")],
)
def test_one_shared_name_does_not_make_a_file_a_tables(
    landing: Landing, tmp_path: Path, content: str, name: str
) -> None:
    path = put(tmp_path, name, content)
    (failed,) = load_files(landing, [path], table="scripts")
    assert (failed.status, failed.exit_code) == ("failed", 2)
    assert (
        "tells scripts (one of script_id, product_id, script_text); it has title" in failed.message
    )
    assert landing.loads() == []
    mapped = one(landing, path, "scripts", maps={"script_text": "title"})
    assert (mapped.status, mapped.accepted) == ("landed", 1)


def test_a_mapping_from_a_column_that_is_not_there_is_told(
    landing: Landing, tmp_path: Path
) -> None:
    path = put(tmp_path, "a.csv", "post_id,seen\n1,2\n")
    (failed,) = load_files(landing, [path], table="performance_metrics", maps={"views": "sen"})
    assert failed.exit_code == 2
    assert "has no column 'sen'. Did you mean 'seen'?" in failed.message


@pytest.mark.parametrize("form", ["%Q", "", "year", "%"])
def test_a_time_format_that_is_none_is_told_before_any_file(landing: Landing, form: str) -> None:
    with pytest.raises(UsageError, match="is no date format"):
        load_files(landing, ["x.csv"], table="scripts", time_format=form)


def test_a_pipe_is_no_file(landing: Landing, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    (failed,) = load_files(landing, [tmp_path / "a.csv"], table="scripts")
    assert "is a pipe or a device" in failed.message


def test_lists_deep_in_a_document_are_named_where_it_fits_no_table(
    landing: Landing, tmp_path: Path
) -> None:
    videos = [{"Link": "https://www.tiktokv.com/share/video/7361111111111111111/"}]
    document = {"Post": {"My Posts": {"VideoList": videos}}, "Likes": {"List": [{"a": 1}]}}
    result = one(landing, put(tmp_path, "a.json", json.dumps(document)))
    assert "in 'Post.My Posts.VideoList', or 'Likes.List'" in result.message
    assert "--records 'Post.My Posts.VideoList'" in result.message
