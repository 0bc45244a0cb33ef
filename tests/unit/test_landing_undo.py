"""One load taken out again: all of it, from whatever file holds it, and only it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from common.errors import AceError, UsageError
from loaders.landing import Landing, Load, Rejected
from loaders.landing.compaction import compact, write_loads
from loaders.landing.undo import undo
from loaders.retry import retry_rejected
from loaders.values import KINDS
from warehouse import clock
from warehouse.cli import main

BAD = b'{"views":"five"}'


@pytest.fixture(params=["path", "memory"])
def landing(request: pytest.FixtureRequest, tmp_path: Path) -> Landing:
    if request.param == "path":
        return Landing(tmp_path / "landing")
    return Landing(f"memory://{tmp_path.name}-{id(request)}/landing")


def land(landing: Landing, views: int, rejected: bytes | None = None, **options: Any) -> Load:
    with landing.open_load("files", "performance_metrics", **options) as load:
        load.write(pl.DataFrame({"views": [views, views]}))
        if rejected is not None:
            load.reject([Rejected(2, rejected, "bad")])
        return load.commit()


def rows(landing: Landing) -> list[int]:
    found: list[int] = []
    for load in landing.loads():
        name = load.file.rsplit("/", 1)[-1]
        with landing.storage.reader(f"files/performance_metrics/{name}") as file:
            frame = pl.DataFrame(file.read())
        found += frame.filter(pl.col("_load_id") == load.load_id)["views"].to_list()
    return sorted(found)


def again(landing: Landing) -> Landing:
    return Landing(landing.url)


def test_a_load_of_its_own_file_goes_with_its_rejected_records(landing: Landing) -> None:
    keep, gone = land(landing, 1), land(landing, 2, BAD, fingerprint="f")
    done = undo(again(landing), gone.load_id)
    assert [load.load_id for load in done.loads] == [gone.load_id]
    fresh = again(landing)
    assert fresh.loads() == [keep]
    assert fresh.rejected() == []
    assert fresh.find("f") is None
    assert fresh.undone() == {gone.load_id}
    assert undo(fresh, gone.load_id).loads == []
    # Moved back, it is landed again.
    for name in (f"files/performance_metrics/{gone.load_id}.parquet", fresh.rejected_file(gone)):
        fresh.storage.move(f"_undone/{name}", name)
    assert len(again(landing).loads()) == 2
    assert len(again(landing).rejected()) == 1


def test_a_compacted_file_is_written_again_without_it(landing: Landing) -> None:
    loads = [land(landing, i) for i in range(4)]
    compact(landing, 2)
    undo(again(landing), loads[2].load_id)
    fresh = again(landing)
    assert [load.load_id for load in fresh.loads()] == [
        loads[i].load_id for i in (0, 1, 3)
    ]  # fmt: skip
    assert rows(fresh) == [0, 0, 1, 1, 3, 3]
    assert fresh.undone() == {loads[2].load_id}


@pytest.mark.parametrize("step", [0, 1, 2])
def test_killed_anywhere_it_is_there_or_gone_and_can_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    landing = Landing(tmp_path)
    loads = [land(landing, i) for i in range(3)]
    compact(landing, 2)
    taken = 0

    def killed(*arguments: Any) -> None:
        nonlocal taken
        if taken == step:
            raise KeyboardInterrupt
        taken += 1
        write_loads(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("loaders.landing.undo.write_loads", killed)
        if step == 2:
            patch.setattr(landing.storage, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            undo(landing, loads[1].load_id)
    assert rows(again(landing)) == [0, 0, 1, 1, 2, 2]
    undo(again(landing), loads[1].load_id)
    compact(again(landing), 2)
    assert rows(again(landing)) == [0, 0, 2, 2]
    assert len(again(landing).loads()) == 2


def test_retries_go_with_the_load_they_recovered_from(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = land(landing, 1, BAD), land(landing, 2, BAD)
    monkeypatch.setitem(KINDS, "integer", lambda value, typing: 5)
    (retry,) = retry_rejected(landing)
    assert rows(landing) == [1, 1, 2, 2, 5, 5]
    done = undo(again(landing), first.load_id)
    assert [load.load_id for load in done.loads] == [first.load_id, retry.load_id]
    fresh = again(landing)
    assert rows(fresh) == [2, 2]
    # The other load's record is rejected again, and recovered by the next retry.
    assert [record.load_id for record in fresh.rejected()] == [second.load_id]
    retry_rejected(fresh)
    assert rows(again(landing)) == [2, 2, 5]


def test_it_equals_a_landing_that_never_saw_it(tmp_path: Path) -> None:
    def frame(landing: Landing) -> pl.DataFrame:
        columns = ["views", "_position", "_extracted_at", "_record_hash"]
        return pl.concat([pl.read_parquet(x.file).select(columns) for x in landing.loads()])

    at = datetime(2026, 1, 1, tzinfo=UTC)
    never, saw = Landing(tmp_path / "a"), Landing(tmp_path / "b")
    for landing in (never, saw):
        land(landing, 1, loaded_at=at)
        if landing is saw:
            gone = land(landing, 2, loaded_at=at + timedelta(days=700))
        land(landing, 3, loaded_at=at + timedelta(days=1))
    undo(saw, gone.load_id)
    assert_frame_equal(frame(saw), frame(never))
    assert saw.cursor("files", "performance_metrics") == never.cursor(
        "files", "performance_metrics"
    )  # fmt: skip


def test_who_uses_the_files_goes_first(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    load = land(landing, 1)
    with landing.shared_lock(), pytest.raises(AceError, match="A build is using"):
        undo(landing, load.load_id)
    with landing.retry_lock(), pytest.raises(AceError, match="A retry is using"):
        undo(landing, load.load_id)
    assert len(landing.loads()) == 1


def test_an_unknown_load_is_wrong_usage(landing: Landing) -> None:
    with pytest.raises(UsageError, match="There is no load nobody"):
        undo(landing, "nobody")


def test_loads_and_heartbeats_ahead_of_now_are_named_with_the_remedy(
    ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landing = Landing(ace_home / "landing")
    now = datetime.now(UTC)
    land(landing, 1)
    ahead = land(landing, 2, loaded_at=now + timedelta(days=730))
    beat = landing.heartbeat("supabase", loaded_at=now + timedelta(hours=3))
    landing.heartbeat("supabase", loaded_at=now + timedelta(minutes=5))
    assert [one.load_id for one in clock.ahead(landing, now)] == [beat.load_id, ahead.load_id]
    with pytest.raises(SystemExit):
        main(["status"])
    said = " ".join(capsys.readouterr().out.split())
    for one in (ahead, beat):
        assert f"ace load --undo {one.load_id}" in said
    for one in (ahead, beat):
        with pytest.raises(SystemExit) as left:
            main(["load", "--undo", one.load_id])
        assert left.value.code == 0
    assert clock.ahead(Landing(landing.url), now) == []


def test_the_command_refuses_nonsense(ace_home: Path) -> None:
    from warehouse.cli.load import command

    assert CliRunner().invoke(command, []).exit_code == 2
    for arguments in (["--undo", "x", "demo"], ["--undo", "x"]):
        found = CliRunner().invoke(command, arguments)
        assert isinstance(found.exception, UsageError)
