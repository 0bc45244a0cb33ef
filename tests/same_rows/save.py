"""Tables of a build as Parquet files of the same types, whatever the engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from warehouse.settings import settings

SCHEMAS = ("canonical", "marts", "quarantine")
#: What DuckDB calls the types of Postgres that our tables have; others are saved as text.
DUCKDB_TYPES = {
    "bigint": "bigint",
    "boolean": "boolean",
    "date": "date",
    "double precision": "double",
    "integer": "integer",
    "jsonb": "json",
    "numeric": "double",
    "real": "float",
    "text": "varchar",
    "text[]": "varchar[]",
    "timestamp with time zone": "timestamptz",
    "uuid": "uuid",
}
LARGEST_ROW = 1 << 28  # bytes


def save(folder: Path) -> int:
    """Write what is built to ``folder``, in place of what was saved there; how many tables.

    Ends the program with a sentence where nothing is built.
    """
    config = settings()
    folder.mkdir(parents=True, exist_ok=True)
    for schema in SCHEMAS:
        for old in folder.glob(f"{schema}.*.parquet"):
            old.unlink()
    if config.target == "postgres":
        if not config.postgres_url:
            raise SystemExit("ACE_POSTGRES_URL is not set: name the database that was built.")
        saved = len(list(_from_postgres(config.postgres_url, folder)))
    else:
        if not config.warehouse.exists():
            raise SystemExit(f"There is no {config.warehouse}: run 'ace build' first.")
        saved = len(list(_from_duckdb(config.warehouse, folder)))
    if not saved:
        raise SystemExit("No tables are built there: run 'ace build' first.")
    return saved


def _file(folder: Path, schema: str, table: str) -> str:
    return str(folder / f"{schema}.{table}.parquet").replace("'", "''")


def _from_duckdb(database: Path, folder: Path) -> Iterator[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where list_contains(?, table_schema)",
            [SCHEMAS],
        ).fetchall()
        for schema, table in tables:
            connection.execute(
                f'copy "{schema}"."{table}" to \'{_file(folder, schema, table)}\' (format parquet)'
            )
            yield table


def _from_postgres(url: str, folder: Path) -> Iterator[str]:
    """Each row as a JSON document, which says the same of a value as DuckDB understands."""
    import psycopg

    with psycopg.connect(url) as connection, duckdb.connect() as reader:
        connection.execute("set time zone 'UTC'")
        reader.execute("set TimeZone = 'UTC'")
        columns = connection.execute(
            "select n.nspname, c.relname, a.attname, format_type(a.atttypid, null) "
            "from pg_attribute a join pg_class c on c.oid = a.attrelid "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = any(%s) and c.relkind in ('r', 'v', 'm', 'p') "
            "and a.attnum > 0 and not a.attisdropped order by 1, 2, a.attnum",
            [[f"build_{schema}" for schema in SCHEMAS]],
        ).fetchall()
        tables: dict[tuple[str, str], dict[str, str]] = {}
        for schema, table, column, kind in columns:
            tables.setdefault((schema, table), {})[column] = DUCKDB_TYPES.get(kind, "varchar")
        for (schema, table), kinds in tables.items():
            rows = folder / f"{table}.ndjson"
            # No byte of a JSON document is one of these: COPY adds neither quotes nor escapes.
            copied = (
                f'copy (select row_to_json(r) from "{schema}"."{table}" as r) to stdout '
                "(format csv, delimiter e'\\x02', quote e'\\x01')"
            )
            with (
                rows.open("wb") as file,
                connection.cursor() as cursor,
                cursor.copy(copied.encode()) as copy,
            ):
                for block in copy:
                    file.write(block)
            reader.execute(
                "copy (select * from read_json(?, format = 'newline_delimited', columns = "
                f"{kinds!r}, maximum_object_size = {LARGEST_ROW})) "
                f"to '{_file(folder, schema.removeprefix('build_'), table)}' (format parquet)",
                [str(rows)],
            )
            rows.unlink()
            yield table
