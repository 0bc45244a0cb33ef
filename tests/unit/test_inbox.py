"""What agents write waits in journals, and lands once, whoever dies when."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from common.errors import AceError
from loaders.inbox import journal
from loaders.inbox.contract import checked
from loaders.inbox.journal import Journal, journal_in, seal
from loaders.inbox.line import Line, NoLine
from loaders.inbox.load import load_inbox
from loaders.inbox.place import Place
from loaders.landing import Landing
from loaders.landing.compaction import compact
from loaders.retry import retry_rejected

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOTE = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def note(content: str, key: str | None = None, **more: Any) -> bytes:
    values = {"agent_name": "A", "content": content, **more}
    return checked("agent_notes", values, AT, key).encode()


def write(landing: Landing, *lines: bytes) -> None:
    Place(landing.storage).append("agent_notes", b"".join(lines))


def landed(landing: Landing) -> list[str]:
    """Contents of the notes that landed, sorted."""
    files = {load.file for load in Landing(landing.url).loads("inbox", "agent_notes")}
    return sorted(text for file in files for text in pl.read_parquet(file)["content"])


def journals(landing: Landing) -> list[Path]:
    return sorted(Path(landing.url, "inbox/_journal/agent_notes").glob("*"))


def test_what_was_written_lands_as_it_was_meant_and_its_journal_goes(landing: Landing) -> None:
    write(landing, note("one", importance="0.5", created_at="2026-10-01T10:00:00+02:00"))
    write(landing, note("two"))
    assert len(journals(landing)) == 1
    (done,) = load_inbox(landing)
    assert (done.resource, done.read, done.accepted, done.rejected) == ("agent_notes", 2, 2, 0)
    assert journals(landing) == []
    (load,) = landing.loads("inbox")
    rows = pl.read_parquet(load.file)
    assert rows["importance"].to_list() == [0.5, None]
    assert rows["created_at"][0] == datetime(2026, 10, 1, 8, tzinfo=UTC)
    # Known since it was written, not since it landed.
    assert rows["_extracted_at"].to_list() == [AT, AT]
    assert rows["note_id"].n_unique() == 2
    assert load_inbox(landing) == []


def test_rows_of_one_key_land_once_also_after_compaction(landing: Landing) -> None:
    write(landing, note("first", key="k"), note("again", key="k"), note("other", key="l"))
    assert [one.repeated for one in load_inbox(landing)] == [1]
    write(landing, note("new", key="m"))
    load_inbox(landing)
    compact(landing, min_files=1)
    write(landing, note("once more", key="k"), note("no key"), note("no key"))
    (done,) = load_inbox(landing)
    assert (done.read, done.repeated) == (2, 1)
    assert landed(landing) == ["first", "new", "no key", "no key", "other"]


def test_a_line_cut_short_was_never_acknowledged_and_a_bad_one_is_kept(landing: Landing) -> None:
    bad = b'{"at": "2026-11-01T12:00:00Z", "row": {"agent_name": "A", "content": "x"'
    other = orjson.dumps({"at": "2026-11-01T12:00:00Z", "row": {"importance": "much"}})
    write(landing, note("good"), bad + b"\n", other + b"\n", b"\0\0\n", note("after"))
    with journals(landing)[0].open("ab") as file:
        file.write(note("torn")[:-1])
    (done,) = load_inbox(landing)
    assert (done.read, done.accepted, done.rejected) == (5, 2, 3)
    assert done.torn == (str(os.getpid()),)
    assert landed(landing) == ["after", "good"]
    kept = landing.rejected("inbox")
    assert {one.raw for one in kept} == {bad, other, b"\0\0"}
    assert sorted(one.position for one in kept) == [1, 2, 3]
    reasons = sorted(one.reason for one in kept)
    assert reasons[0] == "importance: 'much' is not a number"
    assert [reason.startswith("the line is no JSON") for reason in reasons[1:]] == [True, True]
    # Today's loader reads them no better; one that did would give the row, not the line.
    assert retry_rejected(landing) == []


def test_a_rejected_line_is_recovered_as_its_row(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"at": "2026-11-01T12:00:00Z", "row": {"content": "x", "importance": "much"}}
    write(landing, orjson.dumps(line) + b"\n")
    load_inbox(landing)
    from loaders.values import KINDS

    monkeypatch.setitem(KINDS, "number", lambda value, typing: 1.0)
    assert [load.recovered for load in retry_rejected(landing)] == [1]
    (row,) = pl.concat(
        pl.read_parquet(one.file) for one in landing.loads() if one.accepted
    ).to_dicts()
    assert (row["content"], row["importance"], row["_extracted_at"]) == ("x", 1.0, AT)
    assert row["_extra"] is None


class Stop(Exception):
    pass


@pytest.mark.parametrize("step", ["seal", "commit", "remove"])
def test_killed_between_its_steps_it_goes_on(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    write(landing, note("a"), note("b"))
    with monkeypatch.context() as patch:

        def stop(*_: object, **__: object) -> None:
            raise Stop

        if step == "seal":
            patch.setattr(Place, "lines", stop)
        elif step == "commit":
            patch.setattr("loaders.landing.storage._sync", stop)
        else:
            patch.setattr(Place, "remove", stop)
        with pytest.raises(Stop):
            load_inbox(Landing(landing.url))
    write(landing, note("c"))
    load_inbox(landing)
    assert landed(landing) == ["a", "b", "c"]
    assert journals(landing) == []
    assert sum(one.read for one in landing.loads("inbox")) == 3


def test_a_writer_in_the_middle_of_a_line_is_waited_for(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(landing, note("first"))
    begun, go_on = threading.Event(), threading.Event()
    really = os.write

    def slowly(file: int, data: Any) -> int:
        if len(data) > 10 and not begun.is_set():
            written = really(file, bytes(data)[:10])
            begun.set()
            return written
        go_on.wait(5)
        return really(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("loaders.inbox.journal.os.write", slowly)
        writer = threading.Thread(target=write, args=(landing, note("slow")))
        writer.start()
        begun.wait(5)
        patch.setattr("loaders.inbox.place.seal", lambda path: seal(path, patience=0.05))
        (busy,) = load_inbox(landing)
        assert (busy.busy, busy.read) == ((str(os.getpid()),), 0)
        go_on.set()
        writer.join()
    (done,) = load_inbox(landing)
    assert (done.read, done.torn, landed(landing)) == (2, (), ["first", "slow"])


def test_what_cannot_be_synced_is_refused_and_spoils_nothing(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(landing, note("before"))
    really = os.write

    def full(file: int, data: Any) -> int:
        really(file, bytes(data)[:7])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("loaders.inbox.journal.os.write", full)
        with pytest.raises(AceError, match=r"disk that holds .* is full"):
            write(landing, note("lost"))
    with monkeypatch.context() as patch:
        patch.setattr("loaders.inbox.journal._sync_data", lambda file: full(file, b""))
        with pytest.raises(AceError, match="is full"):
            write(landing, note("lost, too"))
    write(landing, note("after"))
    (done,) = load_inbox(landing)
    assert (done.rejected, done.torn, landed(landing)) == (0, (), ["after", "before"])


def test_threads_share_a_sync_and_none_is_told_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = []
    lines = [f"{number}\n".encode() for number in range(40)]
    first, wait = threading.Event(), threading.Event()

    def sync(file: int) -> None:
        syncs.append(file)
        first.set()
        wait.wait(5)

    monkeypatch.setattr("loaders.inbox.journal._sync_data", sync)
    one = Journal(tmp_path)
    told: list[bytes] = []

    def append(line: bytes) -> None:
        one.append(line)
        told.append(line)

    threads = [threading.Thread(target=append, args=(line,)) for line in lines]
    threads[0].start()
    first.wait(5)
    for thread in threads[1:]:
        thread.start()
    for _ in range(400):
        if len(one._waiting) == len(lines) - 1:
            break
        time.sleep(0.01)
    assert told == []
    wait.set()
    for thread in threads:
        thread.join()
    assert len(syncs) == 2
    (file,) = tmp_path.iterdir()
    assert sorted(file.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_a_forked_process_writes_a_journal_of_its_own(tmp_path: Path) -> None:
    journal_in(tmp_path).append(b"parent\n")
    child = multiprocessing.get_context("fork").Process(
        target=lambda: journal_in(tmp_path).append(b"child\n")
    )
    child.start()
    child.join(20)
    assert child.exitcode == 0
    journal_in(tmp_path).append(b"parent again\n")
    found = sorted(path.read_bytes() for path in tmp_path.iterdir())
    assert found == [b"child\n", b"parent\nparent again\n"]


def test_a_sealed_journal_gets_nothing_more(tmp_path: Path) -> None:
    one = Journal(tmp_path)
    one.append(b"a\n")
    (path,) = tmp_path.iterdir()
    sealed = seal(path)
    assert sealed is not None
    one.append(b"b\n")
    assert sealed.read_bytes() == b"a\n"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "text",
    [b"", b"{}", b"[]", b"null", b'{"row": {}}', b'{"row": [], "at": "2026-01-01T00:00:00Z"}',
     b'{"row": {}, "at": 5}', b'{"row": {}, "at": "soon"}', b"\xff\xfe",
     b'{"row": {}, "at": "2026-01-01T00:00:00Z", "key": 7}'],
)  # fmt: skip
def test_what_no_writer_writes_is_no_line(text: bytes) -> None:
    with pytest.raises(NoLine):
        Line.decode(text)


def test_an_object_store_has_an_object_for_each_write(tmp_path: Path) -> None:
    landing = Landing(f"memory://{tmp_path.name}/landing")
    place = Place(landing.storage)
    place.append("agent_notes", note("a") + note("b", key="k"))
    place.append("agent_notes", note("c"))
    assert place.count(set()) == {"agent_notes": 3}
    assert [one.accepted for one in load_inbox(landing)] == [3]
    place.append("agent_notes", note("again", key="k"))
    assert [(one.read, one.repeated) for one in load_inbox(landing)] == [(0, 1)]
    assert place.count(set()) == {}
    assert load_inbox(landing) == []


WRITER = """
import sys
from pathlib import Path
from loaders.inbox.contract import checked
from loaders.inbox.place import Place
from loaders.landing import Landing
from datetime import UTC, datetime

place = Place(Landing(sys.argv[1]).storage)
name, size = sys.argv[2], int(sys.argv[3])
with open(sys.argv[4], "a") as acknowledged:
    number = 0
    while True:
        texts = [f"{name} {number + i}" for i in range(size)]
        lines = [checked("agent_notes", {"agent_name": name, "content": text * 3, "topic": text},
                         datetime.now(UTC), text).encode() for text in texts]
        place.append("agent_notes", b"".join(lines))
        acknowledged.write("".join(text + "\\n" for text in texts))
        acknowledged.flush()
        number += size
"""


def test_four_writers_that_are_killed_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "landing")

    def start(name: str) -> subprocess.Popen[bytes]:
        told = str(tmp_path / f"{name}.told")
        arguments = [sys.executable, "-c", WRITER, landing.url, name, "25", told]
        return subprocess.Popen(arguments)

    running = {f"w{i}": start(f"w{i}") for i in range(4)}
    try:
        for turn in range(4):
            before = len(told_by(tmp_path))
            while len(told_by(tmp_path)) < before + 500:
                assert all(process.poll() is None for process in running.values())
                load_inbox(Landing(landing.url))
            old, process = sorted(running.items())[turn % 4]
            process.send_signal(signal.SIGKILL)
            process.wait()
            del running[old]
            running[f"{old}.{turn}"] = start(f"{old}.{turn}")
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    load_inbox(landing)
    files = {load.file for load in Landing(landing.url).loads("inbox")}
    found = sorted(topic for file in files for topic in pl.read_parquet(file)["topic"])
    assert len(found) == len(set(found))
    assert told_by(tmp_path) <= set(found)
    assert len(found) >= 2000
    assert landing.rejected("inbox") == []
    assert load_inbox(landing) == []


def told_by(folder: Path) -> set[str]:
    """What writers were told is durable, as far as they lived to say so."""
    found: set[str] = set()
    for file in folder.glob("*.told"):
        found.update(line for line in file.read_text().splitlines(keepends=True))
    return {line.strip() for line in found if line.endswith("\n")}


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    with contextlib.suppress(KeyError):
        journal._in_child()
