"""The vectorised way gives, row for row, what the exact way gives, or declines."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from loaders.files import fast
from loaders.files.mapping import FieldMap
from loaders.jsontext import parse_json
from loaders.records import Record, type_records
from loaders.values import Typing
from tests.support.examples import examples

UUIDS = st.uuids().map(str)
#: What other people's files have in text columns, each with a rule of its own.
FOREIGN = [
    "NA",
    "n/a",
    "-",
    "nan",
    "7.4e18",
    "7E18",
    "'741",
    '="741"',
    "741.0",
    "CafÃ©",
    "\u0091",
    "youtu.be/dQw4w9WgXcQ",
    "https://x.y/",
    "\u200e741",
    "\uff26",
    "#caf\u0065\u0301",
    "keine",
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(FOREIGN)
TIMES = st.one_of(
    st.datetimes().map(lambda t: t.isoformat() + "Z"),
    st.datetimes().map(lambda t: t.isoformat(sep=" ", timespec="seconds")),
    st.sampled_from(
        ["2024-01-01T00:00:00+0530", "2024-01-01T00:00:00.5-23:59", "2024-02-30T00:00:00Z",
         "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00", "2024-01-01", "1704196800",
         "2024-01-01T24:00:00Z", "2024-01-01T23:59:60Z", "2024-01-01T00:00:00+99:99"]
    ),
)  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(2**63), st.just("1.2K"),
    st.just(""), st.lists(st.none() | TEXTS, max_size=2), st.just({"a": 1}), st.just("a\x00"),
)  # fmt: skip
COUNTS = st.integers(-(2**63), 2**63 - 1) | st.just(-1)


def record(**clean: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly clean records; now and then a field is missing, odd or unknown."""
    fields = {name: st.none() | values for name, values in clean.items()}
    plain = st.fixed_dictionaries({}, optional=fields)
    odd = st.builds(
        lambda base, name, value: base | {name: value},
        plain,
        st.sampled_from([*clean, "unknown"]),
        ODD,
    )
    return st.one_of(plain, plain, plain, odd)


METRICS = record(
    metric_id=UUIDS, post_id=UUIDS | UUIDS.map(str.upper), views=COUNTS, likes=COUNTS,
    collected_at=TIMES, platform=TEXTS, watch_time_ms=st.floats(allow_nan=False, width=32),
)  # fmt: skip
VIDEOS = record(
    external_id=TEXTS, caption=TEXTS | st.just("#One #one #Zwölf"), view_count=COUNTS,
    hashtags=st.lists(st.none() | TEXTS, max_size=3), collected_at=TIMES,
)  # fmt: skip
#: Counts that were counted: -1 stands for a hidden one.
SEEN = st.integers(0, 2**63 - 1)
SETS = st.sampled_from([{}, {"platform": "tiktok"}])


def constants(resource: str, sets: dict[str, str]) -> pl.DataFrame:
    return type_records(resource, [sets], typing=Typing(from_csv=True))[0].select(list(sets))


def slow(fields: FieldMap, lines: list[bytes], **how: Any) -> tuple[pl.DataFrame, int]:
    records = [Record(*fields.apply(parse_json(line)), raw=line) for line in lines]
    frame, rejected = type_records(fields.resource, records, typing=Typing(**how))
    return frame, len(rejected)


def same(fast_rows: pl.DataFrame | None, fields: FieldMap, lines: list[bytes]) -> None:
    if fast_rows is None:
        return
    exact, rejected = slow(fields, lines)
    assert rejected == 0
    assert exact["_extra"].null_count() == exact.height
    columns = [c for c in exact.columns if not c.startswith("_")]
    missing = [
        pl.lit(None, exact.schema[c]).alias(c) for c in columns if c not in fast_rows.columns
    ]
    assert_frame_equal(fast_rows.with_columns(missing).select(columns), exact.select(columns))


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(METRICS, min_size=1, max_size=5), SETS)
def test_metric_lines(records: list[dict[str, Any]], sets: dict[str, str]) -> None:
    lines = [json.dumps(one).encode() for one in records]
    fields = FieldMap("performance_metrics", {}, sets)
    block = b"\n".join(lines)
    got = fast.ndjson_block(fields, block, Typing(), constants(fields.resource, sets))
    same(got, fields, lines)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(VIDEOS, min_size=1, max_size=5), SETS, st.booleans())
def test_video_lines(records: list[dict[str, Any]], sets: dict[str, str], ascii_: bool) -> None:
    lines = [json.dumps(one, ensure_ascii=ascii_).encode() for one in records]
    fields = FieldMap("raw_videos", {"author": "external_id"}, sets)
    block = b"\n".join(lines) + b"\n"
    got = fast.ndjson_block(fields, block, Typing(), constants(fields.resource, sets))
    same(got, fields, lines)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(VIDEOS, min_size=1, max_size=4), st.data())
def test_damaged_lines(records: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever bytes are cut out: no crash, and what is taken is right."""
    block = b"".join(json.dumps(one).encode() + b"\n" for one in records)
    start = data.draw(st.integers(0, len(block)))
    end = data.draw(st.integers(start, min(len(block), start + 6)))
    block = (
        block[:start] + data.draw(st.sampled_from([b"", b"null", b"\n", b"{", b"}"])) + block[end:]
    )
    fields = FieldMap("raw_videos")
    got = fast.ndjson_block(fields, block, Typing(), pl.DataFrame())
    if got is not None:
        same(got, fields, [line for line in block.split(b"\n") if line.strip()])


CELLS = st.one_of(
    st.just(""), st.sampled_from([one for one in FOREIGN if '"' not in one]), st.just("-1"),
    st.integers().map(str), TIMES, UUIDS,
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='",\u2028\u2029\x85'),
            max_size=8),
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4))
def test_csv_rows(cells: list[tuple[str, ...]]) -> None:
    names = ["external_id", "view_count", "collected_at", "id"]
    block = "".join(",".join(row) + "\n" for row in cells).encode()
    fields = FieldMap("raw_videos")
    got = fast.csv_block(fields, block, names, ",", Typing(from_csv=True), pl.DataFrame())
    kept = [dict(zip(names, row, strict=True)) for row in cells]
    exact, rejected = type_records("raw_videos", kept, typing=Typing(from_csv=True))
    if got is not None:
        assert rejected == []
        assert_frame_equal(got.select(names), exact.select(names))


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.fixed_dictionaries({"post_id": UUIDS, "views": st.none() | SEEN})))
def test_plain_records_do_take_the_fast_way(records: list[dict[str, Any]]) -> None:
    """Or the property above would hold of nothing."""
    block = b"".join(json.dumps(one).encode() + b"\n" for one in records) or b'{"views":1}\n'
    fields = FieldMap("performance_metrics")
    assert fast.ndjson_block(fields, block, Typing(), pl.DataFrame()) is not None


@pytest.mark.parametrize("value", [*FOREIGN, "Café"])
@pytest.mark.parametrize("column", ["external_id", "caption", "hashtags"])
def test_other_peoples_values_take_the_slow_way(column: str, value: str) -> None:
    """Or come out of the fast way as the slow way gives them."""
    fields = FieldMap("raw_videos")
    line = json.dumps({column: [value] if column == "hashtags" else value}).encode()
    same(fast.ndjson_block(fields, line, Typing(), pl.DataFrame()), fields, [line])
    how = Typing(nulls={"keine"})
    got = fast.ndjson_block(fields, line, how, pl.DataFrame())
    assert got is None or value != "keine"
