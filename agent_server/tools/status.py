"""How fresh and how complete the warehouse is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call, rounded
from repositories.marts import MARTS
from repositories.volumes import volumes


class WarehouseStatus(Arguments):
    pass


class Source(BaseModel):
    source: str
    resource: str = Field(description="The table that it brings.")
    last_asked_at: str | None = Field(description="When it was last known to be as it is.")
    age_hours: float | None = Field(description="Hours from then until now, by the clock.")
    limit_hours: float | None = Field(description="Older is stale; null: never.")
    is_stale: bool


class Status(Answer):
    releases_kept: list[int] = Field(description="Numbers that `release` can have.")
    stale_marts: list[str] = Field(description="Marts that this release is too old for.")
    sources: list[Source] = Field(description="Stale ones first.")
    unusual: list[str] = Field(
        description="Sources that landed far less or more than they usually do, or nothing, as of "
        "the release: a sentence for each, with what is usual. Empty: all are as they used to be."
    )
    quarantined: list[Row] = Field(
        description="Rows that are held back: how many, of which table and source, why, since when."
    )
    ledger_balances: bool = Field(description="True: every record that was read is accounted for.")
    pending_writes: dict[str, int] = Field(
        description="Rows written through this server or the repositories and in no release yet."
    )


def warehouse_status(call: Call, asked: WarehouseStatus) -> Status:
    """Whether the data can be relied on now: age of the release, sources that stopped or land other
    amounts than they used to, rows held back, and what was written and is not visible yet.
    """
    warehouse = call.warehouse
    now = datetime.now(UTC)
    sources = [
        _source(row, now)
        for row in call.rows(
            "marts.feature_freshness",
            ("source", "resource", "last_asked_at", "stale_after_hours"),
        )
    ]
    held = warehouse.query(
        "select table_name, source, array_to_string(reasons, ', ') as reasons, "
        "count(*) as held_back, min(since) as since from quarantine.rows "
        "group by 1, 2, 3 order by 4 desc, 1, 2, 3"
    )
    unbalanced = warehouse.query("select 1 from marts.row_ledger where balance <> 0")
    waiting = warehouse.pending()
    pending: dict[str, int] = {}
    for one in (waiting.journaled, waiting.landed):
        for table, count in one.items():
            pending[table] = pending.get(table, 0) + count
    release = warehouse.release
    return Status(
        **call.about(),
        releases_kept=call.releases.kept(),
        stale_marts=[mart for mart in MARTS if release.is_stale(mart)],
        sources=sorted(sources, key=lambda one: (not one.is_stale, one.source, one.resource)),
        unusual=[one["problem"] for one in volumes(warehouse.query) if one["problem"]],
        quarantined=[rounded(row) for row in held],
        ledger_balances=not unbalanced,
        pending_writes=pending,
    )


def _source(row: dict[str, Any], now: datetime) -> Source:
    asked = row.get("last_asked_at")
    limit = row.get("stale_after_hours")
    age = None if asked is None else (now - datetime.fromisoformat(asked)).total_seconds() / 3600
    return Source(
        source=row["source"],
        resource=row["resource"],
        last_asked_at=asked,
        age_hours=None if age is None else round(age, 1),
        limit_hours=limit,
        is_stale=limit is not None and (age is None or age > limit),
    )
