"""What a build left in its private schemas, for the release that is made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from common.pgconnect import own_sql
from warehouse.release.model import (
    DOCUMENT_COLUMNS,
    PUBLIC_SCHEMAS,
    TableDocument,
    TestOutcome,
    other_build,
)

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


#: Schemas of a build are named like the public ones, with this before it.
PREFIX = "build_"


def no_other_build(connection: Connection, invocation: str) -> None:
    """AceError if another build began after that of a dbt run; none begins in this transaction.

    The lock of builds ends with its session, which a server may end at any time.
    """
    connection.execute("lock table build_meta.builds in share mode")
    row = connection.execute(
        "select invocation_id from build_meta.builds order by build desc limit 1"
    ).fetchone()
    if row is None or row[0] != invocation:
        raise other_build()


def record_tests(connection: Connection, tests: list[TestOutcome]) -> None:
    connection.execute("drop table if exists build_meta.tests")
    connection.execute(
        "create table build_meta.tests (name text, model text, status text, failures bigint)"
    )
    with connection.cursor().copy("copy build_meta.tests from stdin") as copy:
        for test in tests:
            copy.write_row((test.name, test.model, test.status, test.failures))


def record_descriptions(
    connection: Connection, descriptions: dict[tuple[str, str, str], str]
) -> None:
    connection.execute("drop table if exists build_meta.descriptions")
    connection.execute(
        'create table build_meta.descriptions ("schema" text, "table" text, "column" text, '
        "description text)"
    )
    with connection.cursor().copy("copy build_meta.descriptions from stdin") as copy:
        for key, text in descriptions.items():
            copy.write_row((*key, text))


def record_documents(connection: Connection, documents: Iterable[TableDocument]) -> None:
    connection.execute("drop table if exists build_meta.documents")
    ensure_documents(connection)
    with connection.cursor().copy("copy build_meta.documents from stdin") as copy:
        for one in documents:
            copy.write_row(astuple(one))


def ensure_documents(connection: Connection) -> None:
    """A build that passed before builds said this of tables has none."""
    connection.execute(f"create table if not exists build_meta.documents ({DOCUMENT_COLUMNS})")


def relations(connection: Connection) -> list[tuple[str, str]]:
    """(public schema, table) of everything the build offers."""
    rows = connection.execute(
        "select substr(n.nspname, %s), c.relname from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "where n.nspname = any(%s) and c.relkind in ('r', 'v', 'm') "
        "and c.relname not like '%%\\_\\_dbt\\_%%' order by 1, 2",
        (len(PREFIX) + 1, [PREFIX + schema for schema in PUBLIC_SCHEMAS]),
    ).fetchall()
    return [(row[0], row[1]) for row in rows]


def count_rows(
    connection: Connection, relations: list[tuple[str, str]], known: dict[tuple[str, str], int]
) -> dict[tuple[str, str], int]:
    """Write how many rows each relation has into the bookkeeping; what is not known is counted."""
    connection.execute("drop table if exists build_meta.row_counts")
    connection.execute(
        'create table build_meta.row_counts ("schema" text, "table" text, rows bigint)'
    )
    counts = dict(known)
    for schema, table in relations:
        if (schema, table) not in known:
            row = connection.execute(
                own_sql(f'select count(*) from "{PREFIX}{schema}"."{table}"')
            ).fetchone()
            counts[schema, table] = row[0] if row else 0
    with connection.cursor().copy("copy build_meta.row_counts from stdin") as copy:
        for (schema, table), rows in counts.items():
            copy.write_row((schema, table, rows))
    return counts
