"""Where the releases of each engine are: the one place that knows every store."""

from __future__ import annotations

from pathlib import Path

from common.errors import UsageError
from warehouse.release.model import ReleaseStore
from warehouse.settings import Settings, check_duckdb_path

#: Releases kept besides the current one's own claim (``ACE_KEEP_RELEASES``).
KEEP = 5


def keep(config: Settings) -> int:
    """How many releases are kept (``ACE_KEEP_RELEASES``, at least 1)."""
    text = config.extra.get("ACE_KEEP_RELEASES", str(KEEP))
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise UsageError(f"ACE_KEEP_RELEASES is '{text}'.", "It must be a whole number from 1.")
    return int(text)


def open_store(config: Settings, target: str) -> ReleaseStore:
    """The store of an engine. What Spark builds is released, and read, as DuckDB's is."""
    if target == "postgres":
        from warehouse.release.pg_public import parse_readers
        from warehouse.release.postgres import PostgresStore

        if not config.postgres_url:
            raise UsageError(
                "The target is postgres, but ACE_POSTGRES_URL is not set.",
                "Set it to the warehouse's address, for example postgresql:///ace.",
            )
        readers = parse_readers(config.extra.get("ACE_READERS", ""))
        return PostgresStore(config.postgres_url, keep(config), readers)
    from warehouse.release.duckdb import DuckStore

    check_duckdb_path("ACE_HOME", config.home)
    built = config.warehouse if target == "duckdb" else spark_home(config) / "warehouse.duckdb"
    return DuckStore(config.home, built, keep(config), target)


def spark_home(config: Settings) -> Path:
    """Where a build on Spark has its tables, and the DuckDB file that they become."""
    return config.home / "spark"
