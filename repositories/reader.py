"""What an open release can do, whatever engine holds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import polars as pl

Engine = Literal["duckdb", "postgres"]
#: Rows that are held at a time when an answer is streamed.
BATCH = 2000


@dataclass(frozen=True)
class Answer:
    """What a query gave: column names and rows of plain values, as ``values.plain`` gives them."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Stream:
    """An answer that is read as it comes: memory for a batch, however many rows there are."""

    columns: list[str]
    batches: Iterator[list[tuple[Any, ...]]]

    def all(self) -> Answer:
        return Answer(self.columns, [row for batch in self.batches for row in batch])


class Reader(Protocol):
    """An open release. Close it, or use it as a context manager."""

    engine: Engine

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        """Run one read-only statement; ``?`` in it stands for a parameter."""
        ...

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        """The same in batches, to be read before the next statement; an error of a later
        row is raised when its batch is."""
        ...

    def select(self, sql: str, most: int) -> Answer:
        """The first ``most`` rows of what must be one SELECT: whatever else is an error."""
        ...

    def frame(self, sql: str, parameters: Sequence[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
        """The rows as a Polars frame with these columns and types."""
        ...

    def is_lost(self) -> bool:
        """Whether the connection is gone, so that asking needs another."""
        ...

    def settle(self) -> None:
        """Hold nothing on the server until the next statement."""
        ...

    def tables(self) -> set[str]:
        """Names of all tables, as ``schema.table``."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Reader: ...

    def __exit__(self, *exc: object) -> None: ...
