"""The landing zone as programs see it: open a load, list loads, find, heartbeat."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from common.errors import AceError, UsageError
from loaders.landing.footers import ace_values
from loaders.landing.locks import locked
from loaders.landing.metadata import (
    METADATA_KEY,
    Heartbeat,
    Load,
    RejectedRecord,
    decode,
    new_load_id,
    utc_now,
)
from loaders.landing.storage import LEFT_OVER_SECONDS, Storage
from loaders.schema import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

    from loaders.landing.writer import LoadWriter


@dataclass(frozen=True)
class LeftOut:
    """A file of the zone that cannot be used: everything goes on without it."""

    name: str
    location: str
    #: What is wrong with it, and the next step.
    error: AceError

    def __str__(self) -> str:
        return f"{self.error.message} It is left out. {self.error.hint}"


class Landing:
    """The landing zone at a path or an fsspec URL (``file://``, ``s3://``, ``memory://``)."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self.storage = Storage(url)
        #: Footers already read: landed files never change.
        self._footers: dict[str, list[Load]] = {}
        self._beats: dict[str, Heartbeat] = {}
        self._lost_rejected: dict[str, AceError] = {}
        self._forgotten: frozenset[str] | None = None

    @property
    def url(self) -> str:
        """Absolute path or URL of the zone."""
        return self.storage.location("").rstrip("/")

    def schema_file(self, source: str, resource: str) -> str:
        """Location of the zero-row file that declares a resource's columns."""
        return self.storage.location(f"{source}/{resource}/_schema.parquet")

    def prepare(self) -> None:
        """Make every folder and schema file, so that sources without loads still build.

        Cheap when done before. A schema file that lacks a column the project has
        gained since is written anew, and what killed loads left behind is deleted.
        """
        from loaders.landing.writer import arrow_schema

        for source, resources in SOURCES.items():
            for resource in resources:
                name = f"{source}/{resource}/_schema.parquet"
                schema = arrow_schema(resource)
                if not self._same_schema(name, schema):
                    self.storage.write_table(schema.empty_table(), name, durable=False)
        self.storage.sweep()
        self.sweep_rejected()

    def _same_schema(self, name: str, schema: pa.Schema) -> bool:
        import pyarrow as pa

        try:
            with self.storage.reader(name) as file:
                return bool(file.schema_arrow.names == schema.names)
        except (FileNotFoundError, NotADirectoryError, pa.ArrowException):
            return False

    def open_load(
        self,
        source: str,
        resource: str,
        account: str | None = None,
        input: str | None = None,
        fingerprint: str | None = None,
        loaded_at: datetime | None = None,
        context: dict[str, Any] | None = None,
        recovers: Sequence[dict[str, Any]] = (),
        taken: Sequence[str] = (),
    ) -> LoadWriter:
        """Begin a load of one resource; see :class:`LoadWriter`.

        ``input`` is the name shown to people, ``fingerprint`` identifies content,
        resource and options, ``loaded_at`` fixes the landing time (tests, demo),
        ``context`` is kept beside rejected records so that they can be parsed again,
        ``taken`` are the paths of fields that columns are mapped to.
        """
        if source not in SOURCES or resource not in SOURCES[source]:
            raise UsageError(
                f"Source '{source}' does not land '{resource}'.",
                f"It lands: {', '.join(SOURCES.get(source, ())) or 'nothing; unknown source'}.",
            )
        from loaders.landing.writer import LoadWriter

        return LoadWriter(
            self.storage,
            source,
            resource,
            account=account,
            input=input,
            fingerprint=fingerprint,
            loaded_at=loaded_at,
            context=context,
            recovers=recovers,
            taken=taken,
            forgotten=self.forgotten(),
        )

    def forgotten(self) -> frozenset[str]:
        """Digests of what was forgotten on request: it does not land again. Read once."""
        if self._forgotten is None:
            from loaders.landing.forgotten import requests

            asked = requests(self.storage)
            self._forgotten = frozenset().union(*(request.digests for request in asked))
        return self._forgotten

    def loads(self, source: str | None = None, resource: str | None = None) -> list[Load]:
        """Every load once, oldest first, read from the files' own metadata.

        A load held by two files (a compaction in between) is reported with the file
        that holds more loads. Files that cannot be used are passed over; :meth:`left_out`
        tells which.
        """
        for _ in range(5):
            # A file may vanish between listing and reading when compaction deletes
            # it; its replacement is there by then, so look again.
            with contextlib.suppress(FileNotFoundError):
                return self._loads_once(source, resource)
        raise AceError(
            f"The landing zone {self.url} keeps changing while it is read.", "Try again."
        )

    def _loads_once(self, source: str | None, resource: str | None) -> list[Load]:
        best: dict[str, tuple[int, str, Load]] = {}
        names = list(self._data_files(source, resource))
        self._read_footers(names)
        for name in names:
            try:
                held = self.file_loads(name)
            except AceError:
                continue
            for load in held:
                known = best.get(load.load_id)
                if known is None or (len(held), name) > known[:2]:
                    best[load.load_id] = (len(held), name, load)
        found = [entry[2] for entry in best.values()]
        return sorted(found, key=lambda load: (load.landed_at, load.load_id))

    def _data_files(self, source: str | None, resource: str | None) -> Iterator[str]:
        for one in [source] if source else SOURCES:
            for kind in [resource] if resource else SOURCES.get(one, ()):
                yield from self.storage.names(f"{one}/{kind}")

    def _read_footers(self, names: Iterable[str]) -> None:
        """Read those not read yet in one go; one that is odd is left to :meth:`file_loads`."""
        unread = [name for name in names if name not in self._footers]
        for name, value in ace_values(self.storage, unread).items():
            with contextlib.suppress(ValueError):
                self._keep_footer(name, value)

    def _keep_footer(self, name: str, value: bytes) -> None:
        """Remember a file's loads; ValueError when they are not what its folder holds."""
        loads = decode(value, self.storage.location(name))
        for load in loads:
            place = f"{load.source}/{load.resource}"
            if place != os.path.dirname(name):
                raise ValueError(f"it holds loads of {place}")
        self._footers[name] = loads

    def left_out(self) -> list[LeftOut]:
        """Files that no load or heartbeat can be read from, by name. Looks anew."""
        found = []
        names = list(self._data_files(None, None))
        self._read_footers(names)
        beats = self._beat_files(None)
        self._read_beats(beats)
        for look, named in ((self.file_loads, names), (self._beat, beats)):
            for name in named:
                try:
                    look(name)
                except AceError as error:
                    found.append(LeftOut(name, self.storage.location(name), error))
                except FileNotFoundError:
                    continue  # compaction deleted it since
        return sorted(found, key=lambda one: one.name)

    def file_loads(self, name: str) -> list[Load]:
        """The loads a file (relative name) holds, from its footer.

        Raises AceError when it cannot be used, FileNotFoundError when it is gone.
        """
        if name not in self._footers:
            with self._usable(name):
                self._keep_footer(name, self._ace_value(name))
        return self._footers[name]

    def _ace_value(self, name: str) -> bytes:
        """The ``ace`` value of one file; KeyError when it has none."""
        with self.storage.reader(name) as file:
            return bytes((file.metadata.metadata or {})[METADATA_KEY])

    @contextlib.contextmanager
    def _usable(self, name: str) -> Iterator[None]:
        """Turns whatever reading a file of the zone raises into what users see."""
        location = self.storage.location(name)
        try:
            yield
        except FileNotFoundError:
            if not os.path.islink(location):
                raise
            raise AceError(
                f"The landed file {location} is a link to nothing.", "Mend or remove the link."
            ) from None
        except PermissionError:
            raise AceError(
                f"The landed file {location} may not be read.",
                "Give whoever runs ace the right to read it.",
            ) from None
        except Exception as error:  # damaged bytes make readers raise anything
            what = "is unreadable"
            if isinstance(error, KeyError):
                what = "was not landed by ace"
            elif str(error).startswith("it holds loads"):
                what = f"is in the wrong folder: {error}"
            raise AceError(
                f"The landed file {location} {what}.",
                "Move it out of the landing zone, then load its input again.",
            ) from None

    def find(self, fingerprint: str) -> Load | None:
        """The newest load with that fingerprint, if its input was landed before."""
        found = [load for load in self.loads() if load.fingerprint == fingerprint]
        return found[-1] if found else None

    def cursor(
        self, source: str, resource: str, account: str | None = None
    ) -> dict[str, Any] | None:
        """Where to continue: the cursor of the newest load or heartbeat that has one."""
        known: list[tuple[datetime, str, dict[str, Any]]] = [
            (load.landed_at, load.load_id, load.cursor)
            for load in self.loads(source, resource)
            if load.cursor is not None and load.account == account
        ]
        known += [
            (beat.landed_at, beat.load_id, beat.cursors[resource])
            for beat in self.heartbeats(source)
            if account is None and beat.cursors.get(resource) is not None
        ]
        return max(known, key=lambda entry: entry[:2])[2] if known else None

    def heartbeat(
        self, source: str, cursors: dict[str, Any] | None = None, loaded_at: datetime | None = None
    ) -> Heartbeat:
        """Record that a source was asked and had nothing new: as-of moves on."""
        import pyarrow as pa

        beat = Heartbeat(new_load_id(), source, loaded_at or utc_now(), cursors or {})

        # Not pa.array([]): that imports pandas, which takes seconds.
        table = pa.schema([("_loaded_at", pa.timestamp("us", "UTC"))]).empty_table()
        file = self.storage.write_table(
            table, f"{source}/_heartbeat/{beat.load_id}.parquet", beat.encode()
        )
        return replace(beat, file=file)

    def heartbeats(self, source: str | None = None) -> list[Heartbeat]:
        """Heartbeats, oldest first; files that are none are passed over."""
        names = self._beat_files(source)
        self._read_beats(names)
        found = []
        for name in names:
            with contextlib.suppress(AceError, FileNotFoundError):
                found.append(self._beat(name))
        return sorted(found, key=lambda beat: (beat.landed_at, beat.load_id))

    def _beat_files(self, source: str | None) -> list[str]:
        return [
            name
            for one in ([source] if source else SOURCES)
            for name in self.storage.names(f"{one}/_heartbeat")
        ]

    def _read_beats(self, names: Iterable[str]) -> None:
        """Like :meth:`_read_footers`."""
        unread = [name for name in names if name not in self._beats]
        for name, value in ace_values(self.storage, unread).items():
            with contextlib.suppress(ValueError):
                self._beats[name] = Heartbeat.decode(value, self.storage.location(name))

    def _beat(self, name: str) -> Heartbeat:
        """The heartbeat of one file; raises like :meth:`file_loads`."""
        if name not in self._beats:
            with self._usable(name):
                location = self.storage.location(name)
                self._beats[name] = Heartbeat.decode(self._ace_value(name), location)
        return self._beats[name]

    def rejected(
        self, source: str | None = None, resource: str | None = None
    ) -> list[RejectedRecord]:
        """Rejected records that no retry has recovered yet, oldest load first."""
        return list(self.each_rejected(source, resource))

    def each_rejected(
        self, source: str | None = None, resource: str | None = None
    ) -> Iterator[RejectedRecord]:
        """The same one at a time, for as many as there may be.

        Files of rejected records that cannot be read are passed over;
        :meth:`lost_rejected` names them.
        """
        loads = self.loads(source, resource)
        recovered = recovered_positions(loads)
        for load in loads:
            if load.rejected:
                gone = recovered.get(load.load_id, set())
                self._lost_rejected.pop(load.load_id, None)
                try:
                    yield from (r for r in self._rejected_of(load) if r.position not in gone)
                except AceError as error:
                    self._lost_rejected[load.load_id] = error

    def lost_rejected(self) -> list[AceError]:
        """What was wrong with files of rejected records when they were last looked at."""
        return list(self._lost_rejected.values())

    def rejected_file(self, load: Load) -> str:
        """Relative name of the file with a load's rejected records."""
        return f"_rejected/{load.source}/{load.resource}/{load.load_id}.parquet"

    def _rejected_of(self, load: Load) -> Iterator[RejectedRecord]:
        import pyarrow as pa

        try:
            with self.storage.reader(self.rejected_file(load)) as file:
                # A row group is as much as fits into memory.
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group)
                    yield from [_rejected_record(load, row) for row in table.to_pylist()]
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise AceError(
                f"The rejected records of load {load.load_id} cannot be read from "
                f"{self.storage.location(self.rejected_file(load))}.",
                "Restore that file from a copy, or take the load out with 'ace load --undo "
                f"{load.load_id}' and load its input again.",
            ) from error

    def sweep_rejected(self, older_than: float = LEFT_OVER_SECONDS) -> int:
        """Delete files of rejected records whose load never came: it was killed between
        the two. Returns how many.

        Only files nobody has written for so long (seconds), since a running load commits
        its rejected records first; and none of a resource with a file that cannot be read,
        which may hold the load.
        """
        swept = 0
        limit = time.time() - older_than
        for source, resources in SOURCES.items():
            for resource in resources:
                folder = f"{source}/{resource}"
                old = [
                    name
                    for name in self.storage.names(f"_rejected/{folder}")
                    if self.storage.modified(name) < limit
                ]
                if old:
                    swept += self._sweep_rejected(folder, old)
        return swept

    def _sweep_rejected(self, folder: str, names: list[str]) -> int:
        kept: set[str] = set()
        landed = self.storage.names(folder)
        self._read_footers(landed)
        try:
            for name in landed:
                kept |= {load.load_id for load in self.file_loads(name)}
        except (AceError, FileNotFoundError):
            return 0
        swept = 0
        for name in names:
            if os.path.basename(name).removesuffix(".parquet") not in kept:
                self.storage.remove(name)
                swept += 1
        return swept

    def shared_lock(self) -> AbstractContextManager[bool]:
        """Held by builds: no landed file is deleted meanwhile."""
        return locked(self.storage, exclusive=False)

    def exclusive_lock(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Held by compaction while it deletes replaced files; yields False if busy."""
        return locked(self.storage, exclusive=True, wait=wait)

    def retry_lock(self) -> AbstractContextManager[bool]:
        """Held while rejected records are parsed again; yields False if busy."""
        return locked(self.storage, exclusive=True, wait=False, name=".retrying")

    def undone(self) -> set[str]:
        """Ids of the loads and heartbeats that were taken out and are kept aside."""
        names = [
            name
            for source, resources in SOURCES.items()
            for kind in (*resources, "_heartbeat")
            for name in self.storage.names(f"_undone/{source}/{kind}")
        ]
        return {os.path.basename(name).removesuffix(".parquet") for name in names}


def _rejected_record(load: Load, row: dict[str, Any]) -> RejectedRecord:
    """A row of a file of rejected records; raises whatever a damaged one makes it."""
    context = orjson.loads(row["context"]) if row["context"] else None
    if context is not None and not isinstance(context, dict):
        raise TypeError("the context is no object")
    return RejectedRecord(
        position=row["_position"],
        raw=row["raw"],
        reason=row["reason"],
        field=row["field"],
        load_id=load.load_id,
        source=load.source,
        resource=load.resource,
        account=load.account,
        input=load.input,
        landed_at=load.landed_at,
        context=context,
    )


def recovered_positions(loads: Iterable[Load]) -> dict[str, set[int]]:
    """Load id to the positions that retries have recovered."""
    recovered: dict[str, set[int]] = {}
    for load in loads:
        for entry in load.recovers:
            recovered.setdefault(entry["load_id"], set()).update(entry["positions"])
    return recovered
