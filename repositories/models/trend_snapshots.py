"""Rows of canonical.trend_snapshots. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class TrendSnapshot(Row):
    """How much attention a product got at a time, as scored by the research agent.

    Grain: a product's trend at a time.
    """

    TABLE = "trend_snapshots"
    KEY = "snapshot_id"

    #: Key of the snapshot.
    snapshot_id: str
    #: Product it is about.
    product_id: str
    #: How popular, on the scale of the agent.
    popularity_score: float | None = None
    #: How fast it rises, on the scale of the agent.
    velocity_score: float | None = None
    #: How crowded it is, on the scale of the agent.
    competition_score: float | None = None
    #: Hashtags seen with it; empty when none.
    tiktok_trend_tags: tuple[str, ...]
    #: What the scores were made from; empty object when not given.
    raw_source_data: Any
    #: The time it describes; where the source does not say, when it was known.
    snapshot_time: datetime
