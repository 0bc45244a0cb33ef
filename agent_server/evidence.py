"""Which columns a number needs beside it: its interval, its status, and how much it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Endings of a column's companions.
ENDINGS = ("_lo", "_hi", "_lo80", "_hi80", "_status")
#: Columns that say how many posts, videos or records a row rests on.
COUNTS = (
    "n",
    "n_posts",
    "posts",
    "posts_with",
    "n_train",
    "trials",
    "pattern_posts",
    "percentile_posts",
    "polls",
    "videos",
    "snapshots",
    "log_views_n",
)
#: Names of the interval of a number whose own name does not tell.
INTERVALS = {
    "shrunk_lift": ("lift_lo", "lift_hi"),
    "lift": ("lift_lo", "lift_hi"),
    "shrunk_views_lift": ("views_lift_lo", "views_lift_hi"),
    "lift_log": ("lo", "hi"),
    "adjusted_lift": ("adjusted_lo", "adjusted_hi"),
    "predicted": ("lo80", "hi80"),
    "engagement_rate_shrunk_lift": ("engagement_rate_lift_lo", "engagement_rate_lift_hi"),
    "mean": ("sd",),
}


def with_evidence(columns: Sequence[str], there: Mapping[str, object]) -> list[str]:
    """The columns, each followed by its companions among those that are ``there``.

    A count is added where a number that has an interval, or a rate, is among them.
    """
    found: list[str] = []
    needs_count = False
    for column in columns:
        companions = [f"{column}{ending}" for ending in ENDINGS]
        companions += INTERVALS.get(column, ())
        if column.startswith("views_") and column.endswith("h"):
            companions.append(f"status_{column.removeprefix('views_')}")
        near = [one for one in companions if one in there]
        needs_count = needs_count or bool(near) or "rate" in column or "lift" in column
        found += [column, *near]
    if needs_count:
        found += [next((one for one in COUNTS if one in there), "")]
    return [one for one in dict.fromkeys(found) if one]
