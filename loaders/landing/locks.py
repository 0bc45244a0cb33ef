"""The lock between builds (shared) and the deletions of compaction (exclusive).

An operating-system lock on ``<landing>/.lock``: a killed process leaves nothing
behind. Object stores have no such lock; there compaction keeps replaced files for
a day instead (see :mod:`loaders.landing.compaction`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from loaders.landing.storage import Storage, explain


@contextlib.contextmanager
def locked(
    storage: Storage, *, exclusive: bool, wait: bool = True, name: str = ".lock"
) -> Iterator[bool]:
    """Hold the lock; yields False when ``wait`` is false and another holds it."""
    if not storage.local:
        yield True
        return
    path = os.path.join(storage.root, name)
    try:
        os.makedirs(storage.root, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise explain(error, path) from None
    try:
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(handle, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)
