"""Arrow rows as the byte stream of Postgres' binary COPY, a whole batch at a time.

Every row becomes pieces (a length, a number, a text ...) that Arrow joins at C speed:
less than half the processor time of a row-wise encoder, so that the server is what a
copy waits for. The column types are those that landing has, nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: What a stream begins and ends with (signature, no flags, no extension).
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
#: Postgres counts microseconds from 2000-01-01.
_EPOCH_2000 = 946_684_800_000_000
_TEXT_OID = 25
#: Rows joined at a time: few enough to stay in the processor's cache.
BATCH_ROWS = 8192
#: Arrow's 32-bit offsets end at 2 GB; far below that a batch is halved.
_BATCH_BYTES = 256 * 1024 * 1024


def encode_rows(batch: pa.RecordBatch) -> Iterator[memoryview]:
    """The batch's rows as binary COPY tuples, without HEADER and TRAILER."""
    for start in range(0, batch.num_rows, BATCH_ROWS):
        yield from _bounded(batch.slice(start, BATCH_ROWS))


def _bounded(batch: pa.RecordBatch) -> Iterator[memoryview]:
    if batch.num_rows > 1 and batch.nbytes > _BATCH_BYTES:
        half = batch.num_rows // 2
        yield from _bounded(batch.slice(0, half))
        yield from _bounded(batch.slice(half))
        return
    yield _encode(batch)


class _Pieces:
    """The pieces of each row in order; neighbours of fixed width become one.

    Fixed pieces are fields of a packed NumPy record, which copies whole values and
    swaps their bytes on the way.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._kinds: list[str] = []
        self._fixed: list[Any] = []
        self._joined: list[pa.Array] = []

    def fixed(self, kind: str, values: Any) -> None:
        """One value for each row, or one for all, of a NumPy kind such as ``>i4``."""
        self._kinds.append(kind)
        self._fixed.append(values)

    def variable(self, values: pa.Array) -> None:
        self._close()
        self._joined.append(values)

    def _close(self) -> None:
        if not self._fixed:
            return
        record = np.dtype([(f"f{i}", kind) for i, kind in enumerate(self._kinds)])
        block = np.empty(self.rows, record)
        for i, values in enumerate(self._fixed):
            block[f"f{i}"] = values
        offsets = np.arange(self.rows + 1, dtype=np.int32) * np.int32(record.itemsize)
        self._joined.append(_binary(offsets, pa.py_buffer(block.view(np.uint8))))
        self._kinds, self._fixed = [], []

    def join(self) -> memoryview:
        self._close()
        joined = self._joined[0]
        if len(self._joined) > 1:
            joined = pc.binary_join_element_wise(*self._joined, pa.scalar(b"", pa.binary()))
        offsets = _offsets(joined)
        return memoryview(joined.buffers()[2])[int(offsets[0]) : int(offsets[-1])]


def _binary(offsets: np.ndarray[Any, Any], data: pa.Buffer) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), data]
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, buffers)


def _encode(batch: pa.RecordBatch) -> memoryview:
    pieces = _Pieces(batch.num_rows)
    pieces.fixed(">i2", batch.num_columns)
    for column in batch.columns:
        kind = column.type
        if column.null_count == len(column):
            pieces.fixed(">i4", -1)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            _add_list(pieces, column)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            _add_text(pieces, column)
        else:
            _add_number(pieces, column)
    return pieces.join()


def _add_number(pieces: _Pieces, column: pa.Array) -> None:
    """A number or time: eight bytes, most significant first."""
    if pa.types.is_timestamp(column.type):
        shift, raw = _EPOCH_2000, column.view(pa.int64())
    else:
        shift, raw = 0, column
    # The values under nulls are arbitrary but present: no need to fill them.
    values = np.frombuffer(raw.buffers()[1], raw.type.to_pandas_dtype())
    values = values[raw.offset : raw.offset + len(raw)]
    if shift:
        values = values - shift
    values = values.view(np.int64)  # a double's bits swap like an integer's
    if column.null_count == 0:
        pieces.fixed(">i4", 8)
        pieces.fixed(">i8", values)
        return
    valid = _validity(column)
    pieces.fixed(">i4", np.where(valid, 8, -1))
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.where(valid, 8, 0), out=offsets[1:])
    pieces.variable(_binary(offsets, pa.py_buffer(values[valid].astype(">i8"))))


def _add_text(pieces: _Pieces, column: pa.Array) -> None:
    values = column.cast(pa.binary())
    offsets = _offsets(values)
    lengths = np.diff(offsets)
    if values.null_count:
        valid = _validity(column)
        pieces.fixed(">i4", np.where(valid, lengths, -1))
        pieces.variable(values.fill_null(b""))
        return
    pieces.fixed(">i4", lengths)
    width = int(lengths[0])
    if width and (lengths == width).all():
        data = np.frombuffer(values.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]
        pieces.fixed(f"V{width}", data.view(f"V{width}"))
    else:
        pieces.variable(values)


def _add_list(pieces: _Pieces, column: pa.Array) -> None:
    """text[]: dimensions, element type, count, lower bound, then each element."""
    column = column.cast(pa.list_(pa.binary()))
    valid = _validity(column)
    counts = np.where(valid, pc.list_value_length(column).fill_null(0).to_numpy(), 0)
    elements = column.flatten()
    sizes = np.diff(_offsets(elements)) if len(elements) else np.zeros(0, np.int32)
    missing = ~_validity(elements)
    prefixes = np.where(missing, -1, sizes).astype(">i4")
    encoded = pc.binary_join_element_wise(
        _binary(np.arange(0, 4 * len(elements) + 1, 4, dtype=np.int32), pa.py_buffer(prefixes)),
        elements.fill_null(b""),
        pa.scalar(b"", pa.binary()),
    )
    starts = np.zeros(len(column) + 1, np.int32)
    np.cumsum(counts, out=starts[1:])
    # Elements lie one behind the other, so a row's body is one stretch of bytes.
    body = _binary(_offsets(encoded)[starts], encoded.buffers()[2])
    lengths = np.diff(_offsets(body))
    head = np.empty((len(column), 6), ">i4")
    head[:, 0] = np.where(valid, np.where(counts > 0, 20 + lengths, 12), -1)
    head[:, 1] = counts > 0
    head[:, 2] = _any_missing(missing, starts)
    head[:, 3] = _TEXT_OID
    head[:, 4] = counts
    head[:, 5] = 1
    # A null has the length only, an empty list no bounds.
    words = np.where(valid, np.where(counts > 0, 6, 4), 1)
    keep = np.arange(6)[np.newaxis, :] < words[:, np.newaxis]
    offsets = np.zeros(len(column) + 1, np.int32)
    np.cumsum(words * 4, out=offsets[1:])
    pieces.variable(_binary(offsets, pa.py_buffer(head[keep])))
    pieces.variable(body)


def _any_missing(missing: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> Any:
    """1 for each row that has a null element: Postgres wants to know beforehand."""
    before = np.concatenate([[0], np.cumsum(missing)])
    return np.diff(before[starts]) > 0


def _offsets(column: pa.Array) -> np.ndarray[Any, Any]:
    offsets = np.frombuffer(column.buffers()[1], np.int32)
    return offsets[column.offset : column.offset + len(column) + 1]


def _validity(column: pa.Array) -> np.ndarray[Any, Any]:
    if column.null_count == 0:
        return np.ones(len(column), bool)
    valid: np.ndarray[Any, Any] = column.is_valid().to_numpy(zero_copy_only=False)
    return valid
