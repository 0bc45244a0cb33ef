"""What must not land again: of each thing that was forgotten only a digest is kept.

``_forgotten/<digest>.parquet`` in the landing zone is one request: the digests of the names and
keys that it covers, and whether everything that followed from it was done. Deleting the file
lets its rows land again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from loaders.schema import RESOURCES

if TYPE_CHECKING:
    import polars as pl

    from loaders.landing.storage import Storage

FOLDER = "_forgotten"
#: Columns with the platform's own id of a post or video.
IDS: dict[str, tuple[str, ...]] = {
    "raw_videos": ("external_id",),
    "published_posts": ("external_post_id", "platform_post_id"),
    "performance_metrics": ("external_post_id",),
}
#: Columns with keys of posts and videos, and of what was made of adopted posts.
KEYS: dict[str, tuple[str, ...]] = {
    "raw_videos": ("id",),
    "published_posts": ("post_id",),
    "performance_metrics": ("post_id",),
    "embeddings": ("reference_id",),
    "scripts": ("script_id",),
    "experiments": ("experiment_id", "script_id"),
}
#: The column with the name of whoever made a video.
AUTHOR = "author"


@dataclass(frozen=True)
class Request:
    """One request to forget: the digests it covers, and whether all of it was done."""

    name: str
    digests: frozenset[str]
    done: bool


def digest(kind: str, *parts: str) -> str:
    """What is kept of a name: enough to know it again, not to tell it."""
    return hashlib.sha256("\0".join((kind, *parts)).encode("utf-8", "replace")).hexdigest()


def spelled_author(name: str) -> str:
    """An author's name as it is compared: without ``@``, case and blanks around it."""
    return name.strip().removeprefix("@").casefold()


def requests(storage: Storage) -> list[Request]:
    """Every request to forget that this zone keeps."""
    found = []
    for name in storage.names(FOLDER):
        with storage.reader(name) as file:
            said = orjson.loads((file.metadata.metadata or {})[b"ace"])
            digests = file.read().column("digest").to_pylist()
        found.append(Request(name, frozenset(digests), bool(said["done"])))
    return found


def keep(storage: Storage, digests: Iterable[str], *, done: bool) -> None:
    """Write a request down, or that it is done; the same request is the same file."""
    import pyarrow as pa

    kept = sorted(digests)
    name = f"{FOLDER}/{digest('request', *kept)[:32]}.parquet"
    storage.write_table(
        pa.table({"digest": pa.array(kept, pa.string())}), name, orjson.dumps({"done": done})
    )


def finish(storage: Storage) -> None:
    """Note that all that follows from the requests so far was done."""
    for request in requests(storage):
        if not request.done:
            keep(storage, request.digests, done=True)


def unfinished(storage: Storage) -> bool:
    """Whether something was asked to be forgotten of which releases may still hold rows."""
    return any(not request.done for request in requests(storage))


def without(resource: str, rows: pl.DataFrame, digests: frozenset[str]) -> pl.DataFrame:
    """The rows that nobody asked to forget."""
    import polars as pl

    columns = {column.name for column in RESOURCES[resource]}
    lost = pl.Series([False] * rows.height, dtype=pl.Boolean)
    for column in KEYS.get(resource, ()):
        lost |= _known(rows, [column], lambda key: digest("key", key) in digests)
    for column in IDS.get(resource, ()):
        lost |= _known(
            rows,
            ["platform", column],
            lambda platform, one: digest("id", platform.lower(), one) in digests,
        )
    if AUTHOR in columns:
        lost |= _known(
            rows,
            ["platform", AUTHOR],
            lambda platform, one: (
                digest("author", platform.lower(), spelled_author(one)) in digests
            ),
        )
    return rows.filter(~lost)


def _known(rows: pl.DataFrame, columns: list[str], is_forgotten: object) -> pl.Series:
    """Whether the values of these columns are among what was forgotten; each set is asked once."""
    import polars as pl

    from loaders.staged import BLANK

    assert callable(is_forgotten)
    named = rows.select(pl.col(columns).str.strip_chars(BLANK))
    found = [values for values in named.drop_nulls().unique().iter_rows() if is_forgotten(*values)]
    if not found:
        return pl.Series([False] * rows.height, dtype=pl.Boolean)
    wanted = pl.DataFrame(found, schema=named.schema, orient="row").with_columns(_lost=True)
    return named.join(wanted, on=columns, how="left", maintain_order="left")["_lost"].fill_null(
        False
    )
