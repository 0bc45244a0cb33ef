"""The rows of a release as lines of Postgres' COPY, each with a hash of its line.

The engine that holds the release writes both, so that Python only passes on the lines that are
missing elsewhere. Hashes are compared with those of rows that were sent before, in buckets: what
is equal costs one number and one sum for each bucket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from repositories.columns import SQL, Kind, kind_of
from warehouse.publish.contracts import keys

if TYPE_CHECKING:
    from repositories.reader import Reader

#: Bucket to the number of its rows and the sum of their hashes.
Digest = Mapping[int, tuple[int, int]]

#: Kinds of columns as Postgres calls their types.
TYPES: dict[Kind, str] = {
    "uuid": "uuid",
    "text": "text",
    "json": "jsonb",
    "text[]": "text[]",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "timestamp": "timestamp with time zone",
    "date": "date",
}
#: Rows of a bucket, about; the number of buckets is a power of two.
ROWS_OF_A_BUCKET = 64
MOST_BUCKETS = 1 << 16


@dataclass(frozen=True)
class Table:
    """One table of the release that can be published."""

    schema: str
    name: str
    key: tuple[str, ...]
    #: Name to kind, in the order of the release.
    columns: Mapping[str, Kind]
    #: What the docs say of each column.
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> dict[str, str]:
        return {name: TYPES[kind] for name, kind in self.columns.items()}


def tables(reader: Reader, schemas: Sequence[str]) -> list[Table]:
    """What of an open release can be published; tables that this project does not know are not."""
    known = keys()
    columns: dict[tuple[str, str], dict[str, Kind]] = {}
    for schema, table, column, kind in reader.query(SQL).rows:
        if schema in schemas and (schema, table) in known:
            columns.setdefault((schema, table), {})[column] = kind_of(kind)
    about: dict[tuple[str, str], dict[str, str]] = {}
    described = reader.query(
        'select "schema", "table", "column", description from meta.columns '
        "where description is not null"
    )
    for schema, table, column, text in described.rows:
        about.setdefault((schema, table), {})[column] = text
    return [
        Table(*one, known[one], found, about.get(one, {}))
        for one, found in columns.items()
        if set(known[one]) <= set(found)
    ]


class Source:
    """An open release, to be compared and sent table by table."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def count(self, table: Table) -> int:
        found = self.reader.query(f'select count(*) from {table.schema}."{table.name}"')
        return int(found.rows[0][0])

    def digest(self, table: Table, buckets: int) -> Digest:
        """Of each bucket that has rows."""
        found = self.reader.query(
            f"select hash & {buckets - 1}, count(*), sum(hash) "
            f"from ({self._lines(table)}) as lines group by 1"
        )
        return {int(row[0]): (int(row[1]), int(row[2])) for row in found.rows}

    def lines(
        self, table: Table, buckets: int, changed: Sequence[int] | None
    ) -> Iterator[list[tuple[int, str]]]:
        """Batches of (hash, line) of the changed buckets, or of all rows."""
        query = f"select hash, line from ({self._lines(table)}) as lines"
        if changed is not None:
            query += f" where hash & {buckets - 1} in ({', '.join(map(str, changed))})"
        for batch in self.reader.stream(query).batches:
            yield [(row[0], row[1]) for row in batch]

    def _lines(self, table: Table) -> str:
        values = [_value(name, kind, self.reader.engine) for name, kind in table.columns.items()]
        source = f'{table.schema}."{table.name}"'
        if self.reader.engine == "duckdb":
            line = f"concat_ws(chr(9), {', '.join(values)})"
            # Unsigned on DuckDB; only that equal lines have equal hashes matters.
            number = "cast(md5_number_lower(line)::hugeint - 9223372036854775808 as bigint)"
        else:
            # Functions take a hundred arguments at most.
            line = " || chr(9) || ".join(values)
            number = "cast(cast('x' || left(md5(line), 16) as bit(64)) as bigint)"
        return (
            f"select {number} as hash, line from (select {line} as line from {source}) as rendered"
        )


def buckets_for(rows: int) -> int:
    """How many buckets a table of that many rows is compared in."""
    wanted = max(1, rows // ROWS_OF_A_BUCKET)
    return min(MOST_BUCKETS, 1 << (wanted - 1).bit_length())


def _value(name: str, kind: Kind, engine: str) -> str:
    """A column as COPY's text format has it."""
    column = f'"{name}"'
    text = f"cast({column} as varchar)"
    if kind == "text[]" and engine == "duckdb":
        # A list as Postgres writes arrays; the join passes over nothing, so null is a word.
        text = (
            f"case when {column} is not null then '{{' || array_to_string("
            "[case when one is null then 'NULL' else '\"' || "
            "replace(replace(one, '\\', '\\\\'), '\"', '\\\"') || '\"' end "
            f"for one in {column}], ',') || '}}' end"
        )
    if kind in ("text", "json", "text[]"):
        for sign, escape in (("'\\'", "\\\\"), ("chr(9)", "\\t"),
                             ("chr(10)", "\\n"), ("chr(13)", "\\r")):  # fmt: skip
            text = f"replace({text}, {sign}, '{escape}')"
    return f"coalesce({text}, '\\N')"
