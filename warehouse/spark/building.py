"""A build on Spark, from its session to the DuckDB file that its release is made from.

Readers never wait for a session: what was built is copied into a file, table by table, and that
file is released as any other. It also says where the tables are that the next build begins from.
"""

from __future__ import annotations

import contextlib
import os
import secrets
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
from warehouse.spark.opening import Pinned, open_build
from warehouse.spark.session import first_line, spark_session
from warehouse.spark.versions import (
    Held,
    Version,
    found_tables,
    held,
    read_parquet,
    sweep,
    write_pointer,
)

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from loaders.landing import Landing
    from warehouse.build.stale import Increment

#: What a build makes, behind its prefix, and what it needs while it runs.
MADE = (*PUBLIC_SCHEMAS, "intermediate", "staging")
DATABASES = (*MADE, "meta", "scratch")


@dataclass
class SparkBuild:
    """One build, whose tables become those of the warehouse when it is kept."""

    session: SparkSession
    #: The folder of its tables, one for each database and in it one for each table.
    tables: Path
    #: The DuckDB file that it becomes.
    file: Path
    #: What it began from.
    before: Held

    @property
    def environment(self) -> dict[str, str]:
        """What the models are told."""
        return {"ACE_SPARK_TABLES": str(self.tables)}

    def keep(self, outcome: DbtOutcome) -> None:
        """Copy what was built into the file, in the types that contracts promise, or leave the
        file as it was. A table is read as it is written, however large it is; one that is the
        table of the build before is in the file already."""
        import duckdb

        temporary = self.file.with_name(f".tmp-{os.getpid()}.duckdb")
        temporary.unlink(missing_ok=True)
        versions = self._versions(outcome)
        try:
            if self.before.versions:
                shutil.copyfile(self.file, temporary)
            with contextlib.closing(duckdb.connect(str(temporary))) as connection:
                connection.execute("set TimeZone = 'UTC'")
                for schema, table, types in _copied(outcome):
                    if self._is_new(versions[schema, table], outcome):
                        self._copy(connection, versions[schema, table], types)
                self._copy_bookkeeping(connection, outcome.invocation_id)
                write_pointer(connection, versions.values())
            os.replace(temporary, self.file)
        finally:
            temporary.unlink(missing_ok=True)
        sweep(self.tables.parent, versions.values())

    def _versions(self, outcome: DbtOutcome) -> dict[tuple[str, str], Version]:
        """Every table and view as it is now."""
        known = {(one.schema, one.name): one for one in self.before.versions}
        found = {name: one for name, one in known.items() if one.sql}
        for (schema, name), sql in outcome.views.items():
            found[schema, name] = Version(schema, name, sql=sql)
        for said in found_tables(self.session, [f"build_{schema}" for schema in MADE]):
            schema, name = said["Database"].removeprefix("build_"), said["Table"]
            if said["Type"] == "VIEW":
                continue
            if f"/{self.tables.name}/" in said["Location"]:
                types = dict(self.session.table(f"build_{schema}.{name}").dtypes)
                folder = f"{self.tables.name}/build_{schema}/{name}"
                # Sail writes nothing of what has no rows.
                (self.tables.parent / folder).mkdir(parents=True, exist_ok=True)
                found[schema, name] = Version(schema, name, folder, [*types], [*types.values()])
            else:
                found[schema, name] = known[schema, name]
        return found

    def _is_new(self, version: Version, outcome: DbtOutcome) -> bool:
        if not self.before.versions:
            return True
        if version.folder:
            return version.folder.startswith(f"{self.tables.name}/")
        return outcome.changed is None or f"{version.schema}.{version.name}" in outcome.changed

    def _copy(
        self, connection: duckdb.DuckDBPyConnection, version: Version, types: dict[str, str]
    ) -> None:
        rows = self._rows(connection, version.schema, version.name)
        names = [row[0] for row in connection.execute(f"describe from {rows}").fetchall()]
        columns = ", ".join(
            f'cast("{name}" as {types[name]}) as "{name}"' if name in types else f'"{name}"'
            for name in names
        )
        connection.execute(f'create schema if not exists "{version.schema}"')
        connection.execute(
            f'create or replace table "{version.schema}"."{version.name}" as '
            f"select {columns} from {rows}"
        )

    def _rows(self, connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> str:
        """SQL of the rows of a table, or of a view, which is written out for it."""
        name = f"build_{schema}.{table}"
        folder = self.tables / f"build_{schema}" / table
        if not _files(folder):
            folder = self.tables / "written_out" / schema / table
            self.session.table(name).write.parquet(str(folder))
        if _files(folder):
            return read_parquet(folder)
        # Nothing is written of what has no rows.
        connection.register("no_rows", self.session.table(name).limit(0).toArrow())
        return "no_rows"

    def _copy_bookkeeping(self, connection: duckdb.DuckDBPyConnection, invocation_id: str) -> None:
        connection.execute("create schema if not exists meta")
        for name in ("loads", "heartbeats", "builds"):
            rows = self._rows(connection, "meta", name)
            connection.execute(f"create or replace table meta.{name} as from {rows}")
        connection.execute(
            "update meta.builds set invocation_id = ? "
            "where build = (select max(build) from meta.builds)",
            [invocation_id],
        )
        # Which build a model has consumed: all of them the last one that was kept.
        connection.execute("create table if not exists meta.consumed (model varchar, build bigint)")


@contextlib.contextmanager
def spark_build(
    config: Settings,
    landing: Landing,
    as_of: str | None,
    *,
    anew: bool,
    increment: Increment | None,
) -> Iterator[SparkBuild]:
    """A session that knows the landed rows and, unless everything is built ``anew``, the tables
    of the build before; and a new place for tables.

    Raises AceError where Spark does not answer, or refuses what is asked of it besides models.
    """
    with spark_session(config) as session:
        from pyspark.errors import PySparkException

        home = spark_home(config).absolute()
        last = held(home)
        before = last.without_tables() if anew else last
        number = last.build + 1
        # No two builds write to one place, of which a server may remember what it held.
        folder = home / "tables" / f"{number}-{secrets.token_hex(4)}"
        build = SparkBuild(session, folder, home / "warehouse.duckdb", before)
        try:
            for database in DATABASES:
                session.sql(f"drop database if exists build_{database} cascade")
                session.sql(f"create database build_{database}")
            sweep(folder.parent, last.versions)
            folder.mkdir(parents=True)
            time = parse_time(as_of) if as_of else None
            open_build(session, landing, folder, before, Pinned.of(before, increment, time))
            yield build
            for database in DATABASES:
                session.sql(f"drop database if exists build_{database} cascade")
        except PySparkException as error:
            raise AceError(
                f"Spark refused it: {first_line(error)}.",
                "The tables of the build stay where they are until the next one.",
            ) from None


def _copied(outcome: DbtOutcome) -> Iterator[tuple[str, str, dict[str, str]]]:
    """What a file holds, with the types of columns: public tables and the versions of rows, which
    ``ace explain`` shows."""
    for one in outcome.tables:
        if one.schema in PUBLIC_SCHEMAS:
            yield one.schema, one.table, _types(outcome, one.schema, one.table)
    for table in RESOURCES:
        types = _types(outcome, "canonical", table) | {"_source_key": "uuid"}
        yield "intermediate", f"int_{table}", types


def _types(outcome: DbtOutcome, schema: str, table: str) -> dict[str, str]:
    return {
        column: kind
        for (of_schema, of_table, column), kind in outcome.types.items()
        if (of_schema, of_table) == (schema, table)
    }


def _files(folder: Path) -> list[Path]:
    return list(folder.glob("**/*.parquet"))
