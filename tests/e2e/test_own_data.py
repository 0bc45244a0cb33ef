"""A team that has only its accounts: README's three commands from an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_server.server import AgentServer
from common.errors import UsageError
from common.settings import PROJECT_ROOT, Settings
from loaders.landing import Landing
from repositories import Warehouse
from tests.support.builds import Warehouse as Built
from tests.support.builds import differences
from tests.support.documented import block, shell_commands
from tests.support.parsed import lend
from warehouse.build.fingerprint import PARTS

#: The Python of the project.
PACKAGES = ("agent_server", "common", "loaders", "repositories", "warehouse")
POSTS = {
    "7412345678901234567": ("2026-10-02T19:05:00Z", "Deck day, white party #deck"),
    "7412345678901244574": ("2026-10-03T09:10:00Z", ""),
    "7412345678901254581": ("2026-10-04T09:10:00Z", "Gala arrivals"),
}
#: Views after so many hours; the last post was counted once, weeks later.
VIEWS = {
    "7412345678901234567": {24: 1000, 72: 2000, 168: 3000},
    "7412345678901244574": {24: 400, 72: 500, 168: 600},
    "7412345678901254581": {900: 7000},
}


def blocks() -> list[list[list[str]]]:
    """The commands of README's section, a list for each block of it."""
    return [shell_commands("README.md", "Bring your own data", number) for number in (0, 1)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the three commands were given, each with success and nothing to complain of."""
    folder = tmp_path_factory.mktemp("shop")
    lines = ["video_id,platform,published_at,caption"]
    lines += [f'{post},tiktok,{at},"{caption}"' for post, (at, caption) in POSTS.items()]
    (folder / "posts.csv").write_text("\n".join(lines) + "\n")
    lines = ["video_id,platform,collected_at,views,likes,comments,shares"]
    for post, polls in VIEWS.items():
        for hours, views in polls.items():
            at = datetime.fromisoformat(POSTS[post][0]) + timedelta(hours=hours)
            when = at.astimezone(UTC).isoformat()
            lines.append(f"{post},tiktok,{when},{views},{views // 20},{views // 200},0")
    (folder / "polls.csv").write_text("\n".join(lines) + "\n")
    said = [run(folder, command) for command in blocks()[0]]
    assert len(said) == 3
    assert "posts.csv -> published_posts: 3 read, 3 landed, 0 rejected" in said[0]
    assert "polls.csv -> performance_metrics: 7 read, 7 landed, 0 rejected" in said[1]
    assert "select brief from marts.creative_briefs" in said[2]
    return folder


def run(folder: Path, command: list[str], project: Path = PROJECT_ROOT) -> str:
    assert command[0] == "ace"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACE_", "PG"))}
    done = subprocess.run(
        [sys.executable, "-c", "from warehouse.cli import main; main()", *command[1:]],
        cwd=folder, env=kept | {"PYTHONPATH": str(project)}, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "ace:" not in done.stderr
    return done.stdout


def rows(folder: Path, sql: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(folder, ["ace", "sql", "--json", sql]))
    return found


def test_the_posts_are_there_and_claim_no_more_than_is_known(folder: Path) -> None:
    posts = rows(folder, "select * from marts.post_performance order by external_post_id")
    assert [post["external_post_id"] for post in posts] == list(POSTS)
    assert [(p["views"], p["views_72h"], p["status_72h"]) for p in posts] == [
        (3000, 2000.0, "exact"), (600, 500.0, "exact"), (7000, None, "gap"),
    ]  # fmt: skip
    assert {(p["is_adopted"], p["verdict"]) for p in posts} == {(True, "unknown")}
    assert all(p["product_id"] and p["script_id"] and p["experiment_id"] for p in posts)
    results = rows(folder, "select status, chance_to_win from marts.experiment_results")
    assert results == [{"status": "adopted", "chance_to_win": None}] * 3
    assert rows(folder, "select count(*) as n from quarantine.rows") == [{"n": 0}]
    assert rows(folder, "select distinct source from meta.loads") == [{"source": "files"}]


def test_the_brief_rests_on_them_alone(folder: Path) -> None:
    shown, brief = blocks()[1]
    assert all(post in run(folder, shown) for post in POSTS)
    (row,) = json.loads(run(folder, brief))
    told = row["brief"]
    assert told["summary"] == (
        "My shop has 3 posts, 2 of them with known views after 3 days to judge by."
    )
    assert told["product"].keys() == {"product_id", "name"}
    (best,) = told["best_posts"]
    assert (best["hook"], best["views_after_3_days"]) == ("Deck day, white party #deck", 2000)
    assert not told.keys() & {"patterns_that_work", "what_helps", "what_hurts", "avoid", "try_next"}


def test_the_report_shows_them_and_nothing_waits(folder: Path) -> None:
    page = (folder / "data" / "report.html").read_text()
    for words in ("Deck day, white party #deck", "Gala arrivals", "My shop"):
        assert words in page
    assert "Simulated data" not in page
    assert "variation adopted" not in page
    assert "no product stalled" in page


def test_an_agent_reads_and_writes_and_the_next_release_has_it(
    folder: Path, tmp_path: Path
) -> None:
    """The example of docs/agents.md, a post made from what it wrote, and reads all the while.

    The next release is made by the next version of the project, as after an upgrade.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACE_", "PG"))}
    example = block("docs/agents.md", "From Python", "python").text
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True,
        env=kept | {"PYTHONPATH": str(PROJECT_ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "Pending(journaled={'agent_notes': 1, 'scripts': 1, 'system_events': 1}, landed={})"
    )
    home = folder / "data"
    config = Settings(home, "duckdb", str(home / "landing"), None, None, {})
    with Warehouse.open(config=config) as warehouse:
        old = warehouse.release.number
        (product,) = warehouse.products.find()
        assert warehouse.scripts.find(script_text="Look at this!") == []
        asset = warehouse.video_assets.create(
            product_id=product.product_id, storage_url="s3://a.mp4", format="mp4"
        )
        experiment = warehouse.experiments.create(product_id=product.product_id, asset_id=asset)
        now = datetime.now(UTC)
        post = warehouse.published_posts.create(
            key="the post", experiment_id=experiment, platform="tiktok",
            external_post_id="7412345678901264588", published_at=now - timedelta(hours=2),
        )  # fmt: skip
        warehouse.performance_metrics.create_many(
            {"post_id": post, "views": 10 * polls, "collected_at": now - timedelta(hours=2 - polls)}
            for polls in (1, 2)
        )
        agents = AgentServer(config, allow_writes=True)
        made = write_through_the_server(agents, product.product_id, now)
        reading = Reading(config)
        said = run(folder, ["ace", "load", "inbox"])
        assert said.count(", 0 rejected, load ") == 7
        assert "performance_metrics: 3 read, 3 landed" in said
        said = run(folder, ["ace", "build"], project=next_version(tmp_path))
        assert "The project changed since the last build: everything is built anew." in said
        reading.stop()
        assert warehouse.release.number == old
        assert warehouse.published_posts.get(post) is None
        assert warehouse.pending().landed["published_posts"] == 2
    with Warehouse.open(config=config) as warehouse:
        assert warehouse.pending().total == 0
        (script,) = warehouse.scripts.find(script_text="Look at this!")
        assert script.product_id == product.product_id
        (note,) = warehouse.agent_notes.find(agent_name="Scriptwriter")
        (event,) = warehouse.system_events.find(event_type__startswith="script.write")
        assert (note.topic, event.payload) == ("My shop", {"scriptId": script.script_id})
        found = warehouse.marts.post_performance.get(post)
        assert found is not None
        assert (found["views"], found["is_adopted"]) == (20, False)
        assert warehouse.marts.row_ledger.find(source="inbox")["accepted"].sum() == 15
        assert set(warehouse.marts.row_ledger.find()["balance"]) == {0}
        assert set(warehouse.marts.feature_freshness.find(source="inbox")["is_stale"]) == {False}
    assert reading.counts["current"] > 20
    assert reading.counts["kept"] > 100
    assert reading.errors == []
    read_through_the_server(agents, old, *made)


def write_through_the_server(server: AgentServer, product: str, now: datetime) -> tuple[str, str]:
    """The loop of an agent that has nothing but the server: post and note, by their keys."""

    def write(table: str, **values: Any) -> str:
        return str(server.answer("create_row", {"table": table, "values": values})["key"])

    told = server.answer("what_now", {"product_id": product})
    assert told["brief"]["summary"].startswith("My shop has 3 posts")
    script = write("scripts", product_id=product, script_text="Look twice!")
    asset = write("video_assets", product_id=product, script_id=script, storage_url="s3://b.mp4")
    experiment = write("experiments", product_id=product, script_id=script, asset_id=asset)
    post = write(
        "published_posts", experiment_id=experiment, platform="tiktok",
        external_post_id="7412345678901274595",
        published_at=(now - timedelta(hours=1)).isoformat(),
    )  # fmt: skip
    write("performance_metrics", post_id=post, views=77, collected_at=now.isoformat())
    asked = {"agent_name": "PublisherAgent", "content": "Posted it.", "topic": "My shop"}
    note = server.answer("note", asked)["key"]
    event = {"agent_name": "PublisherAgent", "event_type": "publish.post.success"}
    server.answer("log_event", event | {"payload": {"postId": post}})
    status = server.answer("warehouse_status", {})
    assert status["pending_writes"]["published_posts"] == 2
    with pytest.raises(UsageError, match="There is no post"):
        server.answer("post_performance", {"post_id": post})
    return post, note


def read_through_the_server(server: AgentServer, old: int | None, post: str, note: str) -> None:
    """The release after shows all of it, and the one before is still to be had."""
    found = server.answer("post_performance", {"post_id": post})
    assert (found["post"]["views"], found["post"]["is_adopted"]) == (77, False)
    assert found["release"]["number"] == (old or 0) + 1
    asked = {"table": "agent_memory", "filters": {"note_id": note}}
    assert server.answer("read_table", asked)["rows"][0]["content"] == "Posted it."
    sql = "select agent_name, payload from canonical.system_events where event_type like 'publish%'"
    assert server.answer("query", {"sql": sql})["rows"] == [["PublisherAgent", {"postId": post}]]
    assert server.answer("warehouse_status", {})["pending_writes"] == {}
    with pytest.raises(UsageError, match="There is no post"):
        server.answer("post_performance", {"post_id": post, "release": old})
    before = server.answer("read_table", asked | {"release": old})
    assert (before["rows"], before["release"]["is_current"]) == ([], False)
    server.close()


def test_the_landing_zone_alone_gives_every_table_again(folder: Path, tmp_path: Path) -> None:
    """As docs/operate.md restores it."""
    server = tmp_path / "server"
    (server / "data").mkdir(parents=True)
    copy, build = shell_commands("docs/operate.md", "Backup and restore")
    for name, place in {"/backup": folder / "data", "/srv/ace": server}.items():
        copy = [word.replace(name, str(place)) for word in copy]
    subprocess.run(copy, check=True)
    lend(server / "data")
    assert "Release 1 is current" in run(server, build)
    assert differences(public(folder), public(server)) == []


def public(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that readers see, and the verdicts behind them."""
    home = folder / "data"
    found = Built(home, Landing(str(home / "landing"))).result()
    assert len(found["canonical.published_posts"]) == 5
    return found


def next_version(folder: Path) -> Path:
    """The project with a model that is written in another way."""
    parts = [*PACKAGES, *PARTS, "analyses", "expectations"]
    for part in parts:
        source = PROJECT_ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, folder / part)
    model = folder / "models" / "canonical" / "products.sql"
    model.write_text(f"{model.read_text('utf-8')}\n-- Said again in the next version.\n", "utf-8")
    return folder


class Reading:
    """Reads as fast as it can, from a release kept open and from the current one."""

    def __init__(self, config: Settings) -> None:
        self.counts = {"current": 0, "kept": 0}
        self.errors: list[BaseException] = []
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(config, kept)) for kept in ("kept", "current")
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, config: Settings, which: str) -> None:
        with Warehouse.open(config=config) as kept:
            while not self._stopped.is_set():
                try:
                    if which == "kept":
                        assert len(kept.published_posts.find()) == 3
                    else:
                        with Warehouse.open(config=config) as current:
                            assert len(current.published_posts.find()) in (3, 5)
                except BaseException as error:
                    self.errors.append(error)
                self.counts[which] += 1
                self._stopped.wait(0.02)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
