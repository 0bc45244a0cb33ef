"""What the build database was made from, read off its own rows.

A load whose file vanished or was damaged after a build took it up is still in the
incremental tables, and no later build could take it out again: such a build has to start
from landing. Nothing is noted down beside the rows, so nothing can disagree with them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
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
    return _in_duckdb(config.warehouse)


def _in_duckdb(path: Path) -> Consumed:
    import duckdb

    loads: dict[str, str] = {}
    as_of = None
    # One that cannot be opened is said by whoever builds in it.
    with (
        contextlib.suppress(duckdb.Error),
        contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        tables = {row[0] for row in found}
        for resource in RESOURCES:
            if f"intermediate.int_{resource}" in tables:
                rows = connection.execute(
                    f"select distinct _load_id from intermediate.int_{resource}"
                ).fetchall()
                loads |= {row[0]: resource for row in rows}
        if "meta.builds" in tables:
            as_of = _one(connection.execute(_AS_OF.format(schema="meta")).fetchone())
    return Consumed(loads, as_of)


_AS_OF = (
    "select max(as_of) from {schema}.builds where build = (select max(build) from {schema}.builds)"
)
#: Every different load id by one look into the index each, not by reading all rows.
_DISTINCT = """
with recursive found as (
    (select _load_id from build_intermediate.{table} order by _load_id limit 1)
    union all
    select (
        select one._load_id from build_intermediate.{table} as one
        where one._load_id > found._load_id order by one._load_id limit 1
    )
    from found where found._load_id is not null
)
select _load_id from found where _load_id is not null
"""


def _one(row: tuple[Any, ...] | None) -> Any:
    return row[0] if row else None


def _in_postgres(url: str) -> Consumed:
    from psycopg import sql

    from warehouse.release.session import connect

    loads: dict[str, str] = {}
    as_of = None
    with contextlib.closing(connect(url, autocommit=True)) as connection:
        found = connection.execute(
            "select schemaname || '.' || tablename from pg_tables where schemaname in "
            "('build_intermediate', 'build_meta')"
        ).fetchall()
        tables = {row[0] for row in found}
        for resource in RESOURCES:
            if f"build_intermediate.int_{resource}" in tables:
                query = sql.SQL(_DISTINCT).format(table=sql.Identifier(f"int_{resource}"))
                loads |= {row[0]: resource for row in connection.execute(query).fetchall()}
        if "build_meta.builds" in tables:
            as_of = _one(connection.execute(_AS_OF.format(schema="build_meta")).fetchone())
    return Consumed(loads, as_of)
