"""Ids as spreadsheets, scrapers and people hand them over."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from loaders.notices import Notices
from loaders.records import type_records
from loaders.values import NotTyped, Typing
from loaders.values.ids import count_rounded, to_external_id

ID = "7412345678901234567"


def read(value: Any) -> str | None:
    return to_external_id(value, Typing())


@pytest.mark.parametrize(
    "value",
    [f'="{ID}"', f'= "{ID}"', f"'{ID}", f"'{ID}'", f'"{ID}"', f"`{ID}`", f" {ID}", f"{ID}\t",
     f"\u200e{ID}", f"\u202a{ID}\u202c", f"\u2066{ID}\u2069", f"{ID}\u00a0", f"\u200b{ID}\ufeff",
     f"\u2060{ID}", f"\u201c{ID}\u201d", f"\u00ad{ID}", "\uff17\uff14" + ID[2:], int(ID),
     f"{ID}.0", f"{ID}.000", f"\t'{ID}\u200f'", Decimal(ID), Decimal(f"{ID}.00"), ID.encode(),
     "7,412,345,678,901,234,567", "7.412.345.678.901.234.567", "7 412 345 678 901 234 567",
     "7\u202f412\u202f345\u202f678\u202f901\u202f234\u202f567"],
)  # fmt: skip
def test_what_stands_around_an_id_is_taken_off(value: Any) -> None:
    assert read(value) == ID


@pytest.mark.parametrize(
    "value", ["-dQw4w9WgXc", "_dQw4w9WgX-", "DAx0", "12345678E90", "17895695668004550", "demo:1"]
)
def test_ids_are_left_as_they_are(value: str) -> None:
    assert read(value) == value
    assert read(f"'{value}") == value


@pytest.mark.parametrize(
    "value",
    ["7.41E+18", "7.412345678901235e+18", "7,41E+18", "7e18", "741E+16", 7.412345678901235e18,
     "7412345678901235200.0", "1.5", 0.5, math.inf, True, {"id": 1}, ["1"], "#NAME?", "#REF!",
     "7.4e18", "#####", "...", Decimal("7.5")],
)  # fmt: skip
def test_an_id_whose_digits_are_lost_is_refused(value: Any) -> None:
    if value == "1.5":
        assert read(value) == "1.5"  # no form of a spoilt id: some other platform's, perhaps
        return
    with pytest.raises(NotTyped):
        read(value)


@pytest.mark.parametrize("value", ["", "  ", "N/A", "-", "nan", "\u200b", "''", '=""', math.nan])
def test_no_id(value: Any) -> None:
    assert read(value) is None


@pytest.mark.parametrize(
    ("link", "platform", "expected"),
    [
        (f"https://www.tiktok.com/@shop_a/video/{ID}", "tiktok", ID),
        (f"https://www.tiktok.com/@shop_a/video/{ID}?lang=en&is_from_webapp=1", "tiktok", ID),
        (f"https://www.tiktok.com/@a.b/photo/{ID}/", "tiktok", ID),
        (f"https://www.tiktokv.com/share/video/{ID}/", "tiktok", ID),
        (f"http://m.tiktok.com/v/{ID}.html#x", "tiktok", ID),
        (f"tiktok.com/@a/video/{ID}", "tiktok", ID),
        (f"//www.tiktok.com/embed/v2/{ID}", "tiktok", ID),
        (f"https://www.tiktok.com/player/v1/{ID}", "tiktok", ID),
        (f"https://www.tiktok.com/%40a/video/{ID}", "tiktok", ID),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"),
        ("https://m.youtube.com/watch?list=PL1&v=-Qw4w9WgXc_&t=3s", "youtube", "-Qw4w9WgXc_"),
        ("https://youtu.be/dQw4w9WgXcQ?si=abc", "youtube", "dQw4w9WgXcQ"),
        ("https://youtube.com/shorts/dQw4w9WgXcQ?feature=share", "youtube", "dQw4w9WgXcQ"),
        ("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"),
        ("https://studio.youtube.com/video/dQw4w9WgXcQ/analytics", "youtube", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/live/dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"),
        ("www.youtube.com/v/dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"),
        ("https://www.instagram.com/p/DAx0_-1/", "instagram", "DAx0_-1"),
        ("https://www.instagram.com/reel/DAx0/?igsh=abc==", "instagram", "DAx0"),
        ("https://instagram.com/reels/DAx0", "instagram", "DAx0"),
        ("https://www.instagram.com/shop.a/p/DAx0/", "instagram", "DAx0"),
        ("https://www.instagram.com/tv/DAx0/", "instagram", "DAx0"),
        ("instagr.am/p/DAx0", "instagram", "DAx0"),
    ],
)
def test_a_link_gives_its_id_and_its_platform(link: str, platform: str, expected: str) -> None:
    for written in (link, f" '{link}", f"\u200e{link}"):
        how = Typing()
        assert to_external_id(written, how) == expected
        assert how.linked == platform


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("https://vm.tiktok.com/ZMabc/", "short link"), ("https://www.tiktok.com/t/ZMa/", "short"),
        ("https://www.tiktok.com/@shop_a", "not of one post"),
        ("https://www.youtube.com/@channel", "not of one post"),
        ("https://www.youtube.com/watch?v=tooshort", "not of one post"),
        ("https://www.instagram.com/shop_a/", "not of one post"),
        ("https://www.facebook.com/reel/123", "no id is known"),
        (f"https://nottiktok.com/@a/video/{ID}", "no id is known"), ("http://[", "not a possible"),
        ("https://", "no id is known"),
    ],
)  # fmt: skip
def test_a_link_without_an_id_is_refused(link: str, said: str) -> None:
    with pytest.raises(NotTyped, match=said):
        read(link)


def test_a_link_fills_the_platform_and_must_not_contradict_it() -> None:
    link = f"https://www.tiktok.com/@a/video/{ID}"
    rows = [{"external_post_id": link}, {"external_post_id": link, "platform": "TikTok "},
            {"external_post_id": link, "platform": "youtube"}]  # fmt: skip
    frame, rejected = type_records("performance_metrics", rows)
    assert frame["external_post_id"].to_list() == [ID, ID]
    assert frame["platform"].to_list() == ["tiktok", "TikTok "]
    assert rejected[0].reason == (
        "external_post_id: the link is of tiktok, but the platform is 'youtube'"
    )


def counted(ids: list[str]) -> list[str]:
    notices = Notices()
    # In two parts: it is counted block by block.
    for part in (ids[:1], ids[1:]):
        count_rounded(
            pl.DataFrame({"external_id": part}, schema={"external_id": pl.String}), notices
        )
    return notices.sentences()


@pytest.mark.parametrize(
    "ids",
    [["7412345678901230000", "7412345678901240000"], ["7678907398077074000", "7678907398077090000"],
     ["7412345678901235000"], [str(int(float(7412345678901234567 + i * 10**6))) for i in range(4)]],
)  # fmt: skip
def test_rounded_ids_are_warned_of(ids: list[str]) -> None:
    (said,) = counted(ids)
    assert f"{len(ids)} of {len(ids)} long ids look rounded" in said


@pytest.mark.parametrize(
    "ids",
    [[str(7412345678901234567 + i * 1001) for i in range(50)], ["1000", "2000"], [ID],
     ["7412345678901234600", ID, ID], []],
)  # fmt: skip
def test_honest_ids_are_not(ids: list[str]) -> None:
    assert counted(ids) == []
