"""The landing zone: immutable Parquet, one file per load and resource.

A load commits by one rename; its counts and the cursor to continue from live in
the file itself, so data and bookkeeping can never disagree. Nothing outside this
package knows how the files are laid out.
"""

from typing import TYPE_CHECKING, Any

from loaders.landing.metadata import Heartbeat, Load, Rejected, RejectedRecord, new_load_id
from loaders.landing.zone import Landing, LeftOut

if TYPE_CHECKING:
    from loaders.landing.hashing import record_hashes
    from loaders.landing.writer import LoadWriter

__all__ = [
    "Heartbeat",
    "Landing",
    "LeftOut",
    "Load",
    "LoadWriter",
    "Rejected",
    "RejectedRecord",
    "new_load_id",
    "record_hashes",
]


def __getattr__(name: str) -> Any:
    """What needs Polars and Arrow is imported when it is asked for."""
    if name == "LoadWriter":
        from loaders.landing.writer import LoadWriter

        return LoadWriter
    if name == "record_hashes":
        from loaders.landing.hashing import record_hashes

        return record_hashes
    raise AttributeError(f"module 'loaders.landing' has no attribute '{name}'")
