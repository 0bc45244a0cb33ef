"""The landing zone as programs see it: open a load, list loads, find, heartbeat."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from loaders.errors import AceError, UsageError
from loaders.landing.footers import ace_values
from loaders.landing.locks import locked
from loaders.landing.metadata import (
    METADATA_KEY,
    Heartbeat,
    Load,
    RejectedRecord,
    decode,
    iso,
    new_load_id,
    parse_iso,
    utc_now,
)
from loaders.landing.storage import Storage
from loaders.schema import SOURCES

if TYPE_CHECKING:
    import pyarrow as pa

    from loaders.landing.compaction import Compaction
    from loaders.landing.writer import LoadWriter


class Landing:
    """The landing zone at a path or an fsspec URL (``file://``, ``s3://``, ``memory://``)."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self.storage = Storage(url)
        #: Footers already read: landed files never change.
        self._footers: dict[str, list[Load]] = {}

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
    ) -> LoadWriter:
        """Begin a load of one resource; see :class:`LoadWriter`.

        ``input`` is the name shown to people, ``fingerprint`` identifies content,
        resource and options, ``loaded_at`` fixes the landing time (tests, demo),
        ``context`` is kept beside rejected records so that they can be parsed again.
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
        )

    def loads(self, source: str | None = None, resource: str | None = None) -> list[Load]:
        """Every load once, oldest first, read from the files' own metadata.

        A load held by two files (a compaction in between) is reported with the file
        that holds more loads. Raises AceError for a file that is no landed Parquet.
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
            held = self.file_loads(name)
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
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self._footers[name] = decode(value, self.storage.location(name))

    def file_loads(self, name: str) -> list[Load]:
        """The loads a file (relative name) holds, from its footer."""
        if name not in self._footers:
            import pyarrow as pa

            location = self.storage.location(name)
            try:
                with self.storage.reader(name) as file:
                    metadata = file.metadata.metadata or {}
                self._footers[name] = decode(metadata[METADATA_KEY], location)
            except FileNotFoundError:
                raise
            except (pa.ArrowException, OSError, KeyError, ValueError) as error:
                what = "was not landed by ace" if isinstance(error, KeyError) else "is unreadable"
                raise AceError(
                    f"The landed file {location} {what}.",
                    "Move it out of the landing zone, then load its input again.",
                ) from None
        return self._footers[name]

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
        load_id, at = new_load_id(), loaded_at or utc_now()
        values = {
            "format": 1,
            "loads": [],
            "heartbeat": {
                "load_id": load_id,
                "source": source,
                "landed_at": iso(at),
                "cursors": cursors or {},
            },
        }
        import pyarrow as pa

        # Not pa.array([]): that imports pandas, which takes seconds.
        table = pa.schema([("_loaded_at", pa.timestamp("us", "UTC"))]).empty_table()
        file = self.storage.write_table(
            table, f"{source}/_heartbeat/{load_id}.parquet", orjson.dumps(values)
        )
        return Heartbeat(load_id, source, at, cursors or {}, file)

    def heartbeats(self, source: str | None = None) -> list[Heartbeat]:
        """Heartbeats, oldest first; files that are none are passed over."""
        names = [
            name
            for one in ([source] if source else SOURCES)
            for name in self.storage.names(f"{one}/_heartbeat")
        ]
        values = ace_values(self.storage, names)
        found = []
        for name in names:
            text = values.get(name) or self._ace_value(name)
            with contextlib.suppress(ValueError, KeyError, TypeError):
                beat = orjson.loads(text or b"")["heartbeat"]
                at = parse_iso(beat["landed_at"])
                assert at is not None
                found.append(
                    Heartbeat(
                        beat["load_id"],
                        beat["source"],
                        at,
                        beat["cursors"],
                        self.storage.location(name),
                    )
                )
        return sorted(found, key=lambda beat: (beat.landed_at, beat.load_id))

    def _ace_value(self, name: str) -> bytes | None:
        """The ``ace`` value of one file, if it can be read."""
        import pyarrow as pa

        with (
            contextlib.suppress(OSError, pa.ArrowException),
            self.storage.reader(name) as file,
        ):
            return (file.metadata.metadata or {}).get(METADATA_KEY)
        return None

    def rejected(
        self, source: str | None = None, resource: str | None = None
    ) -> list[RejectedRecord]:
        """Rejected records that no retry has recovered yet, oldest load first."""
        return list(self.each_rejected(source, resource))

    def each_rejected(
        self, source: str | None = None, resource: str | None = None
    ) -> Iterator[RejectedRecord]:
        """The same one at a time, for as many as there may be."""
        loads = self.loads(source, resource)
        recovered = recovered_positions(loads)
        for load in loads:
            if load.rejected:
                gone = recovered.get(load.load_id, set())
                yield from (r for r in self._rejected_of(load) if r.position not in gone)

    def rejected_file(self, load: Load) -> str:
        """Relative name of the file with a load's rejected records."""
        return f"_rejected/{load.source}/{load.resource}/{load.load_id}.parquet"

    def _rejected_of(self, load: Load) -> Iterator[RejectedRecord]:
        import pyarrow as pa

        try:
            with self.storage.reader(self.rejected_file(load)) as file:
                for batch in file.iter_batches(1024):
                    for row in batch.to_pylist():
                        context = row["context"]
                        yield RejectedRecord(
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
                            context=orjson.loads(context) if context else None,
                        )
        except (FileNotFoundError, pa.ArrowException) as error:
            raise AceError(
                f"The rejected records of load {load.load_id} cannot be read from "
                f"{self.storage.location(self.rejected_file(load))}.",
                "Restore that file from a copy, or remove the load and load its input again.",
            ) from error

    def shared_lock(self) -> AbstractContextManager[bool]:
        """Held by builds: no landed file is deleted meanwhile."""
        return locked(self.storage, exclusive=False)

    def exclusive_lock(self, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Held by compaction while it deletes replaced files; yields False if busy."""
        return locked(self.storage, exclusive=True, wait=wait)

    def retry_lock(self) -> AbstractContextManager[bool]:
        """Held while rejected records are parsed again; yields False if busy."""
        return locked(self.storage, exclusive=True, wait=False, name=".retrying")

    def compact(
        self, min_files: int = 8, *, sources: Iterable[str] | None = None
    ) -> list[Compaction]:
        """Merge small files of a resource once there are ``min_files`` of them."""
        from loaders.landing.compaction import compact

        return compact(self, min_files=min_files, sources=sources)


def recovered_positions(loads: Iterable[Load]) -> dict[str, set[int]]:
    """Load id to the positions that retries have recovered."""
    recovered: dict[str, set[int]] = {}
    for load in loads:
        for entry in load.recovers:
            recovered.setdefault(entry["load_id"], set()).update(entry["positions"])
    return recovered
