"""Which release a call reads: the one it names, or the current one, opened once for many calls."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from common.settings import Settings
from repositories import Warehouse
from repositories.connection import open_release
from repositories.reader import Reader
from repositories.release_files import current_release, release_files

#: Releases that stay open while nobody reads them.
KEPT_OPEN = 3


class Releases:
    """Threads may share it; a release that is read is not closed meanwhile."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._open: dict[int, Warehouse] = {}
        self._readers: dict[int, int] = {}
        self._pointer: Reader | None = None

    @contextlib.contextmanager
    def reading(self, release: int | None) -> Iterator[Warehouse]:
        """A release by number, or the current one; AceError for one that is not kept."""
        with self._lock:
            number = self._current() if release is None else release
            warehouse = self._open.pop(number, None) if number is not None else None
            if warehouse is None:
                warehouse = Warehouse.open(number, config=self._config)
                number = warehouse.release.number or 0
            assert number is not None
            self._open[number] = warehouse  # the last one used comes last
            self._readers[number] = self._readers.get(number, 0) + 1
            self._close_others()
        try:
            yield warehouse
        finally:
            with self._lock:
                self._readers[number] -= 1

    def kept(self) -> list[int]:
        """Numbers of the releases that can be asked for, ascending."""
        if self._config.target != "postgres":
            return list(release_files(self._config.home))
        with self._lock:
            rows = self._unpinned().query("select release from meta.releases order by 1").rows
        return [row[0] for row in rows]

    def is_current(self, number: int | None) -> bool:
        with self._lock:
            return number == self._current()

    def _current(self) -> int | None:
        if self._config.target != "postgres":
            return current_release(self._config.home)
        rows = self._unpinned().query("select release from meta.release").rows
        return int(rows[0][0]) if rows else None

    def _unpinned(self) -> Reader:
        """A session on Postgres that sees which release is the current one."""
        if self._pointer is not None:
            with contextlib.suppress(Exception):
                self._pointer.settle()
                self._pointer.query("select 1")
                self._pointer.settle()
                return self._pointer
            self._pointer.close()
        self._pointer = open_release(
            self._config.home,
            target=self._config.target,
            postgres_url=self._config.postgres_url,
        )
        self._pointer.settle()
        return self._pointer

    def _close_others(self) -> None:
        for number in list(self._open)[:-KEPT_OPEN]:
            if not self._readers.get(number):
                self._open.pop(number).close()
                self._readers.pop(number, None)

    def close(self) -> None:
        with self._lock:
            for warehouse in self._open.values():
                warehouse.close()
            self._open.clear()
            if self._pointer is not None:
                self._pointer.close()
                self._pointer = None
