"""Read-only opening of a release: by number, by file, or the current one.

Read-only is enforced by the engine, not by looking at the text of a query: a DuckDB
file is opened read-only with external access off and its configuration locked; on
Postgres every statement is one extended-protocol statement in a read-only transaction.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from common.errors import AceError, UsageError
from repositories.release_files import (
    UnreadableError,
    can_be_read,
    current_release,
    explain,
    is_damage,
    open_file,
    release_files,
    release_paths,
)

Engine = Literal["duckdb", "postgres"]
Hint = Callable[[], str]
#: Rows that are held at a time when an answer is streamed.
BATCH = 2000
#: How long Ctrl-C may go unnoticed while a query runs.
POLL_SECONDS = 0.1
#: Type of Postgres' numeric.
NUMERIC = 1700
NO_RELEASE_HINT = "Make one: 'ace run' loads, builds and releases."


class NoReleaseError(AceError):
    """There is no release yet; the message says how to make one."""


@dataclass(frozen=True)
class Answer:
    """What a query gave: column names and rows of plain values (see :func:`plain`)."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Stream:
    """An answer that is read as it comes: memory for a batch, however many rows there are."""

    columns: list[str]
    batches: Iterator[list[tuple[Any, ...]]]

    def all(self) -> Answer:
        return Answer(self.columns, [row for batch in self.batches for row in batch])


class Reader(Protocol):
    """An open release. Close it, or use it as a context manager."""

    engine: Engine

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        """Run one read-only statement; ``?`` in it stands for a parameter."""
        ...

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        """The same in batches, to be read before the next statement; an error of a later
        row is raised when its batch is."""
        ...

    def tables(self) -> set[str]:
        """Names of all tables, as ``schema.table``."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Reader: ...

    def __exit__(self, *exc: object) -> None: ...


def plain(value: Any) -> Any:
    """A value as JSON takes it: decimals, uuids as text, times ISO 8601 with Z, NaN null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        at = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return at.isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + " s"
    return str(value)


def _parsed(text: Any) -> Any:
    """A JSON column's text as values; orjson reads what both engines write."""
    import orjson

    if not isinstance(text, str):
        return plain(text)
    try:
        return plain(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text


class DuckReader:
    """A DuckDB release file, opened so that nothing but reading it is possible."""

    engine: Engine = "duckdb"

    def __init__(
        self,
        path: Path,
        number: int | None = None,
        hint: Hint | None = None,
        memory: str | None = None,
    ) -> None:
        """Open a file, as release ``number`` if given; ``hint`` is the next step if it cannot.

        ``memory`` bounds what a query may use (``2GB``, ``25%`` of the machine); larger ones
        go on in a folder beside the file, where that can be written.
        """
        self.path = path
        self._memory = memory
        #: Python notices Ctrl-C only while no query runs in its own thread.
        self._thread = ThreadPoolExecutor(1, "query")
        self._hint = hint or (lambda: "Name a number that 'ace releases' lists, or another file.")
        try:
            self._connection = open_file(path, number)
        except UnreadableError as error:
            raise self._damaged(error.what) from None
        self._connection.execute("set TimeZone = 'UTC'")
        if memory:
            self._connection.execute(f"set memory_limit = '{memory}'")
        self._connection.execute("set lock_configuration = true")

    def _damaged(self, what: str) -> UnreadableError:
        return UnreadableError.of(self.path, what, self._hint())

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        return self.stream(sql, parameters).all()

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        if len(self._run(self._connection.extract_statements, sql)) > 1:
            raise UsageError("Only one statement at a time can be run.", "Leave out the others.")
        cursor = self._run(self._connection.execute, sql, list(parameters))
        if cursor.description is None:
            return Stream([], iter(()))
        columns = [column[0] for column in cursor.description]
        readers = [_parsed if str(column[1]) == "JSON" else plain for column in cursor.description]

        def batches() -> Iterator[list[tuple[Any, ...]]]:
            while rows := self._run(cursor.fetchmany, BATCH):
                yield _converted(rows, readers)

        return Stream(columns, batches())

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

        if isinstance(error, duckdb.OutOfMemoryException):
            return AceError(
                f"The query needs more memory than ACE_READ_MEMORY_LIMIT allows ({self._memory}).",
                "Select fewer rows or columns, or raise the limit.",
            )
        if is_damage(error):
            return self._damaged(explain(self.path, error))
        return _duck_error(error, self.tables)

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


class PostgresReader:
    """A Postgres warehouse in a session that can only read, pinned or at the current release."""

    engine: Engine = "postgres"

    def __init__(self, url: str, release: int | None = None) -> None:
        import psycopg

        from common.pgconnect import connect
        from common.pgsession import READER, prepare

        self._connection = connect(url, "ACE_POSTGRES_URL")
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        prepare(self._connection, READER)
        if release is not None:
            self._connection.execute("select set_config('ace.release', %s, false)", (str(release),))
        self._connection.commit()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Answer:
        return self.stream(sql, parameters).all()

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Stream:
        text = sql.rstrip().rstrip(";")
        if parameters:
            text = text.replace("%", "%%").replace("?", "%s")
        given = tuple(parameters) or None
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
            _whole if column.type_code == NUMERIC and not column.scale else plain
            for column in cursor.description
        ]

        def batches() -> Iterator[list[tuple[Any, ...]]]:
            waiting = [] if first is None else [first]
            with self._errors():
                for row in rows:
                    waiting.append(row)
                    if len(waiting) >= BATCH:
                        yield _converted(waiting, readers)
                        waiting = []
            if waiting:
                yield _converted(waiting, readers)

        return Stream(columns, batches())

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            self._connection.rollback()
            raise _postgres_error(error, self.tables) from None

    def tables(self) -> set[str]:
        cursor = self._connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema in ('canonical', 'marts', 'quarantine', 'meta', 'reference')"
        )
        return {row[0] for row in cursor.fetchall()}

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> PostgresReader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _whole(value: Any) -> Any:
    """``sum()`` of integers is numeric on Postgres, but a whole number still."""
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return plain(value)


def _converted(
    rows: list[tuple[Any, ...]], readers: Sequence[Callable[[Any], Any]]
) -> list[tuple[Any, ...]]:
    return [tuple(read(value) for read, value in zip(readers, row, strict=True)) for row in rows]


def open_release(
    home: Path,
    release: str | int | Path | None = None,
    *,
    target: str = "duckdb",
    postgres_url: str | None = None,
    memory: str | None = None,
) -> Reader:
    """Open a release read-only.

    ``release`` is a number, a DuckDB file, or None for the current one. A file needs
    neither a current release nor a server; ``memory`` bounds a query on one. Raises
    AceError when there is none (with the next step) and UsageError for something that is
    neither.
    """
    number = _number(release)
    if release is not None and number is None:
        path = Path(release)  # type: ignore[arg-type]
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UsageError(
                f"Release '{release}' is no number, and as a file it {what}.",
                "'ace releases' lists what is kept.",
            )
        return DuckReader(path, memory=memory)
    if target == "postgres":
        return _open_postgres(postgres_url, number)
    if target != "duckdb":
        raise UsageError(
            f"Target {target} has no releases yet.",
            "Use --target duckdb (the default) or postgres.",
        )
    return _open_duckdb(home, number, memory)


def _number(release: str | int | Path | None) -> int | None:
    if isinstance(release, int):
        return release
    is_number = isinstance(release, str) and release.isascii() and release.isdecimal()
    return int(str(release)) if is_number else None


def _open_duckdb(home: Path, number: int | None, memory: str | None) -> DuckReader:
    if number is not None:
        path = home / "releases" / f"{number}.duckdb"
        if number not in release_paths(home):
            raise _unknown_release(number, list(release_files(home)))
        is_current = number == current_release(home)
        hint = (lambda: rollback_hint(home)) if is_current else None
        return DuckReader(path, number, hint, memory)
    for last in (False, False, True):
        # Open the file itself, not the link: a release stays the same while it is read.
        current = current_release(home)
        if current is None:
            break
        path = home / "releases" / f"{current}.duckdb"
        try:
            return DuckReader(path, current, lambda: rollback_hint(home), memory)
        except UnreadableError:
            # A build may have moved on meanwhile, and deleted it.
            if last:
                raise
    if release_files(home):
        raise AceError(
            f"{home / 'current.duckdb'} does not point to a release.", rollback_hint(home)
        )
    raise NoReleaseError(f"There is no release in {home} yet.", NO_RELEASE_HINT)


def rollback_hint(home: Path) -> str:
    """The way out when the current release cannot be read: the newest one that can."""
    for number, path in reversed(release_files(home).items()):
        if number != current_release(home) and can_be_read(path, number):
            return (
                f"'ace releases rollback {number}' makes release {number} current, "
                "'ace build' makes a new one."
            )
    return "'ace build' makes a new one."


def _unknown_release(number: int, kept: list[int]) -> AceError:
    known = ", ".join(str(one) for one in kept) or "none"
    return UsageError(
        f"Release {number} is not kept (kept: {known}).",
        "'ace releases' lists them." if kept else NO_RELEASE_HINT,
    )


def _open_postgres(url: str | None, number: int | None) -> PostgresReader:
    if not url:
        raise UsageError(
            "The target is postgres, but ACE_POSTGRES_URL is not set.",
            "Set it to the warehouse's address, for example postgresql:///ace.",
        )
    reader = PostgresReader(url, number)
    try:
        kept = _kept_in_postgres(reader)
        if not kept:
            raise NoReleaseError(
                "There is no release in the Postgres warehouse yet.", NO_RELEASE_HINT
            )
        if number is not None and number not in kept:
            raise _unknown_release(number, list(kept))
        if number is None and not any(kept.values()):
            raise AceError(
                "No release in the Postgres warehouse is the current one.",
                f"'ace releases rollback {max(kept)}' makes release {max(kept)} current, "
                "'ace build' makes a new one.",
            )
        _check_manifest(reader)
    except AceError:
        reader.close()
        raise
    return reader


def _check_manifest(reader: PostgresReader) -> None:
    try:
        found = reader.query("select release from meta.release").rows
    except UsageError:
        found = []
    if not found:
        raise AceError(
            "The releases in the Postgres warehouse are damaged: meta.release is missing.",
            "'ace build' makes a new one.",
        )


def _kept_in_postgres(reader: PostgresReader) -> dict[int, bool]:
    """Kept releases and whether each is the current one; empty before the first."""
    before = (
        "select release, release in (select release from release.current) as current "
        "from release.releases where kept"
    )
    for query in ("select release, current from meta.releases", before):
        # The view came later than the first releases.
        with contextlib.suppress(UsageError):
            return dict(sorted(reader.query(query).rows))
    return {}


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0].rstrip(".") + "."


def _sentence(text: str) -> str:
    """The first line of an engine's message without its kind, ending in a full stop."""
    text = re.sub(r"\s*Arguments: \(\)\s*$", "", text.strip())
    line = _first_line(re.sub(r"^[A-Z][\w ]*(Error|Exception): ", "", text))
    return line[:1].upper() + line[1:].replace("!.", ".")


def _near(name: str, tables: Callable[[], set[str]]) -> str:
    known = sorted(tables())
    wanted = name.strip('"').lower()
    short = {full: full.partition(".")[2] for full in known}
    exact = [full for full, table in short.items() if wanted in (table, full)]
    last = wanted.rpartition(".")[2]
    close = difflib.get_close_matches(wanted, known, 3, 0.75)
    close += [
        full
        for full, table in short.items()
        if table in difflib.get_close_matches(last, list(short.values()), 3, 0.7)
    ]
    names = list(dict.fromkeys(exact + close))[:3]
    if names:
        return f"Did you mean {' or '.join(names)}?"
    return 'List them: ace sql "select * from meta.row_counts".'


def _syntax(near: str | None, line: str | None) -> AceError:
    where = f" near '{near}'" if near else " at its end"
    return UsageError(
        f"The SQL is not valid{where}{f', line {line}' if line else ''}.",
        "Mend it there, and put the whole statement in one pair of quotes.",
    )


def _changing() -> AceError:
    return UsageError("A release can only be read; this statement would change it.", "Use SELECT.")


def _duck_error(error: Exception, tables: Callable[[], set[str]]) -> AceError:
    import duckdb

    text = str(error)
    missing = re.search(r"(?:Table|View) with name \"?([^\s\"!]+)\"? does not exist", text)
    if missing:
        # The message has only the last part; the statement it quotes has the whole name.
        full = re.search(rf"([\w\"]+\.)?\"?{re.escape(missing[1])}\"?", text.partition("LINE")[2])
        name = (full[0] if full else missing[1]).replace('"', "")
        return UsageError(f"There is no table {name} in this release.", _near(name, tables))
    if isinstance(error, duckdb.ParserException):
        near = re.search(r'at or near "(.*?)"(?:\n|$)', text, re.S)
        line = re.search(r"LINE (\d+):", text)
        if near or "syntax error" in text:
            return _syntax(near[1] if near else None, line[1] if line else None)
        return UsageError(f"The SQL is not valid: {_sentence(text)}", "Mend it.")
    if "Values were not provided" in text:
        return UsageError("The SQL has a parameter (? or $1) without a value.", "Write the value.")
    if "configuration has been locked" in text:
        return UsageError(
            "The settings of a release's reader are fixed.", "Leave them as they are."
        )
    if "Can only" in text and "base table" in text:
        return _changing()
    column = re.search(r'Referenced column "(.*?)" (?:was )?not found', text)
    if column:
        known = re.search(r"Candidate bindings: (.*)", text)
        names = re.findall(r'"(.*?)"', known[1]) if known else []
        near_names = f"Near names: {', '.join(names[:5])}." if names else ""
        return UsageError(f"There is no column {column[1]} in the tables it names.", near_names)
    if "read-only mode" in text:
        return _changing()
    if isinstance(error, duckdb.PermissionException):
        return UsageError(
            "A query on a release can read neither files nor other databases.",
            "Land them with 'ace load' instead.",
        )
    return AceError(f"The query failed: {_sentence(text)}", exit_code=1)


def _postgres_error(error: Any, tables: Callable[[], set[str]]) -> AceError:
    from psycopg import errors

    diagnostic = error.diag
    text = _first_line(diagnostic.message_primary or str(error))
    if isinstance(error, errors.UndefinedTable):
        named = re.search(r'"(.*?)"', text)
        name = named[1] if named else "it names"
        return UsageError(f"There is no table {name} in this release.", _near(name, tables))
    if isinstance(error, errors.SyntaxError) and "multiple commands" not in text:
        near = re.search(r'at or near "(.*?)"', text)
        return _syntax(near[1] if near else None, None)
    if isinstance(error, errors.UndefinedColumn):
        return UsageError(f"The SQL names something that is not there: {text}", "")
    if isinstance(error, errors.InsufficientPrivilege):
        return AceError(
            f"This user of Postgres may not read that: {text}",
            "Who builds the warehouse can name it in ACE_READERS.",
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return _changing()
    if "multiple commands" in text:
        return UsageError("Only one statement at a time can be run.", "Leave out the others.")
    return AceError(f"The query failed: {text[:1].upper()}{text[1:]}")
