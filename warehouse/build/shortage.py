"""When a build ran out of memory or disk: what the engine says of it, as a sentence."""

from __future__ import annotations

import re

#: What a full disk is called: by the system, and by DuckDB where it counts for itself.
_FULL = re.compile(r"No space left on device|Disk quota exceeded|max_temp_directory_size")
_MEMORY = re.compile(r"Out of Memory Error.*?(?:/(?P<limit>[\d.]+ \w+) used|$)", re.DOTALL)


def shortage(message: str) -> str | None:
    """A sentence with the next step when ``message`` is about memory or disk, else None."""
    if _FULL.search(message):
        return (
            "The warehouse's disk is full. Free some space; "
            "on DuckDB a larger ACE_MEMORY_LIMIT needs less of it."
        )
    if found := _MEMORY.search(message):
        limit = f" ({found['limit']})" if found["limit"] else ""
        return (
            f"DuckDB needed more memory than it may use{limit}. "
            "Raise ACE_MEMORY_LIMIT, or build fewer models at once with ACE_THREADS=1."
        )
    return None
