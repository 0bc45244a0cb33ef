"""Take loads out of the landing zone again.

What is taken out is kept in ``_undone/<source>/<resource>/``, where no reader looks; moved
back, it is landed again. A file that holds other loads too (a compacted one) is written
again without the load before it goes. Killed at any moment, the load is still there or
gone as a whole, and undoing it again finishes what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from common.errors import AceError, UsageError
from loaders.landing.compaction import DamagedRows, write_loads
from loaders.landing.locks import locked
from loaders.landing.metadata import Load, new_load_id
from loaders.landing.zone import Landing
from loaders.schema import SOURCES

FOLDER = "_undone"


@dataclass(frozen=True)
class Undone:
    """What :func:`undo` took out: the load asked for, and retries of its rejected records,
    whose rows came from it. Both are empty for a heartbeat and where nothing was left to do.
    """

    loads: list[Load]
    heartbeat: bool = False


def undo(landing: Landing, load_id: str) -> Undone:
    """Take out a load, or a heartbeat, by its id.

    Retries that recovered records of the load go with it: their records of other loads are
    rejected again until the next retry. Raises UsageError for an id that is not there,
    AceError while a build reads landed files.
    """
    with nobody_else(landing, f"load {load_id} was"):
        loads = [
            load
            for load in landing.loads()
            if load.load_id == load_id or any(r["load_id"] == load_id for r in load.recovers)
        ]
        for beat in landing.heartbeats():
            if beat.load_id == load_id:
                name = f"{beat.source}/_heartbeat/{os.path.basename(beat.file)}"
                landing.storage.move(name, f"{FOLDER}/{name}")
                return Undone([], heartbeat=True)
        if not loads and load_id not in landing.undone():
            raise UsageError(
                f"There is no load {load_id} in {landing.url}.",
                "'ace status' and select load_id, source, resource from meta.loads name them.",
            )
        # Retries first: without the load they would recover records that nobody rejected.
        for load in sorted(loads, key=lambda one: one.load_id == load_id):
            _take_out(landing, load)
    return Undone(loads)


def undo_all(landing: Landing, wanted: Callable[[Load], bool], what: str) -> list[Load]:
    """Take out every load that is ``wanted``, oldest first; returns them.

    ``wanted`` must hold for the retries of a load as for the load itself. ``what`` ends a
    sentence (``the simulated world was``). What an undo that was killed left of the rejected
    records goes too. Raises AceError while a build reads landed files.
    """
    with nobody_else(landing, what):
        loads = [load for load in landing.loads() if wanted(load)]
        # Retries first, as above: their load ids are younger.
        for load in sorted(loads, key=lambda one: one.load_id, reverse=True):
            _take_out(landing, load)
        left = landing.undone() - {load.load_id for load in landing.loads()}
        for source, resources in SOURCES.items():
            for resource in resources:
                for name in landing.storage.names(f"_rejected/{source}/{resource}"):
                    if os.path.basename(name).removesuffix(".parquet") in left:
                        _move_rejected(landing, name)
    return sorted(loads, key=lambda one: one.load_id)


@contextmanager
def nobody_else(landing: Landing, what: str) -> Iterator[None]:
    """Hold off builds, retries and compactions. AceError where one is at work."""
    # In this order: a retry and a compaction could bring the load back meanwhile.
    with (
        landing.retry_lock() as no_retry,
        locked(landing.storage, exclusive=True, wait=False, name=".compacting") as no_compaction,
        landing.exclusive_lock(wait=False) as no_build,
    ):
        for free, who in ((no_build, "build"), (no_retry, "retry"), (no_compaction, "compaction")):
            if not free:
                raise AceError(
                    f"A {who} is using the landed files, so {what} not taken out.",
                    "Run it again when that has finished.",
                )
        yield


def _take_out(landing: Landing, load: Load) -> None:
    folder = f"{load.source}/{load.resource}"
    kept = f"{FOLDER}/{folder}/{load.load_id}.parquet"
    held = {}
    for name in landing.storage.names(folder):
        try:
            loads = landing.file_loads(name)
        except AceError:
            continue
        if any(one.load_id == load.load_id for one in loads):
            held[name] = loads
    # The file that readers use goes last: until then the load is still there.
    for name, loads in sorted(held.items(), key=lambda entry: (len(entry[1]), entry[0])):
        others = [one for one in loads if one.load_id != load.load_id]
        if not others:
            landing.storage.move(name, kept)
            continue
        try:
            write_loads(landing, kept, [(name, {load.load_id})], [load])
            rest = f"{folder}/{new_load_id()}.parquet"
            write_loads(landing, rest, [(name, {one.load_id for one in others})], others)
        except DamagedRows:
            raise AceError(
                f"Load {load.load_id} is in {landing.storage.location(name)} together with "
                f"{len(others):,} others, and the rows of that file cannot be read.",
                "Restore the file from a copy, or move it out of the landing zone and load the "
                "inputs of the other loads again.",
            ) from None
        landing.storage.remove(name)
    _move_rejected(landing, landing.rejected_file(load))


def _move_rejected(landing: Landing, name: str) -> None:
    if landing.storage.exists(name):
        landing.storage.move(name, f"{FOLDER}/{name}")
