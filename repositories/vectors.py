"""Unit vectors of a release in files that are mapped, not read: made once, when first asked for.

They lie in ``vectors/`` of ACE_HOME under the name of the release, which never changes. Like in
``marts.similar_items``, an item has one vector for each model and dimension, the newest that has
a direction.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from common.errors import AceError
from repositories.reader import Reader
from repositories.values import parsed

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Folders of releases that are kept: a newer release makes an older one's vectors useless.
KEPT = 3
#: How far a cosine of single precision may be off.
PRECISION = 1e-5
_ABOUT = "spaces.json"
#: A model nobody named, as in the models of dbt.
UNKNOWN = "unknown"
_SQL = (
    "select cast(reference_id as text), cast(embedding_id as text), cast(metadata as text), "
    "embedding from canonical.embeddings "
    "where reference_type = ? order by reference_id, created_at, embedding_id"
)


@dataclass(frozen=True)
class Space:
    """Vectors that can be compared: of one model and dimension."""

    model: str
    dimension: int
    items: int
    #: Stem of the names of its two files.
    stem: str


class Vectors:
    """The vectors of one reference type in a release."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        about = json.loads((folder / _ABOUT).read_text("utf-8"))
        self.spaces = [Space(**one) for one in about]
        self._open: dict[Space, tuple[NDArray[np.float32], NDArray[np.bytes_]]] = {}

    def nearest(
        self, space: Space, vector: NDArray[np.float64], k: int
    ) -> list[tuple[str, str, float]]:
        """Reference, embedding and cosine of the ``k`` nearest to a unit vector, nearest first."""
        if space not in self._open:
            shape = (space.items, space.dimension)
            file = self._folder / f"{space.stem}.f32"
            keys = self._folder / f"{space.stem}.ids"
            self._open[space] = (
                np.memmap(file, np.float32, "r", shape=shape),
                np.memmap(keys, "S36", "r", shape=(space.items, 2)),
            )
        matrix, ids = self._open[space]
        cosines = matrix @ vector.astype(np.float32)
        k = min(k, space.items)
        least = np.partition(cosines, space.items - k)[space.items - k]
        # All that are as near as the last one, as far as single precision tells: which of them
        # are taken is decided by their cosines in double precision, and then by their keys.
        found = np.flatnonzero(cosines >= least - PRECISION)
        parts = np.array_split(found, 1 + found.size // 10_000)
        exact = np.concatenate([matrix[part].astype(np.float64) @ vector for part in parts])
        order = np.lexsort((ids[found, 0], -np.round(exact, 6)))[:k]
        return [
            (str(ids[i, 0], "ascii"), str(ids[i, 1], "ascii"), float(np.clip(cosine, -1, 1)))
            for i, cosine in zip(found[order], exact[order], strict=True)
        ]


def open_vectors(home: Path, release: str, reference_type: str, reader: Reader) -> Vectors:
    """The vectors of a reference type, from their files, which are made if they are not there.

    ``release`` names the release, whatever server it is on. Where ``home`` cannot be written
    they lie in a temporary folder until the process ends.
    """
    stem = sha1(reference_type.encode(), usedforsecurity=False).hexdigest()[:16]
    folder = home / "vectors" / release / stem
    if not (folder / _ABOUT).exists():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
        except OSError:
            return Vectors(_make(Path(_kept_aside().name), reference_type, reader))
        try:
            _make(made, reference_type, reader)
            os.chmod(made, 0o755)  # readers may be other users
            with contextlib.suppress(OSError):  # another process was faster
                os.rename(made, folder)
        except OSError as error:
            raise AceError(
                f"The vectors of this release cannot be kept in {folder.parent}: {error.strerror}.",
                "Free some space there; they take four bytes a number.",
            ) from None
        finally:
            shutil.rmtree(made, ignore_errors=True)
        _forget_older(home / "vectors", release)
    return Vectors(folder)


_aside: list[tempfile.TemporaryDirectory[str]] = []


def _kept_aside() -> tempfile.TemporaryDirectory[str]:
    _aside.append(tempfile.TemporaryDirectory(prefix="ace-vectors-"))
    return _aside[-1]


def _forget_older(folder: Path, release: str) -> None:
    others = [one for one in folder.iterdir() if one.name != release]
    with contextlib.suppress(OSError):
        others.sort(key=lambda one: one.stat().st_mtime, reverse=True)
        for one in others[KEPT - 1 :]:
            shutil.rmtree(one, ignore_errors=True)


def _make(folder: Path, reference_type: str, reader: Reader) -> Path:
    """Write the files of all spaces, and last what they are."""
    spaces: dict[tuple[str, int], _Writer] = {}
    try:
        for reference, embedding, model, vector in _read(reader, reference_type):
            place = (model, len(vector))
            if place not in spaces:
                spaces[place] = _Writer(folder / f"{len(spaces)}")
            spaces[place].add(reference, embedding, vector)
    finally:
        for writer in spaces.values():
            writer.close()
    about = [
        asdict(Space(model, dimension, writer.items, writer.stem))
        for (model, dimension), writer in spaces.items()
    ]
    (folder / _ABOUT).write_text(json.dumps(about), "utf-8")
    return folder


class _Writer:
    """The files of one space, written as the vectors come: the last of an item counts."""

    def __init__(self, path: Path) -> None:
        self.stem = path.name
        self.items = 0
        self._vectors = path.with_suffix(".f32").open("wb")
        self._ids = path.with_suffix(".ids").open("wb")
        self._last: tuple[str, str, NDArray[np.float64]] | None = None

    def add(self, reference: str, embedding: str, vector: NDArray[np.float64]) -> None:
        if self._last is not None and self._last[0] != reference:
            self._put()
        self._last = (reference, embedding, vector)

    def _put(self) -> None:
        assert self._last is not None
        reference, embedding, vector = self._last
        self._vectors.write(vector.astype(np.float32).tobytes())
        self._ids.write(reference.encode() + embedding.encode())
        self.items += 1

    def close(self) -> None:
        if self._last is not None:
            self._put()
        for file in (self._vectors, self._ids):
            file.flush()
            os.fsync(file.fileno())
            file.close()


def _read(
    reader: Reader, reference_type: str
) -> Iterator[tuple[str, str, str, NDArray[np.float64]]]:
    """Key of the item and of the embedding, model and unit vector of those that have one."""
    for batch in reader.stream(_SQL, [reference_type]).batches:
        for reference, embedding, metadata, text in batch:
            vector = unit(text)
            if vector is not None:
                yield reference, embedding, _model(parsed(metadata)), vector


def _model(metadata: Any) -> str:
    if not isinstance(metadata, dict):
        return UNKNOWN
    return str(metadata.get("model") or metadata.get("embedding_model") or UNKNOWN)


def unit(vector: Any) -> NDArray[np.float64] | None:
    """The vector (numbers, or their JSON) with length 1; None for one that has no direction."""
    try:
        found = orjson.loads(vector) if isinstance(vector, str | bytes) else vector
        numbers = np.asarray(found, dtype=np.float64)
    except (ValueError, TypeError):
        return None
    if numbers.ndim != 1 or not numbers.size:
        return None
    length = np.linalg.norm(numbers)
    return numbers / length if np.isfinite(length) and length > 0 else None
