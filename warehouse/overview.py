"""The state of the warehouse as plain values: what ``ace status`` and the report show."""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from repositories.values import plain
from repositories.volumes import volumes as volumes_of
from warehouse.freshness import Freshness, judge, of_landing, remedy, sentence

if TYPE_CHECKING:
    from loaders.landing import Landing, Load
    from repositories.reader import Reader

VERDICTS = ("accepted", "duplicate", "superseded", "quarantined")


def now() -> datetime:
    return datetime.now(UTC)


def release(reader: Reader, at: datetime | None = None) -> dict[str, Any]:
    """The release's own row, and how old it and its data are now (seconds)."""
    (row,) = reader.query("select * from meta.release").dicts()
    at = at or now()
    row["age_seconds"] = _seconds_since(row["released_at"], at)
    row["as_of_age_seconds"] = _seconds_since(row["as_of"], at)
    return row


def _seconds_since(moment: str | None, at: datetime) -> int | None:
    if moment is None:
        return None
    return max(0, int((at - datetime.fromisoformat(moment)).total_seconds()))


def freshness(reader: Reader, at: datetime | None = None) -> list[dict[str, Any]]:
    """One entry per source and resource: the mart's columns, and how old it is now.

    ``state`` and ``is_stale`` are against now, ``is_stale_as_of`` is the mart's own.
    """
    if "marts.feature_freshness" not in reader.tables():
        return []
    rows = reader.query("select * from marts.feature_freshness order by source, resource").dicts()
    at = at or now()
    for row in rows:
        # Releases of older versions have no last_asked_at.
        last = row.setdefault("last_asked_at", row["last_extracted_at"])
        known = None if last is None else datetime.fromisoformat(last)
        row["is_stale_as_of"] = row["is_stale"]
        row["seconds_since_extracted"] = _seconds_since(row["last_extracted_at"], at)
        row |= _against_now(judge(row["source"], row["resource"], known, at))
    return rows


def landed_freshness(landing: Landing, at: datetime | None = None) -> list[dict[str, Any]]:
    """The same keys for what has landed, where there is no release yet."""
    found = of_landing(landing.loads(), landing.heartbeats(), at or now())
    return [
        {"source": one.source, "resource": one.resource, "last_asked_at": plain(one.last_known_at)}
        | _against_now(one)
        for one in found
    ]


def _against_now(one: Freshness) -> dict[str, Any]:
    return {
        "stale_after_hours": one.limit_hours,
        "hours_old": None if one.hours is None else round(one.hours, 2),
        "state": one.state,
        "is_stale": one.state == "stale",
        "problem": sentence(one) if one.state in ("stale", "ahead") else None,
        "remedy": remedy(one) if one.state in ("stale", "ahead") else None,
    }


def volumes(reader: Reader) -> list[dict[str, Any]]:
    """What each source landed beside its own past (see ``repositories.volumes``)."""
    if "marts.feature_freshness" not in reader.tables():
        return []
    return volumes_of(lambda sql: reader.query(sql).dicts())


def ledger(reader: Reader) -> list[dict[str, Any]]:
    """Every row of ``marts.row_ledger``, by table and source."""
    if "marts.row_ledger" not in reader.tables():
        return []
    return reader.query("select * from marts.row_ledger order by table_name, source").dicts()


def ledger_totals(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The ledger summed over tables and sources; ``balance`` sums absolute values."""
    names = ("read", "landed", "rejected", *VERDICTS)
    totals = {name: sum(row[name] or 0 for row in rows) for name in names}
    totals["balance"] = sum(abs(row["balance"] or 0) for row in rows)
    return totals


def quarantine(reader: Reader) -> list[dict[str, Any]]:
    """Held-back rows by table, source and reason: how many, since when, which fields are at
    fault in how many of them (of those with this reason alone), and one example.
    """
    fields = _fields_at_fault(reader)
    found = _held_by_reason(reader)
    for row in found:
        row["fields"] = fields.get((row["table_name"], row["source"], row["reason"]), {})
    return found


def _fields_at_fault(reader: Reader) -> dict[tuple[str, str, str], dict[str, int]]:
    """Rows by field, the most frequent first, for each table, source and reason."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    counted = reader.query(
        "select table_name, source, reason, field, count(*) as rows from ("
        "select table_name, source, reason, unnest(fields) as field from ("
        "select table_name, source, fields, unnest(reasons) as reason from quarantine.rows "
        "where array_length(reasons, 1) = 1"
        ") as by_reason) as by_field group by table_name, source, reason, field "
        "order by rows desc, field"
    )
    for table_name, source, reason, field, rows in counted.rows:
        found.setdefault((table_name, source, reason), {})[field] = rows
    return found


def _held_by_reason(reader: Reader) -> list[dict[str, Any]]:
    return reader.query(
        "with held as (select q.table_name, q.source, "
        "unnest(q.reasons) as reason, q.since, q.load_id, q.position, q.key, q.missing_reference "
        "from quarantine.rows as q), "
        "ranked as (select held.*, "
        "row_number() over (partition by table_name, source, reason "
        "order by since, load_id, position) as place, "
        "count(*) over (partition by table_name, source, reason) as row_count from held) "
        "select table_name, source, reason, row_count as rows, since as oldest_since, "
        "cast(key as text) as example_key, missing_reference as example_missing_reference, "
        "load_id as example_load_id, position as example_position "
        "from ranked where place = 1 order by row_count desc, table_name, source, reason"
    ).dicts()


def rejected(landing: Landing) -> list[dict[str, Any]]:
    """Records that could not be typed and that no retry recovered, by source and reason.

    Reads only the files of loads that rejected something.
    """
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for record in landing.each_rejected():
        key = (record.source, record.resource, record.field or "")
        entry = groups.setdefault(
            key,
            {
                "source": record.source,
                "resource": record.resource,
                "field": record.field,
                "rows": 0,
                "oldest_since": plain(record.landed_at),
                "example_reason": record.reason,
                "example_input": record.input,
                "example_load_id": record.load_id,
                "example_position": record.position,
            },
        )
        entry["rows"] += 1
    return sorted(groups.values(), key=lambda entry: (-entry["rows"], str(entry)))


def pending(landing_loads: list[Load], built: Container[str]) -> list[dict[str, Any]]:
    """Loads that landed and are not in the release yet, oldest first."""
    return [
        {
            "load_id": load.load_id,
            "source": load.source,
            "resource": load.resource,
            "landed_at": plain(load.landed_at),
            "accepted": load.accepted,
            "rejected": load.rejected,
        }
        for load in landing_loads
        if load.load_id not in built
    ]


def built_loads(reader: Reader) -> dict[str, str]:
    """Load id to resource of the loads the release was built from."""
    return {row[0]: row[1] for row in reader.query("select load_id, resource from meta.loads").rows}


def gone(landing: Landing, built: dict[str, str]) -> dict[str, str]:
    """Those of ``built`` that are not in landing now, unless they were taken out on purpose."""
    here = {load.load_id for load in landing.loads()} | landing.undone()
    return {load: resource for load, resource in built.items() if load not in here}


def is_simulated(reader: Reader) -> bool:
    """Whether any of the release's data comes from the simulator."""
    return bool(reader.query("select 1 from meta.loads where source = 'demo' limit 1").rows)
