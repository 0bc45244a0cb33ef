"""How fast and how much may be asked: a rate of requests, and a budget of each day."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from loaders.landing.storage import explain
from loaders.live.outcomes import Paused


class Pace:
    """At most ``per_second`` calls in any second (below 1: one in ``1 / per_second`` seconds)."""

    def __init__(self, per_second: float) -> None:
        self._span = max(1.0, 1 / per_second)
        self._most = max(1, int(per_second))
        self._calls: deque[float] = deque()

    def wait(self) -> None:
        """Return when the next call may be made."""
        now = time.monotonic()
        while self._calls and now - self._calls[0] >= self._span:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            time.sleep(max(0.0, self._span - (now - self._calls[0])))
            self._calls.popleft()
        self._calls.append(time.monotonic())


class Budget:
    """What was spent of each day's quota, kept in a file so that the next run knows it.

    Spent before it is asked: a request that fails may have counted, one that was not made
    did not. Raises AceError when the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        daily: Mapping[str, int],
        resets_at: Callable[[str, datetime], datetime],
        now: Callable[[], datetime],
    ) -> None:
        self._path, self._daily, self._resets_at, self._now = path, daily, resets_at, now

    def spend(self, bucket: str, cost: int = 1) -> None:
        """Count a request; raises Paused where the day's quota does not allow it any more."""
        most = self._daily.get(bucket)
        if most is None:
            return
        with self._opened() as spent:
            used = self._used(spent, bucket)
            if used + cost > most:
                until = datetime.fromisoformat(spent[bucket]["until"])
                raise Paused(f"today's quota of {bucket} is used up ({used:,} of {most:,})", until)
            spent[bucket]["used"] = used + cost

    def exhaust(self, bucket: str) -> datetime | None:
        """The platform says that nothing is left: remember it; returns when it begins anew."""
        most = self._daily.get(bucket)
        if most is None:
            return None
        with self._opened() as spent:
            self._used(spent, bucket)
            spent[bucket]["used"] = most
            return datetime.fromisoformat(spent[bucket]["until"])

    def left(self, bucket: str) -> int | None:
        """What may still be spent until the reset; None where there is no limit."""
        most = self._daily.get(bucket)
        if most is None:
            return None
        with self._opened() as spent:
            return max(0, most - self._used(spent, bucket))

    def _used(self, spent: dict[str, dict[str, Any]], bucket: str) -> int:
        now = self._now()
        entry = spent.get(bucket)
        if entry is None or datetime.fromisoformat(str(entry["until"])) <= now:
            until = self._resets_at(bucket, now)
            entry = spent[bucket] = {"used": 0, "until": until.isoformat()}
        return int(str(entry["used"]))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The file's content, written back where it changed; one process at a time."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise explain(error, str(self._path)) from None
        with os.fdopen(handle, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            text = file.read()
            try:
                spent = json.loads(text) if text else {}
            except ValueError:
                spent = {}  # torn by a crash: the platform will say when it is too much
            try:
                yield spent
            finally:
                new = json.dumps(spent)
                if new != text:
                    file.seek(0)
                    file.truncate()
                    file.write(new)
                    file.flush()
