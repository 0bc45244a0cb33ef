"""Published tables: every row remembers from which release to which it was shown.

Of a build only the differences are written, found by the hash of a row's whole text. Relations
that were not written since the last release are not even read (``pg_stamps``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.pgconnect import own_sql
from loaders.schema import SOURCE_KEY
from warehouse.release.pg_public import Columns, Grant, can_stay, columns, remove
from warehouse.release.pg_stamps import WRITTEN_BY, Part

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


#: Columns of published tables that readers look rows up by: keys, and whose rows they are.
LOOKED_UP: dict[str, tuple[str, ...]] = {
    **{table: (key,) for table, key in SOURCE_KEY.items()},
    "performance_metrics": ("metric_id", "post_id"),
    "post_performance": ("post_id", "product_id"),
    "post_metric_history": ("post_id",),
    "post_age_metrics": ("post_id",),
    "post_forecasts": ("post_id",),
    "post_features_as_of": ("post_id",),
    "experiment_results": ("experiment_id",),
    "creative_pattern_performance": ("pattern_id",),
    "creative_briefs": ("product_id",),
    "product_performance": ("product_id",),
    "product_trends": ("product_id",),
    "hashtag_trends": ("hashtag",),
    "video_trends": ("external_id",),
    "similar_items": ("reference_id",),
}


def exists(connection: Connection, relation: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (relation,)).fetchone()
    return bool(row and row[0])


def published_tables(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = 'release' and c.relkind = 'r' and relname like '%\\_\\_%'"
    ).fetchall()
    return [row[0] for row in rows]


def publish_relation(
    connection: Connection,
    number: int,
    schema: str,
    table: str,
    query: str,
    part: Part | None = None,
) -> tuple[Columns, set[Grant] | None]:
    """Write the differences between what the build has and what is published.

    With ``part`` only rows of its groups are compared. Returns the columns for its view, and
    what was granted on the view if it had to go.
    """
    published = f'release."{schema}__{table}"'
    within = ""
    if part is not None and _find_touched(connection, query, published, part):
        within = f'"{part.column}" in (select key from touched)'
    # The rows of this build, read once, each with the hash of its whole text.
    connection.execute(
        own_sql(
            "create temporary table offered on commit drop as "
            f"select r.*, md5((r.*)::text) as _hash from ({query}) as r"
            + (f" where r.{within}" if within else "")
        )
    )
    connection.execute("analyze offered (_hash)")
    _tell_twins_apart(connection)
    offered = columns(connection, "pg_temp.offered")
    grants = _prepare_published(connection, number, schema, table, offered)
    names = ", ".join(f'"{name}"' for name, _ in offered)
    connection.execute(
        own_sql(
            f"update {published} as p set _to_release = {number} where p._to_release is null "
            "and not exists (select 1 from offered as o where o._hash = p._hash)"
            + (f" and p.{within}" if within else "")
        )
    )
    connection.execute(
        own_sql(
            f"insert into {published} ({names}, _hash, _from_release) "
            f"select {names}, _hash, {number} from offered as o where not exists "
            f"(select 1 from {published} as p where p._to_release is null "
            "and p._hash = o._hash)"
        )
    )
    connection.execute("drop table offered")
    connection.execute("drop table if exists pg_temp.touched")
    _index(connection, schema, table, [name for name, _ in offered])
    return offered, grants


def _find_touched(connection: Connection, query: str, published: str, part: Part) -> bool:
    """List the groups that may have changed in a table ``touched``; false if one has no name.

    In a group without newer rows every row was there before, so that it has as many rows as are
    published only where it has the same.
    """
    key = f'"{part.column}"'
    connection.execute(
        own_sql(
            f"create temporary table touched on commit drop as select {key} as key "
            f"from {part.base} where {WRITTEN_BY} >= {part.since} union "
            f"select coalesce(b.key, p.key) from (select {key} as key, count(*) as n "
            f"from ({query}) as r group by 1) as b full join (select {key} as key, "
            f"count(*) as n from {published} where _to_release is null group by 1) as p "
            "on p.key = b.key where b.n is distinct from p.n"
        )
    )
    connection.execute("analyze touched")
    row = connection.execute("select count(*) = count(key) from touched").fetchone()
    return bool(row and row[0])


def _index(connection: Connection, schema: str, table: str, names: list[str]) -> None:
    """Let readers look rows up by what they look them up by."""
    for column in LOOKED_UP.get(table, ()) if schema in ("canonical", "marts") else ():
        if column in names:
            connection.execute(
                own_sql(
                    f'create index if not exists "{schema}__{table}_by_{column}" '
                    f'on release."{schema}__{table}" ("{column}")'
                )
            )


def _tell_twins_apart(connection: Connection) -> None:
    """Number equal rows in their hash, so that none of them is lost. Rare: tables have keys."""
    row = connection.execute(
        "select exists (select 1 from offered group by _hash having count(*) > 1)"
    ).fetchone()
    if row and row[0]:
        connection.execute(
            "update offered as o set _hash = md5(o._hash || '#' || twin.place) from "
            "(select ctid as id, row_number() over (partition by _hash) as place from offered) "
            "as twin where twin.id = o.ctid and twin.place > 1"
        )


def _prepare_published(
    connection: Connection, number: int, schema: str, table: str, wanted: Columns
) -> set[Grant] | None:
    """Make the published table; give it new columns, or start over when columns changed.

    Releases from before a column was dropped or changed its type, or from when there was one
    that is gone, can no longer be shown as they were: they are no longer kept.
    Returns what was granted on the view when that had to go.
    """
    published = f'release."{schema}__{table}"'
    before = columns(connection, published)
    grants = None
    if exists(connection, published) and not (before and can_stay(before, wanted)):
        grants = remove(connection, schema, table)
        connection.execute(own_sql(f"drop table {published}"))
        connection.execute("update release.releases set kept = false where release < %s", (number,))
        before = []
    added = [column for column in wanted if column not in before]
    _forget_with(connection, number, schema, table, [name for name, _ in added])
    if not before:
        described = ", ".join(f'"{name}" {kind}' for name, kind in wanted)
        connection.execute(
            own_sql(
                f"create table {published} ({described}, _hash text not null, "
                "_from_release bigint not null, _to_release bigint)"
            )
        )
        # Of the rows in force a hash is unique: the differences are found through it.
        connection.execute(
            own_sql(f"create unique index on {published} (_hash) where _to_release is null")
        )
        connection.execute(
            own_sql(f"create index on {published} (_to_release) where _to_release is not null")
        )
        return grants
    for name, kind in added:
        connection.execute(own_sql(f'alter table {published} add column "{name}" {kind}'))
    if added:
        # None of the rows in force has the new column's value.
        connection.execute(
            own_sql(f"update {published} set _to_release = {number} where _to_release is null")
        )
    return grants


def _forget_with(
    connection: Connection, number: int, schema: str, table: str, names: list[str]
) -> None:
    """No longer keep releases that had columns of a table which are not there now."""
    if names and exists(connection, "release.meta__columns"):
        connection.execute(
            "update release.releases as r set kept = false where release < %s and exists "
            '(select 1 from release.meta__columns as c where c."schema" = %s '
            'and c."table" = %s and c."column" = any(%s) and c._from_release <= r.release '
            "and (c._to_release is null or c._to_release > r.release))",
            (number, schema, table, names),
        )


def close_removed(connection: Connection, number: int, offered: set[tuple[str, str]]) -> None:
    """Relations that this project no longer has end here; older releases still show them."""
    known = {f"{schema}__{table}" for schema, table in offered}
    for name in published_tables(connection):
        if name not in known:
            connection.execute(
                own_sql(
                    f'update release."{name}" set _to_release = {number} where _to_release is null'
                )
            )
