"""Reading a release on Postgres: every statement is one extended-protocol statement in a
read-only transaction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from common.errors import AceError
from repositories.columns import SCHEMA_LIST
from repositories.query_errors import postgres_error
from repositories.reader import BATCH, Answer, Engine, Stream
from repositories.values import converted, plain, whole

if TYPE_CHECKING:
    import polars as pl

#: Type of Postgres' numeric.
NUMERIC = 1700


class PostgresReader:
    """A Postgres warehouse in a session that can only read, pinned or at the current release."""

    engine: Engine = "postgres"

    def __init__(self, url: str, release: int | None = None, seconds: float | None = None) -> None:
        """``seconds`` is how long a statement may take, on the server."""
        import psycopg

        from common.pgconnect import connect
        from common.pgsession import READER, prepare

        self._connection = connect(url, "ACE_POSTGRES_URL")
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        prepare(self._connection, READER)
        if seconds:
            most = str(max(1, round(seconds * 1000)))
            self._connection.execute("select set_config('statement_timeout', %s, false)", (most,))
        if release is not None:
            self.pin(release)
        self._connection.commit()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        return self.stream(sql, parameters).all()

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        text, given = _as_psycopg(sql, parameters)
        cursor = self._connection.cursor()
        # One statement of the extended protocol: nothing can end the transaction.
        rows = cursor.stream(text.encode(), given, size=BATCH)
        with self._errors():
            first = next(rows, None)
            if first is None:
                # Without a row the columns are not told.
                cursor.execute(text.encode(), given, prepare=True)
        if cursor.description is None:
            return Stream([], iter(()))
        columns = [column.name for column in cursor.description]
        readers = [
            whole if column.type_code == NUMERIC and not column.scale else plain
            for column in cursor.description
        ]

        def batches() -> Iterator[list[tuple[Any, ...]]]:
            waiting = [] if first is None else [first]
            with self._errors():
                for row in rows:
                    waiting.append(row)
                    if len(waiting) >= BATCH:
                        yield converted(waiting, readers)
                        waiting = []
            if waiting:
                yield converted(waiting, readers)

        return Stream(columns, batches())

    def select(self, sql: str, most: int) -> Answer:
        # What is declared as a cursor can only be a query; the transaction can only read.
        text, _ = _as_psycopg(sql, ())
        with self._errors():
            declared = f"declare selected no scroll cursor without hold for {text}"
            self._connection.execute(declared.encode(), prepare=True)
        return self.query(f"fetch {most:d} from selected")

    def frame(self, sql: str, parameters: Sequence[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
        import polars as pl

        text, given = _as_psycopg(sql, parameters)
        with self._errors():
            rows = self._connection.execute(text.encode(), given).fetchall()
        return pl.DataFrame(rows, dict(schema), orient="row")

    def pin(self, release: int) -> None:
        """Stay on a release, whatever becomes the current one."""
        self._connection.execute("select set_config('ace.release', %s, false)", (str(release),))
        self._connection.commit()

    def is_lost(self) -> bool:
        return self._connection.closed

    def settle(self) -> None:
        """End the transaction: an open one would keep a release from being made."""
        if not self._connection.closed:
            self._connection.rollback()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            if self._connection.closed:
                if "memory" in str(error):
                    raise AceError(
                        "The answer needs more memory than this process may have.",
                        "Select fewer rows or columns, or shorter texts.",
                    ) from None
                raise AceError(
                    "The connection to the warehouse's Postgres broke.",
                    "Run it again when the server is back.",
                ) from None
            self._connection.rollback()
            raise postgres_error(error, self.tables) from None

    def tables(self) -> set[str]:
        cursor = self._connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            f"where table_schema in ({SCHEMA_LIST})"
        )
        return {row[0] for row in cursor.fetchall()}

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> PostgresReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _as_psycopg(sql: str, parameters: Sequence[Any]) -> tuple[str, tuple[Any, ...] | None]:
    """The statement with ``%s`` for each ``?``, and its parameters."""
    text = sql.rstrip().rstrip(";")
    if parameters:
        text = text.replace("%", "%%").replace("?", "%s")
    return text, tuple(parameters) or None
