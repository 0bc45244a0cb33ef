"""The part that all live sources share: what is asked, kept, landed, and said."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import AceError
from loaders.landing import Landing
from loaders.live.asks import Answer, Ask
from loaders.live.client import MAX_BYTES
from loaders.live.outcomes import Expired, Paused, Refused
from loaders.live.pace import Budget
from loaders.live.run import LiveResult, load_live
from loaders.live.source import Asking, Sending, Source
from tests.fakes.server import Fake, Reply, Request
from tests.support.waits import no_waits  # noqa: F401

SECRET = "clt.secret+secret/0123456789"


class Shelf(Fake):
    """Pages of two videos each, under a cursor."""

    def __init__(self, pages: int = 4) -> None:
        super().__init__()
        self.pages = pages

    def reply(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Reply({"error": {"code": "access_token_invalid"}}, 401)
        at = int(request.query["cursor"])
        videos = [
            {"id": 7_300_000_000_000_000_000 + 10 * at + n, "view_count": at, "username": "u",
             "video_description": f"with {SECRET}"}
            for n in range(2)
        ]  # fmt: skip
        more = at + 1 < self.pages
        return Reply({"data": {"videos": videos, "cursor": at + 1, "has_more": more}})


class Shelves(Source):
    """A small source as a platform's would be."""

    name, command, preset = "tiktok_research", "tiktok-research", "tiktok-research"
    per_second = 1000.0

    def __init__(self, base: str, token: str = SECRET, daily: dict[str, int] | None = None) -> None:
        self.base, self.token = base, token
        self.daily = daily or {}
        self.renewed = 0
        self.cursors: list[Any] = []

    @property
    def options(self) -> dict[str, Any]:
        return {}

    def given(self, cursor: dict[str, Any] | None) -> Any:
        self.cursors.append(cursor)
        return cursor

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any]:
        cursor, more = 0, True
        while more:
            data = ask(Ask("/list", {"cursor": str(cursor)}, bucket="requests")).document["data"]
            cursor, more = data["cursor"], data["has_more"]
        return {"until": begun_at.isoformat()}

    def headers(self, send: Sending) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def secrets(self) -> list[str]:
        return [SECRET]

    def renew(self) -> bool:
        self.renewed += 1
        self.token = SECRET
        return self.renewed == 1

    def judge(self, ask: Ask, answer: Answer) -> None:
        if answer.status == 401:
            raise Expired
        if answer.status == 403:
            raise Paused("the platform's quota is used up")
        if answer.status == 422:
            raise Refused(f"no such thing, says {SECRET}", answer)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as fake:
        yield fake  # type: ignore[misc]


def run(fake: Fake, tmp_path: Path, **options: Any) -> LiveResult:
    return load_live(Landing(tmp_path / "landing"), tmp_path, Shelves(fake.url, **options))


def landed(tmp_path: Path, column: str = "external_id") -> list[str]:
    import polars as pl

    files = sorted((tmp_path / "landing").glob("tiktok_research/raw_videos/*.parquet"))
    return sorted(value for file in files for value in pl.read_parquet(file)[column])


def everything(tmp_path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_pages_land_once_and_the_next_run_knows_where_the_last_ended(
    shelf: Shelf, tmp_path: Path
) -> None:
    result = run(shelf, tmp_path)
    assert [(one.resource, one.read, one.accepted) for one in result.resources] == [
        ("raw_videos", 8, 8)
    ]
    assert (result.asked, result.exit_code, len(set(landed(tmp_path)))) == (4, 0, 8)
    assert not list(tmp_path.glob("live/*/*.spool"))
    source = Shelves(shelf.url)
    load_live(Landing(tmp_path / "landing"), tmp_path, source)
    assert source.cursors[0]["until"]


@pytest.mark.parametrize(
    "fault",
    [
        Reply(status=500),
        Reply(b"<html>busy</html>", 504, {"Content-Type": "text/html"}),
        Reply(status=429),
        Reply(status=429, headers={"Retry-After": "1"}),
        Reply({"data": {"videos": [], "has_more": False}}, cut=10),
        Reply(b'{"data": {"vid', headers={"Connection": "close"}),
        Reply(drop=True),
    ],
    ids=["500", "504 html", "429", "retry-after", "truncated", "half json", "dropped"],
)
def test_what_passes_is_asked_again(shelf: Shelf, tmp_path: Path, fault: Reply) -> None:
    shelf.fail(fault, times=2)
    result = run(shelf, tmp_path)
    assert (result.retried, len(landed(tmp_path)), result.error) == (2, 8, "")


def test_what_does_not_pass_ends_the_run_with_what_had_come(shelf: Shelf, tmp_path: Path) -> None:
    pages = iter(range(100))

    def failing(request: Request) -> Reply:
        return shelf.reply(request) if next(pages) < 2 else Reply(status=500)

    shelf.fail(failing, times=100)
    result = run(shelf, tmp_path)
    assert "however often it was asked: HTTP 500" in result.error
    assert (result.exit_code, len(landed(tmp_path))) == (1, 4)
    shelf.faults, asked = [], len(shelf.requests)
    again = run(shelf, tmp_path)
    assert (again.kept, len(shelf.requests) - asked, len(landed(tmp_path))) == (2, 2, 8)


def test_a_quota_pauses_and_the_next_run_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    result = run(shelf, tmp_path, daily={"requests": 3})
    assert "quota of requests is used up (3 of 3)" in result.paused
    assert (result.exit_code, len(landed(tmp_path))) == (0, 6)
    assert result.until is not None
    assert result.until.time().isoformat() == "00:00:00"
    asked = len(shelf.requests)
    assert run(shelf, tmp_path, daily={"requests": 3}).paused
    assert len(shelf.requests) == asked
    again = run(shelf, tmp_path, daily={"requests": 9})
    assert (again.paused, again.asked, len(landed(tmp_path))) == ("", 1, 8)


def test_the_platforms_own_word_exhausts_the_budget(shelf: Shelf, tmp_path: Path) -> None:
    shelf.fail(Reply(status=403))
    first = run(shelf, tmp_path, daily={"requests": 9})
    assert (first.paused, first.until is not None) == ("the platform's quota is used up", True)
    assert run(shelf, tmp_path, daily={"requests": 9}).asked == 0


def test_an_expired_token_is_renewed_once(shelf: Shelf, tmp_path: Path) -> None:
    assert len(run(shelf, tmp_path, token="old").resources) == 1
    assert len(landed(tmp_path)) == 8
    shelf.fail(Reply(status=401), times=9)
    assert "refuses the access token that it has just given" in run(shelf, tmp_path).error


def test_a_refusal_ends_the_run_says_no_secret_and_is_asked_again(
    shelf: Shelf, tmp_path: Path
) -> None:
    shelf.fail(Reply({"message": SECRET}, 422))
    result = run(shelf, tmp_path)
    assert result.error == "tiktok-research: no such thing, says ***."
    assert not run(shelf, tmp_path).error


def test_a_refusal_that_the_program_lives_with_is_not_asked_again(
    shelf: Shelf, tmp_path: Path
) -> None:
    class Patient(Shelves):
        def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any]:
            with contextlib.suppress(Refused):
                ask(Ask("/optional"))
            return super().program(ask, given, begun_at)

    shelf.fail(Reply({}, 422), at="optional")
    rejected = 0
    for daily in ({"requests": 2}, {"requests": 9}):
        done = load_live(Landing(tmp_path / "landing"), tmp_path, Patient(shelf.url, daily=daily))
        rejected += sum(one.rejected for one in done.resources)
    assert rejected == 0
    assert (len(shelf.asked("optional")), len(landed(tmp_path))) == (1, 8)


def test_no_file_holds_a_secret(shelf: Shelf, tmp_path: Path) -> None:
    run(shelf, tmp_path, daily={"requests": 2})
    assert SECRET.encode() not in everything(tmp_path)
    assert set(landed(tmp_path, "caption")) == {"with ***"}


def test_redirects_stay_on_the_host(shelf: Shelf, tmp_path: Path) -> None:
    with Shelf() as other:
        shelf.fail(Reply(status=302, headers={"Location": f"{other.url}/list?cursor=0"}))
        assert "to another host" in run(shelf, tmp_path).error
        assert not other.requests
    shelf.fail(Reply(status=307, headers={"Location": "/list?cursor=0"}))
    assert not run(shelf, tmp_path).error


def test_an_endless_answer_is_not_read_to_its_end(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_BYTES > 1 << 20
    monkeypatch.setattr("loaders.live.client.MAX_BYTES", 1 << 20)
    shelf.fail(Reply(b" " * (2 << 20)))
    assert "larger than 1 MiB" in run(shelf, tmp_path).error


def test_a_dripping_answer_is_given_up(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.live.client.WHOLE_SECONDS", 0.2)
    shelf.fail(Reply(b" " * 500, drip=0.01))
    assert (run(shelf, tmp_path).retried, len(landed(tmp_path))) == (1, 8)


def test_one_run_of_the_same_options_at_a_time(shelf: Shelf, tmp_path: Path) -> None:
    def second(request: Request) -> Reply:
        with pytest.raises(AceError, match="with the same options is running"):
            run(shelf, tmp_path)
        return shelf.reply(request)

    shelf.fail(second)
    assert not run(shelf, tmp_path).error


def test_a_run_that_nobody_went_on_with_lands_before_a_new_one_begins(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(shelf, tmp_path, daily={"requests": 2})
    monkeypatch.setattr(Shelves, "unfinished", timedelta(0))
    assert run(shelf, tmp_path).asked == 4
    assert len(landed(tmp_path)) == 12  # the two pages of before stay


_KILLED = """
    import os, sys
    from pathlib import Path
    import loaders.live.run as run
    from tests.unit.test_live import Shelves
    from loaders.landing import Landing

    url, home, place, left = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])

    def dies(call):
        def wrapped(*given, **named):
            global left
            done = call(*given, **named) if place.startswith("after") else None
            left -= 1
            if left < 0:
                os.kill(os.getpid(), 9)
            return done if place.startswith("after") else call(*given, **named)
        return wrapped

    if "keep" in place:
        run.keep = dies(run.keep)
    elif "append" in place:
        run.Spool.append = dies(run.Spool.append)
    elif "commit" in place:
        run.Sink.commit = dies(run.Sink.commit)
    else:
        run.Spool.remove = dies(run.Spool.remove)
    run.load_live(Landing(home / "landing"), home, Shelves(url))
"""


@pytest.mark.parametrize(
    ("place", "left"),
    [
        *(("before keep", n) for n in range(4)),
        *(("after keep", n) for n in range(4)),
        ("after append", 0),
        ("before commit", 0),
        ("after commit", 0),
        ("before remove", 0),
        ("after append", 6),
    ],
)
def test_killed_anywhere_it_ends_as_if_nothing_had_been(
    shelf: Shelf, tmp_path: Path, place: str, left: int
) -> None:
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(_KILLED),
            shelf.url,
            str(tmp_path),
            place,
            str(left),
        ],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    result = run(shelf, tmp_path)
    assert not result.error
    # Nothing twice, but the page that was in flight.
    assert sum(shelf.repeated().values()) <= 2
    assert len(shelf.requests) <= 5
    assert landed(tmp_path) == sorted(set(landed(tmp_path)))
    assert len(landed(tmp_path)) == 8


def test_a_budget_begins_anew_at_its_reset(tmp_path: Path) -> None:
    now = datetime(2026, 11, 27, 23, 59, tzinfo=UTC)
    source = Shelves("http://127.0.0.1")
    budget = Budget(tmp_path / "spent.json", {"units": 100}, source.resets_at, lambda: now)
    budget.spend("units", 60)
    budget.spend("free", 10**9)
    with pytest.raises(Paused) as paused:
        budget.spend("units", 50)
    assert paused.value.until == datetime(2026, 11, 28, tzinfo=UTC)
    assert (budget.left("units"), budget.left("free")) == (40, None)
    now += timedelta(minutes=1)
    budget.spend("units", 50)
    (tmp_path / "spent.json").write_text("{torn")
    assert budget.left("units") == 100
    assert budget.exhaust("units") == datetime(2026, 11, 29, tzinfo=UTC)
    assert budget.left("units") == 0
