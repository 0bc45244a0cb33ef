"""Bounds on memory and on the size of an answer."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from agent_server.queries.limits import Limits
from repositories.reader import Reader

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def bound_memory(reader: Reader, beside: int) -> None:
    """Let this process have what the engine may take and ``beside`` on top, and no more.

    The engine's own limit leaves out what one function makes of one value: repeat() alone can
    take gigabytes. The system's limit knows no exception, where it has one.
    """
    import resource

    allowed = beside + _engine_memory(reader)
    with contextlib.suppress(OSError, ValueError):
        used = _address_space()
        resource.setrlimit(resource.RLIMIT_AS, (used + allowed, used + allowed))
        # A process that is ended leaves no image of its memory behind.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _engine_memory(reader: Reader) -> int:
    """Bytes that DuckDB may take in this process; on Postgres the server does the work."""
    if reader.engine != "duckdb":
        return 0
    text = str(reader.query("select current_setting('memory_limit')").rows[0][0])
    number, unit = re.fullmatch(r"([\d.]+) ?([KMGT]?)i?B?(?:ytes)?", text).groups()  # type: ignore[union-attr]
    return int(float(number) * _UNITS[unit])


def _address_space() -> int:
    """Bytes of address space that this process has now; OSError where nobody tells."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmSize:"):
                return int(line.split()[1]) * 1024
    raise OSError("unknown")


def shortened(rows: list[tuple[Any, ...]], limits: Limits) -> tuple[list[list[Any]], int]:
    """As many rows as an answer has room for, long texts cut; and how many texts were."""
    kept: list[list[Any]] = []
    size = cut = 0
    for row in rows:
        values = [_shortened(value, limits.cell_characters) for value in row]
        size += sum(len(str(value)) for value in values)
        if kept and size > limits.characters:
            break
        cut += sum(one is not value for one, value in zip(values, row, strict=True))
        kept.append(values)
    return kept, cut


def _shortened(value: Any, most: int) -> Any:
    """The value itself, or the beginning of its text where that is too long."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, dict | list) else ""
    if len(text) <= most:
        return value
    return f"{text[:most]}… ({len(text) - most:,} more characters)"
