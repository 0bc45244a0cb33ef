"""Keys of simulated rows: uuids that follow from seed, kind and number alone.

A key needs no table of earlier keys, so any chunk of the world can be made by
itself and a child can name its parent without looking it up.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Ints = npt.NDArray[np.int64]

_HEX = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], dtype=np.uint8)
#: Places of the 32 hexadecimal digits in the 36 characters of a uuid.
_DIGITS = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])


def _mix(value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """splitmix64: a bijection that scatters neighbouring numbers."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def _bytes(seed: int, kind: str, index: Ints) -> npt.NDArray[np.uint8]:
    digest = hashlib.blake2b(f"{seed}|{kind}".encode(), digest_size=16).digest()
    high, low = np.frombuffer(digest, dtype=np.uint64)
    number = index.astype(np.uint64)
    with np.errstate(over="ignore"):
        halves = np.stack([_mix(number + high), _mix(_mix(number ^ low))], axis=1)
    return halves.astype(">u8").view(np.uint8).reshape(-1, 16)


def _texts(characters: npt.NDArray[np.uint8]) -> pl.Series:
    """A string per row of a matrix of ASCII codes, without a copy per string."""
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    array = pa.LargeStringArray.from_buffers(
        rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))
    )
    series = pl.from_arrow(array)
    assert isinstance(series, pl.Series)
    return series


def uuids(seed: int, kind: str, index: Ints) -> pl.Series:
    """Version 4 shaped uuids, lower case; equal arguments give equal keys."""
    raw = _bytes(seed, kind, index)
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    characters = np.full((len(index), 36), ord("-"), dtype=np.uint8)
    characters[:, _DIGITS] = _HEX[raw].reshape(-1, 32)
    return _texts(characters)


def uuid_or_null(seed: int, kind: str, index: Ints) -> pl.Series:
    """As :func:`uuids`; a negative number has no key."""
    keys = uuids(seed, kind, index).to_frame("key")
    return keys.select(pl.when(pl.Series(index >= 0)).then(pl.col("key")))["key"]


def hex_text(seed: int, kind: str, index: Ints, digits: int) -> pl.Series:
    """Hexadecimal text of up to 32 digits (file names, external ids)."""
    return _texts(_HEX[_bytes(seed, kind, index)].reshape(-1, 32)[:, :digits])


def stream(seed: int, name: str, chunk: int = 0) -> np.random.Generator:
    """The random numbers of one part of the world, independent of all other parts."""
    digest = hashlib.blake2b(f"{seed}|{name}|{chunk}".encode(), digest_size=16).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
