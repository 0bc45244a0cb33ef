"""Random landing histories: everything that can go wrong in what is landed, at once.

Ids, times and values come from small pools, so that rows collide: repeats, new
versions, rows of the same post from two sources, children before their parents, loads
that are known out of order, counters that fall, posts that change their name or key.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import UUID

import polars as pl

from loaders.landing import Landing
from loaders.schema import RESOURCES

START = datetime(2026, 3, 1, tzinfo=UTC)
Row = dict[str, Any]


@dataclass(frozen=True)
class Landed:
    """One load to land: its rows and its two clocks."""

    source: str
    resource: str
    rows: list[Row]
    known_at: list[datetime]
    loaded_at: datetime
    rejected: int = 0


def land(landing: Landing, load: Landed) -> None:
    """Land one load through the writer that every loader uses."""
    from loaders.landing import Rejected

    columns = {column.name: column.polars for column in RESOURCES[load.resource]}
    data = {name: [row.get(name) for row in load.rows] for name in columns}
    frame = pl.DataFrame(data, schema=columns).with_columns(
        pl.Series("_extracted_at", load.known_at, dtype=pl.Datetime("us", "UTC")),
        pl.Series("_extra", [row.get("_extra") for row in load.rows], dtype=pl.String),
    )
    with landing.open_load(load.source, load.resource, loaded_at=load.loaded_at) as writer:
        writer.write(frame)
        writer.reject(
            Rejected(position=len(load.rows) + n, raw=b"{", reason="broken JSON", field=None)
            for n in range(load.rejected)
        )
        writer.commit()


def told_of(random_: random.Random, views: int) -> Row:
    """What a poll is told beyond its counts: nothing, a part, or what cannot be. Drawn by a random
    of its own, the rest is as it would be without it."""
    told: Row = {
        "reach": random_.choice([views, -1]),
        "three_second_rate": random_.choice([0.5, 0.25, 2.0]),
        "saves": views // 50,
        "is_ai_generated": random_.choice(["true", "false", "?"]),
        "impressions": random_.choice([2 * views, -1]),
        "click_through_rate": random_.choice([0.05, 5.0]),
        "followers_gained": random_.choice([3, -1]),
        "average_watch_seconds": random_.choice([7.5, -1.0]),
    }
    return {name: value for name, value in told.items() if random_.random() < 0.3}


def shorten(row: Row, metrics: Iterable[str], decimals: int) -> Row:
    """The row with counts from a thousand on as many sources show them: 12.3K."""
    found, written = dict(row), {}
    for metric in metrics:
        count = row[metric]
        if count is not None and count >= 1000:
            number = round(Decimal(count) / 1000, decimals)
            found[metric], written[metric] = int(number * 1000), f"{number}K"
    return found | {"_extra": json.dumps({"_precision": written})} if written else found


def _uuid(kind: str, number: int) -> str:
    return str(UUID(md5(f"{kind}{number}".encode()).hexdigest()))


def derived_post_key(platform: str, external_id: str) -> str:
    """The key a post without one of its own gets (RULES of keys)."""
    text = f"published_posts|{platform}|{external_id}"
    return str(UUID(md5(text.encode()).hexdigest()))


class History:
    """Draws loads from a seed. ``size`` scales how many rows each table gets."""

    def __init__(self, seed: int, size: int = 1) -> None:
        self.random = random.Random(seed)
        self.told = random.Random(seed)
        self.size = size

    # -- pools

    def maybe(self, value: Any, probability: float = 0.85) -> Any:
        return value if self.random.random() < probability else None

    def one(self, kind: str, pool: int) -> str:
        return _uuid(kind, self.random.randrange(pool * self.size))

    def time(self, *, wild: bool = True) -> datetime | None:
        if wild and self.random.random() < 0.02:
            return self.random.choice(
                [datetime(1999, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC), None]
            )
        return START + timedelta(hours=self.random.randrange(0, 400, 4))

    def count(self) -> int | None:
        draw = self.random.random()
        if draw < 0.02:
            return -5
        if draw < 0.1:
            return None
        return self.random.choice([0, 1, 50, 99, 100, 101, 400, 1000, 995, 5000])

    def platform(self) -> str:
        return self.random.choice(["tiktok", "youtube", " TikTok "])

    def external(self) -> str:
        return f"x{self.random.randrange(8 * self.size)}"

    # -- rows

    def products(self) -> Row:
        return {
            "product_id": self.maybe(self.one("product", 4), 0.98),
            "name": self.maybe(self.random.choice(["Lamp", "Mug"]), 0.95),
            "source_platform": "amazon",
            "meta": self.maybe(json.dumps({"brand": "A"}), 0.5),
            "brand": self.maybe("B", 0.3),
            "created_at": self.maybe(self.time(), 0.7),
            "updated_at": self.maybe(self.time(), 0.6),
        }

    def creative_patterns(self) -> Row:
        return {
            "pattern_id": self.one("pattern", 4),
            "product_id": self.maybe(self.one("product", 6), 0.7),
            "hook_text": self.random.choice(["Stop", "Wait"]),
            "structure": self.maybe(self.random.choice(["demo", "story"]), 0.7),
            "style_tags": self.maybe(self.random.choice([["bold"], ["bold", "ugc"], []]), 0.7),
            "emotion_tags": self.maybe(["joy"], 0.5),
            "created_at": self.maybe(self.time(), 0.8),
        }

    def scripts(self) -> Row:
        pattern = self.maybe(self.one("pattern", 5), 0.6)
        return {
            "script_id": self.one("script", 6),
            "product_id": self.maybe(self.one("product", 6)),
            "script_text": self.random.choice(["one", "two"]),
            "creative_variables": self.maybe(
                json.dumps({"hook": "h", "length": self.random.choice(["short", 3, None])}), 0.6
            ),
            "creative_pattern_id": pattern,
            "created_at": self.maybe(self.time(), 0.8),
        }

    def video_assets(self) -> Row:
        return {
            "asset_id": self.one("asset", 6),
            "script_id": self.maybe(self.one("script", 7), 0.7),
            "product_id": self.maybe(self.one("product", 6), 0.3),
            "storage_url": self.maybe("s3://b/a.mp4", 0.4),
            "storage_path": self.maybe("a/b.webm", 0.7),
            "created_at": self.maybe(self.time(), 0.8),
        }

    def experiments(self) -> Row:
        return {
            "experiment_id": self.one("experiment", 6),
            "product_id": self.maybe(self.one("product", 5), 0.97),
            "script_id": self.maybe(self.one("script", 7), 0.4),
            "asset_id": self.maybe(self.one("asset", 7), 0.3),
            "hypothesis": self.maybe("it works", 0.5),
            "created_at": self.maybe(self.time(), 0.8),
        }

    def published_posts(self) -> Row:
        return {
            "post_id": self.maybe(self.one("post", 8), 0.6),
            "experiment_id": self.maybe(self.one("experiment", 7), 0.98),
            "platform": self.platform(),
            "external_post_id": self.maybe(self.external(), 0.85),
            "published_at": self.maybe(self.time(), 0.93),
            "created_at": self.maybe(self.time(), 0.5),
        }

    def performance_metrics(self) -> Row:
        by_id = self.random.random() < 0.6
        platform, external = self.platform(), self.external()
        named = self.one("post", 9)
        if self.random.random() < 0.2:
            named = derived_post_key(platform.strip().lower(), external)
        poll = {
            "metric_id": self.maybe(self.one("metric", 60), 0.5),
            "post_id": named if by_id else None,
            "platform": None if by_id else platform,
            "external_post_id": None if by_id else external,
            "views": self.count(),
            "like_count": self.count(),
            "comments": self.count(),
            "shares": self.count(),
            "watch_time_ms": self.maybe(12.5, 0.1),
            "collected_at": self.maybe(self.time(), 0.95),
            **told_of(self.told, 500),
        }
        return shorten(poll, ("views", "like_count"), 0) if self.random.random() < 0.3 else poll

    def raw_videos(self) -> Row:
        return {
            "id": self.maybe(self.one("video", 20), 0.3),
            "platform": self.platform(),
            "external_id": self.maybe(self.external(), 0.95),
            "caption": self.random.choice(["#a b", "c"]),
            "hashtags": self.maybe(self.random.choice([["a"], ["A", "c"], []]), 0.6),
            "caption_hashtags": ["b"],
            "author": self.maybe(self.random.choice(["anna", "ben"]), 0.7),
            "view_count": self.count(),
            "like_count": self.count(),
            "collected_at": self.maybe(self.time(), 0.8),
            "created_at": self.maybe(self.time(), 0.3),
        }

    def trend_snapshots(self) -> Row:
        return {
            "snapshot_id": self.one("snapshot", 10),
            "product_id": self.maybe(self.one("product", 6)),
            "popularity_score": self.maybe(self.random.choice([0, 0.5, 0.7, 40]), 0.9),
            "velocity_score": self.maybe(self.random.choice([-0.2, 0, 0.4]), 0.7),
            "competition_score": self.maybe(self.random.choice([0.1, 0.9]), 0.7),
            "tiktok_trend_tags": self.maybe(self.random.choice([["a"], ["b", "a"], []]), 0.7),
            "snapshot_time": self.maybe(self.time(), 0.8),
        }

    def agent_notes(self) -> Row:
        return {
            "note_id": self.one("note", 8),
            "agent_name": self.maybe("Analyst"),
            "topic": self.maybe("hooks", 0.5),
            "content": self.random.choice(["text", "Text ", f"see {self.one('script', 4)}"]),
            "importance": self.maybe(self.random.choice([0, 0.5, 1]), 0.7),
            "created_at": self.maybe(self.time(), 0.8),
        }

    def embeddings(self) -> Row:
        kind, pool = self.random.choice(
            [("script", "script"), ("post", "post"), ("raw_video", "video"), ("mood", "mood")]
        )
        reference = self.one(pool, 9)
        if kind == "post" and self.random.random() < 0.4:
            reference = derived_post_key("tiktok", self.external())
        return {
            "embedding_id": self.one("embedding", 12),
            "reference_type": kind,
            "reference_id": reference,
            "embedding": self.maybe(
                self.random.choice(
                    ["[0.1,0.2]", "[0.2,0.1]", "[-1,3e-1]", "[0,0]", "[1,2,3]", "[1,null]", "oops"]
                ),
                0.95,
            ),
            "metadata": self.maybe(json.dumps({"model": self.random.choice(["m1", "m2"])}), 0.6),
            "created_at": self.maybe(self.time(), 0.8),
        }

    def system_events(self) -> Row:
        return {
            "event_id": self.one("event", 30),
            "agent_name": self.maybe("Editor"),
            "event_type": self.random.choice(
                [
                    *("agent.start", "agent.success", "agent.error", "workflow.start"),
                    *("workflow.end", "workflow.stage.error", "workflow.retry", "other.thing"),
                ]
            ),
            "payload": self.maybe(
                json.dumps(
                    {"workflow_id": None, "correlationId": self.random.choice(["c1", "c2"])}
                ),
                0.4,
            ),
            "workflow_id": self.maybe(self.random.choice(["w1", "w2"]), 0.5),
            "created_at": self.maybe(self.time(), 0.9),
        }

    # -- loads

    def loads(self, count: int) -> list[Landed]:
        """``count`` loads in an order that has nothing to do with what they hold."""
        often = ["products", "experiments", "published_posts", "performance_metrics"]
        resources = list(RESOURCES) * 2 + often * 3 + ["performance_metrics"] * 6
        self.random.shuffle(resources)
        resources = (resources * (count // len(resources) + 1))[:count]
        result = []
        for number in range(count):
            resource = resources[number]
            platform_fed = resource in ("performance_metrics", "raw_videos")
            source = self.random.choice(
                ["supabase", "files"] + (["youtube"] if platform_fed else [])
            )
            rows = [getattr(self, resource)() for _ in range(self.random.randint(2, 9 * self.size))]
            if rows and self.random.random() < 0.4:
                rows.append(dict(self.random.choice(rows)))
            loaded_at = START + timedelta(days=20, minutes=number)
            known = (
                [loaded_at - timedelta(hours=self.random.randrange(0, 300)) for _ in rows]
                if self.random.random() < 0.5
                else [loaded_at - timedelta(hours=self.random.randrange(0, 300))] * len(rows)
            )
            result.append(
                Landed(source, resource, rows, known, loaded_at, self.random.choice([0, 0, 1]))
            )
        self.random.shuffle(result)
        return result
