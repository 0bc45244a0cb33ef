"""The Instagram preset on recorded responses: whose media it is, and insights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.presets import PRESETS, PresetRecord

FIXTURES = Path(__file__).parents[1] / "fixtures/instagram_graph"
PRESET = PRESETS["instagram-graph"]


def recorded(name: str) -> list[PresetRecord]:
    return list(PRESET.records(json.loads((FIXTURES / f"{name}.json").read_text())))


def test_our_own_media_list_is_known_by_its_edge() -> None:
    first, second = recorded("users__medias_p1")
    assert first.resource == second.resource == "performance_metrics"
    assert first.values == {
        "platform": "instagram",
        "external_post_id": "17895731045244887",
        "likes": 0,
        "comments": 0,
    }
    assert second.values["likes"] == 2
    assert second.values["comments"] == 6
    assert first.extra.keys() == {"media_type", "media_url", "permalink", "timestamp"}


def test_stories_with_counts_are_polls_and_without_are_refused() -> None:
    assert [record.values["external_post_id"] for record in recorded("users__stories")] == [
        "17879450117512729",
        "17915641402913538",
    ]
    (record,) = recorded("stories__story_info")
    assert record.resource is None
    assert record.reason.startswith("Post 17876166859931045 carries no views")


def test_media_asked_for_by_several_ids() -> None:
    first, second = recorded("medias__medias_fields")
    assert first.values["external_post_id"] == "17893085207160254"
    assert first.values["likes"] == 1
    assert first.extra["caption"] == "Peach new"
    assert second.extra["children"]["data"][0]["id"] == "17889214265226770"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("hashtags__hashtag_recent_medias_p1", 5),
        ("hashtags__hashtag_recent_medias_p2", 5),
        ("users__tagged_medias", 5),
        ("discovery__medias_p1", 2),
    ],
)
def test_other_peoples_media_are_observations(name: str, count: int) -> None:
    records = recorded(name)
    assert [record.resource for record in records] == ["raw_videos"] * count
    assert "paging" not in json.dumps([record.extra for record in records])


def test_a_hashtags_media_has_no_author() -> None:
    first = recorded("hashtags__hashtag_recent_medias_p1")[0]
    assert first.values == {
        "external_id": "18088158883149835",
        "platform": "instagram",
        "like_count": 804,
        "comment_count": 8,
    }
    assert first.extra == {"media_type": "IMAGE"}


def test_discovered_media_take_the_discovered_username() -> None:
    media = {"data": [{"id": "1", "media_type": "VIDEO", "like_count": 3, "caption": "c #x"}]}
    (record,) = PRESET.records({"business_discovery": {"username": "ace", "media": media}})
    assert record.values == {
        "external_id": "1",
        "platform": "instagram",
        "caption": "c #x",
        "author": "ace",
        "like_count": 3,
    }


@pytest.mark.parametrize(
    ("edge", "resource"),
    [
        ("media", "performance_metrics"),
        ("stories", "performance_metrics"),
        ("top_media", "raw_videos"),
        ("recent_media", "raw_videos"),
        ("tags", "raw_videos"),
    ],
)
@pytest.mark.parametrize("direction", ["next", "previous"])
def test_the_edge_decides_whatever_the_fields(edge: str, resource: str, direction: str) -> None:
    item = {"id": "1", "media_type": "VIDEO", "like_count": 3, "username": "someone"}
    paging = {direction: f"https://graph.facebook.com/v25.0/178/{edge}?access_token=x&limit=2"}
    (record,) = PRESET.records({"data": [item], "paging": paging})
    assert record.resource == resource


def test_the_newer_counts_and_nested_insights() -> None:
    item = {
        "id": "1",
        "media_product_type": "REELS",
        "like_count": 3,
        "comments_count": 1,
        "view_count": 4000000000,
        "insights": {
            "data": [
                {"name": "views", "period": "lifetime", "values": [{"value": 5}]},
                {"name": "shares", "period": "lifetime", "values": [{"value": 2}]},
            ]
        },
    }
    (record,) = PRESET.records({"data": [item]})
    assert record.values == {
        "platform": "instagram",
        "external_post_id": "1",
        "views": 4000000000,
        "likes": 3,
        "comments": 1,
        "shares": 2,
    }
    assert record.extra == {"media_product_type": "REELS", "insights": item["insights"]}


def test_insights_of_one_media_are_one_poll() -> None:
    (record,) = recorded("medias__insights")
    assert record.resource == "performance_metrics"
    assert record.values == {
        "platform": "instagram", "external_post_id": "17846368219941692",
        "impressions": 8, "reach": 5, "saves": 0,
    }  # fmt: skip
    assert record.extra == {}
    assert len(record.raw["data"]) == 3


def test_the_newer_shape_keeps_its_breakdowns() -> None:
    (record,) = recorded("medias__insights_new")
    assert record.values["external_post_id"] == "18035507131611621"
    breakdown = {
        "dimension_keys": ["action_type"],
        "results": [{"dimension_values": ["bio_link_clicked"], "value": 11}],
    }
    assert record.extra == {"profile_activity": {"value": 11, "breakdowns": [breakdown]}}


def insight(media: str, name: str, value: Any) -> dict[str, Any]:
    return {
        "name": name,
        "period": "lifetime",
        "values": [{"value": value}],
        "title": name.title(),
        "id": f"{media}/insights/{name}/lifetime",
    }


def test_insights_become_columns_media_by_media() -> None:
    items = [
        insight("1", "views", 10),
        insight("2", "plays", 7),
        insight("1", "plays", 9),
        insight("1", "likes", 0),
        insight("1", "comments", 2),
        insight("1", "shares", 3),
        insight("1", "reach", 8),
        insight("1", "ig_reels_video_view_total_time", 123456),
        {**insight("2", "shares", 0), "values": None, "total_value": {"value": 4}},
    ]
    first, second = PRESET.records({"data": items})
    assert first.values == {
        "platform": "instagram",
        "external_post_id": "1",
        "views": 10,
        "likes": 0,
        "comments": 2,
        "shares": 3,
        "watch_time_ms": 123456,
        "reach": 8,
    }
    assert first.extra == {"plays": 9}
    assert second.values == {
        "platform": "instagram", "external_post_id": "2", "views": 7, "shares": 4,
    }  # fmt: skip
    assert second.extra == {}


def test_no_data_yet_is_no_record() -> None:
    assert not list(PRESET.records({"data": []}))


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({**insight("1", "views", 1), "id": 5}, "no id of the form <media>/insights/views"),
        (insight("1", "views", None), "The insights of media 1 hold no number."),
        ({**insight("1", "reach", 1), "values": ["x"]}, "hold no number"),
        (insight("1", "follower_demographics", 3), "an insight of an account"),
        ({**insight("1", "reach", 1), "period": "day"}, "an insight of an account (reach per day)"),
    ],
)
def test_insights_that_are_no_poll_say_why(item: dict[str, Any], reason: str) -> None:
    (record,) = PRESET.records({"data": [item]})
    assert record.resource is None
    assert reason in record.reason


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("hashtags__hashtags_info", ["This is a hashtag, not a media."] * 2),
        ("medias__comments_p1", ["This is a comment, not a media."] * 2),
        (
            "users__user_insights",
            [
                f"This is an insight of an account ({name} per day), not of a media."
                for name in ("impressions", "reach", "profile_views")
            ],
        ),
    ],
)
def test_what_is_no_media_is_refused_by_name(name: str, reasons: list[str]) -> None:
    records = recorded(name)
    assert [record.reason for record in records] == reasons
    assert all(record.resource is None for record in records)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"id": "1", "username": "a", "followers_count": 3}, "a user's profile"),
        ({"data": [{"catalog_id": "1"}]}, "a catalog or a product"),
        ({"business_discovery": {"id": "1", "followers_count": 3}}, "profile without media"),
        ({"business_discovery": {"media": {"data": {}}}}, "discovered media are an object"),
        ({"data": {"id": "1"}}, "The field data is an object, not a list."),
        ({"data": [None]}, "This is null, not a record."),
        ({"data": [{"media_type": "VIDEO", "username": "a"}]}, "The field id is missing"),
        ({}, "This is not a media (its fields: none)."),
    ],
)
def test_damage_and_strangers_are_refused(document: Any, reason: str) -> None:
    (record,) = PRESET.records(document)
    assert record.resource is None
    assert reason in record.reason
