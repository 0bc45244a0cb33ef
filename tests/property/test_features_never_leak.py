"""Features never change when data that became known later is added.

Everything that can be known late is: polls, corrections of polls, posts, versions of
experiments and scripts, patterns, snapshots and their corrections, embeddings. A
warehouse is built of the rows known by a time, then of all of them. Left out are corrections,
known later, of when a post was published: they ask another question.
"""

from __future__ import annotations

import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.landing import Landing
from tests.support.builds import Warehouse
from tests.support.examples import examples
from tests.support.feature_oracle import LABELS, assert_features
from tests.support.histories import Landed, _uuid, land

#: YouTube changes what a view is within these weeks.
START = datetime(2026, 8, 12, tzinfo=UTC)
END = START + timedelta(hours=600)

FEW = settings(
    max_examples=examples(3),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class World:
    """Rows of all tables with when they were known; times are on a grid, so that they meet."""

    def __init__(self, seed: int, cut: int) -> None:
        self.random = random.Random(seed)
        self.cut = cut
        self.rows: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        for number in range(3):
            self.add("products", -200, product_id=_uuid("product", number), name="Lamp",
                     source_platform="amazon")  # fmt: skip
        for number in range(3):
            self.add(
                "creative_patterns",
                [-100, -100, 150][number],
                pattern_id=_uuid("pattern", number),
                hook_text="Stop",
            )
        for number in range(8):
            self.script(number)
        for number in range(10):
            self.experiment(number)
        for number in range(24):
            self.snapshot(number)
        for number in range(12):
            self.embedding(number)
        for number in range(60):
            self.post(number)

    def add(self, table: str, known: float, **row: Any) -> None:
        self.rows.setdefault(table, []).append((known, row))

    def versions(self, first: float) -> list[float]:
        """When a row was known, and when it was changed since."""
        later = [first + self.random.randrange(4, 400, 4) for _ in range(2)]
        return [first, *sorted(later)[: self.random.choice([0, 0, 1, 2])]]

    def script(self, number: int) -> None:
        for known in self.versions(self.random.choice([-100, -100, -100, 120])):
            variables = {"creativePatternId": _uuid("pattern", self.random.choice([0, 0, 1, 2, 3]))}
            self.add(
                "scripts",
                known,
                script_id=_uuid("script", number),
                product_id=_uuid("product", number % 3),
                script_text=self.random.choice(["one", "two"]),
                creative_variables=self.random.choice([json.dumps(variables)] * 3 + [None]),
            )

    def experiment(self, number: int) -> None:
        for known in self.versions(self.random.choice([-90, -90, -90, 140])):
            self.add(
                "experiments",
                known,
                experiment_id=_uuid("experiment", number),
                product_id=_uuid("product", self.random.choice([number % 2, number % 3])),
                script_id=self.random.choice([None] + [_uuid("script", number % 8)] * 4
                                             + [_uuid("script", (number + 1) % 8)]),
            )  # fmt: skip

    def snapshot(self, number: int) -> None:
        taken = self.random.randrange(0, 400, 8)
        for known in self.versions(taken + self.random.choice([0, 0, 4, 80])):
            self.add(
                "trend_snapshots",
                known,
                snapshot_id=_uuid("snapshot", number),
                product_id=_uuid("product", self.random.choice([number % 2, number % 3])),
                popularity_score=self.random.choice([None, 0.5, 7, 40]),
                velocity_score=self.random.choice([-1, 0.25]),
                snapshot_time=START
                + timedelta(hours=self.random.choice([taken, taken, taken + 20])),
            )

    def embedding(self, number: int) -> None:
        for known in self.versions(self.random.choice([-80, 0, 200])):
            self.add(
                "embeddings",
                known,
                embedding_id=_uuid("embedding", number),
                reference_type="script",
                reference_id=_uuid("script", self.random.choice([number % 8, number % 8, 1])),
                embedding=self.random.choice(
                    ["[3,4]", "[4,3]", "[-1,0.5]", "[0,0]", "[1,2,3]", "oops"]
                ),
                metadata=json.dumps({"model": self.random.choice(["m1", "m1", "m2"])}),
            )

    def post(self, number: int) -> None:
        published = self.random.randrange(0, 420, 4)
        known = self.versions(published + self.random.choice([-8, 0, 0, 4, 4, 60]))
        for at in known:
            # Only what is known by the cut may say that it was published at another time.
            moved = self.random.choice([0, 0, -4, 4]) if at is not known[-1] else 0
            if any(later > self.cut for later in known):
                moved = 0
            self.add(
                "published_posts",
                at,
                post_id=_uuid("post", number),
                experiment_id=_uuid(
                    "experiment", self.random.choice([number % 10] * 3 + [number % 7])
                ),
                platform=["tiktok", "youtube"][number % 2],
                external_post_id=f"x{number}",
                published_at=START + timedelta(hours=published + moved),
            )
        views = 0
        for poll, age in enumerate([10, 44, 68, 72, 80, 120, 200]):
            if self.random.random() < 0.15:
                continue
            views += self.random.choice([0, 5, 60, 400])
            for at in self.versions(published + age + self.random.choice([0, 0, 0, 4, 100])):
                seen = self.random.choice([views, views, views + 40, None])
                self.add(
                    "performance_metrics",
                    at,
                    metric_id=_uuid("metric", number * 10 + poll),
                    post_id=_uuid("post", number),
                    views=seen,
                    like_count=self.random.choice([None, (seen or 0) // 10]),
                    comments=self.random.randrange(3),
                    collected_at=START + timedelta(hours=published + age),
                )

    def loads(self, known: bool) -> list[Landed]:
        """What was known by the cut, or what was not."""
        found = []
        for table, rows in self.rows.items():
            chosen = [pair for pair in rows if (pair[0] <= self.cut) == known]
            self.random.shuffle(chosen)
            if chosen:
                times = [START + timedelta(hours=at) for at, _ in chosen]
                loaded = START + timedelta(hours=self.cut) if known else END + timedelta(days=60)
                found.append(Landed("files", table, [row for _, row in chosen], times, loaded))
        return found


def build(warehouse: Warehouse) -> None:
    warehouse.build(
        "--select", "+post_features_as_of", "--exclude-resource-type", "test", "unit_test"
    )


def features(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    rows = warehouse.query("select * from marts.post_features_as_of")
    return {
        str(row["post_id"]): {name: row[name] for name in row if name not in LABELS} for row in rows
    }


@FEW
@given(seed=st.integers(0, 2**32), cut=st.integers(50, 95))
def test_what_became_known_later_changes_no_feature(seed: int, cut: int) -> None:
    world = World(seed, cut * 4)
    with tempfile.TemporaryDirectory() as folder:
        landing = Landing(str(Path(folder) / "landing"))
        landing.prepare()
        for load in world.loads(known=True):
            land(landing, load)
        warehouse = Warehouse(Path(folder), landing)
        build(warehouse)
        then = features(warehouse)
        assert_features(warehouse)
        for load in world.loads(known=False):
            land(landing, load)
        build(warehouse)
        now = features(warehouse)
        both = {
            post
            for post, row in then.items()
            if post in now
            and row["published_at"] <= START + timedelta(hours=world.cut)
            and row["published_at"] == now[post]["published_at"]
        }
        assert len(both) >= 5
        assert {post: then[post] for post in both} == {post: now[post] for post in both}
        assert len(now) > len(both)
        assert_features(warehouse)
