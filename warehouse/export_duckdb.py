"""A release as one DuckDB file of the oldest format that DuckDB still writes."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError, UsageError
from warehouse.export import ROWS
from warehouse.release.stores import spark_home
from warehouse.settings import settings

if TYPE_CHECKING:
    import duckdb

    from repositories import Warehouse

#: DuckDB 1.1 and everything newer reads it; 1.0 stops at lists that are all empty.
STORAGE = "v1.0.0"


def export_duckdb(
    warehouse: Warehouse,
    file: Path,
    tables: Iterable[str] = (),
    progress: Callable[[str], None] = lambda text: None,
    *,
    force: bool = False,
) -> dict[str, int]:
    """Write tables (all by default) with their descriptions; returns their rows by name.

    The file appears when everything is in it, over another one only with ``force``. Documents
    are text, as in Parquet. Raises UsageError for what may not be replaced, AceError
    where it cannot be written.
    """
    import duckdb

    names = [warehouse.catalog.table(name).full_name for name in tables]
    _check_free(file, force)
    beside = file.with_name(f".{file.name}-{uuid.uuid4().hex[:8]}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        counts = {}
        with _attached(beside) as connection:
            for name in names or list(warehouse.catalog.tables):
                progress(name)
                counts[name] = _write(warehouse, name, connection)
        _check_free(file, force)
        os.replace(beside, file)
    except (OSError, duckdb.Error) as error:
        reason = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise AceError(f"{file} cannot be written: {reason}.", "Choose another place.") from None
    finally:
        for rest in (beside, beside.with_name(f"{beside.name}.wal")):
            rest.unlink(missing_ok=True)
    return counts


def _check_free(file: Path, force: bool) -> None:
    if file.is_dir():
        raise UsageError(f"{file} is a folder.", "Name a file.")
    if _is_ours(file.resolve()):
        raise UsageError(f"{file} belongs to the warehouse.", "Name another file.")
    if not force and (file.exists() or file.is_symlink()):
        raise UsageError(f"{file} exists already.", "Name a new file, or replace it with --force.")


def _is_ours(file: Path) -> bool:
    config = settings()
    home = config.home.resolve()
    built = (home / "warehouse.duckdb", (spark_home(config) / "warehouse.duckdb").resolve())
    return file in built or file.parent == home / "releases"


@contextlib.contextmanager
def _attached(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings().read_memory,
        # Nothing is fetched: what an older DuckDB reads needs no extension.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=config) as connection:
        place = str(file).replace("'", "''")
        connection.execute(f"attach '{place}' as older (storage_version '{STORAGE}')")
        yield connection
        connection.execute("detach older")


def _write(warehouse: Warehouse, name: str, connection: duckdb.DuckDBPyConnection) -> int:
    import polars as pl

    about = warehouse.catalog.table(name)
    columns = warehouse.catalog.columns(about)
    ids = {one.name for one in columns if one.type.lower() == "uuid"}
    there = f'older."{about.schema}"."{about.name}"'
    connection.execute(f'create schema if not exists older."{about.schema}"')
    rows = 0
    for place, frame in enumerate(warehouse.rows(name).frames(ROWS)):
        # Readers give ids as text.
        given = ", ".join(f'"{one}"::uuid as "{one}"' for one in frame.columns if one in ids)
        page = f"select * replace ({given}) from page" if given else "from page"
        connection.register("page", frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
        connection.execute(
            f"insert into {there} {page}" if place else f"create table {there} as {page}"
        )
        connection.unregister("page")
        rows += frame.height
    connection.execute(f"comment on table {there} is {_text(about.about)}")
    for column in columns:
        connection.execute(
            f'comment on column {there}."{column.name}" is {_text(column.description)}'
        )
    return rows


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'" if value else "null"
