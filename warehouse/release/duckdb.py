"""Releases on DuckDB: each is a file of its own, ``current.duckdb`` a link to one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError
from repositories.connection import rollback_hint
from repositories.release_files import (
    MANIFEST,
    UnreadableError,
    can_be_read,
    current_release,
    explain,
    open_file,
    release_files,
    release_paths,
)
from warehouse.release.model import (
    DOCUMENT_COLUMNS,
    LEDGER,
    PUBLIC_SCHEMAS,
    Passed,
    ReleaseSummary,
    TableDocument,
    TestOutcome,
    Unreleased,
    unknown_release,
)
from warehouse.release.runs import COLUMN_TYPES, NAMES, Journal, Run, of_release, row

if TYPE_CHECKING:
    import duckdb

#: ioctl that lets two files share their blocks (btrfs, xfs, bcachefs).
FICLONE = 0x40049409
KEPT_SCHEMAS = (*PUBLIC_SCHEMAS, "intermediate")
#: What readers look up (schema, table, column): a scan of a million posts' rows takes longer than
#: the answer may.
LOOKED_UP = (
    ("marts", "post_metric_history", "post_id"),
    ("marts", "post_age_metrics", "post_id"),
    ("marts", "post_performance", "post_id"),
    ("marts", "experiment_results", "experiment_id"),
)
LOAD_COLUMNS = "load_id, source, resource, account, landed_at, read, accepted, rejected"


class DuckStore:
    """Release files under ``home/releases`` made from the build file ``warehouse``.

    ``engine`` is what built that file.
    """

    def __init__(self, home: Path, warehouse: Path, keep: int, engine: str = "duckdb") -> None:
        self.engine = engine
        self.home = home
        self.warehouse = warehouse
        self.folder = home / "releases"
        self.keep = keep
        self._journal = Journal(home / "runs.jsonl")

    def current(self) -> ReleaseSummary | None:
        number = current_release(self.home)
        if number is None:
            return None
        try:
            return replace(self._summary(number), current=True)
        except UnreadableError:
            return None

    def releases(self) -> list[ReleaseSummary]:
        return list(self._newest_first())

    def _newest_first(self) -> Iterator[ReleaseSummary]:
        """Kept releases that can be read; each is opened when it is asked for."""
        now = current_release(self.home)
        for number in reversed(release_files(self.home)):
            with contextlib.suppress(UnreadableError):
                yield replace(self._summary(number), current=number == now)

    def damaged(self) -> list[str]:
        link, now = self.home / "current.duckdb", current_release(self.home)
        paths = release_paths(self.home)
        found = []
        for number, path in reversed(paths.items()):
            try:
                self._summary(number)
            except UnreadableError as error:
                current = ", and it is the current one" if number == now else ""
                found.append(f"Release {number} cannot be read{current}: {path} {error.what}.")
        if now is not None and now not in paths:
            found.append(f"{link} points to release {now}, which is missing.")
        elif now is None and (link.exists() or link.is_symlink() or paths):
            found.append(f"{link} does not point to a release.")
        if found:
            fine = "Readers are not concerned: remove what cannot be read, or leave it."
            found.append(fine if self.current() else rollback_hint(self.home))
        return found

    def loads(self, release: int) -> set[str]:
        with self._reading_release(release) as connection:
            return {
                row[0] for row in connection.execute("select load_id from meta.loads").fetchall()
            }

    def unreleased(self) -> Unreleased | None:
        if not self.warehouse.is_file():
            return None
        with _reading(self.warehouse) as connection:
            if not _has(connection, "meta", "passed"):
                return None
            row = connection.execute(
                "select p.fingerprint, b.as_of from meta.passed as p "
                "join meta.builds as b using (build) "
                "where p.build = (select max(build) from meta.builds)"
            ).fetchone()
            if row is None:
                return None
            loads = connection.execute("select load_id from meta.loads").fetchall()
            tests = connection.execute("select name, model, status, failures from meta.tests")
            outcomes = [TestOutcome(*one) for one in tests.fetchall()]
            (sums,) = connection.execute(LEDGER.format(schema="marts")).fetchall()
        return Unreleased(row[0], row[1], {one[0] for one in loads}, outcomes, *sums)

    def record_passed(self, passed: Passed) -> None:
        with _writing(self.warehouse) as connection:
            connection.execute("begin")
            connection.execute(
                "create or replace table meta.passed as select max(build) as build, "
                "?::varchar as fingerprint, ?::varchar as git_revision, "
                "?::varchar as dbt_version, ?::varchar as invocation_id from meta.builds",
                [
                    passed.fingerprint,
                    passed.git_revision,
                    passed.dbt_version,
                    passed.invocation_id,
                ],
            )
            # Models that were not run, as nothing of theirs moved, are as they were, too.
            connection.execute(
                "update meta.consumed set build = (select max(build) from meta.builds)"
            )
            _write_tests(connection, passed.tests)
            _write_descriptions(connection, passed.descriptions)
            _write_documents(connection, passed.tables)
            connection.execute("commit")
            connection.execute("checkpoint")

    def forget_passed(self) -> None:
        if not self.warehouse.is_file():
            return
        with _writing(self.warehouse) as connection:
            if _has(connection, "meta", "passed"):
                connection.execute("delete from meta.passed")

    def prepare(self) -> None:
        link = self.home / "current.duckdb"
        if link.is_dir() and not link.is_symlink():
            raise AceError(
                f"{link} is a folder, and the link to the current release belongs there.",
                "Move it away and run 'ace build' again.",
            )
        place = self.home
        try:
            for place in (self.home, self.folder):
                place.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=place):
                    pass
        except OSError as error:
            raise AceError(
                f"Releases cannot be written to {place}: {error.strerror}.",
                "Make it a folder that you may write to, or set ACE_HOME to another.",
            ) from None

    def share(self) -> None:
        """Files have the rights of their folder."""

    def publish(self) -> ReleaseSummary:
        self.prepare()
        last = next(self._newest_first(), None)
        with _reading(self.warehouse) as connection:
            built = connection.execute("select invocation_id from meta.passed").fetchone()
        if last and built and last.invocation_id == built[0]:
            # Stopped between writing the file and pointing to it, or rolled back since.
            return self.rollback(last.release)
        _sweep(self.folder)
        # Also what is damaged has its number: no two releases ever have the same.
        number = 1 + max([*release_paths(self.home), current_release(self.home) or 0])
        temporary = self.folder / f".tmp-{number}-{os.getpid()}.duckdb"
        try:
            _copy(self.warehouse, temporary)
            runs = of_release(self.runs(), number)
            _finish(temporary, self.warehouse.stem, number, runs, self.engine)
            os.rename(temporary, self._file(number))
        except OSError as error:
            raise AceError(
                f"Release {number} could not be written to {self.folder}: {error.strerror}.",
                "The previous release stays current; free some space and run 'ace build' again.",
            ) from None
        finally:
            temporary.unlink(missing_ok=True)
            temporary.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        _sync(self.folder)
        self._point_to(number)
        self._drop_old()
        return replace(self._summary(number), current=True)

    def runs(self) -> list[Run]:
        known = self._journal.read()
        if known is not None:
            return known
        # It is no loss where the file went: the last release took it along.
        last = next(self._newest_first(), None)
        if last is None:
            return []
        with self._reading_release(last.release) as connection:
            if not _has(connection, "meta", "runs"):
                return []
            found = connection.execute(f"select {', '.join(NAMES)} from meta.runs order by 2, 1")
            return [Run(*values) for values in found.fetchall()]

    def keep_runs(self, runs: list[Run]) -> None:
        self._journal.write(runs)

    def rollback(self, release: int) -> ReleaseSummary:
        if release not in release_paths(self.home):
            raise unknown_release(release, self.releases())
        try:
            summary = self._summary(release)
        except UnreadableError as error:
            raise UnreadableError.of(
                error.path, error.what, "'ace releases' lists what can be read instead."
            ) from None
        self._point_to(release)
        return replace(summary, current=True)

    def only_current(self) -> list[int]:
        current = current_release(self.home)
        gone = [number for number in release_paths(self.home) if number != current]
        try:
            for number in gone:
                self._file(number).unlink(missing_ok=True)
        except OSError as error:
            raise AceError(
                f"Release {number} cannot be deleted: {error.strerror}.",
                f"Delete {self._file(number)} yourself, and run it again.",
            ) from None
        _sweep(self.folder)
        return gone

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.duckdb"

    @contextlib.contextmanager
    def _reading_release(self, number: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """A release's file; UnreadableError when it cannot be read, wherever it is damaged."""
        import duckdb

        path = self._file(number)
        with contextlib.closing(open_file(path, number)) as connection:
            try:
                yield connection
            except duckdb.Error as error:
                raise UnreadableError.of(path, explain(path, error)) from None

    def _summary(self, number: int) -> ReleaseSummary:
        with self._reading_release(number) as connection:
            row = connection.execute(f"select {MANIFEST} from meta.release").fetchone()
        assert row is not None
        return ReleaseSummary(*row)

    def _point_to(self, number: int) -> None:
        link = self.home / "current.duckdb"
        temporary = self.home / f".tmp-current-{os.getpid()}"
        try:
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(Path("releases") / f"{number}.duckdb")
            os.replace(temporary, link)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise AceError(
                f"{link} cannot be pointed to release {number}: {error.strerror}.",
                f"Mend that; 'ace releases rollback {number}' tries it again.",
            ) from None
        _sync(self.home)

    def _drop_old(self) -> None:
        """Called when the newest release is the current one, which is always kept.

        Releases that cannot be read do not count: there must be some to go back to.
        """
        files = release_files(self.home)
        readable = (number for number in reversed(files) if can_be_read(files[number], number))
        oldest = min(islice(readable, self.keep), default=0)
        for number, path in files.items():
            if number < oldest:
                # Readers that have it open keep it until they close it.
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


def become_release_file(build: Path, target: Path) -> None:
    """Turn a build file into a release file without a number, and move it to ``target``.

    Its ``meta.loads`` names only the loads of which a row was known by its as-of time.
    Replaces ``target`` in one step. The build must have been recorded as passed.
    """
    _finish(build, build.stem, None, [], "duckdb")
    os.replace(build, target)
    _sync(target.parent)


def is_unnumbered_release(path: Path) -> bool:
    """Whether a file is what ``become_release_file`` makes."""
    try:
        with _reading(path) as connection:
            found = connection.execute("select release from meta.release").fetchall()
    except Exception:  # no DuckDB file, or one of somebody else
        return False
    return found == [(None,)]


def _finish(path: Path, built_as: str, number: int | None, runs: list[Run], engine: str) -> None:
    _strip(path, built_as, number, runs, engine)
    _verify(path)
    path.chmod(0o444)
    _sync(path)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build file, or one in the making."""
    try:
        connection = open_file(path)
    except UnreadableError as error:
        raise _cannot_open(error) from None
    with contextlib.closing(connection):
        yield connection


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    try:
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise _cannot_open(UnreadableError.of(path, explain(path, error))) from None
    try:
        yield connection
    finally:
        connection.close()


def _cannot_open(error: UnreadableError) -> AceError:
    if "is held open" in error.what:
        hint = "Close it there and try again; readers should open current.duckdb instead."
    else:
        hint = "If it is damaged, move it away: 'ace build' makes it anew from landing."
    return UnreadableError.of(error.path, error.what, hint)


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?", [schema, table]
    )
    return found.fetchone() is not None


def _index(connection: duckdb.DuckDBPyConnection) -> None:
    for schema, table, column in LOOKED_UP:
        if _has(connection, schema, table):
            name = f"{table}_by_{column}"
            connection.execute(f'create index "{name}" on "{schema}"."{table}" ("{column}")')


def _write_tests(connection: duckdb.DuckDBPyConnection, tests: list[TestOutcome]) -> None:
    connection.execute(
        "create or replace table meta.tests "
        "(name varchar, model varchar, status varchar, failures bigint)"
    )
    if tests:
        rows = [[test.name, test.model, test.status, test.failures] for test in tests]
        connection.executemany("insert into meta.tests values (?, ?, ?, ?)", rows)


def _write_descriptions(
    connection: duckdb.DuckDBPyConnection, descriptions: dict[tuple[str, str, str], str]
) -> None:
    rows = [
        {"schema": schema, "table": table, "column": column, "description": text}
        for (schema, table, column), text in descriptions.items()
    ]
    connection.execute(
        'create or replace table meta.descriptions as select d."schema", d."table", d."column", '
        'd.description from (select unnest(from_json(?, \'[{"schema": "VARCHAR", '
        '"table": "VARCHAR", "column": "VARCHAR", "description": "VARCHAR"}]\')) as d)',
        [json.dumps(rows)],
    )


def _write_documents(
    connection: duckdb.DuckDBPyConnection, documents: Iterable[TableDocument]
) -> None:
    connection.execute(f"create or replace table meta.documents ({DOCUMENT_COLUMNS})")
    if rows := [list(astuple(one)) for one in documents]:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into meta.documents values ({marks})", rows)


def _write_runs(connection: duckdb.DuckDBPyConnection, runs: list[Run]) -> None:
    connection.execute(f"create table meta.runs ({COLUMN_TYPES})")
    if runs:
        marks = ", ".join("?" for _ in NAMES)
        connection.executemany(
            f"insert into meta.runs values ({marks})", [row(one) for one in runs]
        )


def _copy(source: Path, target: Path) -> None:
    """Share the blocks of the file where the file system can, else copy them."""
    if source.with_suffix(".duckdb.wal").exists():
        with _writing(source) as connection:
            connection.execute("checkpoint")
    with source.open("rb") as reading, target.open("wb") as writing:
        try:
            fcntl.ioctl(writing.fileno(), FICLONE, reading.fileno())
        except OSError:
            # By the system, a third of the processor time of reading and writing it here.
            shutil.copyfile(source, target)


def _strip(path: Path, built_as: str, number: int | None, runs: list[Run], engine: str) -> None:
    """Turn a copy of the build file into a release: public schemas and its own manifest."""
    with _writing(path) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("begin")
        _free_views(connection, built_as)
        schemas = connection.execute(
            "select schema_name from duckdb_schemas() where database_name = current_database() "
            "and not internal"
        ).fetchall()
        for (schema,) in schemas:
            if schema not in (*KEPT_SCHEMAS, "meta", "main"):
                connection.execute(f'drop schema "{schema}" cascade')
        for schema, table in _tables(connection, like="%__dbt_%"):
            connection.execute(f'drop table if exists "{schema}"."{table}"')
        _index(connection)
        _write_runs(connection, runs)
        _write_manifest(connection, number, engine)
        connection.execute("commit")
        connection.execute("checkpoint")


def _free_views(connection: duckdb.DuckDBPyConnection, built_as: str) -> None:
    """Make every view a release has independent of what it has not.

    Views that name the build file's catalog are written anew without it; views that read
    landing or build bookkeeping become tables. Private views that no public one reads go.
    """
    views = {
        (schema, view): sql
        for schema, view, sql in connection.execute(
            "select schema_name, view_name, sql from duckdb_views() "
            "where not internal and schema_name in ('" + "', '".join(KEPT_SCHEMAS) + "')"
        ).fetchall()
    }
    outside = re.compile(r'"?\b(?:staging|raw|meta)"?\.')
    tables = {name for name, sql in views.items() if outside.search(sql)}
    needed = _needed({name: "" if name in tables else sql for name, sql in views.items()})
    for schema, view in tables & needed:
        _make_table(connection, schema, view)
    for schema, view in views.keys() - needed:
        connection.execute(f'drop view "{schema}"."{view}"')
    for name in needed - tables:
        freed = re.sub(rf'(?<![\w"])"?{re.escape(built_as)}"?\.(?="?\w+"?\.)', "", views[name])
        if freed != views[name]:
            connection.execute(freed.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))


def _needed(views: dict[tuple[str, str], str]) -> set[tuple[str, str]]:
    """Public views, and the private ones that they read, one through another."""
    needed: set[tuple[str, str]] = set()
    found = {name for name in views if name[0] in PUBLIC_SCHEMAS}
    while found:
        needed |= found
        named = {pair for one in found for pair in re.findall(r'(\w+)"?(?=\."?(\w+))', views[one])}
        found = (named & views.keys()) - needed
    return needed


def _make_table(connection: duckdb.DuckDBPyConnection, schema: str, view: str) -> None:
    """Keep a view's rows in its place; those of a product lie together, as they are read."""
    name = f'"{schema}"."{view}"'
    columns = [row[0] for row in connection.execute(f"describe {name}").fetchall()]
    order = "order by product_id" if "product_id" in columns else ""
    connection.execute(f'create table "{schema}"."{view}__kept" as from {name} {order}')
    connection.execute(f"drop view {name}")
    connection.execute(f'alter table "{schema}"."{view}__kept" rename to "{view}"')


def _tables(connection: duckdb.DuckDBPyConnection, like: str = "%") -> list[tuple[str, str]]:
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() where table_name like ? "
        "union all select schema_name, view_name from duckdb_views() "
        "where not internal and view_name like ? order by 1, 2",
        [like, like],
    ).fetchall()


def _write_manifest(connection: duckdb.DuckDBPyConnection, number: int | None, engine: str) -> None:
    connection.execute(
        "create table meta.release as select cast(? as bigint) as release, "
        "cast(? as timestamptz) as released_at, b.as_of, p.git_revision, p.dbt_version, "
        "cast(? as varchar) as engine, p.fingerprint as project_fingerprint, p.invocation_id "
        "from meta.passed as p join meta.builds as b using (build)",
        [number, datetime.now(UTC), engine],
    )
    visible = "and known_at_min <= (select as_of from meta.release) " if number is None else ""
    connection.execute(
        f"create table meta.kept_loads as select {LOAD_COLUMNS} from meta.loads "
        f"where resource <> '_heartbeat' {visible}order by load_id"
    )
    public = "', '".join(PUBLIC_SCHEMAS)
    connection.execute(
        'create table meta.columns as select c.schema_name as "schema", c.table_name as "table", '
        'c.column_name as "column", lower(c.data_type) as type, d.description, '
        "c.schema_name as table_schema, c.table_name, c.column_name "
        "from duckdb_columns() as c left join meta.descriptions as d "
        'on d."schema" = c.schema_name and d."table" = c.table_name '
        'and d."column" = c.column_name '
        f"where (c.schema_name in ('{public}') or c.schema_name || '.' || c.table_name = "
        "'meta.runs') and not c.internal "
        "order by c.schema_name, c.table_name, c.column_index"
    )
    connection.execute('create table meta.row_counts ("schema" text, "table" text, rows bigint)')
    for schema, table in _tables(connection):
        if schema in PUBLIC_SCHEMAS:
            connection.execute(
                f'insert into meta.row_counts select ?, ?, count(*) from "{schema}"."{table}"',
                [schema, table],
            )
    connection.execute("insert into meta.row_counts select 'meta', 'runs', count(*) from meta.runs")
    # A build that passed before builds said this of tables has none.
    connection.execute(f"create table if not exists meta.documents ({DOCUMENT_COLUMNS})")
    connection.execute("alter table meta.documents rename to tables")
    kept = {"release", "kept_loads", "columns", "tables", "row_counts", "runs", "tests"}
    for schema, table in _tables(connection):
        if schema == "meta" and table not in kept:
            connection.execute(f'drop table meta."{table}"')
    connection.execute("alter table meta.kept_loads rename to loads")


def _verify(path: Path) -> None:
    """Read every view of the finished file once, under its own name."""
    import duckdb

    with _reading(path) as connection:
        views = connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        for schema, table in views:
            try:
                connection.execute(f'select * from "{schema}"."{table}" limit 0')
            except duckdb.Error as error:
                raise AceError(
                    f"{schema}.{table} cannot be read in the release: {str(error).splitlines()[0]}",
                    "It must not depend on anything outside the release.",
                ) from None


def _sweep(folder: Path) -> None:
    """Remove what killed builds left; what cannot be removed is in nobody's way."""
    for left in folder.glob(".tmp-*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
