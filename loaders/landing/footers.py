"""What landed files say about themselves, many at a time and without Arrow or Polars.

Commands that only list loads (``ace status``, ``ace build`` with nothing to do) touch no
data, and importing what reads data takes longer than they do.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError
from loaders.landing.metadata import METADATA_KEY, Load, decode

if TYPE_CHECKING:
    import duckdb

    from loaders.landing.storage import Storage


def ace_values(storage: Storage, names: Sequence[str]) -> dict[str, bytes]:
    """Relative name to the ``ace`` value of its file.

    Files that cannot be told this way are left out: the caller reads those by themselves,
    which also gives the reason.
    """
    if not storage.local or not names:
        return {}
    import duckdb

    locations = {storage.location(name): name for name in names}
    rows = []
    with duckdb.connect() as connection:
        try:
            rows = _values(connection, list(locations))
        except duckdb.Error:
            # One of them is no Parquet: the others are still told.
            for location in locations:
                with contextlib.suppress(duckdb.Error):
                    rows += _values(connection, [location])
    return {locations[path]: bytes(value) for path, value in rows if path in locations}


def _values(connection: duckdb.DuckDBPyConnection, files: list[str]) -> list[tuple[str, bytes]]:
    return connection.execute(
        "select file_name, value from parquet_kv_metadata(?) where key = ?",
        [[exact_path(file) for file in files], METADATA_KEY],
    ).fetchall()


def verify(path: Path, loads: Sequence[Load]) -> None:
    """AceError unless a finished file says of itself what was meant: what nobody can read
    back must not be committed, for every later command reads it.
    """
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    meant = [load.located("") for load in loads]
    try:
        same = decode((metadata.metadata or {})[METADATA_KEY], "") == meant
    except (KeyError, ValueError):
        same = False
    if not same or metadata.num_rows != sum(load.accepted for load in loads):
        load = loads[0]
        raise AceError(
            f"The load of {load.input or load.resource} could not be read back as it was "
            "written, so nothing of it was landed.",
            "Report this with the input; other inputs can be loaded meanwhile.",
        )


def exact_path(path: str) -> str:
    """The pattern that means this one path to DuckDB, whatever is in its name."""
    return re.sub(r"([\[?*])", r"[\1]", path)
