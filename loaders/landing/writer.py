"""One load being written: rows and rejected records in, one atomic commit."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import AceError
from loaders.jsontext import clean_text
from loaders.landing.footers import verify
from loaders.landing.forgotten import without
from loaders.landing.hashing import hash_table
from loaders.landing.metadata import Load, Rejected, encode, new_load_id, utc_now
from loaders.landing.storage import Storage, discard, explain
from loaders.schema import EARLIEST_TIME, RESOURCES, SOURCE_KEY, polars_schema, polars_type

#: Rows gathered before a row group is hashed, compressed and written.
ROW_GROUP_ROWS = 122_880
#: ... or bytes, so that 10 MB strings do not pile up.
ROW_GROUP_BYTES = 64 * 1024 * 1024
#: Rejected records, and bytes of them, gathered before they are written as a row group.
REJECTED_ROWS = 2_000
REJECTED_BYTES = 8 * 1024 * 1024
#: Row groups waiting for the writing thread: bounds memory.
QUEUED_GROUPS = 2
#: lz4 writes fastest here at a size close to zstd's lowest level (see DECISIONS).
COMPRESSION = "lz4"

REJECTED_SCHEMA = pa.schema(
    [
        ("_load_id", pa.string()),
        ("_source", pa.string()),
        ("_position", pa.int64()),
        ("raw", pa.binary()),
        ("reason", pa.string()),
        ("field", pa.string()),
        ("context", pa.string()),
    ]
)


def arrow_table(frame: pl.DataFrame) -> pa.Table:
    """Plain Arrow types that every Parquet reader understands."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


@cache
def arrow_schema(resource: str) -> pa.Schema:
    return arrow_table(pl.DataFrame(schema=polars_schema(resource))).schema


@cache
def _hasher() -> duckdb.DuckDBPyConnection:
    """One in-memory engine for all writers: making one costs more than a small load."""
    return duckdb.connect()


class LoadWriter:
    """Writes one load; use as a context manager. Without :meth:`commit` nothing is kept.

    Hashing, compression and writing run on one thread behind the caller, so that
    parsing the next block overlaps with them; its errors surface at the next call.
    """

    def __init__(
        self,
        storage: Storage,
        source: str,
        resource: str,
        *,
        account: str | None = None,
        input: str | None = None,
        fingerprint: str | None = None,
        loaded_at: datetime | None = None,
        context: dict[str, Any] | None = None,
        recovers: Sequence[dict[str, Any]] = (),
        taken: Sequence[str] = (),
        forgotten: frozenset[str] = frozenset(),
        on_commit: Callable[[Load], None] | None = None,
    ) -> None:
        self.load_id = new_load_id()
        self.source = source
        self.resource = resource
        self.account = account
        # File names may hold bytes that are no text; the footer cannot.
        self.input = None if input is None else clean_text(input)
        self.fingerprint = fingerprint
        self.loaded_at = loaded_at or utc_now()
        #: Stored beside rejected records: how to parse their bytes again.
        self.context = context
        self.recovers = tuple(recovers)
        self.taken = tuple(taken)
        #: U+0000 characters replaced so far; whoever replaces them counts them here.
        self.null_characters = 0
        self.accepted = 0
        self.rejected = 0
        #: Rows that were left out, as somebody asked to forget what they are of.
        self.forgotten = 0
        self._forgotten = forgotten
        self._storage = storage
        self._on_commit = on_commit
        self._name = f"{source}/{resource}/{self.load_id}.parquet"
        self._rejected_name = f"_rejected/{self._name}"
        self._own = {column.name: column.polars for column in RESOURCES[resource]}
        # A dictionary of values that are all different is work for nothing.
        unique = {SOURCE_KEY[resource], "_record_hash", "_position"}
        self._repeating = [name for name in polars_schema(resource) if name not in unique]
        self._pending: list[pl.DataFrame] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._refused: list[tuple[Rejected, str | None]] = []
        self._refused_bytes = 0
        self._position = 0
        self._temporary: Path | None = None
        self._writer: pq.ParquetWriter | None = None
        self._rejected_temporary: Path | None = None
        self._rejected_writer: pq.ParquetWriter | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._queue: deque[Future[None]] = deque()
        self._duckdb: duckdb.DuckDBPyConnection | None = None
        self._known: tuple[datetime, datetime] | None = None
        self._done = False

    def __enter__(self) -> LoadWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._abandon()

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows: the resource's columns (missing ones are null), optional
        ``_position``, ``_extracted_at`` and ``_extra``. May be called many times.

        Raises AceError when the landing zone cannot be written.
        """
        rows = self._complete(frame)
        if rows.is_empty():
            return
        self.accepted += rows.height
        self._pending.append(rows)
        self._pending_rows += rows.height
        self._pending_bytes += int(rows.estimated_size())
        if self._pending_rows >= ROW_GROUP_ROWS or self._pending_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def reject(self, records: Iterable[Rejected]) -> None:
        """Keep records that could not be typed. Raises AceError like :meth:`write`."""
        found = list(records)
        if not found:
            return
        self.rejected += len(found)
        self._position = max(self._position, max(r.position for r in found) + 1)
        context = orjson.dumps(self.context).decode() if self.context is not None else None
        for record in found:
            self._refused.append((record, context))
            self._refused_bytes += len(record.raw) + len(context or "")
            if len(self._refused) >= REJECTED_ROWS or self._refused_bytes >= REJECTED_BYTES:
                self._flush_rejected()

    def _flush_rejected(self) -> None:
        if not self._refused:
            return
        found = [record for record, _ in self._refused]
        contexts = [context for _, context in self._refused]
        self._refused, self._refused_bytes = [], 0
        # Through Polars: Arrow's own way from Python lists imports pandas, if it is there.
        rows = pl.DataFrame(
            {
                "_load_id": pl.Series([self.load_id] * len(found), dtype=pl.String),
                "_source": pl.Series([self.source] * len(found), dtype=pl.String),
                "_position": pl.Series([record.position for record in found], dtype=pl.Int64),
                "raw": pl.Series([record.raw for record in found], dtype=pl.Binary),
                "reason": pl.Series([record.reason for record in found], dtype=pl.String),
                "field": pl.Series([record.field for record in found], dtype=pl.String),
                "context": pl.Series(contexts, dtype=pl.String),
            }
        )
        table = arrow_table(rows).cast(REJECTED_SCHEMA)
        with self._explained(self._rejected_name):
            if self._rejected_writer is None:
                self._rejected_temporary = self._storage.temporary(self._rejected_name)
                self._rejected_writer = pq.ParquetWriter(
                    self._rejected_temporary, REJECTED_SCHEMA, compression="zstd"
                )
            self._rejected_writer.write_table(table)

    def commit(self, cursor: dict[str, Any] | None = None) -> Load:
        """Make the load visible: rejected records first, then the rename of the data
        file, which is the commit. Returns the load; raises AceError like :meth:`write`.
        """
        self._flush()
        self._flush_rejected()
        self._drain(0)
        load = self._load(cursor)
        with self._explained(self._name):
            self._open_writer()
            assert self._writer is not None
            assert self._temporary is not None
            self._writer.add_key_value_metadata({b"ace": encode([load])})
            self._writer.close()
            self._writer = None
            verify(self._temporary, [load])
            if self._rejected_writer is not None and self._rejected_temporary is not None:
                self._rejected_writer.close()
                self._rejected_writer = None
                self._storage.commit(self._rejected_temporary, self._rejected_name)
            load = load.located(self._storage.commit(self._temporary, self._name))
        self._done = True
        if self._on_commit is not None:
            self._on_commit(load)
        return load

    def _load(self, cursor: dict[str, Any] | None) -> Load:
        import loaders

        recovering = bool(self.recovers)
        return Load(
            load_id=self.load_id,
            source=self.source,
            resource=self.resource,
            account=self.account,
            loader=getattr(loaders, "__version__", "0"),
            landed_at=self.loaded_at,
            read=0 if recovering else self.accepted + self.rejected,
            accepted=self.accepted,
            rejected=self.rejected,
            recovered=self.accepted if recovering else 0,
            cursor=cursor,
            fingerprint=self.fingerprint,
            input=self.input,
            known_at_min=self._known[0] if self._known else None,
            known_at_max=self._known[1] if self._known else None,
            recovers=self.recovers,
            null_characters=self.null_characters,
            taken=self.taken,
            forgotten=self.forgotten,
        )

    def _complete(self, frame: pl.DataFrame) -> pl.DataFrame:
        """All columns of the landed file but the hash, in order."""
        unknown = set(frame.columns) - set(self._own) - {"_position", "_extracted_at", "_extra"}
        if unknown:
            raise ValueError(f"{self.resource} has no column {', '.join(sorted(unknown))}")
        has = set(frame.columns)
        loaded = pl.lit(self.loaded_at).cast(polars_type("timestamp"))
        columns = [
            (pl.col(name) if name in has else pl.lit(None)).cast(kind).alias(name)
            for name, kind in self._own.items()
        ]
        if "_position" in has:
            position = pl.col("_position").cast(pl.Int64)
        else:
            position = pl.int_range(self._position, self._position + pl.len(), dtype=pl.Int64)
        extracted = pl.col("_extracted_at") if "_extracted_at" in has else pl.lit(None)
        extracted = extracted.cast(polars_type("timestamp"))
        # Before that there was nothing to observe: zero times and clocks that were never
        # set. Like no time at all they say nothing, and the load's own time is sure.
        observed = pl.when(extracted >= EARLIEST_TIME).then(extracted).otherwise(loaded)
        rows = frame.select(
            *columns,
            pl.lit(self.load_id).alias("_load_id"),
            pl.lit(self.source).alias("_source"),
            position.alias("_position"),
            pl.min_horizontal(observed, loaded).alias("_extracted_at"),
            loaded.alias("_loaded_at"),
            pl.lit(None, dtype=pl.String).alias("_record_hash"),
            (pl.col("_extra") if "_extra" in has else pl.lit(None)).cast(pl.String).alias("_extra"),
        )
        if not rows.is_empty():
            last = rows["_position"].max()
            assert isinstance(last, int)
            self._position = max(self._position, last + 1)
        if self._forgotten:
            read = rows.height
            rows = without(self.resource, rows, self._forgotten)
            self.forgotten += read - rows.height
        if not rows.is_empty():
            low, high = rows["_extracted_at"].min(), rows["_extracted_at"].max()
            assert isinstance(low, datetime)
            assert isinstance(high, datetime)
            known = self._known or (low, high)
            self._known = (min(known[0], low), max(known[1], high))
        return rows

    def _flush(self) -> None:
        if not self._pending:
            return
        rows = pl.concat(self._pending) if len(self._pending) > 1 else self._pending[0]
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "landing-writer")
        self._queue.append(self._thread.submit(self._write_group, rows))
        self._drain(QUEUED_GROUPS)

    def _drain(self, keep: int) -> None:
        with self._explained(self._name):
            while len(self._queue) > keep:
                self._queue.popleft().result()

    def _write_group(self, rows: pl.DataFrame) -> None:
        if self._duckdb is None:
            self._duckdb = _hasher().cursor()
        table = arrow_table(rows)
        hashes = hash_table(self._duckdb, self.resource, table)
        self._open_writer()
        assert self._writer is not None
        index = table.schema.get_field_index("_record_hash")
        field = table.schema.field(index)
        table = table.set_column(index, field, hashes.cast(field.type))
        self._writer.write_table(table.cast(self._writer.schema), row_group_size=ROW_GROUP_ROWS)

    def _open_writer(self) -> None:
        if self._writer is None:
            self._temporary = self._storage.temporary(self._name)
            self._writer = pq.ParquetWriter(
                self._temporary,
                arrow_schema(self.resource),
                compression=COMPRESSION,
                use_dictionary=self._repeating,
            )

    def _explained(self, name: str) -> _Explained:
        return _Explained(self._storage.location(os.path.dirname(name)))

    def _abandon(self) -> None:
        """Close everything; remove what was not committed, if that is possible."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
        for writer in (self._writer, self._rejected_writer):
            if writer is not None:
                with contextlib.suppress(Exception):  # the file goes away next
                    writer.close()
        if self._duckdb is not None:
            self._duckdb.close()
        if not self._done:
            for temporary in (self._temporary, self._rejected_temporary):
                if temporary is not None:
                    discard(temporary)


class _Explained:
    """Turns operating-system errors into the sentence users see."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and not isinstance(error, AceError):
            raise explain(error, self._where) from error
