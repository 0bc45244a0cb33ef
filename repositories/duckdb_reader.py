"""Reading a DuckDB release: the file is opened read-only, with external access off and its
configuration locked, so that the engine itself refuses everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from repositories.public_select import check_select
from repositories.query_errors import duckdb_error, too_long
from repositories.reader import BATCH, Answer, Engine, Stream
from repositories.release_files import UnreadableError, explain, is_damage, open_file
from repositories.values import converted, parsed, plain

if TYPE_CHECKING:
    import duckdb
    import polars as pl

Hint = Callable[[], str]
#: Names of the columns of an answer, and what makes their values plain.
Described = tuple[list[str], list[Callable[[Any], Any]]]
#: Rows up to which Python's own values are made a frame sooner than Arrow's are.
FEW = 500
_configuring = threading.Lock()
#: How long Ctrl-C may go unnoticed while a query runs.
POLL_SECONDS = 0.1


class DuckReader:
    """A DuckDB release file, opened so that nothing but reading it is possible."""

    engine: Engine = "duckdb"

    def __init__(
        self,
        path: Path,
        number: int | None = None,
        hint: Hint | None = None,
        memory: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Open a file, as release ``number`` if given; ``hint`` is the next step if it cannot.

        ``memory`` bounds what a query may use (``2GB``, ``25%`` of the machine); larger ones
        go on in a folder beside the file, where that can be written. ``seconds`` is how long a
        query may take, for all that this process opens of the file.
        """
        self.path = path
        self._memory = memory
        self._seconds = seconds
        #: Python notices Ctrl-C only while no query runs in its own thread.
        self._thread = ThreadPoolExecutor(1, "query")
        self._hint = hint or (lambda: "Name a number that 'ace releases' lists, or another file.")
        try:
            self._connection = open_file(path, number)
        except UnreadableError as error:
            raise self._damaged(error.what) from None
        self._configure()

    def _configure(self) -> None:
        """Once for each file: what a process opens twice is one database, which is locked."""
        with _configuring:
            asked = self._connection.execute("select current_setting('lock_configuration')")
            if asked.fetchall() == [(True,)]:
                return
            self._connection.execute("set global TimeZone = 'UTC'")
            if self._memory:
                self._connection.execute(f"set memory_limit = '{self._memory}'")
            if self._seconds:
                most = max(1, round(self._seconds * 1000))
                self._connection.execute(f"set global max_execution_time = {most}")
            # Last: what is fixed is what was set before.
            self._connection.execute("set lock_configuration = true")

    def _damaged(self, what: str) -> UnreadableError:
        return UnreadableError.of(self.path, what, self._hint())

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        # In one go: each change of threads takes as long as a look-up by key.
        columns, readers, rows = self._run(self._all, sql, parameters)
        return Answer(columns, converted(rows, readers))

    def _all(
        self, sql: str, parameters: Sequence[Any]
    ) -> tuple[list[str], list[Callable[[Any], Any]], list[tuple[Any, ...]]]:
        cursor = self._started(sql, parameters)
        columns, readers = _described(cursor)
        return columns, readers, cursor.fetchall() if columns else []

    def _started(self, sql: str, parameters: Sequence[Any]) -> duckdb.DuckDBPyConnection:
        if len(self._connection.extract_statements(sql)) > 1:
            raise UsageError("Only one statement at a time can be run.", "Leave out the others.")
        return self._connection.execute(sql, list(parameters))

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        cursor = self._run(self._started, sql, parameters)
        columns, readers = _described(cursor)
        if not columns:
            return Stream([], iter(()))

        def batches() -> Iterator[list[tuple[Any, ...]]]:
            while rows := self._run(cursor.fetchmany, BATCH):
                yield converted(rows, readers)

        return Stream(columns, batches())

    def select(self, sql: str, most: int) -> Answer:
        check_select(self, sql)

        def first() -> tuple[Described, list[tuple[Any, ...]]]:
            cursor = self._started(sql, ())
            return _described(cursor), cursor.fetchmany(most)

        (columns, readers), rows = self._run(first)
        return Answer(columns, converted(rows, readers))

    def frame(self, sql: str, parameters: Sequence[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
        import polars as pl

        def read() -> pl.DataFrame:
            cursor = self._connection.execute(sql, list(parameters))
            rows = cursor.fetchmany(FEW)
            cursor.abort()
            if len(rows) < FEW:
                return pl.DataFrame(rows, schema, orient="row")
            # Asked again, since what was begun one way cannot go on the other.
            table = self._connection.sql(sql, params=list(parameters)).to_arrow_table()
            found = pl.from_arrow(table)
            assert isinstance(found, pl.DataFrame)
            return found.cast(pl.Schema(schema))

        found: pl.DataFrame = self._run(read)
        return found

    def is_lost(self) -> bool:
        return False

    def settle(self) -> None:
        """A release file has no server."""

    def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do it in the query's thread; Ctrl-C stops the query."""
        import duckdb

        running = self._thread.submit(work, *arguments)
        try:
            # In short waits: a signal that another thread was given is seen between them.
            while not running.done():
                wait([running], timeout=POLL_SECONDS)
            return running.result()
        except duckdb.Error as error:
            raise self._error(error) from None
        except KeyboardInterrupt:
            # Again and again: the engine forgets one that comes before it has begun.
            while not running.done():
                self._connection.interrupt()
                wait([running], timeout=POLL_SECONDS)
            raise

    def _error(self, error: Exception) -> AceError:
        import duckdb

        if "maximum execution time" in str(error):
            return too_long(self._seconds)
        if isinstance(error, duckdb.OutOfMemoryException):
            return AceError(
                f"The query needs more memory than ACE_READ_MEMORY_LIMIT allows ({self._memory}).",
                "Select fewer rows or columns, or raise the limit.",
            )
        if is_damage(error):
            return self._damaged(explain(self.path, error))
        return duckdb_error(error, self.tables)

    def tables(self) -> set[str]:
        found = self._connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        return {row[0] for row in found}

    def close(self) -> None:
        self._thread.shutdown()
        self._connection.close()

    def __enter__(self) -> DuckReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _described(cursor: duckdb.DuckDBPyConnection) -> Described:
    """Names of the columns of an answer, none of no answer, and what makes values plain."""
    found = cursor.description or []
    return (
        [column[0] for column in found],
        [parsed if str(column[1]) == "JSON" else plain for column in found],
    )
