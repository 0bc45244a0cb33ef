"""Numbers and times as other people's programs write them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loaders.values import KINDS, NotTyped, Typing


def typed(kind: str, value: Any, **how: Any) -> Any:
    return KINDS[kind](value, Typing(**how))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.000", 12_000), ("1.234.567", 1_234_567), ("999", 999), ("1.000,0", 1_000),
     ("12 345", 12_345), ("12\u202f345", 12_345), ("12'345", 12_345), ("1,2M", 1_200_000),
     ("1.234,5K", 1_234_500), (12.0, 12), ("-5", -5)],
)  # fmt: skip
def test_counts_with_a_decimal_comma(value: Any, expected: int) -> None:
    assert typed("integer", value, decimal_comma=True) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0,453", 0.453), ("0,5", 0.5), ("1.500", 1500.0), ("2500,5", 2500.5), ("1.234,56", 1234.56),
     (",5", 0.5), ("1,5e3", 1500.0), (0.25, 0.25)],
)  # fmt: skip
def test_numbers_with_a_decimal_comma(value: Any, expected: float) -> None:
    assert typed("number", value, decimal_comma=True) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", "12.000"), ("integer", "1.234.567"), ("integer", "-1.000"), ("integer", "1,2M"),
     ("number", "0,453"), ("number", "0,5"), ("number", "1,234"), ("number", "2500,5"),
     ("number", "1.234,56"), ("integer", "1.234,0")],
)  # fmt: skip
def test_what_may_be_a_decimal_comma_is_refused_with_the_option(kind: str, value: str) -> None:
    with pytest.raises(NotTyped, match="--decimal-comma"):
        typed(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("integer", "1,234"), ("integer", "1,234,567"), ("number", "0.453"), ("number", "1,234.5")],
)
def test_and_the_other_way_round(kind: str, value: str) -> None:
    with pytest.raises(NotTyped, match="leave --decimal-comma out"):
        typed(kind, value, decimal_comma=True)


@pytest.mark.parametrize(
    ("value", "expected"), [("1,234", 1234), ("1,234.0", 1234), ("12 345", 12345), ("0.0", 0)]
)
def test_groups_that_can_be_read_one_way_only(value: str, expected: int) -> None:
    assert typed("integer", value) == expected


@pytest.mark.parametrize("kind", ["integer", "number", "timestamp", "uuid"])
@pytest.mark.parametrize(
    "word", ["NA", "N/A", "n/a", "NaN", "nan", "None", "null", "-", "--", "—", "NaT", " NA "]
)
def test_words_for_unknown_are_unknown_and_counted(kind: str, word: str) -> None:
    how = Typing()
    assert KINDS[kind](word, how) is None
    assert how.notices.unknown == {word.strip(): 1}
    assert how.notices.sentences() == [f"1 value was read as unknown: '{word.strip()}'."]


@pytest.mark.parametrize("kind", list(KINDS))
def test_nan_is_unknown_in_every_column(kind: str) -> None:
    how = Typing()
    assert KINDS[kind](math.nan, how) is None
    assert how.notices.unknown == {"NaN": 1}


@pytest.mark.parametrize("kind", ["text", "text[]", "json"])
def test_a_word_is_a_text_until_the_user_says_it_is_none(kind: str) -> None:
    assert "NA" in typed(kind, "NA")
    assert typed(kind, "NA", nulls={"NA"}) is None
    assert typed(kind, "na", nulls={"NA"}) is not None
    assert typed("integer", "keine", nulls={"keine"}) is None


def test_a_hidden_count_is_unknown() -> None:
    how = Typing()
    assert [KINDS["integer"](value, how) for value in (-1, "-1", -1.0, -2, 0)] == [
        None, None, None, -2, 0,
    ]  # fmt: skip
    assert how.notices.hidden == 3
    assert typed("integer", -1, signed_counts=True) == -1
    assert typed("number", -1) == -1.0
