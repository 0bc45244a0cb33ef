"""An open release that threads share and forked processes open anew."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from common.errors import AceError
from repositories.columns import SQL, Kind, Relation, kind_of, nearest
from repositories.reader import Answer, Engine, Reader

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")
#: Readers of a parent process: closing one would end the parent's.
_inherited: list[Reader] = []


class Session:
    """One question at a time to one release; a release never changes while it is open."""

    def __init__(self, engine: Engine, open_reader: Callable[[], Reader]) -> None:
        """``open_reader`` opens the release that is meant, always the same one."""
        self.engine = engine
        self._open = open_reader
        self._reader: Reader | None = None
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._is_closed = False
        self._columns: dict[tuple[str, str], dict[str, Kind]] = {}

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        return self._ask(lambda reader: reader.query(sql, parameters))

    def frame(self, sql: str, parameters: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
        return self._ask(lambda reader: reader.frame(sql, parameters, schema))

    def _ask(self, ask: Callable[[Reader], T]) -> T:
        with self._own_lock():
            reader = self._opened()
            try:
                return ask(reader)
            except Exception:
                if not reader.is_lost():
                    raise
            finally:
                reader.settle()
            # The server was restarted, or ended the session: the release is there all the same.
            self._reader = None
            return self._ask_again(ask)

    def _ask_again(self, ask: Callable[[Reader], T]) -> T:
        reader = self._opened()
        try:
            return ask(reader)
        finally:
            reader.settle()

    def relation(self, schema: str, name: str, key: tuple[str, ...]) -> Relation:
        """A table of the release; AceError where the release has none of that name."""
        with self._own_lock():
            if not self._columns:
                for table_schema, table, column, kind in self.query(SQL).rows:
                    columns = self._columns.setdefault((table_schema, table), {})
                    columns[column] = kind_of(kind)
        columns = self._columns.get((schema, name), {})
        if not columns:
            known = [table for of, table in self._columns if of == schema]
            raise AceError(f"This release has no {schema}.{name}.", nearest(name, known))
        return Relation(schema, name, columns, key)

    def another(self) -> Reader:
        """A reader of the same release for one long question; close it after."""
        self.opened()
        return self._open()

    def release_name(self) -> str:
        """What no other release is called, on this engine or another server."""
        sql = "select engine, release, released_at from meta.release"
        ((engine, number, at),) = self.query(sql).rows
        moment = "".join(sign for sign in str(at) if sign.isalnum())
        return f"{engine}-{number}-{moment}"

    def opened(self) -> None:
        """Open the release now, so that what is wrong with it is said now."""
        with self._own_lock():
            self._opened()

    def close(self) -> None:
        with self._own_lock():
            if self._reader is not None:
                self._reader.close()
            self._reader = None
            self._is_closed = True

    def _own_lock(self) -> threading.RLock:
        if self._process != os.getpid():
            # A fork: threads that held the lock are not here, and the reader is the parent's.
            self._process = os.getpid()
            self._lock = threading.RLock()
            if self._reader is not None:
                _inherited.append(self._reader)
            self._reader = None
        return self._lock

    def _opened(self) -> Reader:
        if self._is_closed:
            raise AceError("The warehouse is closed.", "Read inside its 'with', or open another.")
        if self._reader is None:
            self._reader = self._open()
        return self._reader
