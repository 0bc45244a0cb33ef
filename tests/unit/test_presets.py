"""What all presets promise: known columns, no exception, no token, exact ids."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import UsageError
from loaders.presets import PRESETS, PresetRecord
from loaders.presets.base import api_error, identifier
from loaders.records import Record, type_records
from loaders.schema import RESOURCES, SOURCES
from warehouse.cli.load_files import command

FIXTURES = Path(__file__).parents[1] / "fixtures"
PRESET_OF = {
    "tiktok_research": "tiktok-research",
    "youtube_api": "youtube-api",
    "instagram_graph": "instagram-graph",
}
FILES = sorted(path for folder in PRESET_OF for path in (FIXTURES / folder).glob("*.json"))


def check(record: PresetRecord, source: str) -> None:
    if record.resource is None:
        assert record.reason.endswith(".")
        assert not record.values
        return
    assert record.reason == ""
    assert record.resource in SOURCES[source]
    columns = {column.name for column in RESOURCES[record.resource]}
    assert set(record.values) <= columns
    assert None not in record.values.values()


def assert_typed(record: PresetRecord) -> None:
    """What a preset hands over has values that typing accepts."""
    if record.resource:
        frame, rejected = type_records(record.resource, [Record(record.values, record.extra)])
        assert (frame.height, rejected) == (1, [])


def test_the_presets_are_those_the_command_line_promises() -> None:
    assert set(PRESETS) == {
        "tiktok-research", "tiktok-display", "apify-tiktok", "youtube-api",
        "youtube-trending", "instagram-graph", "yt-dlp", "zeeschuimer-tiktok",
        "tiktok-studio", "youtube-studio", "meta-business-suite",
    }  # fmt: skip
    for name, preset in PRESETS.items():
        assert preset.name == name
        assert preset.source in SOURCES
        assert preset.help
        assert set(preset.resources) <= set(SOURCES[preset.source])
    assert {name for name, preset in PRESETS.items() if preset.rows} == {
        "youtube-trending", "tiktok-studio", "youtube-studio", "meta-business-suite",
    }  # fmt: skip


def test_every_preset_is_in_the_help_and_in_the_docs() -> None:
    told = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
    for name in PRESETS:
        assert name in (command.help or "").split()
        assert f"`{name}`" in told


def test_an_unknown_option_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no option 'jahr'"):
        PRESETS["youtube-trending"].with_options(jahr=2017)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_fixture_reads_without_a_token_and_unchanged(path: Path) -> None:
    preset = PRESETS[PRESET_OF[path.parent.name]]
    document = json.loads(path.read_text())
    before = copy.deepcopy(document)
    records = list(preset.records(document))
    assert records
    for record in records:
        check(record, preset.source)
        assert_typed(record)
        assert "access_token=access_token" not in json.dumps([record.extra, record.raw])
    assert document == before


#: What no field of a document should hold.
ABSURD: list[Any] = [None, "text", 7, [], {}, [None], [[]], True]


def mutilations(value: Any) -> list[Any]:
    """The value with one part of it removed or replaced by something absurd, in turn."""
    found: list[Any] = []
    if isinstance(value, dict):
        for name, inner in value.items():
            found.append({key: kept for key, kept in value.items() if key != name})
            for absurd in ABSURD:
                found.append({**value, name: absurd})
            found.extend({**value, name: changed} for changed in mutilations(inner))
    elif isinstance(value, list) and value:
        found.extend([absurd, *value[1:]] for absurd in ABSURD[:5])
        found.extend([changed, *value[1:]] for changed in mutilations(value[0]))
    return found


@pytest.mark.parametrize(
    "name",
    [
        "tiktok_research/api_videos_response_unicode_with_null_bytes.json",
        "tiktok_research/api_comments_response.json",
        "youtube_api/search__search_by_mine.json",
        "youtube_api/videos__videos_info_single.json",
        "instagram_graph/medias__insights_new.json",
        "instagram_graph/hashtags__hashtag_recent_medias_p1.json",
        "instagram_graph/discovery__medias_p1.json",
        "instagram_graph/medias__medias_fields.json",
    ],
)
def test_a_damaged_document_never_raises(name: str) -> None:
    preset = PRESETS[PRESET_OF[name.split("/")[0]]]
    damaged = mutilations(json.loads((FIXTURES / name).read_text()))
    assert len(damaged) > 50
    for document in damaged:
        for record in preset.records(document):
            check(record, preset.source)


KEYS = st.sampled_from(
    [
        "id",
        "data",
        "items",
        "error",
        "code",
        "message",
        "kind",
        "videos",
        "entries",
        "collector",
        "name",
        "values",
        "total_value",
        "period",
        "paging",
        "next",
        "cursors",
        "business_discovery",
        "media",
        "media_type",
        "text",
        "hashtags",
        "tags",
        "extractor",
        "epoch",
        "statistics",
        "snippet",
        "viewCount",
        "nextPageToken",
        "like_count",
        "view_count",
        "insights",
        "errorCode",
        "video_id",
        "date",
        "trending_date",
        "likes",
        "comment_count",
        "authorMeta",
        "_type",
        "access_token",
        "desc",
        "author",
        "statsV2",
        "challenges",
        "timestamp_collected",
        "Video link",
        "Post time",
        "Total views",
        "Content",
        "Video publish time",
        "Views",
        "Watch time (hours)",
        "Post ID",
        "Publish time",
        "Date",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["youtube#video", "1/insights/views/lifetime", "lifetime", "13.09", "ok",
                       "/video/7361111111111111111", "Oct 14, 2024", "31/12/2024", "a1b2c3d4e5F"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
@settings(max_examples=150, deadline=None)
@given(document=JSON)
def test_any_json_at_all_gives_records_or_refusals(preset: Any, document: Any) -> None:
    for record in preset.records(document):
        check(record, preset.source)


@pytest.mark.parametrize("name", ["tiktok-research", "yt-dlp", "instagram-graph", "youtube-api"])
def test_a_document_nested_to_any_depth_is_safe(name: str) -> None:
    document: Any = {"id": "1", "extractor": "tiktok", "media_type": "VIDEO"}
    for _ in range(50_000):
        document = {"id": "1", "entries": [document], "extractor": "tiktok", "x": "y"}
    list(PRESETS[name].records(document))
    while isinstance(document, dict) and "entries" in document:  # freed without recursion
        document = document.pop("entries")[0]


@pytest.mark.parametrize("document", [None, 7, "text", True])
def test_what_is_no_record_is_refused(document: Any) -> None:
    for preset in PRESETS.values():
        (record,) = preset.records(document)
        assert record.resource is None
        assert record.reason.endswith("not a record.")


def test_a_whole_array_is_taken_element_by_element() -> None:
    videos = [{"id": 1, "username": "a"}, None, {"id": 2, "username": "b"}]
    records = list(PRESETS["tiktok-research"].records(videos))
    assert [record.values.get("external_id") for record in records] == ["1", None, "2"]
    assert records[1].reason == "This is null, not a record."


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (73207681965695992750, "73207681965695992750"),
        ("73207681965695992750", "73207681965695992750"),
        (" 12 ", "12"),
        (12.0, "12"),
        ("-abc_1", "-abc_1"),
        ("0012", "0012"),
    ],
)
def test_ids_are_exact_text(value: Any, text: str) -> None:
    assert identifier(value, "id", numeric=True) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (7.320768196569599e19, "was rounded"),
        (float("nan"), "is empty"),
        (float("inf"), "was rounded"),
        (1.5, "was rounded"),
        ("7.32077E+18", "spoilt by a spreadsheet"),
        ("#NAME?", "spoilt by a spreadsheet"),
        (None, "is missing"),
        ("", "is missing"),
        ("  ", "is empty"),
        (True, "is true or false, not an id"),
        ({"a": 1}, "is an object, not an id"),
    ],
)
def test_an_id_that_lost_digits_or_is_none_is_refused(value: Any, reason: str) -> None:
    (record,) = PRESETS["tiktok-research"].records({"id": value, "username": "a"})
    assert record.resource is None
    assert reason in record.reason


def test_a_youtube_id_of_digits_and_e_is_not_taken_for_a_rounded_number() -> None:
    assert identifier("12345e67890", "id") == "12345e67890"


ERRORS = [
    (
        {"error": {"code": "rate_limit_exceeded", "message": "Slow down", "log_id": "1"}},
        "The platform answered with an error, code rate_limit_exceeded: Slow down.",
    ),
    (
        {"error": "invalid_client", "error_description": "Client key is wrong", "log_id": "1"},
        "The platform answered with an error, code invalid_client: Client key is wrong.",
    ),
    (
        {"code": 40105, "message": "Access token is invalid", "request_id": "1"},
        "The platform answered with an error, code 40105: Access token is invalid.",
    ),
    (
        {"error": {"code": 403, "message": "Quota", "errors": [{"reason": "quotaExceeded"}]}},
        "The platform answered with an error, code 403 quotaExceeded: Quota.",
    ),
    (
        {"error": {"message": "Expired", "type": "OAuthException", "code": 190}},
        "The platform answered with an error, code 190: Expired.",
    ),
    (
        {"error": {"type": "record-not-found", "message": "No such data set"}},
        "The platform answered with an error, code record-not-found: No such data set.",
    ),
]


@pytest.mark.parametrize(("body", "reason"), ERRORS)
@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if not preset.rows])
def test_an_api_error_is_one_refusal_with_code_and_message(
    name: str, body: dict[str, Any], reason: str
) -> None:
    (record,) = PRESETS[name].records(body)
    assert record.resource is None
    assert record.reason == reason
    assert record.raw == body


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "ok", "message": "", "log_id": "1"}, "data": {}},
        {"code": 0, "message": "OK", "data": {}},
        {"error": None},
        {"error": ""},
    ],
)
def test_a_successful_envelope_is_no_error(body: dict[str, Any]) -> None:
    assert api_error(body) == ""


TOKEN = "EAACsqT7rCzQBAF5Bo7A8EbwpqyXOUCme"


def test_no_token_survives_in_reason_extra_or_raw() -> None:
    body = {"error": {"code": 190, "message": f"Bad token {TOKEN}, access_token={TOKEN}&x=1"}}
    page = {
        "data": [
            {
                "id": "1",
                "like_count": 3,
                "username": "u",
                "children": {
                    "data": [{"id": "2"}],
                    "paging": {"next": f"https://graph.facebook.com/x?access_token={TOKEN}"},
                },
                "note": f"https://example.com/?a=1&access_token={TOKEN}&b=2",
            },
            {"quota_usage": 1, "access_token": TOKEN, "address": "https://x/?key=AIzaSyA-1&z=1"},
        ],
        "paging": {"next": f"https://graph.facebook.com/v1/9/media?access_token={TOKEN}"},
    }
    records = [r for d in (body, page) for r in PRESETS["instagram-graph"].records(d)]
    assert len(records) == 3
    for record in records:
        assert TOKEN not in json.dumps([record.reason, record.extra, record.raw])
    assert records[1].extra["note"] == "https://example.com/?a=1&access_token=***&b=2"
    assert records[1].extra["children"] == {"data": [{"id": "2"}]}
    assert records[2].raw == {
        "quota_usage": 1,
        "access_token": "***",
        "address": "https://x/?key=***&z=1",
    }


def test_a_token_quoted_alone_in_an_error_is_masked_too() -> None:
    body = {"error": {"code": 190, "message": f"Error validating access token {TOKEN}"}}
    (record,) = PRESETS["instagram-graph"].records(body)
    assert record.reason.endswith("code 190: Error validating access token ***.")
    assert record.raw == {"error": {"code": 190, "message": "Error validating access token ***"}}


def test_the_trending_fixture_reads_row_by_row() -> None:
    preset = PRESETS["youtube-trending"]
    with (FIXTURES / "youtube_trending/US_2017.csv").open(encoding="utf-8-sig", newline="") as file:
        records = [r for row in csv.DictReader(file) for r in preset.records(row)]
    assert len(records) == 6
    for record in records:
        check(record, preset.source)
        assert_typed(record)
