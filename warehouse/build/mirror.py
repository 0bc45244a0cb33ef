"""Landed files of an object store, copied to where DuckDB can read them.

DuckDB would need an extension fetched from the network to read ``s3://``, and would read
every file again in every build. Landed files never change, so each is copied once, by
name. What compaction removed from the store is removed here too, but never under a build.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.errors import AceError
from loaders.landing import Landing
from loaders.schema import SOURCES

#: Requests under way at a time: a store answers each slowly, but many at once.
_PARALLEL = 8


def local_landing(landing: Landing, folder: Path, say: Callable[[str], None]) -> Landing:
    """``landing`` itself if it is on a local disk, else its mirror in ``folder``, brought
    up to date.

    Rejected records are not copied: builds read only their numbers, which stand in the
    landed files. Raises AceError when the store cannot be read or the disk is full; what
    was copied before is kept.
    """
    if landing.storage.local:
        return landing
    mirror = Landing(folder)
    try:
        copied, size = _copy_new(landing, mirror)
        for one in mirror.left_out():
            # Damaged here or in the store? Copied once more, it is what the store has.
            with contextlib.suppress(FileNotFoundError):
                _fetch(landing, mirror, one.name)
    except AceError:
        raise
    except Exception as error:  # every store has exceptions of its own
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise AceError(
            f"The landing zone {landing.url} could not be copied to {folder}: {text}.",
            "Check ACE_LANDING, its credentials and the free space, then run it again.",
        ) from None
    if copied:
        plural = "" if copied == 1 else "s"
        say(f"Copied {copied:,} new landed file{plural} ({size / 1e6:,.1f} MB) from {landing.url}.")
    return mirror


def _names(landing: Landing) -> set[str]:
    """Every committed file that a build reads, as names relative to the zone."""
    # A resource that never landed has no folder: ask only for those that are there.
    sources = [source for source in landing.storage.folders() if source in SOURCES]
    folders = [f"{source}/{name}" for source in sources for name in landing.storage.folders(source)]
    return {name for folder in folders for name in landing.storage.names(folder)}


def _copy_new(landing: Landing, mirror: Landing) -> tuple[int, int]:
    """Make the mirror hold what the store holds; number and bytes of the files copied."""
    for attempt in range(5):
        wanted, have = _names(landing), _names(mirror)
        new = sorted(wanted - have)
        try:
            with ThreadPoolExecutor(_PARALLEL, "mirror") as pool:
                sizes = list(pool.map(lambda name: _fetch(landing, mirror, name), new))
        except FileNotFoundError:
            # Compaction deleted it after it was listed; its replacement is listed now.
            if attempt == 4:
                raise
            continue
        break
    gone = have - wanted
    with mirror.exclusive_lock(wait=False) as free:
        # A build that reads them goes first; the next one removes them.
        for name in sorted(gone) if free else []:
            mirror.storage.remove(name)
    return len(new), sum(sizes)


def _fetch(landing: Landing, mirror: Landing, name: str) -> int:
    """Copy one file, visible only when it is complete; returns its bytes."""
    import fsspec

    store, path = fsspec.core.url_to_fs(landing.storage.location(name))
    target = Path(mirror.storage.location(name))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".tmp-{os.getpid()}-{target.name}")
    try:
        store.get_file(path, str(temporary))
        size = temporary.stat().st_size
        mirror.storage.commit(temporary, name)
    finally:
        temporary.unlink(missing_ok=True)
    return size
