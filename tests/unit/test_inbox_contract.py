"""What is written is what the build would accept, and an error says what is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from common.errors import UsageError
from loaders.inbox.contract import MAX_COUNT, InvalidValue, checked
from loaders.inbox.line import Line
from loaders.keys import derived_key
from loaders.schema import REQUIRED, RESOURCES, SOURCE_KEY

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = "00000000-0000-4000-8000-000000000001"
#: A row of each table with all it needs.
ROWS: dict[str, dict[str, Any]] = {
    "products": {"name": "Lamp", "source_platform": "tiktok"},
    "creative_patterns": {"hook_text": "Look", "style_tags": ["calm"]},
    "agent_notes": {"agent_name": "A", "content": "x"},
    "embeddings": {"reference_type": "script", "reference_id": KEY, "embedding": [0.5, 1]},
    "raw_videos": {"platform": "tiktok", "external_id": "7412345678901234567"},
    "trend_snapshots": {"product_id": KEY},
    "scripts": {"product_id": KEY, "script_text": "Hello"},
    "video_assets": {"script_id": KEY, "storage_path": "a.mp4"},
    "experiments": {"product_id": KEY},
    "published_posts": {
        "experiment_id": KEY, "platform": "tiktok", "external_post_id": "7", "published_at": AT,
    },
    "performance_metrics": {"post_id": KEY, "views": 3},
    "system_events": {"event_type": "a.b.c"},
}  # fmt: skip


@pytest.mark.parametrize("table", RESOURCES)
def test_each_table_takes_a_row_and_gives_it_a_key(table: str) -> None:
    line = checked(table, ROWS[table], AT)
    assert re.fullmatch(r"[0-9a-f-]{36}", line.row[SOURCE_KEY[table]])
    assert checked(table, ROWS[table], AT).row[SOURCE_KEY[table]] != line.row[SOURCE_KEY[table]]
    again = [checked(table, ROWS[table], AT, "mine").row[SOURCE_KEY[table]] for _ in range(2)]
    assert again == [derived_key("inbox", table, "mine")] * 2
    with pytest.raises(InvalidValue, match=r"key: expected no key beside"):
        checked(table, ROWS[table] | {SOURCE_KEY[table]: KEY}, AT, "mine")


@pytest.mark.parametrize(
    ("table", "values", "field", "expected", "received"),
    [
        ("agent_notes", {"importance": "high"}, "importance", "a number", "'high'"),
        ("agent_notes", {"content": "  "}, "content", "a value (content is required)", "none"),
        ("agent_notes", {"content": None}, "content", "a value (content is required)", "none"),
        ("agent_notes", {"contents": "x"}, "contents", "no such field", "'x'"),
        ("agent_notes", {"note_id": "7"}, "note_id", "a uuid", "'7'"),
        ("agent_notes", {"created_at": "soon"}, "created_at", "a time", "'soon'"),
        ("agent_notes", {"embedding": "[1, x]"}, "embedding",
         "a list of finite numbers, as [0.1, 0.2]", "'[1, x]'"),
        ("agent_notes", {"embedding": [1, True]}, "embedding",
         "a list of finite numbers, as [0.1, 0.2]", "'[1,true]'"),
        ("performance_metrics", {"views": True}, "views", "a whole number", "'True'"),
        ("performance_metrics", {"views": 1.5}, "views", "a whole number", "'1.5'"),
        ("performance_metrics", {"post_id": None, "platform": "tiktok"}, "post_id",
         "a value (post_id or platform and external_post_id is required)", "none"),
        ("published_posts", {"platform": " ALL"}, "platform", "a platform", "'all'"),
        ("system_events", {"payload": "{broken"}, "payload", "a JSON value", "'{broken'"),
        ("raw_videos", {"external_id": "7.41E+18"}, "external_id", "text", "'7.41E+18'"),
    ],
)  # fmt: skip
def test_an_error_names_the_field_what_was_expected_and_received(
    table: str, values: dict[str, Any], field: str, expected: str, received: str
) -> None:
    with pytest.raises(UsageError) as caught:
        checked(table, ROWS[table] | values, AT)
    error = caught.value
    assert isinstance(error, InvalidValue)
    assert (error.table, error.field, error.expected, error.received) == (
        table, field, expected, received,
    )  # fmt: skip
    assert str(error).startswith(f"{table}.{field}: expected {expected}, received {received}.")


def test_a_misspelt_field_is_told_its_likely_name() -> None:
    with pytest.raises(InvalidValue, match=r"Did you mean content\?"):
        checked("agent_notes", {"contnt": "x"}, AT)


def test_values_of_other_libraries_are_taken() -> None:
    row = checked("embeddings", ROWS["embeddings"] | {"embedding": np.array([0.5, 0.25])}, AT).row
    assert row["embedding"] == "[0.5,0.25]"
    row = checked("performance_metrics", {"post_id": KEY, "views": np.int64(7)}, AT).row
    assert row["views"] == 7


def test_a_shortened_count_stays_known_as_one() -> None:
    line = checked("performance_metrics", {"post_id": KEY, "views": "1.2M"}, AT)
    assert (line.row["views"], line.extra) == (1_200_000, {"_precision": {"views": "1.2M"}})


def possible(table: str, what: str) -> list[str]:
    """Columns whose counts, or times, the model of a table holds to be possible."""
    text = (ROOT / "models" / "versions" / f"int_{table}.sql").read_text()
    return re.findall(rf"impossible_{what}\('(\w+)'\)", text)


@pytest.mark.parametrize("table", RESOURCES)
def test_what_the_build_would_hold_back_is_refused(table: str) -> None:
    cases: list[tuple[str, Any]] = [
        *((name, value) for name in possible(table, "count") for value in (-5, 2 * MAX_COUNT)),
        *((name, "1999-01-01") for name in possible(table, "time")),
        *((name, AT + timedelta(hours=24, seconds=1)) for name in possible(table, "time")),
    ]
    for name, value in cases:
        with pytest.raises(InvalidValue, match=f"{name}: expected"):
            checked(table, ROWS[table] | {name: value}, AT)
    for ways in REQUIRED[table]:
        names = {name for way in ways for name in way}
        if names == {SOURCE_KEY[table]}:
            continue
        lacking = {name: value for name, value in ROWS[table].items() if name not in names}
        with pytest.raises(InvalidValue, match="is required"):
            checked(table, lacking, AT)


def test_the_largest_count_is_that_of_the_models() -> None:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    assert project["vars"]["max_count"] == MAX_COUNT


def test_a_post_may_be_planned() -> None:
    planned = AT + timedelta(days=30)
    line = checked("published_posts", ROWS["published_posts"] | {"published_at": planned}, AT)
    assert line.row["published_at"] == planned


def test_a_key_that_no_file_can_hold_is_cleaned() -> None:
    line = checked("agent_notes", ROWS["agent_notes"], AT, "half \ud83d of a pair")
    assert Line.decode(line.encode()[:-1]).key == "half \ufffd of a pair"
