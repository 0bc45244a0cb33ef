"""Typing of loose values: exact, or rejected with the reason."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loaders.records import Record, type_records
from loaders.values import KINDS, NotTyped, Typing

ID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)


def typed(kind: str, value: Any, **how: Any) -> Any:
    return KINDS[kind](value, Typing(**how))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5), (-7, -7), (5.0, 5), ("5", 5), (" 12 ", 12), ("1,234,567", 1_234_567),
        ("12.0", 12), ("1e3", 1000), (2**63 - 1, 2**63 - 1), (str(-(2**63)), -(2**63)),
        (Decimal("3"), 3), ("541.2K", 541_200), ("1.2M", 1_200_000), ("2B", 2_000_000_000),
        ("", None), (None, None),
    ],
)  # fmt: skip
def test_integers(value: Any, expected: int | None) -> None:
    assert typed("integer", value) == expected


@pytest.mark.parametrize(
    "value",
    ["abc", "12.5", 12.5, True, math.inf, "inf", 2**63, "9" * 30, "1e300",
     "1,23", "12 34", ".", "0x10", [1], {"a": 1}, "١٢"],
)  # fmt: skip
def test_what_is_no_integer(value: Any) -> None:
    with pytest.raises(NotTyped):
        typed("integer", value)


@pytest.mark.parametrize(
    ("value", "expected"), [("1.5", 1.5), (3, 3.0), ("1,234.5", 1234.5), (Decimal("0.1"), 0.1)]
)
def test_numbers(value: Any, expected: float) -> None:
    assert typed("number", value) == expected


@pytest.mark.parametrize("value", [math.inf, "x", False, 10**400, "1e999"])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(NotTyped):
        typed("number", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7386111312293610270, "7386111312293610270"),
        (12345678901234567890, "12345678901234567890"),
        (123.0, "123"), (1.5, "1.5"), (True, "true"), ("", ""), (["a", 1], '["a",1]'),
        ("a\x00b", "a\ufffdb"), ("\ud83d", "\ufffd"), (UUID(ID), ID), (b"caf\xc3\xa9", "café"),
    ],
)  # fmt: skip
def test_text(value: Any, expected: str) -> None:
    assert typed("text", value) == expected


@pytest.mark.parametrize("value", [7.386111312293610e18, 2.0**53, -(2.0**53)])
def test_an_id_that_has_lost_digits_is_rejected(value: float) -> None:
    with pytest.raises(NotTyped, match="lost digits"):
        typed("text", value)


def test_an_id_that_kept_its_digits_is_exact() -> None:
    assert typed("text", 2.0**53 - 1) == "9007199254740991"


def test_an_empty_csv_cell_is_null() -> None:
    assert typed("text", "", from_csv=True) is None


@pytest.mark.parametrize(
    "value", [ID, ID.upper(), f" {ID} ", f"{{{ID}}}", ID.replace("-", ""), UUID(ID), UUID(ID).bytes]
)
def test_uuids(value: Any) -> None:
    assert typed("uuid", value) == ID


@pytest.mark.parametrize("value", ["x", ID[:-1], 5, [ID]])
def test_what_is_no_uuid(value: Any) -> None:
    with pytest.raises(NotTyped, match="is not a uuid"):
        typed("uuid", value)


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-02T12:00:00Z", "2024-01-02T12:00:00+0000", "2024-01-02 13:00:00+01",
        "2024-01-02T12:00:00.000000", "2024-01-02 12:00:00 UTC", "2024-01-02T17:30:00+05:30",
        1704196800, 1704196800000, "1704196800", 1704196800.0, 1704196800000000, NOON,
        datetime(2024, 1, 2, 12),
    ],
)  # fmt: skip
def test_times(value: Any) -> None:
    assert typed("timestamp", value) == NOON


@pytest.mark.parametrize(
    ("value", "second"),
    [(10**11 - 1, 10**11 - 1), (10**11, 10**8), (10**14 - 1, 10**11 - 1), (10**14, 10**8)],
)
def test_the_size_of_a_number_tells_its_unit(value: int, second: int) -> None:
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    assert typed("timestamp", value).replace(microsecond=0) == expected


@pytest.mark.parametrize("value", ["20240102", 20240102, "2024-01-02", date(2024, 1, 2)])
def test_days(value: Any) -> None:
    assert typed("timestamp", value) == datetime(2024, 1, 2, tzinfo=UTC)


def test_far_years_are_typed_and_judged_later() -> None:
    assert typed("timestamp", "9999-12-31T00:00:00Z").year == 9999


@pytest.mark.parametrize(
    "value",
    ["2024-02-30", "2024-13-01T00:00:00Z", "20240230", "yesterday", "infinity",
     10**18, True, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-10:00", {}],
)  # fmt: skip
def test_impossible_times(value: Any) -> None:
    with pytest.raises(NotTyped):
        typed("timestamp", value)


def test_a_stated_format_and_zone() -> None:
    how = {"time_format": "%d/%m/%Y %H:%M", "time_zone": ZoneInfo("America/New_York")}
    assert typed("timestamp", "02/01/2024 07:00", **how) == NOON
    with pytest.raises(NotTyped, match="does not match the time format"):
        typed("timestamp", "2024-01-02T12:00:00Z", **how)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", None, "b"], ["a", "b"]), ('["a",null]', ["a"]), ("['a', 'b']", ["a", "b"]),
        ('{a,"b c",NULL,"q\\"x"}', ["a", "b c", 'q"x']), ("{}", []), ([], []), ("", None),
        ([1, 2], ["1", "2"]), ("one, two", ["one", "two"]),
    ],
)  # fmt: skip
def test_lists(value: Any, expected: list[str] | None) -> None:
    assert typed("text[]", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [('"a b"|"c"', ["a b", "c"]), ("a, b,,c", ["a", "b", "c"]), ("a|b,c", ["a", "b,c"])],
)
def test_lists_in_csv(value: str, expected: list[str]) -> None:
    assert typed("text[]", value, from_csv=True) == expected


@pytest.mark.parametrize("value", [{"a": 1}, 5, "{a,{b}}", "[1,"])
def test_what_is_no_list(value: Any) -> None:
    with pytest.raises(NotTyped, match="is not a list"):
        typed("text[]", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [None, "é"]}, '{"a":[null,"é"],"b":1}'),
        ('{"b": 1, "a": 2}', '{"a":2,"b":1}'), ("plain text", '"plain text"'), ("5", "5"),
        ("null", None), ({"a": "x\x00"}, '{"a":"x\ufffd"}'),
        ({"id": 12345678901234567890123}, '{"id":12345678901234567890123}'),
    ],
)  # fmt: skip
def test_json(value: Any, expected: str | None) -> None:
    assert typed("json", value) == expected


@pytest.mark.parametrize("value", ['{"a":', "[1,2", {"a": math.nan}, [math.inf]])
def test_broken_json(value: Any) -> None:
    with pytest.raises(NotTyped):
        typed("json", value)


def test_a_shortened_count_says_so() -> None:
    frame, _ = type_records("raw_videos", [{"view_count": "541.2K"}])
    assert frame["view_count"].item() == 541_200
    assert json.loads(frame["_extra"].item()) == {"_precision": {"view_count": "541.2K"}}


def test_unknown_fields_are_kept_under_their_own_names() -> None:
    record = Record({"views": 1, "Zeta": {"b": 1, "a": math.nan}, "none": None}, {"more": 2})
    frame, _ = type_records("performance_metrics", [record])
    assert json.loads(frame["_extra"].item()) == {"Zeta": "{'b': 1, 'a': nan}", "more": 2}


def test_all_problems_of_a_record_are_told_and_the_others_land() -> None:
    records = [{"views": 1}, {"views": "x", "likes": True}, 7, {"views": 2}]
    frame, rejected = type_records("performance_metrics", records, start=10)
    assert frame["_position"].to_list() == [10, 13]
    assert [r.position for r in rejected] == [11, 12]
    assert (
        rejected[0].reason
        == "views: 'x' is not a whole number; likes: 'true' is not a whole number"
    )
    assert rejected[0].field == "views"
    assert json.loads(rejected[0].raw) == records[1]
    assert "not an object" in rejected[1].reason


def test_null_characters_are_counted() -> None:
    how = Typing()
    type_records("raw_videos", [{"caption": "a\x00b\x00", "zz": "\x00"}], typing=how)
    assert how.null_characters == 3


def test_hashtags_written_in_the_caption() -> None:
    captions = ["#Foo and #foo,#été_1 #日本 a#b ##", "none", None]
    frame, _ = type_records("raw_videos", [{"caption": caption} for caption in captions])
    assert frame["caption_hashtags"].to_list() == [["foo", "été_1", "日本", "b"], [], None]


def test_a_ten_megabyte_value_is_told_briefly() -> None:
    _, rejected = type_records("performance_metrics", [{"views": "x" * 10_000_000}])
    assert len(rejected[0].reason) < 120
