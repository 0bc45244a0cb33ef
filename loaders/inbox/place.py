"""Where journals are: below the landing zone, on a disk or in an object store.

An object store cannot append: each write is an object of its own there, whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from common.errors import AceError
from loaders.inbox import SOURCE
from loaders.inbox.journal import ENDING, SEALED, journal_in, seal, sync_folder
from loaders.landing import Landing, Load
from loaders.landing.metadata import new_load_id
from loaders.landing.storage import Storage, explain
from loaders.schema import RESOURCES

#: Where the journals that a load holds are named: its cursor.
JOURNALS = "journals"


class Place:
    """The journals of a landing zone, by table."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def append(self, resource: str, lines: bytes) -> None:
        """Write whole lines of one table durably; AceError when that is not sure."""
        try:
            if self._storage.local:
                journal_in(self._folder(resource)).append(lines)
            else:
                name = f"{new_load_id()}-{os.getpid()}{ENDING}"
                self._storage.put(f"{_folder(resource)}/{name}", lines)
        except AceError:
            raise
        except Exception as error:  # stores raise anything
            raise explain(error, self._storage.location(_folder(resource))) from None

    def names(self, resource: str) -> list[str]:
        """Journals there are, oldest first, sealed or not: names without that ending."""
        found = self._storage.names(_folder(resource), (ENDING, ENDING + SEALED))
        return sorted({os.path.basename(name).removesuffix(SEALED) for name in found})

    def seal(self, resource: str) -> tuple[list[str], list[str]]:
        """Take all journals of a table from their writers; also those that could not be,
        since a write to them did not end."""
        sealed, busy = [], []
        for name in self.names(resource):
            if self._storage.local:
                path = self._folder(resource) / name
                if path.exists() and seal(path) is None:
                    busy.append(name)
                    continue
            sealed.append(name)
        if self._storage.local and sealed:
            sync_folder(self._folder(resource))
        return sealed, busy

    def lines(self, resource: str, name: str) -> Iterator[bytes]:
        """Lines of a journal, ends included: without one, the last was cut short."""
        if not self._storage.local:
            yield from self._storage.get(f"{_folder(resource)}/{name}").splitlines(keepends=True)
            return
        path = self._folder(resource) / name
        if not path.exists():
            path = path.with_name(name + SEALED)
        with open(path, "rb") as file:
            yield from file

    def count(self, landed: Container[str]) -> dict[str, int]:
        """Whole lines that wait, by table, without journals that landed."""
        found = {}
        for resource in RESOURCES:
            lines = 0
            for name in self.names(resource):
                if name not in landed:
                    with contextlib.suppress(FileNotFoundError):  # landed just now
                        lines += sum(t.endswith(b"\n") for t in self.lines(resource, name))
            if lines:
                found[resource] = lines
        return found

    def remove(self, resource: str, name: str) -> None:
        """Take a journal away that has landed."""
        for ending in ("", SEALED):
            self._storage.remove(f"{_folder(resource)}/{name}{ending}")

    def _folder(self, resource: str) -> Path:
        return Path(self._storage.location(_folder(resource)))


def landed_journals(loads: Iterable[Load]) -> set[str]:
    """Names of the journals whose rows the loads hold."""
    return {
        name
        for load in loads
        for name in (load.cursor or {}).get(JOURNALS, ())
        if isinstance(name, str)
    }


def has_journals(landing: Landing) -> bool:
    """Whether anything was written that has not landed."""
    place = Place(landing.storage)
    return any(place.names(resource) for resource in RESOURCES)


def _folder(resource: str) -> str:
    return f"{SOURCE}/_journal/{resource}"


def process_of(name: str) -> str:
    """The number of the process that wrote a journal."""
    return name.removesuffix(ENDING).rpartition("-")[2]
