"""The marts of a release: their keys, how old each may be, and reading them as frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from common.errors import UsageError
from repositories.columns import nearest
from repositories.relation import Rows

if TYPE_CHECKING:
    import polars as pl

    from repositories.session import Session


@dataclass(frozen=True)
class Kept:
    """What is known of a mart before it is read."""

    #: Columns that name a row, as its contract tests them.
    key: tuple[str, ...]
    #: Data older than this is stale for what the mart decides.
    tolerance: timedelta


def _kept(hours: int, *key: str) -> Kept:
    return Kept(key, timedelta(hours=hours))


#: What is acted on within the day may be a day old, trends a day and a half (sources come
#: daily), what is decided by the week a week.
MARTS: dict[str, Kept] = {
    "post_performance": _kept(36, "post_id"),
    "post_metric_history": _kept(36, "post_id", "collected_at"),
    "post_age_metrics": _kept(36, "post_id", "horizon_hours"),
    "post_forecasts": _kept(36, "post_id", "from_hours", "target_hours"),
    "forecast_accuracy": _kept(168, "platform", "from_hours", "target_hours"),
    "platform_benchmarks": _kept(168, "platform", "horizon_hours", "metric"),
    "product_performance": _kept(36, "product_id", "platform"),
    "daily_metrics": _kept(36, "day", "platform", "product_id"),
    "post_retention": _kept(36, "post_id"),
    "posting_times": _kept(168, "platform", "weekday", "hour"),
    "post_features_as_of": _kept(168, "post_id"),
    "experiment_results": _kept(36, "experiment_id", "platform"),
    "creative_pattern_performance": _kept(72, "pattern_id", "platform"),
    "creative_tag_effects": _kept(72, "platform", "kind", "tag"),
    "bandit_arms": _kept(36, "product_id", "platform", "pattern_id"),
    "experiment_gaps": _kept(72, "product_id", "platform", "pattern_id"),
    "creative_briefs": _kept(72, "product_id"),
    "hashtag_trends": _kept(36, "platform", "hashtag", "day"),
    "trend_accuracy": _kept(168, "platform", "week"),
    "video_trends": _kept(36, "platform", "external_id"),
    "product_trends": _kept(36, "product_id", "snapshot_time"),
    "agent_health": _kept(24, "agent_name", "day"),
    "workflow_runs": _kept(24, "workflow_id", "id_kind"),
    "content_funnel": _kept(24, "product_id"),
    "agent_memory": _kept(168, "note_id"),
    "similar_items": _kept(168, "reference_type", "reference_id", "neighbour_id"),
    "embedding_coverage": _kept(168, "reference_type", "model"),
    "feature_freshness": _kept(24, "source", "resource"),
    "row_ledger": _kept(24, "table_name", "source"),
}


def tolerance(mart: str) -> timedelta:
    """How old the data of a mart may be; UsageError for a name that is none."""
    if mart not in MARTS:
        raise UsageError(f"There is no mart '{mart}'.", nearest(mart, MARTS))
    return MARTS[mart].tolerance


class UnknownMart(UsageError, AttributeError):
    """``w.marts.x`` where no mart is called x."""


class Mart(Rows):
    """One mart of the open release."""

    def get(self, *key: Any) -> dict[str, Any] | None:
        """The row with a key (its parts in the order of ``MARTS``) as a dict, or None."""
        return self._one(key)

    def find(
        self,
        *,
        columns: Sequence[str] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        after: Any = None,
        **filters: Any,
    ) -> pl.DataFrame:
        """The rows that pass all filters as a Polars frame; see :meth:`Table.find`.

        ``columns`` are all by default. UsageError for what cannot be asked.
        """
        return self._frame(columns, filters=filters, order_by=order_by, limit=limit, after=after)


class Marts:
    """Every mart by its name: ``w.marts.post_performance.find(platform="tiktok")``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Mart:
        if name not in MARTS:
            raise UnknownMart(f"There is no mart '{name}'.", nearest(name, MARTS))
        return Mart(self._session, "marts", name, MARTS[name].key)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *MARTS]
