"""Which folder is which table: what builds on Spark leave to each other.

Parquet files that were written never change. A build writes the tables that it makes in a folder of
its own, and when all is made the file that its release comes from says, in one table, where every
table is; of others the build before knows. Whoever is killed thus leaves what was there.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

#: Where the file of a build says it.
POINTER = "meta.spark_tables"


@dataclass(frozen=True)
class Version:
    """A table as it is: its columns with Spark's types, and the folder of its files, below that of
    all builds. A view has neither, but the statement that makes it in another session."""

    schema: str
    name: str
    folder: str | None = None
    columns: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    sql: str | None = None


@dataclass(frozen=True)
class Held:
    """What the last complete build left; nothing where there was none."""

    versions: tuple[Version, ...] = ()
    #: Ids of the loads it saw.
    loads: frozenset[str] = frozenset()
    #: Its and earlier builds: number, begin, as-of time and dbt's id.
    builds: tuple[tuple[int, datetime, datetime, str], ...] = ()
    #: The number of the last build that passed its tests; 0 where that is not known.
    passed: int = 0

    @property
    def build(self) -> int:
        return max((one[0] for one in self.builds), default=0)

    @property
    def relations(self) -> frozenset[str]:
        """Every table and view, ``schema.name`` as releases call the schema."""
        return frozenset(f"{one.schema}.{one.name}" for one in self.versions)

    def without_tables(self) -> Held:
        """What a build knows that makes everything anew."""
        return Held(builds=self.builds)


def held(spark_home: Path) -> Held:
    """What there is to begin an increment from. Where a folder is gone there are no tables."""
    import duckdb

    found = Held()
    file = spark_home / "warehouse.duckdb"
    with (
        contextlib.suppress(duckdb.Error),
        contextlib.closing(duckdb.connect(str(file), read_only=True)) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        query = "select build, started_at, as_of, invocation_id from meta.builds order by build"
        found = Held(builds=tuple(connection.execute(query).fetchall()))
        query = f"select schema, name, folder, columns, types, sql from {POINTER} order by place"
        versions = tuple(Version(*row) for row in connection.execute(query).fetchall())
        folders = [spark_home / "tables" / one.folder for one in versions if one.folder]
        if not all(folder.is_dir() for folder in folders):
            return found
        loads = connection.execute("select load_id from meta.loads").fetchall()
        found = replace(found, versions=versions, loads=frozenset(row[0] for row in loads))
        row = connection.execute("select coalesce(max(build), 0) from meta.passed").fetchone()
        found = replace(found, passed=row[0] if row else 0)
    return found


def write_pointer(connection: duckdb.DuckDBPyConnection, versions: Iterable[Version]) -> None:
    """Say in the file of a build where its tables are; views come after those that they read."""
    connection.execute(
        f"create or replace table {POINTER} "
        "(place bigint, schema varchar, name varchar, folder varchar, columns varchar[], "
        "types varchar[], sql varchar)"
    )
    rows = [
        [place, one.schema, one.name, one.folder, one.columns, one.types, one.sql]
        for place, one in enumerate(versions)
    ]
    if rows:
        connection.executemany(f"insert into {POINTER} values (?, ?, ?, ?, ?, ?, ?)", rows)


def finds_in_tables(spark_home: Path, query: str) -> bool:
    """Whether a query on tables of the last build (``build_schema.name``) finds a row."""
    import duckdb

    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for one in held(spark_home).versions:
            name = f"build_{one.schema}.{one.name}"
            if one.folder and name in query.split():
                connection.execute(f"create schema if not exists build_{one.schema}")
                rows = read_parquet(spark_home / "tables" / one.folder)
                connection.execute(f"create view {name} as from {rows}")
        return connection.execute(f"{query} limit 1").fetchone() is not None


def found_tables(session: SparkSession, databases: Iterable[str]) -> Iterator[dict[str, str]]:
    """What the catalogue says of every table and view: by its own words (Database, Table, Type,
    Location)."""
    for database in databases:
        for row in session.sql(f"show table extended in {database} like '*'").collect():
            if row["isTemporary"]:
                continue
            said = {"Database": database, "Table": row["tableName"]}
            for line in row["information"].splitlines():
                # The first of a name: the text of a view may hold such lines, too.
                name, _, value = line.partition(": ")
                said.setdefault(name, value)
            yield said


def sweep(tables: Path, versions: Collection[Version]) -> None:
    """Remove what no table is in any more: what the build before made anew, and what killed
    builds left."""
    kept = {one.folder for one in versions if one.folder}
    for build in tables.glob("*"):
        folders = list(build.glob("*/*"))
        for folder in folders:
            if str(folder.relative_to(tables)) not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        if not any(str(folder.relative_to(tables)) in kept for folder in folders):
            shutil.rmtree(build, ignore_errors=True)


def read_parquet(folder: Path) -> str:
    """DuckDB's SQL of the rows of a table."""
    quoted = str(folder).replace("'", "''")
    return f"read_parquet('{quoted}/**/*.parquet', hive_partitioning = false)"
