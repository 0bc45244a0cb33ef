"""Who may read what is published: SELECT for roles that are named, and a policy for them.

Row-level security is on for every table, so that a grant which somebody makes by mistake (on
all tables of a schema, to everybody) shows no row and writes none. Of Supabase's roles only
``service_role`` reads unasked: it is what programs on servers use. ``anon`` is everybody who has
the public key, ``authenticated`` everybody who signed up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from common.errors import UsageError
from common.pgconnect import own_sql

if TYPE_CHECKING:
    from warehouse.publish.session import Connection, Target

#: The role of Supabase that programs on servers have; let in without being named.
UNASKED = "service_role"
#: Roles of Supabase that strangers can have.
STRANGERS = ("anon", "authenticated")
POLICY = "ace_readers"
#: What others than the owner hold on a table that has just been made, by default privileges.
_HELD = """
select distinct case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end
from pg_class as c, aclexplode(c.relacl) as a
where c.oid = to_regclass(%s) and a.grantee <> c.relowner
"""


def check(connection: Connection, roles: Sequence[str]) -> None:
    """UsageError for a role that is everybody or that the server does not know."""
    if any(one.lower() == "public" for one in roles):
        raise UsageError(
            "--grant public would let everybody read who can connect.",
            "Name the roles that shall read.",
        )
    missing = connection.execute(
        "select r.name from unnest(%s::text[]) as r (name) "
        "where not exists (select 1 from pg_roles where rolname = r.name)",
        (list(roles),),
    ).fetchone()
    if missing:
        raise UsageError(
            f"--grant names '{missing[0]}', and the server has no such role.",
            "Make it with 'create role', or correct the name (upper and lower case count).",
        )


def readers(connection: Connection, target: Target, asked: Sequence[str]) -> list[str]:
    """The roles that are let in now: those that are named, and on the first publication
    ``service_role`` where there is one."""
    check(connection, asked)
    if not allowed(connection, target, "publication"):
        found = connection.execute("select 1 from pg_roles where rolname = %s", (UNASKED,))
        if found.fetchone():
            asked = [UNASKED, *asked]
    return list(dict.fromkeys(asked))


def allowed(connection: Connection, target: Target, table: str) -> list[str]:
    """The roles of a table's policy, empty without one."""
    row = connection.execute(
        "select roles::text[] from pg_policies "
        "where schemaname = %s and tablename = %s and policyname = %s",
        (target.schema, table, POLICY),
    ).fetchone()
    return list(row[0]) if row else []


def strip(connection: Connection, relation: str) -> None:
    """Take from a table that was just made what default privileges gave to others."""
    for (holder,) in connection.execute(_HELD, (relation,)).fetchall():
        connection.execute(own_sql(f"revoke all on {relation} from {holder}"))


def let_in(connection: Connection, target: Target, tables: Sequence[str], roles: list[str]) -> None:
    """Let roles read the tables of the schema, and nothing more; others keep what they have."""
    schema = sql.Identifier(target.schema)
    for role in roles:
        connection.execute(
            sql.SQL("grant usage on schema {} to {}").format(schema, sql.Identifier(role))
        )
    # Whoever may see which release this is may see all of it, also what is new.
    everybody = list(dict.fromkeys([*allowed(connection, target, "publication"), *roles]))
    if not everybody:
        return
    named = sql.SQL(", ").join(map(sql.Identifier, everybody))
    for table in tables:
        relation = sql.Identifier(target.schema, table)
        before = allowed(connection, target, table)
        new = [role for role in everybody if role not in before or role in roles]
        if new:
            given = sql.SQL(", ").join(map(sql.Identifier, new))
            connection.execute(sql.SQL("revoke all on {} from {}").format(relation, given))
            connection.execute(sql.SQL("grant select on {} to {}").format(relation, given))
        if set(everybody) - set(before):
            # Waits for the table's readers, when it has been there before.
            words = "alter policy {} on {} to {}" if before else (
                "create policy {} on {} for select to {} using (true)"
            )  # fmt: skip
            connection.execute(
                sql.SQL(own_sql(words)).format(sql.Identifier(POLICY), relation, named)
            )
