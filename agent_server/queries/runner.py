"""Runs queries in processes of their own, and ends those that outlive their limit."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from agent_server.queries.limits import Limits
from common.errors import AceError, UsageError
from common.settings import Settings
from repositories.query_errors import too_long

#: How long the engine has to stop a query by itself before its process is ended.
GRACE_SECONDS = 0.04
#: How long a process may take to start and to open a release.
OPENING_SECONDS = 30.0


class Queries:
    """Threads may share it; close it when nothing is asked any more."""

    def __init__(self, config: Settings, limits: Limits) -> None:
        self.limits = limits
        self._first = json.dumps(
            {
                "home": str(config.home),
                "target": config.target,
                "postgres_url": config.postgres_url,
                "limits": asdict(limits),
            }
        )
        self._idle: list[_Process] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(limits.at_once)
        self._is_closed = False

    def run(self, release: int | None, sql: str, most: int) -> dict[str, Any]:
        """Columns, rows, whether there are ``more``, and how many texts were ``cut``.

        Raises AceError for what the engine refuses or stops.
        """
        if not self._free.acquire(timeout=2 * self.limits.seconds):
            raise AceError("Other queries take all the time there is.", "Try again in a moment.")
        try:
            process = self._taken()
            try:
                found = process.ask(
                    {"release": release, "sql": sql, "most": most}, self.limits.seconds
                )
            except BaseException:
                # Another one gets ready meanwhile for whoever asks next.
                process.end()
                self.prepare()
                raise
            self._give_back(process)
        finally:
            self._free.release()
        if "error" in found:
            raise UsageError(found["error"], found["hint"])
        return found

    def prepare(self) -> None:
        """Start a process now, so that it is ready when it is asked."""
        self._give_back(_Process(self._first))

    def _taken(self) -> _Process:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Process(self._first)

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(process)
                return
        process.end()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()


class _Process:
    def __init__(self, first: str) -> None:
        # Without the folder it is started in among the places that modules come from.
        command = [sys.executable, "-P", "-m", "agent_server.queries.worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._read = b""
        self._write(first)

    def ask(self, asked: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            self._write(json.dumps(asked))
            found = self._line(time.monotonic() + OPENING_SECONDS)
            if "began" in found:
                found = self._line(time.monotonic() + seconds + GRACE_SECONDS)
        except TimeoutError:
            self.end()
            raise too_long(seconds) from None
        except (EOFError, BrokenPipeError):
            raise _too_large() from None
        if "memory" in found:
            raise _too_large()
        return found

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def _line(self, until: float) -> dict[str, Any]:
        """The next line; TimeoutError when it does not come, EOFError when none will."""
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        while b"\n" not in self._read:
            left = until - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise TimeoutError
            part = os.read(handle, 1 << 16)
            if not part:
                raise EOFError
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()


def _too_large() -> AceError:
    return AceError(
        "The query needs more memory than it may have, and was stopped.",
        "Select fewer rows or columns, or shorter texts.",
    )
