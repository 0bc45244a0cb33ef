"""The tables of a publication: their columns, keys, indexes and comments, and who may read them.

A table whose columns are not those of the release any more is made anew in the private schema,
where nobody waits for it, and takes the old one's place at the very end of the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors, sql

from common.errors import AceError
from common.pgconnect import own_sql
from warehouse.publish.access import strip
from warehouse.release.pg_public import columns, made_on
from warehouse.release.pg_tables import LOOKED_UP

if TYPE_CHECKING:
    from warehouse.publish.rows import Table
    from warehouse.publish.session import Connection, Target


class Shape:
    """One table of the release, as it is published."""

    def __init__(self, connection: Connection, target: Target, table: Table) -> None:
        self.table = table
        self._connection = connection
        self._target = target
        #: Where readers find it.
        self.shown = f'"{target.schema}"."{table.name}"'
        self.beside = f'"{target.private}"."{table.name}"'
        before = columns(connection, self.shown)
        self.is_there = bool(before)
        #: Whether its columns are those of the release.
        self.fits = set(before) == set(table.types.items())
        #: Where rows are written.
        self.into = self.shown if self.fits else f'"{target.private}"."{table.name}__made"'

    def make(self) -> None:
        """What is missing of the table; anew beside the one readers see, if its columns changed."""
        name, key = self.table.name, ", ".join(f'"{one}"' for one in self.table.key)
        if not self.fits:
            described = ", ".join(f'"{one}" {kind}' for one, kind in self.table.types.items())
            types = self.table.types
            keyed = ", ".join(f'"{one}" {types[one]}' for one in self.table.key)
            self._do(f"drop table if exists {self.beside}")
            self._do(
                f"create table {self.into} "
                f'({described}, constraint "{name}_key" primary key ({key}))'
            )
            self._do(f"alter table {self.into} enable row level security")
            self._do(f"create table {self.beside} ({keyed}, _hash bigint, primary key ({key}))")
        for column in LOOKED_UP.get(name, ()):
            # The first column of the key has the key's index.
            if column in self.table.columns and column != self.table.key[0]:
                self._index(f"{name}_by_{column}", column)

    def _index(self, name: str, column: str) -> None:
        # Looked for first: the statement alone waits for writers.
        schema = self.into.partition(".")[0]
        found = self._connection.execute(
            "select to_regclass(%s) is not null", (f'{schema}."{name}"',)
        ).fetchone()
        if not (found and found[0]):
            self._do(f'create index "{name}" on {self.into} ("{column}")')

    def describe(self, about: str) -> None:
        """Comments on the table and its columns, where they are not those that the docs have."""
        relation = sql.SQL(own_sql(self.into))
        rows = self._connection.execute(
            "select coalesce(a.attname, ''), d.description from pg_description as d "
            "left join pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid "
            "and d.objsubid > 0 where d.objoid = to_regclass(%s) "
            "and d.classoid = 'pg_class'::regclass",
            (self.into,),
        ).fetchall()
        there = {row[0]: row[1] for row in rows}
        wanted = {"": about} | {one: self.table.about.get(one, "") for one in self.table.columns}
        statements = [
            sql.SQL("comment on {} is {}").format(
                sql.SQL("column {}.{}").format(relation, sql.Identifier(name))
                if name
                else sql.SQL("table {}").format(relation),
                sql.Literal(text or None),
            )
            for name, text in wanted.items()
            if text != there.get(name, "")
        ]
        if statements:
            self._connection.execute(sql.SQL("; ").join(statements))

    def show(self) -> None:
        """Put what was made anew in the place of the one readers see, with its grants and policies.

        Readers of that one are waited for; AceError names what others made on it.
        """
        if self.fits:
            return
        before = []
        if self.is_there:
            before = _kept(self._connection, self.shown, list(self.table.columns))
            drop(self._connection, self._target, self.table.name, "has other columns now")
        self._do(f'alter table {self.into} set schema "{self._target.schema}"')
        self._do(
            f'alter table "{self._target.schema}"."{self.table.name}__made" '
            f'rename to "{self.table.name}"'
        )
        self.into = self.shown
        strip(self._connection, self.shown)
        for statement in before:
            self._connection.execute(own_sql(statement))

    def _do(self, statement: str) -> None:
        self._connection.execute(own_sql(statement))


def drop(connection: Connection, target: Target, name: str, why: str) -> None:
    """Drop a published table; waits for its readers. AceError if something is made on it."""
    try:
        with connection.transaction():
            connection.execute(own_sql(f'drop table if exists "{target.schema}"."{name}"'))
    except errors.DependentObjectsStillExist as error:
        raise AceError(
            f"{target.schema}.{name} {why}, and this is made on it: {made_on(error)}.",
            "What was published before stays. Drop that, run 'ace publish' again, and make it "
            "anew.",
        ) from None


def published(connection: Connection, target: Target) -> set[str]:
    """Names of the tables that earlier publications made."""
    rows = connection.execute(
        "select c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = %s and c.relkind = 'r'",
        (target.private,),
    ).fetchall()
    return {row[0] for row in rows}


#: Statements that give a table again what was granted on it, and its policies.
_KEPT = """
select format('grant %%s on %%s to %%s%%s', a.privilege_type, %(relation)s::text,
    case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end,
    case when a.is_grantable then ' with grant option' else '' end)
from pg_class as c, aclexplode(c.relacl) as a
where c.oid = to_regclass(%(relation)s) and a.grantee <> c.relowner
union all
select format('grant %%s (%%I) on %%s to %%s', a.privilege_type, t.attname,
    %(relation)s::text,
    case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
from pg_attribute as t, aclexplode(t.attacl) as a
where t.attrelid = to_regclass(%(relation)s) and t.attname = any(%(columns)s)
union all
select format('create policy %%I on %%s as %%s for %%s to %%s%%s%%s', p.policyname,
    %(relation)s::text,
    p.permissive, p.cmd, (select string_agg(case r when 'public' then r else quote_ident(r) end,
    ', ') from unnest(p.roles) as r), ' using (' || p.qual || ')',
    ' with check (' || p.with_check || ')')
from pg_policies as p
where format('%%I.%%I', p.schemaname, p.tablename)::regclass = to_regclass(%(relation)s)
"""


def _kept(connection: Connection, relation: str, names: list[str]) -> list[str]:
    rows = connection.execute(_KEPT, {"relation": relation, "columns": names}).fetchall()
    return [row[0] for row in rows]
