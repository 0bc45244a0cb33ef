"""What tables and marts have in common: reading rows of one relation of the open release."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from repositories.columns import Kind, Relation
from repositories.select import key_of, select
from repositories.values import parsed

if TYPE_CHECKING:
    import polars as pl

    from repositories.session import Session

_READ: dict[Kind, Callable[[Any], Any]] = {
    "timestamp": datetime.fromisoformat,
    "date": date.fromisoformat,
    "json": parsed,
}


class Rows:
    """The rows of one table or mart of a release."""

    def __init__(self, session: Session, schema: str, name: str, key: Sequence[str]) -> None:
        self._session = session
        self._schema, self._name, self._key = schema, name, tuple(key)

    @property
    def relation(self) -> Relation:
        """The columns that the release has."""
        return self._session.relation(self._schema, self._name, self._key)

    def plain(
        self,
        *,
        columns: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        after: Any = None,
    ) -> list[dict[str, Any]]:
        """Rows as JSON has them: ids and times are text. Otherwise like :meth:`Mart.find`."""
        relation = self.relation
        sql, values = self._select(relation, filters or {}, order_by, limit, after, columns)
        found = self._session.query(sql, values).dicts()
        for name in columns or relation.columns:
            if relation.columns[name] == "json":
                for row in found:
                    row[name] = parsed(row[name])
        return found

    def frames(self, rows: int) -> Iterator[pl.DataFrame]:
        """Every row as Polars frames of at most so many, in the order of the key; all in one
        where the table has no key. There is always one frame, for its columns."""
        if not self._key:
            yield self._frame(filters={}, order_by=None, limit=None, after=None)
            return
        after: Any = None
        while True:
            found = self._frame(filters={}, order_by=None, limit=rows, after=after)
            if after is None or not found.is_empty():
                yield found
            if found.height < rows:
                return
            last = found.row(-1, named=True)
            after = tuple(last[name] for name in self._key)

    def _one(self, key: Any) -> dict[str, Any] | None:
        relation = self.relation
        filters = key_of(relation, key)
        sql, values = select(relation, self._session.engine, filters=filters)
        found = self._dicts(sql, values, relation.columns)
        return found[0] if found else None

    def _rows(self, **asked: Any) -> list[dict[str, Any]]:
        relation = self.relation
        sql, values = self._select(relation, **asked)
        return self._dicts(sql, values, relation.columns)

    def _frame(self, columns: Sequence[str] | None = None, **asked: Any) -> pl.DataFrame:
        from repositories.frames import canonical, schema_of

        relation = self.relation
        sql, values = self._select(relation, columns=columns, **asked)
        kinds = {name: relation.columns[name] for name in columns or relation.columns}
        return canonical(self._session.frame(sql, values, schema_of(kinds)), kinds)

    def _select(
        self,
        relation: Relation,
        filters: Mapping[str, Any],
        order_by: str | Iterable[str] | None,
        limit: int | None,
        after: Any,
        columns: Sequence[str] | None = None,
    ) -> tuple[str, list[Any]]:
        return select(
            relation,
            self._session.engine,
            filters=filters,
            columns=columns,
            order_by=order_by,
            limit=limit,
            after=after,
            look_up=self._look_up,
        )

    def _look_up(self, columns: Sequence[str], key: Mapping[str, Any]) -> dict[str, Any] | None:
        relation = self.relation
        sql, values = select(relation, self._session.engine, filters=key, columns=columns)
        found = self._dicts(sql, values, {name: relation.columns[name] for name in columns})
        return found[0] if found else None

    def _dicts(
        self, sql: str, values: Sequence[Any], columns: Mapping[str, Kind]
    ) -> list[dict[str, Any]]:
        answer = self._session.query(sql, values)
        special = [(name, _READ[kind]) for name, kind in columns.items() if kind in _READ]
        found = answer.dicts()
        for row in found:
            for name, read in special:
                if row[name] is not None:
                    row[name] = read(row[name])
        return found
