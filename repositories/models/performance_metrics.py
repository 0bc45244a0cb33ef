"""Rows of canonical.performance_metrics. Written by `make schema` from models/canonical."""

from datetime import datetime

from repositories.row import Row


class PerformanceMetric(Row):
    """What a platform said about a post at a time. Counts are cumulative: never sum polls.

    Grain: one poll of a post: post_id, collected_at.
    """

    TABLE = "performance_metrics"
    KEY = "metric_id"

    #: Key of the poll.
    metric_id: str
    #: Post that was polled.
    post_id: str
    #: Views so far; null when not shown.
    views: int | None = None
    #: Likes so far; null when hidden.
    likes: int | None = None
    #: Comments so far; null when not shown.
    comments: int | None = None
    #: Shares so far; null when not shown.
    shares: int | None = None
    #: When the platform said so; where the source does not say, when it was known.
    collected_at: datetime
