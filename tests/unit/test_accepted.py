"""What counts of the versions of rows, and with which defaults: the accepted floor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from loaders.schema import SOURCE_KEY
from tests.support.models import model_sql
from warehouse.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
#: A verdict and whether the row was ever valid: a version can be older than the one that
#: counts without having counted itself.
VERDICTS = (
    ("accepted", True),
    ("superseded", True),
    ("superseded", False),
    ("duplicate", True),
    ("quarantined", False),
)
#: Columns of every table of versions, besides those that canonical shows.
BOOKKEEPING = {
    "_verdict": "text",
    "_source": "text",
    "_load_id": "text",
    "_position": "bigint",
    "_source_key": "uuid",
    "_natural": "uuid",
    "_known_at": "timestamptz",
    "_effective_at": "timestamptz",
    "_first_known_at": "timestamptz",
    "_valid_from": "timestamptz",
    "_state_from": "timestamptz",
    "_build": "bigint",
    "_changed_build": "bigint",
}
#: Columns of versions that canonical does not show and that are no text.
OTHERS = {"hashtags": "text[]", "created_at": "timestamptz"}
#: What stands for a null: the two clocks of a row, or nothing of its kind.
FIRST_KNOWN, KNOWN = "2026-03-01", "2026-03-02"
DEFAULTS: dict[str, dict[str, Any]] = {
    "agent_notes": {"created_at": FIRST_KNOWN},
    "creative_patterns": {"style_tags": [], "emotion_tags": [], "created_at": FIRST_KNOWN},
    "embeddings": {"metadata": "{}", "created_at": FIRST_KNOWN},
    "experiments": {"created_at": FIRST_KNOWN},
    "performance_metrics": {"collected_at": KNOWN},
    "products": {"created_at": FIRST_KNOWN, "updated_at": FIRST_KNOWN},
    "published_posts": {"created_at": FIRST_KNOWN},
    "raw_videos": {"hashtags": [], "collected_at": KNOWN, "created_at": FIRST_KNOWN},
    "scripts": {"created_at": FIRST_KNOWN},
    "system_events": {"payload": "{}", "created_at": FIRST_KNOWN},
    "trend_snapshots": {"tiktok_trend_tags": [], "raw_source_data": "{}", "snapshot_time": KNOWN},
    "video_assets": {"format": "unknown", "metadata": "{}", "created_at": FIRST_KNOWN},
}


def properties(model: Path) -> Any:
    return yaml.safe_load(model.with_suffix(".yml").read_text())


def versions_of(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """One row of each verdict in ``int_<table>``, empty but for that and its clocks."""
    promised = properties(MODELS / "canonical" / f"{table}.sql")["models"][0]["columns"]
    types = {column["name"]: column["data_type"] for column in promised}
    # The type of documents is written as a choice between engines.
    types = {name: "json" if "json" in kind else kind for name, kind in types.items()}
    below = properties(MODELS / "_tables" / f"{table}.sql")["models"]
    [carried] = [model["columns"] for model in below if model["name"] == f"int_{table}"]
    others = {column["name"]: OTHERS.get(column["name"], "text") for column in carried}
    types = others | types | BOOKKEEPING
    connection.execute("set timezone = 'UTC'")
    connection.execute(
        f"create table int_{table} ({', '.join(f'{name} {kind}' for name, kind in types.items())})"
    )
    connection.executemany(
        f"insert into int_{table} (_verdict, _first_known_at, _known_at, _effective_at)"
        f" values (?, '{FIRST_KNOWN}', '{KNOWN}', ?)",
        [[verdict, KNOWN if was_valid else None] for verdict, was_valid in VERDICTS],
    )


def accepted(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """The accepted floor of ``table`` over its versions."""
    for floor in ("valid", "accepted"):
        if (MODELS / "accepted" / f"{floor}_{table}.sql").exists():
            sql = model_sql(f"accepted/{floor}_{table}")
            connection.execute(f"create view {floor}_{table} as {sql}")


@pytest.mark.parametrize("table", sorted(SOURCE_KEY))
def test_only_accepted_rows_are_shown(table: str) -> None:
    connection = duckdb.connect()
    versions_of(connection, table)
    accepted(connection, table)
    shown = connection.execute(model_sql(f"canonical/{table}")).fetchall()
    assert len(shown) == 1


@pytest.mark.parametrize(
    "table", sorted(path.stem.partition("_")[2] for path in MODELS.glob("accepted/valid_*.sql"))
)
def test_what_once_counted_is_told_from_what_counts(table: str) -> None:
    connection = duckdb.connect()
    versions_of(connection, table)
    accepted(connection, table)
    found = connection.execute(f"select is_accepted from valid_{table} order by 1").fetchall()
    assert found == [(False,), (True,)]


@pytest.mark.parametrize("table", sorted(SOURCE_KEY))
def test_what_a_source_does_not_say_has_its_default(table: str) -> None:
    connection = duckdb.connect()
    versions_of(connection, table)
    accepted(connection, table)
    result = connection.execute(f"select * from accepted_{table}")
    names = [column[0] for column in result.description or []]
    [row] = result.fetchall()
    shown = {
        name: value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else value
        for name, value in zip(names, row, strict=True)
        if not name.startswith("_")
    }
    assert shown.pop("known_at") == KNOWN
    assert shown.pop("is_accepted", True)
    assert {name: value for name, value in shown.items() if value is not None} == DEFAULTS[table]


def test_only_accepted_rows_can_be_referred_to() -> None:
    connection = duckdb.connect()
    for table in SOURCE_KEY:
        versions_of(connection, table)
    counted = connection.execute(
        "select table_name, count(*), count(*) filter (where is_accepted) from"
        f" ({model_sql('versions/int_references')}) as found group by all"
    ).fetchall()
    assert len(counted) == 9
    assert all(counts == [len(VERDICTS), 1] for _, *counts in counted)
