"""What readers of a Postgres warehouse see: the public views, and who may read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from common.pgconnect import own_sql
from warehouse.release.model import PUBLIC_SCHEMAS

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

#: Everything that is granted to readers lies here.
SCHEMAS = [*PUBLIC_SCHEMAS, "meta"]
#: Everybody, and the roles behind Supabase's public interface: only people grant to those.
NEVER_READERS = ("public", "anon", "authenticated", "service_role")

GRANTS = """
select '', a.privilege_type, case a.grantee when 0 then 'public'
    else quote_ident(pg_get_userbyid(a.grantee)) end, a.is_grantable
from pg_class as c, aclexplode(c.relacl) as a
where c.oid = to_regclass(%(view)s) and a.grantee <> c.relowner
union all
select t.attname, a.privilege_type, case a.grantee when 0
    then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end, a.is_grantable
from pg_attribute as t, aclexplode(t.attacl) as a
where t.attrelid = to_regclass(%(view)s) and not t.attisdropped
"""
#: Grants that readers lack, on public schemas and on views that releases own.
LACKING = """
select format('grant usage on schema %%I to %%I', n.nspname, r.name)
from pg_namespace as n cross join unnest(%(readers)s::text[]) as r (name)
where n.nspname = any(%(schemas)s) and not has_schema_privilege(r.name, n.oid, 'usage')
union all
select format('grant select on %%I.%%I to %%I', n.nspname, c.relname, r.name)
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
cross join unnest(%(readers)s::text[]) as r (name)
where n.nspname = any(%(schemas)s) and c.relkind = 'v'
    and (to_regclass(format('release.%%I', n.nspname || '__' || c.relname)) is not null
        or (n.nspname = 'meta' and c.relname in ('release', 'releases')))
    and not has_table_privilege(r.name, c.oid, 'select')
"""

#: Name and type of the columns of a relation, in order.
Columns = list[tuple[str, str]]
#: Column or "", privilege, role, whether it may be passed on.
Grant = tuple[str, str, str, bool]


def parse_readers(text: str) -> list[str]:
    """The roles that ``ACE_READERS`` names; UsageError for one that is everybody."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.lower() in NEVER_READERS:
            raise UsageError(
                f"ACE_READERS names '{name}', a role that strangers can have.",
                "Name roles of your own; what you grant to it by hand stays as it is.",
            )
    return names


def check_readers(connection: Connection, readers: list[str]) -> None:
    """UsageError for a reader whom the server does not know."""
    missing = connection.execute(
        "select r.name from unnest(%s::text[]) as r (name) "
        "where not exists (select 1 from pg_roles where rolname = r.name)",
        (readers,),
    ).fetchone()
    if missing:
        raise UsageError(
            f"ACE_READERS names '{missing[0]}', and the server has no such role.",
            "Make it with 'create role', or correct the name (upper and lower case count).",
        )


def share(connection: Connection, readers: list[str]) -> None:
    """Let roles read every public view, the schemas included."""
    check_readers(connection, readers)
    wanted = {"readers": readers, "schemas": SCHEMAS}
    for (grant,) in connection.execute(LACKING, wanted).fetchall():
        connection.execute(grant)
    left = connection.execute(LACKING, wanted).fetchone()
    if left:
        raise AceError(
            f"The server did not carry out '{left[0]}'.",
            "Let the user of ACE_POSTGRES_URL own that schema and its views.",
        )


def make_schema(connection: Connection, schema: str) -> None:
    """Make a schema that is missing; the statement itself wants the right to even where it is."""
    row = connection.execute("select to_regnamespace(%s) is null", (f'"{schema}"',)).fetchone()
    if row and row[0]:
        connection.execute(own_sql(f'create schema "{schema}"'))


def columns(connection: Connection, relation: str) -> Columns:
    """Name and type of the columns of a relation, in order; none when it is not there."""
    rows = connection.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
        "and attname not in ('_from_release', '_to_release', '_hash') order by attnum",
        (relation,),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def can_stay(before: Columns, wanted: Columns) -> bool:
    """Whether a relation can be changed in place: columns only come on top."""
    return set(before) <= set(wanted)


def show(
    connection: Connection, schema: str, table: str, wanted: Columns, grants: set[Grant] | None
) -> None:
    """Make the view readers use; left alone when it is right, since replacing it locks readers.

    In place where its columns allow, so that what others made on it stays: it keeps their
    order and gets new ones at its end. ``grants`` are those of a view that was removed.
    """
    view = f'"{schema}"."{table}"'
    before = columns(connection, view)
    if before and not can_stay(before, wanted):
        grants, before = remove(connection, schema, table), []
    ordered = before + [column for column in wanted if column not in before]
    if before == ordered:
        return
    names = ", ".join(f'"{name}"' for name, _ in ordered)
    make_schema(connection, schema)
    connection.execute(
        own_sql(
            f'create or replace view {view} as select {names} from release."{schema}__{table}" '
            "where _from_release <= (select release.shown()) "
            "and (_to_release is null or _to_release > (select release.shown()))"
        )
    )
    if grants is not None:
        _restore(connection, view, grants, wanted)


def remove(connection: Connection, schema: str, table: str) -> set[Grant]:
    """Drop a public view; returns what was granted on it. AceError when something is made on it."""
    from psycopg import errors

    view = f'"{schema}"."{table}"'
    found = connection.execute(GRANTS, {"view": view}).fetchall()
    try:
        with connection.transaction():
            connection.execute(own_sql(f"drop view if exists {view}"))
    except errors.DependentObjectsStillExist as error:
        raise AceError(
            f"{schema}.{table} lost a column or changed its type, and this is made on "
            f"it: {made_on(error)}.",
            "The previous release stays current. Drop that, run 'ace build' again, "
            "and make it anew.",
        ) from None
    return {(row[0], row[1], row[2], row[3]) for row in found}


def made_on(error: psycopg.errors.DependentObjectsStillExist) -> str:
    """What others made on something that was to be dropped, as the server names it."""
    lines = (error.diag.message_detail or "").splitlines()
    return ", ".join(dict.fromkeys(line.partition(" depends on ")[0] for line in lines))


def check_removal(connection: Connection, schema: str, table: str, wanted: Columns) -> None:
    """AceError now if ``show`` or ``remove`` would raise it later."""
    before = columns(connection, f'"{schema}"."{table}"')
    published = columns(connection, f'release."{schema}__{table}"')
    if not (can_stay(before, wanted) and can_stay(published, wanted)):
        with connection.transaction(force_rollback=True):
            remove(connection, schema, table)


def _restore(connection: Connection, view: str, grants: set[Grant], wanted: Columns) -> None:
    """Give a view made anew exactly the grants of the one before."""
    there = {"", *(name for name, _ in wanted)}
    found = connection.execute(GRANTS, {"view": view}).fetchall()
    for column, privilege, role, _ in {(r[0], r[1], r[2], r[3]) for r in found} - grants:
        what = f'{privilege} ("{column}")' if column else privilege
        connection.execute(own_sql(f"revoke {what} on {view} from {role}"))
    for column, privilege, role, grantable in sorted(grants):
        if column in there:
            what = f'{privilege} ("{column}")' if column else privilege
            option = " with grant option" if grantable else ""
            connection.execute(own_sql(f"grant {what} on {view} to {role}{option}"))
