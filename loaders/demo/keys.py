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

#: Two hexadecimal digits for each byte, as one 16-bit number.
_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
#: Where the five groups of digits stand in a uuid, and which digits they hold.
_GROUPS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))


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


def _hex(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.take(_HEX, raw).view(np.uint8)


def uuids(seed: int, kind: str, index: Ints) -> pl.Series:
    """Version 4 shaped uuids, lower case; equal arguments give equal keys."""
    raw = _bytes(seed, kind, index)
    raw[:, 6] = (raw[:, 6] & 0x0F) | 0x40
    raw[:, 8] = (raw[:, 8] & 0x3F) | 0x80
    characters = np.full((len(index), 36), ord("-"), dtype=np.uint8)
    digits = _hex(raw)
    for place, first, end in _GROUPS:
        characters[:, place : place + end - first] = digits[:, first:end]
    return _texts(characters)


def uuid_or_null(seed: int, kind: str, index: Ints) -> pl.Series:
    """As :func:`uuids`; a negative number has no key."""
    keys = uuids(seed, kind, index).to_frame("key")
    return keys.select(pl.when(pl.Series(index >= 0)).then(pl.col("key")))["key"]


def hex_text(seed: int, kind: str, index: Ints, digits: int) -> pl.Series:
    """Hexadecimal text of up to 32 digits (file names, external ids)."""
    return _texts(_hex(_bytes(seed, kind, index))[:, :digits])


def stream(seed: int, name: str, chunk: int = 0) -> np.random.Generator:
    """The random numbers of one part of the world, independent of all other parts."""
    digest = hashlib.blake2b(f"{seed}|{name}|{chunk}".encode(), digest_size=16).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
