"""Random polls of some posts, with everything that can happen to what is known of them.

Polls are known late and out of order, are corrected (in their counts, in their time, to
another post), repeated, refused; metrics are hidden in some polls or in all of a post, some
are shortened (12.3K), and counters fall. Publications lie seconds apart, so that no two polls
of a post can be taken at the same moment: which key such rows share depends on what else is
known.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.histories import START, Landed, Row, _uuid, shorten

HORIZONS = (1, 6, 24, 72, 168)
LOADED = datetime(2026, 6, 1, tzinfo=UTC)


def hours(number: float) -> timedelta:
    """A span in whole seconds, as most sources give times."""
    return timedelta(seconds=round(number * 3600))


class RandomPolls:
    """Loads drawn from a seed, and the moments at which something becomes known."""

    def __init__(self, seed: int, posts: int = 24, polls: int = 9) -> None:
        self.random = random.Random(seed)
        self.posts = posts
        self.polls = polls
        self.published = [START + timedelta(hours=n, seconds=n) for n in range(posts)]
        self.rows: list[Row] = []
        self.known: list[datetime] = []

    def loads(self) -> list[Landed]:
        """The posts with what they need, then the polls in four loads of mixed rows."""
        first = START - timedelta(days=1)
        product = {"product_id": _uuid("product", 1), "name": "Lamp", "source_platform": "amazon"}
        experiment = {
            "experiment_id": _uuid("experiment", 1),
            "product_id": _uuid("product", 1),
        }
        post_rows, post_known = [], []
        for number, published_at in enumerate(self.published):
            late = self.random.choice([0, 0, 0, 30, 100])
            row = self.post(number)
            post_rows.append(row)
            post_known.append(published_at + hours(late))
            if self.random.random() < 0.2:
                post_rows.append(row | {"caption": "changed"})
                post_known.append(published_at + hours(late + self.random.randrange(1, 200)))
            self.draw_polls(number)
        order = list(range(len(self.rows)))
        self.random.shuffle(order)
        result = [
            Landed("files", "products", [product], [first], LOADED),
            Landed("files", "experiments", [experiment], [first], LOADED),
            Landed("files", "published_posts", post_rows, post_known, LOADED),
        ]
        for part in range(4):
            chosen = order[part::4]
            result.append(
                Landed(
                    "files",
                    "performance_metrics",
                    [self.rows[n] for n in chosen],
                    [self.known[n] for n in chosen],
                    LOADED + timedelta(minutes=part),
                )
            )
        return result

    def moments(self, count: int) -> list[datetime]:
        """Times to look back at: when something was known, or shortly before or after."""
        drawn = [
            self.random.choice(self.known) + timedelta(seconds=self.random.choice([-1, 0, 0, 1]))
            for _ in range(count)
        ]
        return sorted(drawn)

    def post(self, number: int) -> Row:
        return {
            "post_id": _uuid("post", number),
            "experiment_id": _uuid("experiment", 1),
            "platform": "tiktok",
            "external_post_id": f"v{number}",
            "published_at": self.published[number],
            "created_at": self.published[number],
        }

    def draw_polls(self, number: int) -> None:
        ages = {-0.05, -0.02, 0.0, *HORIZONS, *(h * 1.2 for h in HORIZONS), 0.5, 3, 15, 30, 120}
        count = self.random.randrange(0, self.polls)
        punctual = self.random.random() < 0.3
        hidden = self.random.choice([[], [], ["shares"], ["views"], ["likes", "comments"]])
        sometimes_hidden = self.random.choice([0.0, 0.0, 0.3])
        views = self.random.choice([0, 0, 3, 40, 1000])
        for age in sorted(self.random.sample(sorted(ages), min(count, len(ages)))):
            views = max(0, views + self.random.choice([-30, 0, 0, 5, 100, 2500]))
            row = {
                "post_id": _uuid("post", number),
                "collected_at": self.published[number] + hours(age),
                "views": views,
                "like_count": views // 10,
                "comments": self.random.choice([views // 50, 7]),
                "shares": views // 30,
            }
            for metric in ("views", "like_count", "comments", "shares"):
                name = metric.removesuffix("_count").replace("like", "likes")
                if name in hidden or self.random.random() < sometimes_hidden:
                    row[metric] = None
            delay = 0.1 if punctual else self.random.choice([0, 0.1, 2, 20, 20, 90, 300])
            known_at = self.published[number] + hours(max(age, 0) + delay)
            key = f"{number}-{age}"
            if self.random.random() < 0.7 and not punctual:
                self.draw_versions(row | {"metric_id": _uuid("metric" + key, 0)}, known_at)
            else:
                self.tell(row, known_at)

    def draw_versions(self, row: Row, known_at: datetime) -> None:
        """The poll, and what became of it."""
        self.tell(row, known_at)
        while self.random.random() < 0.35:
            known_at += hours(self.random.choice([0.3, 5, 60, 200]))
            row = row | self.correction(row)
            self.tell(row, known_at)

    def correction(self, row: Row) -> dict[str, Any]:
        to_post = self.random.randrange(self.posts)
        other: dict[str, Any] = {
            "post_id": _uuid("post", to_post),
            "collected_at": max(row["collected_at"], self.published[to_post]),
        }
        return self.random.choice(
            [
                {},
                {"views": self.random.choice([0, 9, 555, 90000])},
                {"views": None, "comments": 3},
                {"views": -5},
                {"collected_at": row["collected_at"] + timedelta(minutes=17)},
                other | {"collected_at": other["collected_at"] + timedelta(seconds=7)},
            ]
        )

    def tell(self, row: Row, known_at: datetime) -> None:
        if self.random.random() < 0.25:
            row = shorten(row, ("views", "like_count"), self.random.choice([0, 1]))
        self.rows.append(row)
        self.known.append(known_at)
