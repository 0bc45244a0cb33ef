"""Instagram insights: one number per metric, folded into one poll per media.

Both shapes are read: ``values: [{"value": 8}]`` and ``total_value`` with its
breakdowns. The media is the first part of an item's id,
``<media>/insights/<metric>/lifetime``. Metrics that are no column stay in the
extra as ``{metric: number}``; titles and descriptions are not kept.

``impressions`` is not taken for views: it counted something else, and ended for
media made after July 2024. The older ``plays`` and ``video_views`` are views.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loaders.presets.base import (
    Fields,
    PresetRecord,
    Unusable,
    attempt,
    identifier,
    landed,
    refused,
)
from loaders.presets.told import Reader, as_it_is, seconds_of_milliseconds, share_not_skipped

#: Metric names of each column, best first.
_COLUMNS = {
    "views": ("views", "plays", "video_views"),
    "likes": ("likes",),
    "comments": ("comments",),
    "shares": ("shares",),
    "watch_time_ms": ("ig_reels_video_view_total_time",),
}
#: The same of what is told beyond counts, with how it is read.
_TOLD: dict[str, tuple[Reader, str]] = {
    "average_watch_seconds": (seconds_of_milliseconds, "ig_reels_avg_watch_time"),
    "three_second_rate": (share_not_skipped, "reels_skip_rate"),
    "impressions": (as_it_is, "impressions"),
    "reach": (as_it_is, "reach"),
    "saves": (as_it_is, "saved"),
    "followers_gained": (as_it_is, "follows"),
}
#: Lifetime metrics that describe an account although their id looks like a media's.
_OF_ACCOUNTS = frozenset({
    "follower_demographics", "engaged_audience_demographics", "reached_audience_demographics",
    "online_followers", "follower_count", "profile_views",
})  # fmt: skip


def is_insight(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("name"), str)
        and ("values" in item or "total_value" in item)
    )


def fold(items: list[dict[str, Any]]) -> Iterator[PresetRecord]:
    """One record per media, in the order the media appear; refusals as they come."""
    by_media: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        try:
            by_media.setdefault(_media_of(item), []).append(item)
        except Unusable as problem:
            yield refused(item, str(problem))
    for media, metrics in by_media.items():
        yield attempt(_poll, {"data": metrics}, media)


def observed(item: Mapping[str, Any]) -> Any:
    """The number of one metric (the last, if several), or None."""
    values = item.get("values")
    if isinstance(values, list) and values and isinstance(values[-1], dict):
        return values[-1].get("value")
    total = item.get("total_value")
    return total.get("value") if isinstance(total, dict) else None


def counts_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of performance_metrics among metric name -> number."""
    counts = {}
    for column, names in _COLUMNS.items():
        found = next((metrics[name] for name in names if metrics.get(name) is not None), None)
        if found is not None:
            counts[column] = found
    return counts


def told_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of ``schema.TOLD`` among metric name -> number."""
    values = {column: read(metrics.get(name)) for column, (read, name) in _TOLD.items()}
    return {column: value for column, value in values.items() if value is not None}


def _media_of(item: dict[str, Any]) -> str:
    name, period = item["name"], item.get("period")
    if period != "lifetime" or name in _OF_ACCOUNTS or name.startswith("audience_"):
        raise Unusable(f"This is an insight of an account ({name} per {period}), not of a media.")
    key = item.get("id")
    media, found, _ = key.partition("/insights/") if isinstance(key, str) else ("", "", "")
    if not found:
        raise Unusable(
            f"The insight {name} has no id of the form <media>/insights/{name}/lifetime."
        )
    return identifier(media, "id", numeric=True)


def _poll(record: dict[str, Any], media: str) -> PresetRecord:
    metrics = {item["name"]: observed(item) for item in record["data"]}
    if all(value is None for value in metrics.values()):
        raise Unusable(f"The insights of media {media} hold no number.")
    counts = counts_of(metrics)
    used = {
        next(name for name in names if metrics.get(name) is not None)
        for column, names in _COLUMNS.items()
        if column in counts
    }
    told = told_of(metrics)
    used |= {_TOLD[column][1] for column in told}
    extra = {name: value for name, value in metrics.items() if name not in used}
    for item in record["data"]:
        total = item.get("total_value")
        if isinstance(total, dict) and total.get("breakdowns"):
            extra[item["name"]] = total
    values = {"platform": "instagram", "external_post_id": media, **counts, **told}
    return landed("performance_metrics", record, Fields(extra), values)
