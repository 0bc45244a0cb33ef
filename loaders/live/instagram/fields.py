"""Which fields and metrics are asked for, and which are left out once Instagram refuses them.

One field or metric that a version, a login or a kind of media does not have fails the whole
request, so what is refused is left out and the rest is asked for again.
"""

from __future__ import annotations

import re
from collections import Counter

#: Of every own media. Addresses of files are not: they end after hours.
OWN = (
    "id", "caption", "media_type", "media_product_type", "permalink", "shortcode", "timestamp",
    "username", "like_count", "comments_count", "view_count", "shares_count", "saved_count",
    "reposts_count", "is_ai_generated", "is_comment_enabled", "is_shared_to_feed",
)  # fmt: skip
#: Of media found under a hashtag: no username there.
FOUND = (
    "id", "caption", "media_type", "permalink", "timestamp", "like_count", "comments_count",
)  # fmt: skip
_COMMON = ("views", "reach", "likes", "comments", "shares", "saved", "total_interactions")
#: By media_product_type; all else is asked for what every kind has.
METRICS: dict[str, tuple[str, ...]] = {
    "FEED": (*_COMMON, "reposts", "follows", "profile_visits"),
    "REELS": (
        *_COMMON, "reposts", "ig_reels_avg_watch_time", "ig_reels_video_view_total_time",
        "reels_skip_rate",
    ),
    "STORY": (
        "views", "reach", "shares", "total_interactions", "reposts", "follows", "profile_visits",
        "replies", "navigation", "link_clicks",
    ),
}  # fmt: skip
#: So many refusals of a metric, and none of it given: that kind of media does not have it.
_ENOUGH = 3


def metrics_of(product: str) -> tuple[str, ...]:
    return METRICS.get(product, _COMMON)


def without(names: tuple[str, ...], said: str) -> tuple[str, ...] | None:
    """The names without those that a refusal is about; None where it does not tell.

    Instagram says it in three ways: by the place in the list, by what it must be one of, and
    by the name.
    """
    place = re.search(r"\bmetric\[(\d+)\]", said)
    _, listed, allowed = said.partition("must be one of")
    if listed:
        words = set(re.findall(r"\w+", allowed))
        kept = tuple(name for name in names if name in words)
        if kept != names:
            return kept
    if place and int(place[1]) < len(names):
        return names[: int(place[1])] + names[int(place[1]) + 1 :]
    words = set(re.findall(r"\w+", said))
    kept = tuple(name for name in names if name not in words)
    return kept if len(kept) < len(names) else None


class Refusals:
    """Which metrics a kind of media was refused often enough not to be asked for again."""

    def __init__(self) -> None:
        self._refused: Counter[tuple[str, str]] = Counter()
        self._given: set[tuple[str, str]] = set()

    def wanted(self, product: str) -> tuple[str, ...]:
        return tuple(
            name
            for name in metrics_of(product)
            if (product, name) in self._given or self._refused[product, name] < _ENOUGH
        )

    def learn(self, product: str, asked: tuple[str, ...], taken: tuple[str, ...]) -> None:
        self._given.update((product, name) for name in taken)
        self._refused.update((product, name) for name in asked if name not in taken)
