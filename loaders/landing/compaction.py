"""Merge small landed files without changing a row or its load.

1. The merged file, which lists every load it holds, is committed. From now on both
   it and the old files hold those loads, and readers take the file with more loads.
2. Under the exclusive lock, files whose loads are all held by another file are
   deleted. Builds hold the lock shared, so none loses a file it has pinned.

Killed after 1, the old files stay until the next compaction does 2: no gap, and
never a row read twice.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.errors import AceError
from loaders.landing.footers import verify
from loaders.landing.locks import locked
from loaders.landing.metadata import Load, encode, new_load_id, utc_now
from loaders.landing.storage import discard, explain
from loaders.landing.writer import COMPRESSION, ROW_GROUP_ROWS, arrow_schema
from loaders.landing.zone import Landing
from loaders.schema import SOURCES

#: Files from this size on are left as they are.
SMALL_BYTES = 64 * 1024 * 1024
#: Object stores have no lock: a replaced file stays this long for running builds.
REMOTE_GRACE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Compaction:
    """What compaction did to one resource of one source. Files whose rows cannot be read
    are left as they are: ``damaged`` names them.
    """

    source: str
    resource: str
    merged: int
    deleted: int
    #: Replaced files that stay until the next compaction (a build is running).
    waiting: int
    damaged: tuple[str, ...] = ()


class DamagedRows(Exception):
    """The rows of a file (relative name) cannot be read, though its footer can."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def compact(
    landing: Landing, min_files: int = 8, *, sources: Iterable[str] | None = None
) -> list[Compaction]:
    """Merge the small files of a resource once there are ``min_files`` of them, then delete
    what is replaced; one entry per resource that changed.
    """
    done = []
    with locked(landing.storage, exclusive=True, name=".compacting"):
        landing.storage.sweep()
        landing.sweep_rejected()
        for source in sources or SOURCES:
            for resource in SOURCES[source]:
                folder = f"{source}/{resource}"
                damaged: set[str] = set()
                while True:
                    try:
                        merged = _merge(landing, folder, min_files, damaged)
                        break
                    except DamagedRows as found:
                        damaged.add(found.name)
                deleted, waiting = _delete_replaced(landing, folder)
                if merged or deleted or waiting or damaged:
                    named = tuple(landing.storage.location(name) for name in sorted(damaged))
                    done.append(Compaction(source, resource, merged, deleted, waiting, named))
    return done


def _usable(landing: Landing, folder: str) -> list[str]:
    """Files whose loads can be told; the others are none of compaction's business."""
    found = []
    for name in landing.storage.names(folder):
        with contextlib.suppress(AceError):
            landing.file_loads(name)
            found.append(name)
    return found


def _merge(landing: Landing, folder: str, min_files: int, damaged: set[str]) -> int:
    """Write one file in place of the small ones; returns how many it replaces.

    Raises DamagedRows for a file whose rows cannot be read, unless it is among ``damaged``.
    """
    storage = landing.storage
    replaced = set(replaced_files(landing, folder))
    small = [
        name
        for name in _usable(landing, folder)
        if name not in replaced | damaged and storage.size(name) < SMALL_BYTES
    ]
    if len(small) < max(min_files, 2):
        return 0
    held: dict[str, Load] = {}
    sources: list[tuple[str, set[str]]] = []
    # Larger sets first: a load present twice is taken from the file readers use.
    for name in sorted(small, key=lambda n: (len(landing.file_loads(n)), n), reverse=True):
        fresh = {
            load.load_id: load for load in landing.file_loads(name) if load.load_id not in held
        }
        if fresh:
            held.update(fresh)
            sources.append((name, set(fresh)))
    sources.sort(key=lambda entry: min(entry[1]))
    write_loads(landing, f"{folder}/{new_load_id()}.parquet", sources, list(held.values()))
    return len(small)


def write_loads(
    landing: Landing,
    target: str,
    sources: list[tuple[str, set[str]]],
    loads: list[Load],
    keep: Callable[[pa.Table], pa.Table] | None = None,
) -> None:
    """Commit a file of these loads, taken from the files that ``sources`` names; of their rows
    those that ``keep`` gives back.

    Raises DamagedRows for a file whose rows cannot be read.
    """
    storage, folder, resource = landing.storage, os.path.dirname(target), loads[0].resource
    loads = sorted(loads, key=lambda load: load.load_id)
    temporary = storage.temporary(target)
    try:
        schema = arrow_schema(resource)
        with pq.ParquetWriter(temporary, schema, compression=COMPRESSION) as writer:
            for batch in _gathered(landing, sources, schema):
                batch = batch if keep is None else keep(batch)
                writer.write_table(batch, row_group_size=ROW_GROUP_ROWS)
            writer.add_key_value_metadata({b"ace": encode(loads)})
        verify(temporary, loads)
        storage.commit(temporary, target)
    except OSError as error:
        discard(temporary)
        raise explain(error, storage.location(folder)) from None
    except BaseException:
        discard(temporary)
        raise


def _gathered(
    landing: Landing, sources: list[tuple[str, set[str]]], schema: pa.Schema
) -> Iterator[pa.Table]:
    """The files' rows in row groups of useful size, one file at a time."""
    waiting: list[pa.Table] = []
    rows = 0
    for name, wanted in sources:
        held = landing.file_loads(name)
        partial = len(wanted) < len(held)
        with landing.storage.reader(name) as file:
            if file.metadata.num_rows != sum(load.accepted for load in held):
                raise DamagedRows(name)
            for batch in _batches(file, name):
                table = pa.Table.from_batches([batch])
                if partial:
                    ids = pa.array(sorted(wanted), table.schema.field("_load_id").type)
                    table = table.filter(pc.is_in(table["_load_id"], value_set=ids))
                waiting.append(_aligned(table, schema))
                rows += table.num_rows
                if rows >= ROW_GROUP_ROWS:
                    yield pa.concat_tables(waiting)
                    waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def _batches(file: pq.ParquetFile, name: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from file.iter_batches(ROW_GROUP_ROWS)
    except (pa.ArrowException, OSError):
        raise DamagedRows(name) from None


def _aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with today's columns; those an older file lacks are null."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def replaced_files(landing: Landing, folder: str) -> list[str]:
    """Files whose every load another file holds instead."""
    names = _usable(landing, folder)
    best: dict[str, tuple[int, str]] = {}
    for name in names:
        held = landing.file_loads(name)
        for load in held:
            best[load.load_id] = max(best.get(load.load_id, (0, "")), (len(held), name))
    used = {name for _, name in best.values()}
    return [name for name in names if name not in used]


def _delete_replaced(landing: Landing, folder: str) -> tuple[int, int]:
    """Delete replaced files; returns how many went and how many have to wait."""
    storage = landing.storage
    gone = replaced_files(landing, folder)
    if not gone:
        return 0, 0
    if not storage.local:
        newest = max(storage.modified(name) for name in storage.names(folder))
        if utc_now().timestamp() - newest < REMOTE_GRACE_SECONDS:
            return 0, len(gone)
    with landing.exclusive_lock(wait=False) as free:
        if not free:
            return 0, len(gone)
        for name in gone:
            storage.remove(name)
    return len(gone), 0
