"""Whether a build can go on from what is there, or has to start from landing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.errors import AceError
from warehouse.build.consumed import Consumed, describe

AT = datetime(2026, 1, 1, tzinfo=UTC)


def built(*loads: str, as_of: datetime | None = AT) -> Consumed:
    return Consumed(dict.fromkeys(loads, "products"), as_of)


@pytest.mark.parametrize(
    ("loads", "landed", "newest"),
    [
        ((), set(), None),
        (("a",), {"a"}, AT),
        (("a",), {"a", "b"}, AT + timedelta(days=1)),
        # A load without accepted rows leaves none behind.
        (("a",), {"a"}, None),
    ],
)
def test_an_ordinary_build_goes_on(
    loads: tuple[str, ...], landed: set[str], newest: datetime | None
) -> None:
    assert built(*loads).must_start_anew(landed, newest) is None


def test_what_vanished_is_named_with_the_remedy() -> None:
    said = built("a", "b", "c").must_start_anew({"a", "d"}, AT)
    assert said is not None
    assert "2 loads that were built are not in landing any more: b (products), c" in said
    assert "restore the landed file from a copy or load its input again" in said
    assert "Everything is built anew without them." in said


@pytest.mark.parametrize("landed", [set(), {"c"}])
def test_what_was_taken_out_on_purpose_is_no_other_zone(landed: set[str]) -> None:
    said = built("a", "b").must_start_anew(landed, AT, {"a", "b"})
    assert said == (
        "2 loads that were built were taken out again. Everything is built anew without them."
    )
    # Of two one was taken out, the other vanished by itself.
    said = built("a", "b", "d").must_start_anew({"d"}, AT, {"a"})
    assert said is not None
    assert "1 load that was built is not in landing any more: b (products)." in said
    with pytest.raises(AceError, match="none is in the landing zone"):
        built("a", "b").must_start_anew({"c"}, AT, {"z"})


def test_one_load_that_was_loaded_again_is_no_other_zone() -> None:
    assert built("a").must_start_anew({"b"}, AT) is not None


@pytest.mark.parametrize(("loads", "landed"), [(("a",), set()), (("a", "b"), {"c", "d"})])
def test_an_empty_or_another_zone_is_not_built(loads: tuple[str, ...], landed: set[str]) -> None:
    with pytest.raises(AceError, match=r"none is in the landing zone.*--full-refresh"):
        built(*loads).must_start_anew(landed, AT)


def test_time_does_not_run_backwards_in_an_ordinary_build() -> None:
    said = built("a", as_of=AT + timedelta(days=700)).must_start_anew({"a"}, AT)
    assert said is not None
    assert "as of 2027-12-02" in said


def test_many_are_counted_not_listed() -> None:
    said = describe({f"load{i}": "scripts" for i in range(5000)})
    assert "5,000 loads" in said
    assert "and 4,997 more" in said
    assert len(said) < 300
