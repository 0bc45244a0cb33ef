"""What landed files say about themselves, many at a time and without Arrow or Polars.

Commands that only list loads (``ace status``, ``ace build`` with nothing to do) touch no
data, and importing what reads data takes longer than they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loaders.landing.metadata import METADATA_KEY

if TYPE_CHECKING:
    from loaders.landing.storage import Storage


def ace_values(storage: Storage, names: Sequence[str]) -> dict[str, bytes]:
    """Relative name to the ``ace`` value of its file.

    Files that cannot be told this way are left out (all of them, when one of them is no
    Parquet): the caller reads those one by one, which also gives the reason.
    """
    if not storage.local or not names:
        return {}
    import duckdb

    locations = {storage.location(name): name for name in names}
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(
                "select file_name, value from parquet_kv_metadata(?) where key = ?",
                [list(locations), METADATA_KEY],
            ).fetchall()
    except duckdb.Error:
        return {}
    # A file name with an asterisk or a bracket is a pattern to DuckDB.
    return {locations[path]: bytes(value) for path, value in rows if path in locations}
