"""The landing zone: immutable Parquet, one file per load and resource.

A load commits by one rename; its counts and the cursor to continue from live in
the file itself, so data and bookkeeping can never disagree. Nothing outside this
package knows how the files are laid out.
"""

from loaders.landing.hashing import record_hashes
from loaders.landing.metadata import Heartbeat, Load, Rejected, RejectedRecord, new_load_id
from loaders.landing.writer import LoadWriter
from loaders.landing.zone import Landing

__all__ = [
    "Heartbeat",
    "Landing",
    "Load",
    "LoadWriter",
    "Rejected",
    "RejectedRecord",
    "new_load_id",
    "record_hashes",
]
