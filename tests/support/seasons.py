"""A season of a team: four months of posts, and all that is changed after it was built.

`histories.py` draws rows that collide; here they are a team's: enough posts with outcomes for
medians, forecasts and effects to be worked out, over more than the days that percentiles look
back, across a change of what a view is. It lands in steps, and each step changes what
earlier ones said. What must happen in a season is counted by `tests/unit/test_seasons.py`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from loaders.landing import Landing
from tests.support.examples import examples
from tests.support.histories import Landed, Row, _uuid, land, told_of

#: Seeds of the seasons that are built.
SEASONS = tuple(range(1, 1 + examples(1)))
START = datetime(2026, 6, 12, tzinfo=UTC)
#: The day on which YouTube changes what a view is (seeds/metric_definition_changes.csv).
BREAK = 73
#: Tables that one step alone brings, by turns. Events and notes are no one's parents.
ALONE = (
    *("performance_metrics", "creative_patterns", "scripts", "experiments", "published_posts"),
    *("embeddings", "products", "video_assets", "trend_snapshots", "raw_videos", "system_events"),
)
HOOKS = ("question", "shock", "story", "number")
AGES = (0.5, 1.1, 5, 20, 26, 50, 71, 75, 120, 170)


@dataclass
class Step:
    """What lands between two builds; nothing but an answer without news, if there are no rows."""

    day: float
    rows: dict[str, list[tuple[float, Row]]] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return START + timedelta(days=self.day)

    def loads(self) -> Iterator[Landed]:
        for number, (table, known) in enumerate(sorted(self.rows.items())):
            times = [START + timedelta(days=day) for day, _ in known]
            rows = [row for _, row in known]
            yield Landed("supabase", table, rows, times, self.at - timedelta(seconds=number))

    def land(self, landing: Landing) -> None:
        """Land it, and that a source was asked: a step without rows moves the clock only."""
        for load in self.loads():
            land(landing, load)
        landing.heartbeat("youtube", loaded_at=self.at)


class Season:
    """The steps of a season, drawn from a seed: ``steps``, each the rows that land before a build.

    ``alone`` is how many steps bring one table only, after three that bring all of them.
    """

    def __init__(self, seed: int, alone: int = 3) -> None:
        self.random = random.Random(seed)
        #: What the newest version of each row says, by table and key.
        self.newest: dict[str, dict[str, Row]] = {}
        #: When each post went out, and what it is called by its platform.
        self.published: dict[str, float] = {}
        #: Scripts that an experiment named and names no more.
        self.deleted: list[str] = []
        #: Keys of posts that polls name and that are not known yet.
        self.unknown: list[str] = []
        #: Keys by table, as the last step left them.
        self.built: dict[str, list[str]] = {}
        self.steps: list[Step] = []
        self.begin(65)
        self.catalogue()
        self.operations(0, 65)
        for number in range(90):
            self.post(number, self.random.uniform(1, 64))
        for number in range(6):
            self.poll_of_unknown(number)
        for day, more in ((88, 50), (112, 40)):
            first, before = len(self.published), self.now
            self.begin(day)
            self.polls(before, day)
            for number in range(first, first + more):
                self.post(number, self.random.uniform(before - 3, day - 1))
            self.young(first + more)
            self.operations(before, day)
            for table in ALONE:
                self.change(table)
        self.begin(114)
        for number, table in enumerate(self.random.sample(ALONE, alone)):
            self.begin(115 + number)
            self.change(table)

    # -- what lands

    def begin(self, day: float) -> None:
        """What is drawn from here on lands with the next step."""
        self.built = {table: sorted(rows) for table, rows in self.newest.items()}
        self.steps.append(Step(day))

    @property
    def now(self) -> float:
        """The day up to which the step being drawn knows."""
        return self.steps[-1].day

    @property
    def today(self) -> str:
        """A word that no step before has said."""
        return f"day {self.now}"

    def add(self, table: str, row: Row, known: float | None = None) -> None:
        """Land a row with the step being drawn, known on a day, or on the last ones before it."""
        if known is None:
            known = self.now - self.random.uniform(0.01, 0.9)
        self.steps[-1].rows.setdefault(table, []).append((known, row))

    def put(self, table: str, key: str, row: Row, known: float | None = None) -> None:
        """As ``add``, and it is the newest version of its key."""
        self.newest.setdefault(table, {})[key] = row
        self.add(table, row, known)

    def again(self, table: str, key: str, /, **changed: Any) -> None:
        """A new version of a row: some of what was said of it is another now."""
        self.put(table, key, self.newest[table][key] | changed)

    def some(self, table: str, count: int) -> list[str]:
        """Keys of different rows that were built."""
        return self.random.sample(self.built[table], count)

    def one(self, table: str) -> str:
        return self.random.choice(sorted(self.newest[table]))

    def other(self, table: str, key: str | None) -> str:
        return self.random.choice([k for k in sorted(self.newest[table]) if k != key])

    # -- rows

    def variables(self, number: int) -> str:
        """The choices of a script, and the pattern it follows: one in four is not known yet."""
        pattern = (
            self.one("creative_patterns") if number % 4 else _uuid("pattern", 90 + number % 8 // 4)
        )
        return json.dumps(
            {
                "creativePatternId": pattern,
                "hookStyle": self.random.choice(HOOKS),
                "length": self.random.choice([15, 30, 60]),
            }
        )

    def vector(self, numbers: int = 6) -> str:
        return json.dumps([round(self.random.uniform(-1, 1), 3) for _ in range(numbers)])

    def catalogue(self) -> None:
        for number in range(4):
            self.product(number, -9)
        for number in range(7):
            self.pattern(number, -8)
        for number in range(30):
            self.script(number, _uuid("product", number % 4), -7)
            key, script = _uuid("asset", number), _uuid("script", number)
            self.put(
                "video_assets", key,
                {"asset_id": key, "script_id": script, "storage_path": f"{number}.mp4",
                 "created_at": START}, -6,
            )  # fmt: skip
            self.experiment(number, _uuid("product", number % 4), script, key, -5)
            self.embedding(number, "script", script, -4)
        # Its script comes later, and the product of that after it.
        self.experiment(90, _uuid("product", 0), _uuid("script", 90), None, -5)

    def product(self, number: int, known: float | None = None) -> None:
        key = _uuid("product", number)
        self.put(
            "products", key,
            {"product_id": key, "name": f"Lamp {number}", "source_platform": "amazon",
             "category": self.random.choice(["light", "home"]), "price_usd": 10.0 + number,
             "created_at": START}, known,
        )  # fmt: skip

    def script(self, number: int, product: str, known: float | None = None) -> None:
        key = _uuid("script", number)
        self.put(
            "scripts", key,
            {"script_id": key, "product_id": product, "script_text": f"say {number}",
             "creative_variables": self.variables(number), "created_at": START}, known,
        )  # fmt: skip

    def experiment(
        self, number: int, product: str, script: str, asset: str | None, known: float | None = None
    ) -> None:
        key = _uuid("experiment", number)
        self.put(
            "experiments", key,
            {"experiment_id": key, "product_id": product, "script_id": script, "asset_id": asset,
             "variation_label": "AB"[number % 2], "hypothesis": "it works",
             "created_at": START}, known,
        )  # fmt: skip

    def pattern(self, number: int, known: float | None = None) -> None:
        key = _uuid("pattern", number)
        tags = self.random.sample(["bold", "ugc", "calm", "fast"], 2)
        self.put(
            "creative_patterns", key,
            {"pattern_id": key, "product_id": self.random.choice([None, _uuid("product", 0)]),
             "hook_text": f"Stop {number}", "structure": ["demo", "story", "list"][number % 3],
             "style_tags": tags, "emotion_tags": ["joy"], "created_at": START}, known,
        )  # fmt: skip

    def embedding(self, number: int, kind: str, of: str, known: float | None = None) -> None:
        key = _uuid("embedding", number)
        self.put(
            "embeddings", key,
            {"embedding_id": key, "reference_type": kind, "reference_id": of,
             "embedding": self.vector(), "metadata": json.dumps({"model": "m1"}),
             "created_at": START}, known,
        )  # fmt: skip

    def post(self, number: int, day: float, *, exact: bool = False) -> None:
        """A post and its polls up to now: some have no key of their own yet, some are drafts."""
        key = _uuid("post", number)
        # Most go out in one of few hours of the week: their effect can be told.
        day = day if exact or self.random.random() < 0.4 else round(day / 3.5) * 3.5 + 0.75
        row: Row = {
            "post_id": key,
            # A tenth waits for one that comes later, or for one that waits itself.
            "experiment_id": self.one("experiments")
            if number % 10 != 7
            else _uuid("experiment", 90 + number // 10 % 2),
            "platform": "youtube" if number % 5 < 2 else "tiktok",
            "external_post_id": f"x{number}",
            "published_at": START + timedelta(days=day),
            "caption": f"look {number}",
            "hashtags": self.random.sample(["lamp", "home", "ad", "light", "fyp"], 2),
        }
        if number % 8 == 1:
            row["post_id"] = None
        if number % 8 == 2:
            self.add("published_posts", row | {"external_post_id": None, "published_at": None})
        self.published[key] = day
        self.put("published_posts", key, row, min(day + 0.1, self.now - 0.01))
        if number % 6 == 0:
            self.embedding(100 + number, "post", key, min(day + 0.2, self.now - 0.01))
        self.polls_of(key, day, self.now)

    def young(self, first: int) -> None:
        """Posts of the last hours: what they will have after a day is ahead. Drawn for themselves,
        so that the rest of the season is as it would be without them."""
        kept, self.random = self.random, random.Random(first)
        for number in range(first, first + 4):
            self.post(number, self.now - 0.3, exact=True)
        self.random = kept

    def polls_of(self, post: str, since: float, until: float) -> None:
        row, day = self.newest["published_posts"][post], self.published[post]
        drawn = random.Random(post)
        size = drawn.lognormvariate(6, 1)
        # Four in ten have no views yet when they are hours old.
        seen_at = 6 if drawn.random() < 0.4 else 0
        for age in AGES:
            at = day + age / 24
            if not since <= at < until or self.random.random() < 0.1:
                continue
            views = int(size * (1 + age / 10) ** 0.7 * self.random.uniform(0.95, 1.05))
            views *= age >= seen_at
            # A tenth comes days late, behind others.
            late = self.random.uniform(1, 9) if self.random.random() < 0.1 else 0.02
            if at + late >= until:
                continue
            named: Row = {"platform": row["platform"], "external_post_id": row["external_post_id"]}
            if row["post_id"] is not None and self.random.random() < 0.7:
                named = {"post_id": row["post_id"]}
            metric = _uuid(f"metric {post}", int(age * 10))
            self.put(
                "performance_metrics", metric,
                {"metric_id": metric, **named, "views": views,
                 "likes": int(views * self.random.uniform(0.02, 0.1)), "comments": views // 100,
                 "shares": self.random.choice([None, views // 200]),
                 "watch_time_ms": self.random.choice([None, 900.0]),
                 "completion_rate": self.random.choice([None, 0.4]),
                 **told_of(random.Random(metric), views),
                 "collected_at": START + timedelta(days=at)}, at + late,
            )  # fmt: skip

    def poll_of_unknown(self, number: int) -> None:
        """A poll that names a post by its platform and, by key, one that is not known yet.

        It is of the first until the other comes.
        """
        old = [post for post, day in self.published.items() if 10 < day < 50]
        post, key = self.random.choice(old), _uuid("unknown", number)
        row, at = self.newest["published_posts"][post], self.published[post] + 4.2
        self.unknown.append(key)
        self.add(
            "performance_metrics",
            {"metric_id": _uuid("poll of unknown", number), "post_id": key,
             "platform": row["platform"], "external_post_id": row["external_post_id"],
             "views": 50_000, "likes": 900, "collected_at": START + timedelta(days=at)}, at + 0.02,
        )  # fmt: skip

    def polls(self, since: float, until: float) -> None:
        for post, day in self.published.items():
            self.polls_of(post, max(since, day), until)

    def operations(self, since: float, until: float) -> None:
        """Videos, snapshots, runs and notes of some days."""
        for day in range(int(since), int(until)):
            if day < until - 40:
                continue
            for number in range(8):
                self.video(day, number)
            for product in range(4):
                self.snapshot(day, product)
            self.run(day)
        for number in range(3):
            note = _uuid(f"note {until}", number)
            self.put(
                "agent_notes", note,
                {"note_id": note, "agent_name": "Analyst", "topic": "hooks",
                 "content": f"see {self.one('scripts')}", "importance": self.random.random(),
                 "created_at": START + timedelta(days=until - number)},
            )  # fmt: skip

    def video(self, day: float, number: int) -> None:
        tags = self.random.sample(["lamp", "home", "new", "light", f"d{int(day) // 9}"], 2)
        self.add(
            "raw_videos",
            {"platform": "tiktok", "external_id": f"v{int(day) // 2 * 10 + number}",
             "caption": "see", "hashtags": tags, "caption_hashtags": tags[:1], "author": "anna",
             "view_count": int(self.random.lognormvariate(7, 1)) + int(day) * 9, "like_count": 9,
             "comment_count": 3, "share_count": self.random.choice([None, 1]),
             "collected_at": START + timedelta(days=day + 0.1)}, day + 0.2,
        )  # fmt: skip

    def snapshot(self, day: float, product: int) -> None:
        key = _uuid(f"snapshot {product}", int(day))
        self.put(
            "trend_snapshots", key,
            {"snapshot_id": key, "product_id": _uuid("product", product),
             "popularity_score": round(self.random.uniform(0, 1), 2), "velocity_score": 0.25,
             "competition_score": 0.5, "tiktok_trend_tags": ["lamp"],
             "snapshot_time": START + timedelta(days=day + 0.3)}, day + 0.4,
        )  # fmt: skip

    def run(self, day: float) -> None:
        ended = self.random.choice(["workflow.end", "workflow.end", "workflow.abort", None])
        agent = self.random.choice(["agent.success", "agent.error"])
        for minute, kind in enumerate(["workflow.start", "agent.start", agent, ended]):
            if kind is not None:
                self.add(
                    "system_events",
                    {"event_id": _uuid(f"event {day}", minute), "agent_name": "Editor",
                     "event_type": kind, "workflow_id": f"w{int(day)}",
                     "created_at": START + timedelta(days=day, minutes=5 * minute)}, day + 0.1,
                )  # fmt: skip

    # -- what is said of them later

    def change(self, table: str) -> None:
        """New versions of rows of a table, and rows that others waited for."""
        getattr(self, f"change_{table}")()

    def change_products(self) -> None:
        self.again("products", self.some("products", 1)[0], name=f"Lantern {self.today}")
        if _uuid("script", 90) in self.built["scripts"]:
            self.product(90)

    def change_creative_patterns(self) -> None:
        one, two = self.some("creative_patterns", 2)
        self.again("creative_patterns", one, structure=self.today, hook_text="Go")
        self.again("creative_patterns", two, style_tags=["neon", self.today])
        for number in (90, 91):
            if _uuid("pattern", number) not in self.newest["creative_patterns"]:
                self.pattern(number)
                break

    def change_scripts(self) -> None:
        """Other patterns and choices, of deleted scripts, too; another product."""
        one, two, three = self.some("scripts", 3)
        if self.deleted:
            one = self.deleted.pop()
        said = json.loads(self.newest["scripts"][one]["creative_variables"])
        said["creativePatternId"] = self.other("creative_patterns", said["creativePatternId"])
        self.again("scripts", one, creative_variables=json.dumps(said))
        said = json.loads(self.newest["scripts"][two]["creative_variables"])
        said |= {"hookStyle": self.today, "length": 5}
        self.again("scripts", two, creative_variables=json.dumps(said), script_text="say less")
        was = self.newest["scripts"][three]["product_id"]
        self.again("scripts", three, product_id=self.other("products", was))
        if _uuid("script", 90) not in self.newest["scripts"]:
            self.script(90, _uuid("product", 90))

    def change_video_assets(self) -> None:
        one, two = self.some("video_assets", 2)
        was = self.newest["video_assets"][one]["script_id"]
        self.again("video_assets", one, script_id=self.other("scripts", was))
        self.again("video_assets", two, product_id=self.one("products"))

    def change_experiments(self) -> None:
        """Another product, script and asset; one whose script was deleted; another name."""
        for key, column in zip(
            self.some("experiments", 3), ["product_id", "script_id", "asset_id"], strict=True
        ):
            table = {"script_id": "scripts", "asset_id": "video_assets"}.get(column, "products")
            was = self.newest["experiments"][key][column]
            self.again("experiments", key, **{column: self.other(table, was)})
        one, two = self.some("experiments", 2)
        if self.newest["experiments"][one]["script_id"]:
            self.deleted.append(self.newest["experiments"][one]["script_id"])
        self.again("experiments", one, script_id=None)
        self.again("experiments", two, variation_label=self.today, hypothesis="it may work")
        if _uuid("experiment", 91) not in self.newest["experiments"]:
            self.experiment(91, _uuid("product", 1), self.one("scripts"), None)

    def change_published_posts(self) -> None:
        """Corrected times, other experiments and tags, keys that come later, posts to come."""
        built = self.built["published_posts"]
        posts = sorted(p for p in built if self.newest["published_posts"][p]["post_id"])
        chosen = iter(self.random.sample(posts, 9))
        for days in (-0.2, 0.2, 3, -40):
            self.publish_at(next(chosen), days)
        # To the other side of the day on which its platform changed what a view is.
        tube = [p for p in posts if self.newest["published_posts"][p]["platform"] == "youtube"]
        key = min(tube, key=lambda post: abs(self.published[post] - BREAK))
        self.publish_at(key, 1.9 * (BREAK - self.published[key]))
        for _ in range(2):
            key = next(chosen)
            was = self.newest["published_posts"][key]["experiment_id"]
            self.again("published_posts", key, experiment_id=self.other("experiments", was))
        self.again("published_posts", next(chosen), hashtags=["moon", self.today])
        # The key of a source takes the place of the derived one, which vanishes.
        nameless = [p for p in built if p not in posts]
        for key in nameless[:4]:
            self.again("published_posts", key, post_id=key)
        # One that was polled before it was known takes its poll from the other.
        for key in [self.unknown.pop() for _ in self.unknown[:2]]:
            self.published[key] = 8
            self.put(
                "published_posts", key,
                {"post_id": key, "experiment_id": self.one("experiments"), "platform": "tiktok",
                 "external_post_id": key, "published_at": START + timedelta(days=8),
                 "caption": "", "hashtags": []},
            )  # fmt: skip
        # Known before it is out: its time comes while nothing lands.
        number = len(self.published)
        self.post(number, self.now + 1.9 + self.random.random())

    def publish_at(self, key: str, days: float) -> None:
        at = max(self.published[key] + days, 1.5)
        self.published[key] = at
        self.again("published_posts", key, published_at=START + timedelta(days=at))

    def change_performance_metrics(self) -> None:
        """New polls, corrected counts, and polls of another time or post: all that a post had."""
        for post in self.some("published_posts", 12):
            day = self.published[post]
            if day < self.now:
                self.polls_of(post, max(day, self.now - 9), self.now)
        for key in self.some("performance_metrics", 6):
            row = self.newest["performance_metrics"][key]
            self.again("performance_metrics", key, views=row["views"] * 2 + 7, likes=1)
        for key in self.some("performance_metrics", 3):
            row = self.newest["performance_metrics"][key]
            self.again(
                "performance_metrics", key, collected_at=row["collected_at"] + timedelta(hours=3)
            )
        polls = self.newest["performance_metrics"]
        named = [key for key in self.built["performance_metrics"] if polls[key].get("post_id")]
        for key in self.random.sample(named, 3):
            was = self.newest["performance_metrics"][key]["post_id"]
            self.again("performance_metrics", key, post_id=self.other("published_posts", was))
        post, of = next(
            (post, found)
            for post in self.some("published_posts", 20)
            if (
                found := [
                    k for age in AGES if (k := _uuid(f"metric {post}", int(age * 10))) in polls
                ]
            )
        )
        to = self.other("published_posts", post)
        for key in of:
            self.again("performance_metrics", key, post_id=to, platform=None, external_post_id=None)

    def change_embeddings(self) -> None:
        """Vectors that are others now, of something else, of another model, and unreadable."""
        one, two, three, four = self.some("embeddings", 4)
        self.again("embeddings", one, embedding=self.vector())
        was = self.newest["embeddings"][two]["reference_id"]
        self.again(
            "embeddings", two, reference_type="script", reference_id=self.other("scripts", was),
            created_at=START + timedelta(days=1),
        )  # fmt: skip
        model = "m1" if "m2" in self.newest["embeddings"][three]["metadata"] else "m2"
        self.again("embeddings", three, metadata=json.dumps({"model": model}))
        self.again("embeddings", four, embedding=self.random.choice(["oops", self.vector(3)]))
        self.embedding(
            len(self.newest["embeddings"]) + 500, "script", self.one("scripts"), self.now - 0.3
        )

    def change_trend_snapshots(self) -> None:
        one, two = self.some("trend_snapshots", 2)
        self.again("trend_snapshots", one, popularity_score=self.now / 200)
        was = self.newest["trend_snapshots"][two]["product_id"]
        self.again("trend_snapshots", two, product_id=self.other("products", was))
        self.snapshot(self.now - 0.5, 1)

    def change_raw_videos(self) -> None:
        for number in range(5):
            self.video(self.now - 0.6 - 3 * number, number)

    def change_system_events(self) -> None:
        self.run(self.now - 0.4)
        self.run(self.now - 20.5)
