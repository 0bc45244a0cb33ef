"""What a query may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one query and of its answer."""

    #: From its start to its answer; the engine stops it, and soon after the process is ended.
    seconds: float = 5.0
    #: As DuckDB takes it (``2GB``, ``25%``), for what it works with.
    memory: str = "25%"
    #: What the process may take on top of that, for itself and the answer.
    memory_beside: int = 768 * 2**20
    #: Queries at the same time; others wait.
    at_once: int = 2
    #: Characters of one text, and of all values of an answer.
    cell_characters: int = 2_000
    characters: int = 60_000
