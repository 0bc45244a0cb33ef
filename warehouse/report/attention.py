"""What a watchdog would bark at, in words."""

from __future__ import annotations

from typing import Any, NamedTuple

from warehouse.report.data import Report
from warehouse.report.text import hours


class Concern(NamedTuple):
    """One thing that needs attention; ``since`` is its last sign of life."""

    what: str
    which: str
    why: str
    since: str | None


def attention(report: Report) -> list[Concern]:
    """Workflows, agents, products and sources, as the report read them; empty when all is quiet."""
    return [
        *(_workflow(row) for row in report.marts["workflows"]),
        *(_agent(row) for row in report.marts["agents"]),
        *(_stalled(row) for row in report.marts["stalled"]),
        *(_unusual(row) for row in report.volumes if row["problem"]),
    ]


def _workflow(row: dict[str, Any]) -> Concern:
    why = f"{row['kind'] or 'workflow'} {row['status']} at {row['last_stage'] or 'its start'}"
    if row["success_without_start"]:
        why = "reports success but never started"
    elif row["is_retry_storm"]:
        why = f"retries again and again at {row['last_stage'] or 'its start'}"
    if row["last_error"]:
        why += f": {str(row['last_error'])[:90]}"
    return Concern("workflow", str(row["workflow_id"]), why, row["last_event_at"])


def _agent(row: dict[str, Any]) -> Concern:
    why = f"silent for {hours(row['silent_hours'])}; usually {hours(row['usual_gap_hours'])}"
    return Concern("agent", row["agent_name"], why, row["last_seen_at"])


def _unusual(row: dict[str, Any]) -> Concern:
    return Concern("source", str(row["source"]), str(row["problem"]), None)


def _stalled(row: dict[str, Any]) -> Concern:
    why = f"waits at {row['stalled_at']} for {hours(row['stalled_hours'])}"
    return Concern("product", row["name"], why, row["last_progress_at"])
