"""A build on Spark, from its session to the DuckDB file that its release is made from.

Readers never wait for a session: what was built is copied into a file, table by table, and that
file is released as any other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError
from loaders.schema import RESOURCES
from warehouse.build.as_of import parse_time
from warehouse.build.dbt_run import DbtOutcome
from warehouse.release.model import PUBLIC_SCHEMAS
from warehouse.release.stores import spark_home
from warehouse.settings import Settings
from warehouse.spark.opening import open_build
from warehouse.spark.session import first_line, spark_session

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from loaders.landing import Landing

#: Databases of the catalogue that a build makes anew, behind their prefix.
DATABASES = (*PUBLIC_SCHEMAS, "intermediate", "staging", "meta", "scratch")


@dataclass
class SparkBuild:
    """One build: its tables are gone when it is over."""

    session: SparkSession
    #: The folder of its tables, one for each database and in it one for each table.
    tables: Path
    #: The DuckDB file that it becomes.
    file: Path

    @property
    def environment(self) -> dict[str, str]:
        """What the models are told."""
        return {"ACE_SPARK_TABLES": str(self.tables)}

    def keep(self, outcome: DbtOutcome) -> None:
        """Copy what was built into the file, in the types that contracts promise, or leave the
        file as it was. A table is read as it is written, however large it is."""
        import duckdb

        temporary = self.file.with_name(f".tmp-{os.getpid()}.duckdb")
        temporary.unlink(missing_ok=True)
        try:
            with contextlib.closing(duckdb.connect(str(temporary))) as connection:
                connection.execute("set TimeZone = 'UTC'")
                self._copy_public(connection, outcome)
                self._copy_versions(connection, outcome)
                self._copy_bookkeeping(connection, outcome.invocation_id)
            os.replace(temporary, self.file)
        finally:
            temporary.unlink(missing_ok=True)

    def _copy_public(self, connection: duckdb.DuckDBPyConnection, outcome: DbtOutcome) -> None:
        for one in outcome.tables:
            if one.schema in PUBLIC_SCHEMAS:
                types = _types(outcome, one.schema, one.table)
                self._copy(connection, one.schema, one.table, types)

    def _copy_versions(self, connection: duckdb.DuckDBPyConnection, outcome: DbtOutcome) -> None:
        """The versions of rows, which ``ace explain`` shows."""
        for table in RESOURCES:
            types = _types(outcome, "canonical", table) | {"_source_key": "uuid"}
            self._copy(connection, "intermediate", f"int_{table}", types)

    def _copy(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: str,
        table: str,
        types: dict[str, str],
    ) -> None:
        rows = self._rows(connection, schema, table)
        names = [row[0] for row in connection.execute(f"describe from {rows}").fetchall()]
        columns = ", ".join(
            f'cast("{name}" as {types[name]}) as "{name}"' if name in types else f'"{name}"'
            for name in names
        )
        connection.execute(f'create schema if not exists "{schema}"')
        connection.execute(f'create table "{schema}"."{table}" as select {columns} from {rows}')

    def _rows(self, connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> str:
        """SQL of the rows of a table, or of a view, which is written out for it."""
        name = f"build_{schema}.{table}"
        folder = self.tables / f"build_{schema}" / table
        if not _files(folder):
            folder = self.tables / "written_out" / schema / table
            self.session.table(name).write.parquet(str(folder))
        if _files(folder):
            return f"read_parquet('{_quoted(folder)}/**/*.parquet', hive_partitioning = false)"
        # Nothing is written of what has no rows.
        connection.register("no_rows", self.session.table(name).limit(0).toArrow())
        return "no_rows"

    def _copy_bookkeeping(self, connection: duckdb.DuckDBPyConnection, invocation_id: str) -> None:
        connection.execute("create schema meta")
        for name in ("loads", "heartbeats", "builds"):
            rows = self._rows(connection, "meta", name)
            connection.execute(f"create table meta.{name} as from {rows}")
        connection.execute("update meta.builds set invocation_id = ?", [invocation_id])
        # Which build a model has consumed: every build on Spark makes everything.
        connection.execute("create table meta.consumed (model varchar, build bigint)")


@contextlib.contextmanager
def spark_build(config: Settings, landing: Landing, as_of: str | None) -> Iterator[SparkBuild]:
    """A session that knows the landed rows, and a new place for tables.

    Raises AceError where Spark does not answer, or refuses what is asked of it besides models.
    """
    with spark_session(config) as session:
        from pyspark.errors import PySparkException

        home = spark_home(config).absolute()
        build = SparkBuild(session, home / "tables", home / "warehouse.duckdb")
        try:
            # Also what a killed build left.
            _clear(build)
            number = _last_build(build.file) + 1
            time = parse_time(as_of) if as_of else None
            build.tables.mkdir(parents=True)
            open_build(session, landing, build.tables, number, time)
            yield build
            _clear(build)
        except PySparkException as error:
            raise AceError(
                f"Spark refused it: {first_line(error)}.",
                "The tables of the build stay where they are until the next one.",
            ) from None


def _clear(build: SparkBuild) -> None:
    for database in DATABASES:
        build.session.sql(f"drop database if exists build_{database} cascade")
    shutil.rmtree(build.tables, ignore_errors=True)


def _last_build(file: Path) -> int:
    """The number of the build that the file holds; 0 where there is none that can be read."""
    import duckdb

    with (
        contextlib.suppress(duckdb.Error),
        contextlib.closing(duckdb.connect(str(file), read_only=True)) as connection,
    ):
        row = connection.execute("select max(build) from meta.builds").fetchone()
        return int(row[0] or 0) if row else 0
    return 0


def _types(outcome: DbtOutcome, schema: str, table: str) -> dict[str, str]:
    return {
        column: kind
        for (of_schema, of_table, column), kind in outcome.types.items()
        if (of_schema, of_table) == (schema, table)
    }


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("**/*.parquet"))


def _quoted(folder: Path) -> str:
    return str(folder).replace("'", "''")
