"""Who is told when a run fails or a source goes stale, and what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import AceError, UsageError
from common.settings import settings
from tests.fakes.server import Fake, Reply, Request
from warehouse.cli import main, run
from warehouse.notify import check_address


class Hook(Fake):
    def reply(self, request: Request) -> Reply:
        return Reply(b"ok")


@pytest.fixture
def hook() -> Iterator[Fake]:
    with Hook() as fake:
        yield fake


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACE_HOME", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def ace_run(*options: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(["run", *options])
    return ended.value.code


def failing(*_: Any) -> None:
    raise AceError("The sky fell.", "Put it back.")


def test_a_failed_run_is_told_with_its_next_step(
    hook: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_run", failing)
    assert ace_run("--notify", f"{hook.url}/hook?token=1") == 1
    (told,) = hook.requests
    assert (told.path, told.query) == ("/hook", {"token": "1"})
    assert told.json == {
        "text": "ACE warehouse, run failed: The sky fell. Put it back.", "status": "failed",
        "problem": "The sky fell.", "next_step": "Put it back.", "release": None,
        "numbers": None, "stale": [],
    }  # fmt: skip


def test_a_stale_source_is_told_after_a_run_that_went_well(
    hook: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"source": "tiktok", "problem": "tiktok is stale.", "remedy": "Load it."},
        {"source": "youtube", "problem": "youtube is stale.", "remedy": "Load it."},
        {"source": "files", "problem": None, "remedy": ""},
    ]
    monkeypatch.setenv("ACE_NOTIFY_URL", hook.url)
    monkeypatch.setattr(run, "_run", lambda *given: None)
    monkeypatch.setattr("warehouse.cli.status.collect", lambda target: {"freshness": rows})
    assert ace_run() == 0
    told = hook.requests[0].json
    assert (told["status"], told["next_step"]) == ("stale", "Load it.")
    assert told["problem"] == "tiktok is stale (1 other table as well)."
    assert [row["source"] for row in told["stale"]] == ["tiktok", "youtube"]
    rows[:] = rows[2:]
    assert ace_run() == 0
    assert len(hook.requests) == 1, "nobody is told that all is well"


@pytest.mark.parametrize("fault", [Reply(status=500), Reply(drop=True), Reply(status=302)])
def test_a_notice_that_nobody_takes_changes_nothing_and_shows_no_address(
    hook: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Reply
) -> None:
    monkeypatch.setattr(run, "_run", failing)
    hook.fail(fault, times=2)
    assert ace_run("--notify", f"{hook.url}/T0/secret") == 1
    told = capsys.readouterr().err
    assert "ace: The notice was not taken (" in told
    assert "The sky fell. Put it back." in told
    assert "secret" not in told
    hook.requests.clear()
    hook.fail(fault)
    assert ace_run("--notify", hook.url) == 1
    assert len(hook.requests) == 2, "it is tried twice"


@pytest.mark.parametrize("url", ["http://hooks.example/x", "hooks.example", "ftp://127.0.0.1"])
def test_notices_are_not_sent_in_the_clear(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError):
        check_address(url)
    monkeypatch.setattr(run, "_run", failing)
    assert ace_run("--notify", url) == 2
    assert "--notify is no address" in capsys.readouterr().err
