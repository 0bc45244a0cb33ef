"""Cases that random histories seldom draw: what was built must change with what it rests on.

All scenarios share two landing phases, so that two incremental builds and one full build
serve them all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loaders.landing import Landing
from tests.support.builds import Warehouse, differences
from tests.support.histories import START, Landed, _uuid, land


def day(number: float) -> datetime:
    return START + timedelta(days=number)


class Story:
    """A landing zone that rows are told into, load by load."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.landing = Landing(str(folder / "landing"))
        self.landing.prepare()
        self.told = 0

    def warehouse(self, name: str) -> Warehouse:
        (self.folder / name).mkdir()
        return Warehouse(self.folder / name, self.landing)

    def tell(self, resource: str, known: float, loaded: float | None = None, **row: Any) -> None:
        self.told += 1
        loaded_at = day(40 if loaded is None else loaded) + timedelta(minutes=self.told)
        land(self.landing, Landed("files", resource, [row], [day(known)], loaded_at))

    def post(self, number: int, external: str, known: float, **more: Any) -> None:
        row: dict[str, Any] = {
            "post_id": _uuid("post", number),
            "experiment_id": _uuid("experiment", 1),
            "platform": "tiktok",
            "external_post_id": external,
            "published_at": day(1),
        }
        loaded = more.pop("loaded", None)
        self.tell("published_posts", known, loaded, **row | more)

    def poll(self, number: int, known: float, views: int = 100, **more: Any) -> None:
        row: dict[str, Any] = {
            "post_id": _uuid("post", number),
            "views": views,
            "collected_at": day(known),
        }
        self.tell("performance_metrics", known, **row | more)


def first_phase(story: Story) -> None:
    for number in (1, 2):
        story.tell(
            "products", 0, product_id=_uuid("product", number), name="P", source_platform="x"
        )
    story.tell(
        "experiments", 0, experiment_id=_uuid("experiment", 1), product_id=_uuid("product", 1)
    )
    # A reference that leads to another post once an earlier row of it arrives.
    story.post(11, "a0", 2)
    story.post(12, "a1", 5)
    story.poll(12, 6)
    # The same where the row's key, source key and name were all known before.
    story.post(21, "b0", 1)
    story.post(22, "b1", 5)
    story.post(22, "b0", 7)
    story.poll(22, 8)
    story.tell(
        "embeddings",
        8,
        embedding_id=_uuid("embedding", 1),
        reference_type="post",
        reference_id=_uuid("post", 22),
        embedding="[1]",
    )
    # An asset that takes its product from its script.
    story.tell(
        "scripts", 2, script_id=_uuid("script", 1), product_id=_uuid("product", 1), script_text="s"
    )
    story.tell(
        "video_assets",
        3,
        asset_id=_uuid("asset", 1),
        script_id=_uuid("script", 1),
        storage_url="a.mp4",
    )
    # A poll that is corrected to another post, with the same counts.
    story.post(31, "c0", 2)
    story.post(32, "c1", 2)
    story.poll(31, 6, metric_id=_uuid("metric", 31))
    # A post announced for later, then published at once.
    story.post(41, "d0", 2, published_at=day(60))
    story.post(41, "d0", 3, published_at=day(2))
    # Polls that name an unknown post by its key and another, known one by its name.
    story.post(51, "e1", 1)
    for day_known in (2, 3, 5):
        story.poll(51, day_known, views=100 * day_known)
    for known in (1.6, 2.5, 4):
        story.poll(52, known, views=1000, platform="tiktok", external_post_id="e1")
    # An experiment whose older version is valid only once its script's product is known.
    experiment: dict[str, Any] = {
        "experiment_id": _uuid("experiment", 6),
        "product_id": _uuid("product", 1),
    }
    story.tell(
        "scripts", 2, script_id=_uuid("script", 6), product_id=_uuid("product", 6), script_text="s"
    )
    story.tell("experiments", 1, script_id=_uuid("script", 6), **experiment)
    story.tell("experiments", 2, **experiment)
    story.post(61, "f0", 3, experiment_id=_uuid("experiment", 6))
    # A count that cannot be, whose sums would leave the range of 64 bits.
    story.poll(61, 4, views=2**63 - 1, likes=2**63 - 1, comments=2**63 - 1)
    # No platform: marts call their rows about all platforms so.
    story.post(71, "g0", 2, platform="All")


def second_phase(story: Story) -> None:
    story.post(12, "a0", 3)
    story.post(22, "b0", 3)
    story.tell(
        "scripts", 20, script_id=_uuid("script", 1), product_id=_uuid("product", 1), script_text="s"
    )
    story.tell(
        "performance_metrics",
        9,
        metric_id=_uuid("metric", 31),
        post_id=_uuid("post", 32),
        views=100,
        collected_at=day(6),
    )
    story.post(52, "e2", 10)
    story.tell("products", 11, product_id=_uuid("product", 6), name="P", source_platform="x")
    # As-of moves past the time the first version of post 41 was due.
    story.tell("agent_notes", 61, 62, note_id=_uuid("note", 1), agent_name="A", content="c")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Warehouse, Warehouse]:
    story = Story(tmp_path_factory.mktemp("story"))
    incremental = story.warehouse("incremental")
    first_phase(story)
    incremental.build()
    second_phase(story)
    incremental.build()
    full = story.warehouse("full")
    full.build()
    return incremental, full


def test_two_builds_equal_one(built: tuple[Warehouse, Warehouse]) -> None:
    incremental, full = built
    assert differences(incremental.result(), full.result()) == []


def test_a_repeated_parent_does_not_move_its_children(built: tuple[Warehouse, Warehouse]) -> None:
    rows = built[0].query("select _effective_at, _valid_from from intermediate.int_video_assets")
    assert rows == [{"_effective_at": day(3), "_valid_from": day(3)}]


def test_a_poll_corrected_to_another_post_moves(built: tuple[Warehouse, Warehouse]) -> None:
    rows = built[0].query(
        "select cast(post_id as text) as post_id from canonical.performance_metrics"
        f" where metric_id = '{_uuid('metric', 31)}'"
    )
    assert rows == [{"post_id": _uuid("post", 32)}]


def test_polls_leave_the_post_they_named_second(built: tuple[Warehouse, Warehouse]) -> None:
    rows = built[0].query(
        "select cast(post_id as text) as post_id, polls from marts.post_performance"
        " where external_post_id in ('e1', 'e2')"
    )
    assert {row["post_id"]: row["polls"] for row in rows} == {
        _uuid("post", 51): 3,
        _uuid("post", 52): 3,
    }


def test_lineage_is_known_when_the_version_it_is_read_off_was(
    built: tuple[Warehouse, Warehouse],
) -> None:
    rows = built[0].query(
        "select cast(script_id as text) as script_id, known_at from intermediate.int_post_facts"
        f" where post_id = '{_uuid('post', 61)}'"
    )
    assert rows == [{"script_id": _uuid("script", 6), "known_at": day(11)}]


def test_a_count_and_a_platform_that_cannot_be_wait(built: tuple[Warehouse, Warehouse]) -> None:
    rows = built[0].query(
        "select reasons, fields from quarantine.rows"
        " where list_contains(reasons, 'out_of_range') order by table_name"
    )
    assert rows == [
        {"reasons": ["out_of_range"], "fields": ["views", "likes", "comments"]},
        {"reasons": ["out_of_range"], "fields": ["platform"]},
    ]


def test_a_mart_built_by_itself_keeps_what_it_has_not_seen(tmp_path: Path) -> None:
    story = Story(tmp_path)
    warehouse = story.warehouse("selected")
    first_phase(story)
    warehouse.build()
    story.poll(11, 7, views=900)
    for model in ("int_performance_metrics", "post_age_metrics"):
        warehouse.build("--select", model, "--exclude-resource-type", "test", "unit_test")
    warehouse.build()
    full = story.warehouse("full")
    full.build()
    assert differences(warehouse.result(), full.result()) == []


def test_the_past_is_the_same_whatever_landed_since(tmp_path: Path) -> None:
    story = Story(tmp_path)
    first_phase(story)
    as_of = ("--vars", f'{{"as_of": "{day(10).isoformat()}"}}')
    models = ("--exclude-resource-type", "test", "unit_test", *as_of)
    before = story.warehouse("before")
    before.build(*models)
    story.poll(11, 15, views=500)
    story.tell("products", 20, product_id=_uuid("product", 1), name="New", source_platform="x")
    story.tell("agent_notes", 61, 62, note_id=_uuid("note", 1), agent_name="A", content="c")
    # An unfinished file of a load that was killed is not there for anyone.
    (Path(story.landing.url) / "files" / "products" / ".tmp-1-x.parquet").write_bytes(b"PAR1")
    after = story.warehouse("after")
    after.build(*models)
    assert differences(before.result(), after.result()) == []
    assert after.query("select * from marts.row_ledger where read <> landed + rejected") == []
