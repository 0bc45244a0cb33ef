"""One build (and one check) at a time per warehouse.

An operating-system lock (``flock``) on ``$ACE_HOME/build.lock``; on Postgres a session
advisory lock. Both end with the process that holds them, however it ends, so there is
never a stale lock to remove by hand. The text in the file only says who holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import AceError

if TYPE_CHECKING:
    import psycopg

    from warehouse.settings import Settings

#: The two halves of the advisory lock's key ("ACE ", build).
ADVISORY_KEY = (0x41434520, 1)
POLL_SECONDS = 0.2

Say = Callable[[str], None]


def describe(holder: dict[str, Any], work: str = "build") -> str:
    """A lock's holder in words."""
    if not holder:
        return f"another {work}"
    text = f"process {holder.get('pid')} on {holder.get('host')}"
    return f"{text}, since {holder['started']}" if holder.get("started") else text


def holder(home: Path) -> dict[str, Any] | None:
    """Who holds the build lock of ``home`` (pid, host, started), or None if nobody does."""
    return holder_of(home / "build.lock")


def holder_of(path: Path) -> dict[str, Any] | None:
    """Who holds the lock ``path``, {} where they left no word, None if nobody does."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(path)
    else:
        return None
    finally:
        os.close(handle)


def _written(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _await(
    acquire: Callable[[], bool],
    who: Callable[[], str],
    wait: float,
    say: Say,
    work: str = "build",
) -> None:
    """Try until it works or ``wait`` seconds are over; says once that it waits."""
    deadline = time.monotonic() + wait
    told = False
    while not acquire():
        if time.monotonic() >= deadline:
            raise AceError(
                f"Another {work} is running ({who()}).",
                (
                    "Wait for it to end and try again"
                    + (", or wait longer with --wait SECONDS." if work == "build" else ".")
                ),
            )
        if not told:
            say(f"Waiting for another {work} to end ({who()}).")
            told = True
        time.sleep(POLL_SECONDS)


@contextlib.contextmanager
def build_lock(home: Path, wait: float = 600, say: Say = print) -> Iterator[None]:
    """Hold the build lock of ``home``; waits up to ``wait`` seconds for another build.

    Raises AceError naming the holder when the wait was in vain.
    """
    with _process_lock(home / "build.lock", "build", wait, say):
        yield


@contextlib.contextmanager
def engine_lock(
    config: Settings, engine: str, wait: float = 600, say: Say = print
) -> Iterator[psycopg.Connection[Any] | None]:
    """Hold the lock of an engine's builds; yields the session that holds it, where it is Postgres.

    Raises AceError naming the holder when the wait was in vain.
    """
    if engine != "postgres":
        with build_lock(config.home, wait, say):
            yield None
        return
    from warehouse.release.session import connect

    assert config.postgres_url is not None
    with (
        contextlib.closing(connect(config.postgres_url, autocommit=True)) as connection,
        postgres_lock(connection, wait, say),
    ):
        yield connection


@contextlib.contextmanager
def check_lock(folder: Path, wait: float = 600, say: Say = print) -> Iterator[None]:
    """Hold the lock of a folder of quality pages, as :func:`build_lock` does a warehouse's."""
    with _process_lock(folder / ".lock", "check", wait, say):
        yield


@contextlib.contextmanager
def _process_lock(path: Path, work: str, wait: float, say: Say) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise AceError(
            f"{path} cannot be opened: {error.strerror}.",
            "Set ACE_HOME to a folder you may write to.",
        ) from None

    def acquire() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        _await(acquire, lambda: describe(_written(path), work), wait, say, work)
        started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        content = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
        with contextlib.suppress(OSError):
            # On a full disk nobody learns who holds the lock, but it is held.
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps(content).encode(), 0)
        yield
    finally:
        # Emptying first keeps the text from outliving the lock; closing alone would leave the lock
        # to a process that was forked meanwhile.
        with contextlib.suppress(OSError):
            if acquire():
                os.ftruncate(handle, 0)
                fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


@contextlib.contextmanager
def postgres_lock(
    connection: psycopg.Connection[Any], wait: float = 600, say: Say = print
) -> Iterator[None]:
    """Hold the warehouse's advisory lock on a connection of its own (autocommit, no pooler)."""

    def acquire() -> bool:
        row = connection.execute("select pg_try_advisory_lock(%s, %s)", ADVISORY_KEY).fetchone()
        return bool(row and row[0])

    def who() -> str:
        row = connection.execute(
            "select a.application_name, a.backend_start from pg_locks as l "
            "join pg_stat_activity as a using (pid) "
            "where l.locktype = 'advisory' and l.granted and l.classid = %s and l.objid = %s",
            ADVISORY_KEY,
        ).fetchone()
        if row is None:
            return "another build"
        since = row[1].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return f"{row[0] or 'another program'}, since {since}"

    _await(acquire, who, wait, say)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            connection.execute("select pg_advisory_unlock(%s, %s)", ADVISORY_KEY)
