"""Builds with dbt in this process, and what came out of them in comparable form."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from loaders.landing import Landing
from loaders.schema import SOURCE_KEY
from tests.support.parsed import arguments, parsed_project
from warehouse.build.consumed import consumed, finds
from warehouse.build.dbt_run import _close_connections, _environment, select_nodes, uncollected
from warehouse.build.live import _newest
from warehouse.build.stale import Increment, plan, since
from warehouse.release.model import Passed
from warehouse.release.stores import open_store
from warehouse.settings import Settings

#: What must be the same however the builds came about, and the columns that are
#: bookkeeping of builds or of landing rather than results.
INT_COLUMNS = ("_verdict", "_effective_at", "_first_known_at", "_valid_from", "_reasons", "_fields")

KEYS = SOURCE_KEY

#: Engines on which this process has built everything: the project's contracts hold there.
_held: set[str] = set()


def empty_database(url: str) -> None:
    """Drop everything built in a Postgres database: quicker than a new one."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "select nspname from pg_namespace where nspname = 'raw' or nspname like 'build%'"
        ).fetchall()
        for (name,) in found:
            connection.execute(f'drop schema "{name}" cascade')


@dataclass
class Warehouse:
    """A warehouse under test: one landing, one database, built by dbt."""

    home: Path
    landing: Landing
    target: str = "duckdb"
    postgres_url: str = ""
    #: What the last run reported as failed.
    failures: list[str] = field(default_factory=list)
    #: Names of the models that the last run ran.
    ran: set[str] = field(default_factory=set)
    #: What the last run said of its nodes, by their ids.
    outcomes: dict[str, str] = field(default_factory=dict)
    #: A model that increments leave out, as if nothing that it reads had changed.
    overlooked: str | None = None

    @property
    def database(self) -> Path:
        """The file name is part of the parsed project: it must not vary."""
        return self.home / "warehouse.duckdb"

    def environment(self) -> dict[str, str]:
        values = {
            "ACE_HOME": str(self.home),
            "ACE_LANDING": self.landing.url,
            "ACE_WAREHOUSE": str(self.database),
            # Megabytes that nobody reads.
            "DBT_WRITE_JSON": "false",
        }
        if self.target == "postgres":
            from warehouse.release.session import connect, profile_environment

            with connect(self.postgres_url, autocommit=True) as connection:
                values |= profile_environment(connection)
        return values

    def common_arguments(self) -> list[str]:
        """What every command of dbt is told: which project, which engine, where to write."""
        return arguments(self.home, self.target)

    def dbt(self, command: str, *arguments: str, increment: Increment | None = None) -> bool:
        """Run one dbt command, of an increment only what it makes stale; true when all passed."""
        from dbt.cli.main import dbtRunner

        if self.target == "postgres" and command in ("run", "build"):
            from warehouse.build.raw_copy import copy_new_loads

            copy_new_loads(self.landing, self.postgres_url)
        if command == "test":
            # Builds here run no tests: they look at all rows, not at what is new since.
            open_store(self.settings(), self.target).forget_passed()
        with _environment(self.environment()):
            common = self.common_arguments()
            manifest = parsed_project(self.target, common)
            chosen = plan(manifest, increment)
            if increment is not None and chosen.nodes is not None:
                nodes = {n for n in chosen.nodes if manifest.nodes[n].name != self.overlooked}
                arguments += tuple(select_nodes(manifest, nodes))
                arguments += ("--vars", json.dumps(increment.variables()))
            with uncollected():
                done = dbtRunner(manifest=manifest).invoke([command, *arguments, *common])
                _close_connections(self.target)
        if done.exception is not None:
            raise done.exception
        results = getattr(done.result, "results", [])
        self.failures = [
            f"{result.node.unique_id}: {result.message}"
            for result in results
            if result.status in ("error", "fail")
        ]
        self.outcomes = {one.node.unique_id: str(one.status) for one in results}
        self.ran = {one.node.name for one in results if one.node.resource_type == "model"}
        return bool(done.success)

    def build(self, *arguments: str) -> None:
        """Models only (no tests), all of which must build.

        Without arguments it runs what `ace build` would run: after such a build, only what moved.
        """
        if arguments:
            assert self.dbt("build", *arguments), self.failures
            return
        increment = self._increment()
        told = ["--exclude-resource-type", "test", "unit_test"]
        if increment is None and self.target in _held:
            told += ["--vars", json.dumps({"contracts_held": True})]
        assert self.dbt("build", *told, increment=increment), self.failures
        _held.add(self.target)
        found = self.query(
            f"select invocation_id from {self.schema('meta')}.builds order by build desc limit 1"
        )
        open_store(self.settings(), self.target).record_passed(
            Passed("this project", None, "", found[0]["invocation_id"])
        )

    def settings(self) -> Settings:
        return Settings(
            home=self.home,
            landing=self.landing.url,
            target=self.target,
            postgres_url=self.postgres_url or None,
            supabase_dsn=None,
            extra={},
        )

    def _increment(self) -> Increment | None:
        config = self.settings()
        return since(
            open_store(config, self.target).unreleased(),
            "this project",
            consumed(config, self.target),
            self.landing.loads(),
            _newest(self.landing),
            lambda query: finds(config, self.target, query),
        )

    def query(self, sql: str) -> list[dict[str, Any]]:
        with self._reader() as reader:
            return _dicts(reader, sql)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Any]:
        if self.target == "postgres":
            import psycopg

            with psycopg.connect(self.postgres_url) as connection:
                connection.execute("set time zone 'UTC'")
                yield connection
            return
        import duckdb

        # Read-only, so that tests of several processes can look at one warehouse.
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def execute(self, sql: str) -> None:
        """Change the build database, behind dbt's back; DuckDB only."""
        import duckdb

        with duckdb.connect(str(self.database)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(sql)

    def schema(self, name: str) -> str:
        return name if self.target == "duckdb" else f"build_{name}"

    def tables(self, schema: str) -> dict[str, list[str]]:
        """The tables and views of a schema with their columns."""
        with self._reader() as reader:
            return self._tables(reader, schema)

    def _tables(self, reader: Any, schema: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in _dicts(
            reader,
            "select table_name, column_name from information_schema.columns "
            f"where table_schema = '{self.schema(schema)}' order by table_name, ordinal_position",
        ):
            found.setdefault(row["table_name"], []).append(row["column_name"])
        return found

    def result(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every table that RULES says must be equal, as sorted, normalised rows."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        # Opening the database takes longer than reading one table of it.
        with self._reader() as reader:
            for schema in ("canonical", "marts", "quarantine"):
                for table, columns in self._tables(reader, schema).items():
                    found[f"{schema}.{table}"] = self._rows(reader, schema, table, columns)
            for table, key in KEYS.items():
                found[f"int_{table}"] = self._rows(
                    *(reader, "intermediate", f"int_{table}"),
                    ["_load_id", "_position", key, *INT_COLUMNS],
                )
        return found

    def _rows(
        self, reader: Any, schema: str, table: str, columns: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        names = ", ".join(f'"{name}"' for name in columns)
        found = _dicts(reader, f"select {names} from {self.schema(schema)}.{table}")
        return sorted((tuple(plain(value) for value in row.values()) for row in found), key=repr)


def _dicts(reader: Any, sql: str) -> list[dict[str, Any]]:
    found = reader.execute(sql)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def plain(value: Any) -> Any:
    """A value as both engines would give it: text ids, UTC times, parsed JSON."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, dict):
        return json.dumps(_parsed(value), sort_keys=True)
    if isinstance(value, list):
        return tuple(plain(item) for item in value)
    if isinstance(value, float):
        # NaN is not equal to itself, and would pass for a difference.
        return "NaN" if math.isnan(value) else float(f"{value:.9g}")
    return value


def _parsed(value: Any) -> Any:
    """A JSON value in which 25 and 25.0 are the same number."""
    if isinstance(value, dict):
        return {name: _parsed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.9g}")
    return value


def differences(
    left: dict[str, list[tuple[Any, ...]]], right: dict[str, list[tuple[Any, ...]]]
) -> list[str]:
    """Human-readable rows that stand on one side only; empty when both are equal."""
    found: list[str] = []
    for table in sorted(left.keys() | right.keys()):
        a, b = left.get(table, []), right.get(table, [])
        if _same(a, b):
            continue
        only_a = [row for row in a if row not in b][:3]
        only_b = [row for row in b if row not in a][:3]
        found.append(f"{table}: {len(a)} and {len(b)} rows\n  left  {only_a}\n  right {only_b}")
    return found


def _same(left: Iterable[tuple[Any, ...]], right: Iterable[tuple[Any, ...]]) -> bool:
    a, b = list(left), list(right)
    return len(a) == len(b) and all(
        len(x) == len(y) and all(_equal(u, v) for u, v in zip(x, y, strict=True))
        for x, y in zip(a, b, strict=True)
    )


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, (float, int)):
        return math.isclose(left, right, rel_tol=1e-8, abs_tol=1e-12)
    return bool(left == right)
