"""What a tool has while it answers one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent_server.answers import ReleaseInfo, Staleness
from agent_server.queries.runner import Queries
from agent_server.releases import Releases
from repositories import Warehouse
from repositories.marts import MARTS
from repositories.values import plain

#: Hours that the age of data may have where no mart says otherwise: what is acted on within the
#: day may be a day and a half old.
USUAL_HOURS = 36.0


@dataclass
class Call:
    """One open release, and what runs queries on it."""

    warehouse: Warehouse
    releases: Releases
    queries: Queries

    def about(self, *marts: str) -> dict[str, Any]:
        """``release`` and ``staleness`` of an answer that rests on these marts.

        Of several, the one that bears the least age decides.
        """
        return {"release": self.release, "staleness": self.staleness(*marts)}

    def staleness(self, *marts: str) -> Staleness:
        hours = [MARTS[mart].tolerance.total_seconds() / 3600 for mart in marts if mart in MARTS]
        limit = min(hours, default=USUAL_HOURS)
        age = self.warehouse.release.age
        aged = None if age is None else age.total_seconds() / 3600
        return Staleness(
            is_stale=aged is None or aged > limit,
            age_hours=None if aged is None else round(aged, 1),
            tolerance_hours=limit,
        )

    @cached_property
    def release(self) -> ReleaseInfo:
        release = self.warehouse.release
        return ReleaseInfo(
            number=release.number,
            as_of=release.as_of,
            is_current=self.releases.is_current(release.number),
            is_simulated=self.warehouse.is_simulated,
        )

    def rows(
        self,
        table: str,
        columns: tuple[str, ...],
        order_by: str | list[str] | None = None,
        limit: int | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of a table, with those of the columns that this release has, rounded."""
        rows = self.warehouse.rows(table)
        there = rows.relation.columns
        found = rows.plain(
            columns=[column for column in columns if column in there],
            filters=where,
            order_by=order_by,
            limit=limit,
        )
        return [rounded(row) for row in found]


def rounded(value: Any) -> Any:
    """Fractions of six digits: more are noise to a reader, and cost it attention."""
    if isinstance(value, float):
        return round(value, 1) if abs(value) >= 100_000 else float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return plain(value)
