"""Whether the user of a session on Postgres can do no more than read releases.

A transaction that can only read still lets a superuser read the server's files, and an owner end
other sessions: what a query may do, its role decides. A role that may take another one's place
(SET ROLE) may do what that one may.
"""

from __future__ import annotations

from common.errors import AceError
from repositories.columns import SCHEMA_LIST
from repositories.reader import Reader

#: Roles of the server that reach beyond tables, or to all of them.
POWERFUL = (
    *("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program"),
    *("pg_read_all_data", "pg_write_all_data", "pg_signal_backend", "pg_create_subscription"),
    *("pg_maintain", "pg_signal_autovacuum_worker"),
)
_SQL = f"""
with reached as (
    select oid, rolname, rolsuper, rolcreaterole, rolreplication
    from pg_catalog.pg_roles where pg_catalog.pg_has_role(session_user, oid, 'member')
), ours as (
    select c.oid, n.oid as schema, n.nspname || '.' || c.relname as name,
        n.nspname in ({SCHEMA_LIST}) as is_public
    from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm') and (
        n.nspname in ({SCHEMA_LIST}, 'release', 'raw')
        or n.nspname like 'build\\_%'
    )
)
select 1 as place, 'it is a superuser' as why from reached where rolsuper
union all
select 2, 'it may make roles or copies of the server' from reached
where rolcreaterole or rolreplication
union all
select 3, 'it has the powers of ' || rolname from reached
where rolname in ({", ".join(f"'{name}'" for name in POWERFUL)})
union all
select 4, 'it may change ' || o.name from ours as o, reached as r
where pg_catalog.has_table_privilege(r.oid, o.oid, 'insert, update, delete, truncate')
union all
select 5, 'it may read ' || o.name from ours as o, reached as r
where not o.is_public and pg_catalog.has_table_privilege(r.oid, o.oid, 'select')
    and pg_catalog.has_schema_privilege(r.oid, o.schema, 'usage')
order by place limit 1
"""


def check_user(reader: Reader) -> None:
    """AceError for a user with more rights than a query should have."""
    found = reader.query(_SQL).rows
    if found:
        user = reader.query("select cast(session_user as text)").rows[0][0]
        raise AceError(
            f"Queries are off: the user '{user}' of ACE_POSTGRES_URL may do more than read "
            f"releases ({found[0][1]}).",
            "The other tools work. Whoever runs the server can start it as ace_agent, which "
            "'ace init-postgres' makes, or as a role that ACE_READERS names.",
        )
