"""Texts in the wrong encoding, and tags that look the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from loaders.records import type_records
from loaders.values import Typing
from loaders.values.mending import mended


@pytest.mark.parametrize("text", ["Café 😍 #brunch", "naïve façade", "Straße „so“", "Привет мир"])
@pytest.mark.parametrize("encoding", ["latin-1", "sloppy-windows-1252"])
def test_utf8_that_was_taken_for_a_western_encoding_is_mended(text: str, encoding: str) -> None:
    assert mended(text.encode().decode(encoding)) == text


def test_utf8_that_was_taken_for_windows_1251_is_mended() -> None:
    text = "Привет, мир! Новое видео"
    assert mended(text.encode().decode("sloppy-windows-1251")) == text


@pytest.mark.parametrize(
    "text",
    ["Café am See 😍 größer", "\u201cdas\u201d, \u2018dies\u2019 \u2014 à l\u2019été", "日本語タグ",
     "Сёмга и Рёв", "Ã", "50 € \u2013 60 £", "São Paulo é \u201cbom\u201d", "ÀÉÎ", "x² ± 3°",
     "\u201aÄpfel\u2018 und «Öl»", "Œuvre", "हिन्दी", "ไทย"],
)  # fmt: skip
def test_sound_text_is_left_alone(text: str) -> None:
    assert mended(text) == text


def test_what_was_mended_is_counted_and_kept_as_written() -> None:
    how = Typing()
    spoilt = "CafÃ©"
    rows = [
        {"external_id": "1", "caption": spoilt, "hashtags": [spoilt, "b", "Ã¼"], "view_count": 1}
    ]
    frame, rejected = type_records("raw_videos", rows, typing=how)
    assert rejected == []
    assert frame["caption"].to_list() == ["Café"]
    assert frame["hashtags"].to_list() == [["Café", "b", "ü"]]
    assert orjson.loads(frame["_extra"][0]) == {
        "_mended": {"caption": spoilt, "hashtags": [spoilt, "Ã¼"]}
    }
    assert how.notices.mended == 3
    assert "3 texts in a wrong encoding mended" in how.notices.sentences()[0]


def tags(resource: str, column: str, *values: Any) -> list[Any]:
    frame, rejected = type_records(resource, [{column: value} for value in values])
    assert rejected == []
    return frame["caption_hashtags" if column == "caption" else column].to_list()


@pytest.mark.parametrize(
    ("resource", "column"),
    [("raw_videos", "hashtags"), ("published_posts", "hashtags"),
     ("trend_snapshots", "tiktok_trend_tags")],
)  # fmt: skip
def test_tags_that_look_the_same_are_the_same(resource: str, column: str) -> None:
    found = tags(
        resource, column, ["caf\u00e9"], ["cafe\u0301"], ["\uff26\uff39\uff30"], ["FYP"],
        ["\u200ffyp"], ["fyp\ufe0f"], ["\u2764\ufe0f"], ["\u2764"], ["#Fyp"], None, [],
    )  # fmt: skip
    assert found == [
        ["café"], ["café"], ["FYP"], ["FYP"], ["fyp"], ["fyp"], ["\u2764"], ["\u2764"], ["#Fyp"],
        None, [],
    ]  # fmt: skip


def test_tags_in_captions_that_look_the_same_are_the_same() -> None:
    found = tags(
        "raw_videos", "caption", "see #caf\u00e9 now", "see #cafe\u0301 now",
        "\uff03\uff26\uff39\uff30 x", "#fyp", "#\u200ffyp", "#f\u200byp\ufe0f", "#हिन्दी",
    )  # fmt: skip
    assert found == [["café"], ["café"], ["fyp"], ["fyp"], ["fyp"], ["fyp"], ["हिन्दी"]]


def test_a_plain_text_column_keeps_its_form() -> None:
    frame, _ = type_records("raw_videos", [{"caption": "cafe\u0301 \uff26\u200f"}])
    assert frame["caption"].to_list() == ["cafe\u0301 \uff26\u200f"]
