"""A journal on a local disk: lines appended by one process, synced before a write returns.

A writer holds an operating-system lock on its file from the first byte of a write until it is
synced. Whoever lands journals takes the same lock, renames the file and lets go: what is in it
then is all there will ever be, and the writer, which looks for its file before each write,
begins another. So a line without an end can only be one whose writer died while writing it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import deque
from pathlib import Path

from loaders.landing.metadata import new_load_id
from loaders.landing.storage import explain

ENDING = ".ndjson"
#: How the name of a journal ends that nobody writes to any more.
SEALED = ".sealed"
#: How long a write of somebody else is waited for, in seconds.
PATIENCE = 5.0
#: On Linux enough: the size of the file is synced with its data.
_sync_data = getattr(os, "fdatasync", os.fsync)


class _Waiting:
    """Lines of one caller, until they are synced or were refused."""

    def __init__(self, lines: bytes) -> None:
        self.lines = lines
        self.done = False
        self.error: BaseException | None = None


class Journal:
    """The lines that this process writes into one folder; threads share one sync."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: deque[_Waiting] = deque()
        self._writing = threading.Lock()
        self._file: int | None = None
        self._path = folder

    def append(self, lines: bytes) -> None:
        """Write whole lines; when it returns they survive a crash of the machine.

        Raises AceError when that is not sure: none, some or all of them may be there then.
        """
        mine = _Waiting(lines)
        self._waiting.append(mine)
        with self._writing:
            if not mine.done:
                self._write_waiting()
        if mine.error is not None:
            raise explain(mine.error, str(self.folder))

    def _write_waiting(self) -> None:
        """Write what all threads wait for, with one sync."""
        batch: list[_Waiting] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        try:
            self._write(b"".join(one.lines for one in batch))
        except BaseException as error:
            # What the file ends with is not known: the next write begins another.
            self.forget()
            for one in batch:
                one.error = error
            if not isinstance(error, OSError):
                raise
        finally:
            for one in batch:
                one.done = True

    def _write(self, lines: bytes) -> None:
        file = self._locked()
        try:
            size = os.fstat(file).st_size
            try:
                rest = memoryview(lines)
                while rest:
                    rest = rest[os.write(file, rest) :]
                _sync_data(file)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, size)
                raise
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _locked(self) -> int:
        """The open file, locked, and still where it was made."""
        while True:
            file = self._begun() if self._file is None else self._file
            fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self._path), os.fstat(file)):
                    return file
            self.forget()

    def _begun(self) -> int:
        """A new file that no crash can take away."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._path = self.folder / f"{new_load_id()}-{os.getpid()}{ENDING}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o666)
        # The folders may be as new: <home>/<landing>/inbox/_journal/<table>.
        for folder in (self.folder, *list(self.folder.parents)[:5]):
            with contextlib.suppress(PermissionError):
                sync_folder(folder)
        return self._file

    def forget(self) -> None:
        """Let go of the file; the next write begins another."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(path: Path, patience: float = PATIENCE) -> Path | None:
    """Take a journal from its writer; None when a write to it went on all the time."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    return None
                time.sleep(0.005)
        sealed = path.with_name(path.name + SEALED)
        os.rename(path, sealed)
        return sealed
    finally:
        os.close(handle)


_journals: dict[Path, Journal] = {}
_opening = threading.Lock()


def journal_in(folder: Path) -> Journal:
    """This process' journal in a folder: one, however many ask for it."""
    with _opening:
        return _journals.setdefault(folder, Journal(folder))


def _in_child() -> None:
    """A forked process writes files of its own; locks that its parent's threads held mean
    nothing in it."""
    global _opening
    _opening = threading.Lock()
    for journal in _journals.values():
        journal.forget()
    _journals.clear()


os.register_at_fork(after_in_child=_in_child)
