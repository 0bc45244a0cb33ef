"""A table's rows in pages, each one statement and so a transaction of its own.

Nothing is kept in the session (no cursor, no temporary table, no setting), so a
transaction pooler may hand every page to another connection. Pages go along the
table's key; values come as text where a driver's own types could lose something
(infinite times, NaN) or depend on the session (date style, time zone).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from psycopg import sql

from loaders.jsontext import parse_json
from loaders.schema import RESOURCES, SOURCE_KEY
from loaders.supabase.catalog import DbColumn, DbTable

if TYPE_CHECKING:
    import psycopg

FIRST_PAGE = 1_000
MAX_PAGE = 20_000
#: Aim of a page's text: bounds memory when rows are large.
PAGE_BYTES = 16 * 1024 * 1024

_NATIVE = frozenset({"int2", "int4", "int8", "float4", "float8", "bool"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})

Row = tuple[Any, ...]


def _projection(column: DbColumn, known: bool) -> sql.Composable:
    name = sql.Identifier(column.name)
    if not known or column.category in ("A", "C"):
        return sql.SQL("to_json({})::text").format(name)
    if column.type in _NATIVE:
        return name
    if column.type in _TIMES:
        # ISO 8601 whatever the session's date style; 'infinity' stays a word.
        return sql.SQL("to_json({}) #>> '{{}}'").format(name)
    return sql.SQL("{}::text").format(name)


class Reader:
    """Reads a table page by page as dicts: landing columns as they are, others as JSON."""

    def __init__(
        self, connection: psycopg.Connection[Any], table: DbTable, condition: str | None
    ) -> None:
        self._connection = connection
        self._table = table
        known = {column.name for column in RESOURCES[table.resource]}
        self._names = [column.name for column in table.columns]
        self._unknown = [i for i, name in enumerate(self._names) if name not in known]
        self._columns = sql.SQL(", ").join(
            _projection(column, column.name in known) for column in table.columns
        )
        self._from = sql.Identifier(table.schema, table.resource)
        self._where = [sql.SQL("({})").format(sql.SQL(condition or "true"))]
        self._size = FIRST_PAGE
        self._key = table.key
        self._unique = bool(table.key)
        if not self._key and SOURCE_KEY[table.resource] in self._names:
            self._key = (SOURCE_KEY[table.resource],)

    def pages(self, *, few: bool) -> Iterator[list[dict[str, Any]]]:
        """All rows that meet the condition. ``few``: probably not more than a page."""
        if not self._names:
            return
        if few:
            # Without an order the server may read the table as it lies, which is much
            # faster than along a key when next to nothing has changed.
            rows = self._fetch(self._select(), limit=MAX_PAGE // 4 + 1)
            if len(rows) <= MAX_PAGE // 4:
                yield from self._paged(rows)
                return
        if self._key:
            yield from self._along_key()
        else:
            yield from self._streamed()

    def _select(self, *more: sql.Composable) -> sql.Composed:
        keys = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in self._key]
        columns = sql.SQL(", ").join([*keys, self._columns])
        where = sql.SQL(" and ").join([*self._where, *more])
        return sql.SQL("select {} from {} as source where {}").format(columns, self._from, where)

    def _fetch(self, query: sql.Composed, limit: int | None, order: bool = False) -> list[Row]:
        if order:
            # With the table's name before it: a bare one would mean the output column,
            # which is text and sorts in another order.
            names = (sql.Identifier("source", name) for name in self._key)
            query = query + sql.SQL(" order by {}").format(sql.SQL(", ").join(names))
        if limit is not None:
            query = query + sql.SQL(" limit {}").format(sql.Literal(limit))
        return self._connection.execute(query).fetchall()

    def _paged(self, rows: list[Row]) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, len(rows), MAX_PAGE):
            yield [self._record(row) for row in rows[start : start + MAX_PAGE]]

    def _record(self, row: Row) -> dict[str, Any]:
        record = dict(zip(self._names, row[len(self._key) :], strict=True))
        for i in self._unknown:
            text = row[len(self._key) + i]
            if text is not None:
                record[self._names[i]] = parse_json(text)
        return record

    def _along_key(self) -> Iterator[list[dict[str, Any]]]:
        last: Row | None = None
        while True:
            size = self._size
            query = self._select(self._compared(">", last)) if last else self._select()
            if not self._unique:
                query = self._select(
                    *([self._compared(">", last)] if last else []),
                    sql.SQL("{} is not null").format(sql.Identifier(self._key[0])),
                )
            rows = self._fetch(query, size, order=True)
            full = len(rows) == size
            if rows:
                last = rows[-1][: len(self._key)]
            if full and not self._unique:
                # More rows with this very key may follow: read them all at once.
                rows = [row for row in rows if row[: len(self._key)] != last]
                assert last is not None
                rows += self._fetch(self._select(self._compared("=", last)), None)
            if rows:
                self._adapt(rows)
                yield from self._paged(rows)
            if not full:
                break
        if not self._unique:
            null = sql.SQL("{} is null").format(sql.Identifier(self._key[0]))
            yield from self._paged(self._fetch(self._select(null), None))

    def _compared(self, operator: str, last: Row) -> sql.Composed:
        # Untyped literals take the columns' own types, as text written in SQL does.
        return sql.SQL("({}) {} ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, self._key)),
            sql.SQL(operator),
            sql.SQL(", ").join(sql.Literal(value) for value in last),
        )

    def _adapt(self, rows: list[Row]) -> None:
        sample = rows[:: max(1, len(rows) // 50)]
        size = sum(len(v) if isinstance(v, str) else 8 for row in sample for v in row)
        self._size = max(50, min(MAX_PAGE, PAGE_BYTES * len(sample) // max(size, 1)))

    def _streamed(self) -> Iterator[list[dict[str, Any]]]:
        """Without any key: one statement whose rows are taken as they come."""
        page: list[dict[str, Any]] = []
        with self._connection.cursor() as cursor:
            for row in cursor.stream(self._select(), size=FIRST_PAGE):
                page.append(self._record(row))
                if len(page) == FIRST_PAGE:
                    yield page
                    page = []
        if page:
            yield page
