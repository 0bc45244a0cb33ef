"""Tools that write: on only where the server was started with ``--allow-writes``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent_server.answers import Answer, Arguments
from agent_server.call import Call
from common.errors import UsageError
from repositories.table import Table

Writable = Literal[
    "products",
    "creative_patterns",
    "agent_notes",
    "embeddings",
    "raw_videos",
    "trend_snapshots",
    "scripts",
    "video_assets",
    "experiments",
    "published_posts",
    "performance_metrics",
    "system_events",
]

_KEY = Field(
    default=None,
    description="Your own name for this write. Of all writes with one key one counts: give it, "
    "and trying again is safe.",
)


class Writing(Arguments):
    """Of writes: they are of no release."""

    key: str | None = _KEY


class Note(Writing):
    agent_name: str = Field(description="Who notes it, such as AnalystAgent.")
    content: str = Field(min_length=1, description="What is to be remembered.")
    topic: str | None = Field(default=None, description="What it is about, in a word or two.")
    importance: float | None = Field(default=None, ge=0, le=1, description="From 0 to 1.")


class Event(Writing):
    agent_name: str = Field(description="Who logs it, such as AnalystAgent.")
    event_type: str = Field(description="Such as analytics.evaluate.success.")
    payload: dict[str, Any] = Field(
        default_factory=dict, description="Ids and numbers of the event, such as experimentId."
    )


class Written(Answer):
    key: str = Field(description="The row's key, for later reading.")
    table: str
    visible: str = Field(description="When it can be read.")


def note(call: Call, asked: Note) -> Written:
    """Remember something for later and for other agents (canonical.agent_notes).

    It is durable when this returns, and can be read in the release after the next.
    """
    about = call.about()  # before anything is written: it may fail
    given = {"topic": asked.topic, "importance": asked.importance}
    key = call.warehouse.agent_notes.create(
        key=asked.key,
        agent_name=asked.agent_name,
        content=asked.content,
        **{name: value for name, value in given.items() if value is not None},
    )
    return _written(about, "agent_notes", key)


def log_event(call: Call, asked: Event) -> Written:
    """Log an event of an agent or a workflow that happens now (canonical.system_events).

    It is durable when this returns, and can be read in the release after the next.
    """
    about = call.about()
    key = call.warehouse.system_events.log(
        asked.agent_name, asked.event_type, asked.payload, key=asked.key
    )
    return _written(about, "system_events", key)


class NewRow(Writing):
    table: Writable = Field(description="One of the twelve tables.")
    values: dict[str, Any] = Field(
        description="By column, as describe_table lists them; times as 2026-01-31T12:00:00Z. The "
        "row's own key may be left out: it is made, and given back."
    )


def create_row(call: Call, asked: NewRow) -> Written:
    """Write a row of one of the twelve tables: a script, a video, an experiment, a post, a poll.

    It is checked by the table's contract, is durable when this returns, and can be read in the
    release after the next. Rows that others refer to (a script of an experiment) may be written
    one after the other: give the key that came back.
    """
    about = call.about()
    repository: Table[Any] = getattr(call.warehouse, asked.table)
    key = repository.create(key=asked.key, **_plain(asked))
    return _written(about, asked.table, key)


def _plain(asked: NewRow) -> dict[str, Any]:
    if "key" in asked.values:
        raise UsageError(
            f"{asked.table}: 'key' is no column.",
            "Give your name for the row as key beside values.",
        )
    return asked.values


def _written(about: dict[str, Any], table: str, key: str) -> Written:
    return Written(
        **about,
        key=key,
        table=f"canonical.{table}",
        visible="In the next release that lands the inbox (ace run); warehouse_status counts it "
        "among pending_writes until then.",
    )
