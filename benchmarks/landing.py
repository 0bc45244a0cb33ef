"""Landing NDJSON: ours against DuckDB's own reader and against dlt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.data import COLUMNS, write_metrics
from benchmarks.measure import Line, Skip, interleaved, median, seconds, spread

#: dlt's record path takes minutes for a million rows; fewer are measured and scaled.
RECORD_ROWS = 20_000


def lines(folder: Path, rows: int) -> Iterator[Line]:
    """Every comparison of landing ``rows`` rows."""
    source = write_metrics(folder / "metrics.ndjson", rows)
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: land(source, folder / "ours"),
        "duckdb": lambda: into_duckdb(source, folder / "duckdb.db"),
    }
    have_dlt = True
    try:
        import dlt  # noqa: F401
    except ImportError:
        have_dlt = False
    if have_dlt:
        table = arrow_table(source)
        works["dlt arrow"] = lambda: with_dlt(table, folder / "dlt")
        works["dlt file"] = lambda: with_dlt(arrow_table(source), folder / "dlt")
    # Imports, and the folders that a landing zone makes once in its life.
    land(write_metrics(folder / "warm.ndjson", 1000), folder / "ours")
    runs = interleaved(works)
    ours = median(runs["ours"])
    peer = median(runs["duckdb"])
    yield Line(
        f"land {rows:,} rows vs DuckDB read_json",
        ours, peer, ratio=ours / peer, limit=3.0, runs=runs,
        note=f"times as long; aim 2; {spread(runs)}",
    )  # fmt: skip
    arrow = f"land {rows:,} rows vs dlt, Arrow table"
    record = f"land {rows:,} rows vs dlt, records"
    if not have_dlt:
        why = "dlt is not installed (pip install 'ace-warehouse[bench]')"
        yield Line(arrow, skipped=why)
        yield Line(record, skipped=why)
        return
    # Like for like: both begin with the file. dlt reads no NDJSON into Arrow itself, so
    # Polars does it for dlt, which is the fastest way there is.
    peer = median(runs["dlt file"])
    yield Line(
        arrow, ours, peer, ratio=peer / ours, sense=">=", limit=1.5,
        note="times as fast; dlt is given what Polars read from the file",
    )  # fmt: skip
    peer = median(runs["dlt arrow"])
    yield Line(
        "  the same, dlt's reading of the file not counted", ours, peer, ratio=peer / ours,
        note="for information: ours parses, dlt does not",
    )  # fmt: skip
    part = list(read_records(source, min(rows, RECORD_ROWS)))
    took = seconds(lambda: with_dlt(part, folder / "dlt")) * rows / len(part)
    yield Line(
        record, ours, took, ratio=took / ours, sense=">=", limit=100.0,
        note=f"times as fast; dlt measured once on {len(part):,} rows, scaled to {rows:,}",
    )  # fmt: skip


def land(source: Path, folder: Path) -> None:
    """What ``ace load files FILE --table performance_metrics --again`` does."""
    from loaders.files import load_files
    from loaders.landing import Landing

    results = load_files(Landing(folder), [source], table="performance_metrics", again=True)
    if any(result.exit_code for result in results):
        raise Skip(f"the load failed: {results[0].message}")


def into_duckdb(source: Path, database: Path) -> None:
    """The least that any loader could do: parse into a table of a new file."""
    import duckdb

    database.unlink(missing_ok=True)
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in COLUMNS.items())
    with duckdb.connect(str(database)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(
            f"create table metrics as from read_json('{source}', "
            f"format='newline_delimited', columns={{{columns}}})"
        )


def arrow_table(source: Path) -> object:
    import polars as pl

    return pl.read_ndjson(source).to_arrow(compat_level=pl.CompatLevel.oldest())


def read_records(source: Path, count: int) -> Iterator[object]:
    import orjson

    with source.open("rb") as file:
        for _ in range(count):
            yield orjson.loads(file.readline())


def with_dlt(data: object, folder: Path) -> None:
    """dlt's own way into DuckDB, with its state in ``folder`` and no telemetry."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(folder / "state"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="bench",
    )
    pipeline.run(data, table_name="metrics", write_disposition="replace")
