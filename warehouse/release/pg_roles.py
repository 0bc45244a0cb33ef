"""The roles of a Postgres warehouse: who loads, builds, reads, and nothing beyond that.

``loader`` reads the operational tables and has nothing in the warehouse, ``builder`` owns the
warehouse's schemas and may make no other, ``analyst`` and ``agent`` read the public views of every
release, also of those to come. None of them can log in until somebody lets it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql

from common.errors import AceError, UsageError
from common.pgconnect import own_sql
from loaders.schema import ALL_RESOURCES
from warehouse.release.model import PUBLIC_SCHEMAS
from warehouse.release.pg_build import PREFIX
from warehouse.release.pg_public import SCHEMAS

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

ROLES = ("loader", "builder", "analyst", "agent")
READERS = ("analyst", "agent")
#: Schemas that only builds use.
PRIVATE = (
    *("raw", "release"),
    *(f"{PREFIX}{one}" for one in (*PUBLIC_SCHEMAS, "meta", "staging", "intermediate")),
)
#: What a reader's own sessions begin with: a limit for mistakes, since whoever logs in can lift it.
SESSIONS = {
    "analyst": {"default_transaction_read_only": "on"},
    "agent": {
        "default_transaction_read_only": "on",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "60s",
    },
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,20}")


@dataclass
class Made:
    """What was done: its statements in order, what else is to be known, and the roles' names."""

    roles: dict[str, str]
    statements: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class _Doing:
    """Statements on the server that are remembered."""

    def __init__(self, connection: Connection, made: Made) -> None:
        self.connection = connection
        self._made = made
        self._joined: bool | None = None

    def __call__(self, statement: LiteralString, *names: sql.Composable | str) -> None:
        """Run a statement with a name, quoted, for each ``{}``."""
        parts = [sql.Identifier(one) if isinstance(one, str) else one for one in names]
        composed = sql.SQL(statement).format(*parts)
        self.connection.execute(composed)
        self._made.statements.append(composed.as_string(self.connection))

    def as_owner(self, statement: LiteralString, *names: sql.Composable | str) -> None:
        """The same with what is the builder's: who is no superuser has to be one for a while."""
        builder = self._made.roles["builder"]
        if self._joined is None:
            self._joined = not self.ask(
                "select rolsuper or pg_has_role(oid, %s, 'usage') and pg_has_role(oid, %s, "
                "'member') from pg_roles where rolname = current_user",
                builder,
                builder,
            )[0][0]
            if self._joined:
                self("grant {} to current_user", builder)
        self(statement, *names)

    def leave(self) -> None:
        if self._joined:
            self("revoke {} from current_user", self._made.roles["builder"])

    def ask(self, query: LiteralString, *given: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, given).fetchall()


def make_roles(
    connection: Connection, *, prefix: str = "ace_", operational: str = "public",
    take_over: bool = False,
) -> Made:  # fmt: skip
    """Make what is missing, in the caller's transaction; what is there already stays.

    ``operational`` is the schema whose tables ``ace load supabase`` reads. With ``take_over``
    schemas that somebody else built go to the builder, with all that is in them. AceError when a
    role that is there can do more than it may, or a schema is somebody else's.
    """
    if not _NAME.fullmatch(f"{prefix}x"):
        raise UsageError(
            f"--prefix {prefix!r} does not begin the name of a role.",
            "Give up to 20 small letters, digits and _, as in --prefix ace_.",
        )
    made = Made({role: f"{prefix}{role}" for role in ROLES})
    do = _Doing(connection, made)
    _roles(do, made.roles)
    _schemas(do, made, take_over)
    _readers(do, made.roles)
    _operational(do, made, operational)
    do.leave()
    _look_at_public(do, made)
    return made


def _roles(do: _Doing, roles: dict[str, str]) -> None:
    found = do.ask(
        "select rolname, rolsuper or rolcreaterole or rolcreatedb or rolreplication or "
        "rolbypassrls, coalesce(rolconfig, '{}') from pg_roles where rolname = any(%s)",
        list(roles.values()),
    )
    there = {row[0]: (row[1], row[2]) for row in found}
    for role, name in roles.items():
        too_much, settings = there.get(name, (False, []))
        if too_much:
            raise AceError(
                f"The role {name} is there already, and may do more than read and write tables.",
                f"Take that from it (alter role {name} nosuperuser nocreaterole nocreatedb "
                "noreplication nobypassrls), or choose other names with --prefix.",
            )
        if name not in there:
            do("create role {} nologin", name)
        for setting, value in SESSIONS.get(role, {}).items():
            if f"{setting}={value}" not in settings:
                do("alter role {} set {} = {}", name, setting, sql.Literal(value))
    database = do.ask("select current_database()")[0][0]
    for name in roles.values():
        if not do.ask("select has_database_privilege(%s, %s, 'connect')", name, database)[0][0]:
            do("grant connect on database {} to {}", database, name)
    builder = roles["builder"]
    # Publications keep rows in temporary tables.
    if not do.ask("select has_database_privilege(%s, %s, 'temporary')", builder, database)[0][0]:
        do("grant temporary on database {} to {}", database, builder)


def _schemas(do: _Doing, made: Made, take_over: bool) -> None:
    builder = made.roles["builder"]
    owners = dict(
        do.ask(
            "select nspname, pg_get_userbyid(nspowner) from pg_namespace where nspname = any(%s)",
            [*SCHEMAS, *PRIVATE],
        )
    )
    others = {schema: owner for schema, owner in owners.items() if owner != builder}
    if others and not take_over:
        schema, owner = next(iter(others.items()))
        raise AceError(
            f"Schema {schema} is there already and belongs to {owner}"
            + (f", and {len(others) - 1} more are not {builder}'s" if len(others) > 1 else "")
            + ".",
            f"Hand the warehouse's schemas over to {builder} with --take-over.",
        )
    for schema in (*SCHEMAS, *PRIVATE):
        if schema not in owners:
            do.as_owner("create schema {} authorization {}", schema, builder)
            continue
        if schema in others:
            do.as_owner("alter schema {} owner to {}", schema, builder)
        if take_over:
            _hand_over(do, schema, builder)


def _hand_over(do: _Doing, schema: str, builder: str) -> None:
    """Give the builder what is in a schema and not the builder's."""
    found = do.ask(
        "select case relkind when 'v' then 'view' else 'table' end, relname from pg_class "
        "where relnamespace = %s::regnamespace and relkind in ('r', 'v') "
        "and pg_get_userbyid(relowner) <> %s union all "
        "select 'function', proname from pg_proc where pronamespace = %s::regnamespace "
        "and pg_get_userbyid(proowner) <> %s",
        *(schema, builder) * 2,
    )
    for kind, name in found:
        words = own_sql(f"alter {kind} {{}} owner to {{}}")
        do.as_owner(words, sql.Identifier(schema, name), builder)


def _readers(do: _Doing, roles: dict[str, str]) -> None:
    builder = roles["builder"]
    for role in READERS:
        name = roles[role]
        for schema in SCHEMAS:
            if not do.ask("select has_schema_privilege(%s, %s, 'usage')", name, schema)[0][0]:
                do.as_owner("grant usage on schema {} to {}", schema, name)
            if do.ask(
                "select 1 from pg_class where relnamespace = %s::regnamespace and relkind = 'v' "
                "and not has_table_privilege(%s, oid, 'select') limit 1",
                schema,
                name,
            ):
                do.as_owner("grant select on all tables in schema {} to {}", schema, name)
            if not do.ask(
                "select 1 from pg_default_acl as d, aclexplode(d.defaclacl) as a "
                "where d.defaclnamespace = %s::regnamespace and d.defaclobjtype = 'r' "
                "and pg_get_userbyid(d.defaclrole) = %s and pg_get_userbyid(a.grantee) = %s "
                "and a.privilege_type = 'SELECT'",
                schema,
                builder,
                name,
            ):
                do.as_owner(
                    "alter default privileges for role {} in schema {} grant select on tables "
                    "to {}",
                    builder,
                    schema,
                    name,
                )


def _operational(do: _Doing, made: Made, schema: str) -> None:
    """Let the loader read the operational tables that are there."""
    loader = made.roles["loader"]
    found = do.ask(
        "select c.relname, c.relrowsecurity, has_table_privilege(%s, c.oid, 'select'), "
        "has_table_privilege(c.oid, 'select with grant option') "
        "from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = %s and c.relname = any(%s) and c.relkind in ('r', 'v', 'm', 'p') "
        "order by 1",
        loader,
        schema,
        list(ALL_RESOURCES),
    )
    if not found:
        return
    if not do.ask("select has_schema_privilege(%s, %s, 'usage')", loader, schema)[0][0]:
        do("grant usage on schema {} to {}", schema, loader)
    for table, is_secured, may_read, may_grant in found:
        if not may_read and may_grant:
            do("grant select on {} to {}", sql.Identifier(schema, table), loader)
        elif not may_read:
            made.notices.append(
                f"{schema}.{table} is somebody else's: its owner lets the loader read with "
                f"grant select on {schema}.{table} to {loader}"
            )
        if is_secured and not do.ask(
            "select 1 from pg_policies where schemaname = %s and tablename = %s "
            "and cmd in ('SELECT', 'ALL') and roles && array['public', %s]::name[]",
            schema,
            table,
            loader,
        ):
            made.notices.append(
                f"Row-level security hides the rows of {schema}.{table}: its owner shows them with "
                f"create policy {loader} on {schema}.{table} for select to {loader} using (true)"
            )


def _look_at_public(do: _Doing, made: Made) -> None:
    if do.ask("select 1 from pg_namespace where nspname = 'public'") and do.ask(
        "select has_schema_privilege(%s, 'public', 'create')", made.roles["agent"]
    ) == [(True,)]:
        made.notices.append(
            "Everybody may make tables in schema public, as in databases of Postgres 14 and older; "
            "revoke create on schema public from public ends it"
        )
