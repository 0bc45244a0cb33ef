"""What the build database was made from, read off its own rows.

A load whose file vanished or was damaged after a build took it up is still in the
incremental tables, and no later build could take it out again: such a build has to start
from landing. Nothing is noted down beside the rows, so nothing can disagree with them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from common.errors import AceError
from loaders.schema import RESOURCES
from warehouse.settings import Settings


@dataclass(frozen=True)
class Consumed:
    """Load id to resource of the loads with rows in the build database, and the as-of time
    of its last build (None when there was none)."""

    loads: dict[str, str]
    as_of: datetime | None
    #: Load id to how many of its rows are there.
    rows: dict[str, int] = field(default_factory=dict)
    #: Every table and view that is there, ``schema.name`` as releases call the schema.
    relations: frozenset[str] = frozenset()

    def gone(self, landed: Iterable[str]) -> dict[str, str]:
        """Those that are not in landing any more."""
        have = set(landed)
        return {load: kind for load, kind in self.loads.items() if load not in have}

    def must_start_anew(
        self, landed: set[str], newest: datetime | None, undone: Collection[str] = ()
    ) -> str | None:
        """Why an incremental build could not come to the same as one from landing; None
        when it can. ``newest`` is the as-of time the build will have, ``undone`` are loads
        that were taken out on purpose.

        Raises AceError where starting anew would most likely be a mistake.
        """
        missing = self.gone(landed)
        gone = {load: kind for load, kind in missing.items() if load not in undone}
        # One load that was loaded again is no mistake; a zone with none of many is another.
        if gone and (not landed or (len(self.loads) > 1 and len(gone) == len(self.loads))):
            raise AceError(
                f"Of the loads that the warehouse was built from ({len(self.loads):,}), none is "
                "in the landing zone any more, so nothing was built.",
                "Check that ACE_LANDING is right and its disk is there; if it is meant, run "
                "'ace build --full-refresh'.",
            )
        if missing:
            said = [describe(gone)] if gone else []
            if count := len(missing) - len(gone):
                was = "load that was built was" if count == 1 else "loads that were built were"
                said.append(f"{count:,} {was} taken out again.")
            return f"{' '.join(said)} Everything is built anew without {_it(missing)}."
        if newest is not None and self.as_of is not None and self.as_of > newest:
            return (
                f"What made the warehouse be as of {self.as_of:%Y-%m-%d %H:%M} UTC is not in "
                "landing any more: everything is built anew."
            )
        return None


def _it(gone: dict[str, str]) -> str:
    return "it" if len(gone) == 1 else "them"


def describe(gone: dict[str, str]) -> str:
    """The loads that vanished, in one sentence, and how to have them back."""
    named = ", ".join(f"{load} ({kind})" for load, kind in sorted(gone.items())[:3])
    more = f" and {len(gone) - 3:,} more" if len(gone) > 3 else ""
    verb = "load that was built is" if len(gone) == 1 else "loads that were built are"
    return (
        f"{len(gone):,} {verb} not in landing any more: {named}{more}. To have {_it(gone)} back, "
        "restore the landed file from a copy or load its input again."
    )


def consumed(config: Settings, target: str) -> Consumed:
    """What the build database of an engine holds; nothing where there is none."""
    if target == "postgres":
        assert config.postgres_url is not None
        return _in_postgres(config.postgres_url)
    if target == "spark":
        from warehouse.release.stores import spark_home
        from warehouse.spark.versions import held

        home = spark_home(config)
        return replace(_in_duckdb(home / "warehouse.duckdb"), relations=held(home).relations)
    return _in_duckdb(config.warehouse)


def _in_duckdb(path: Path) -> Consumed:
    import duckdb

    loads: dict[str, str] = {}
    counts: dict[str, int] = {}
    relations: set[str] = set()
    as_of = None
    # One that cannot be opened is said by whoever builds in it.
    with (
        contextlib.suppress(duckdb.Error),
        contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
        relations = {row[0] for row in found}
        for resource in RESOURCES:
            if f"intermediate.int_{resource}" in relations:
                rows = connection.execute(
                    f"select _load_id, count(*) from intermediate.int_{resource} group by all"
                ).fetchall()
                loads |= dict.fromkeys((row[0] for row in rows), resource)
                counts |= dict(rows)
        if "meta.builds" in relations:
            as_of = _one(connection.execute(_AS_OF.format(schema="meta")).fetchone())
    return Consumed(loads, as_of, counts, frozenset(relations))


_AS_OF = (
    "select max(as_of) from {schema}.builds where build = (select max(build) from {schema}.builds)"
)
_COUNTS = "select _load_id, count(*) from build_intermediate.{table} group by _load_id"


def _one(row: tuple[Any, ...] | None) -> Any:
    return row[0] if row else None


def _in_postgres(url: str) -> Consumed:
    from psycopg import sql

    from warehouse.release.session import connect

    loads: dict[str, str] = {}
    counts: dict[str, int] = {}
    as_of = None
    with contextlib.closing(connect(url, autocommit=True)) as connection:
        found = connection.execute(
            "select substr(n.nspname, 7) || '.' || c.relname from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace "
            "where n.nspname like 'build\\_%' and c.relkind in ('r', 'v')"
        ).fetchall()
        relations = frozenset(row[0] for row in found)
        for resource in RESOURCES:
            if f"intermediate.int_{resource}" in relations:
                query = sql.SQL(_COUNTS).format(table=sql.Identifier(f"int_{resource}"))
                rows = connection.execute(query).fetchall()
                loads |= dict.fromkeys((row[0] for row in rows), resource)
                counts |= dict(rows)
        if "meta.builds" in relations:
            as_of = _one(connection.execute(_AS_OF.format(schema="build_meta")).fetchone())
    return Consumed(loads, as_of, counts, relations)


def finds(config: Settings, target: str, query: str) -> bool:
    """Whether a query on the build database finds a row."""
    if target == "postgres":
        from common.pgconnect import own_sql
        from warehouse.release.session import connect

        assert config.postgres_url is not None
        with contextlib.closing(connect(config.postgres_url, autocommit=True)) as session:
            return session.execute(own_sql(f"{query} limit 1")).fetchone() is not None
    import duckdb

    if target == "spark":
        from warehouse.release.stores import spark_home
        from warehouse.spark.versions import finds_in_tables

        return finds_in_tables(spark_home(config), query)
    with contextlib.closing(duckdb.connect(str(config.warehouse), read_only=True)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(f"{query} limit 1").fetchone() is not None
