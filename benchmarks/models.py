"""Rows landed as a source would land them, and the project's models built from them."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks.measure import run_process

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from loaders.landing import Landing

ROOT = Path(__file__).resolve().parent.parent


def key(text: str) -> str:
    """A key of its own for each text."""
    return str(UUID(md5(text.encode()).hexdigest()))


def new_landing(home: Path) -> Landing:
    from loaders.landing import Landing

    landing = Landing(str(home / "landing"))
    landing.prepare()
    return landing


def land_demo(home: Path, posts: int, seed: int) -> None:
    """Land the simulated world, its truth in ``home``/truth."""
    from loaders.demo import load_demo

    load_demo(new_landing(home), posts=posts, seed=seed, truth_dir=home / "truth")


def land(
    landing: Landing, resource: str, known_at: datetime | list[datetime], **columns: list[Any]
) -> None:
    """Land columns of one resource, known at a time, or each row at its own."""
    import polars as pl

    from loaders.schema import RESOURCES

    rows = len(next(iter(columns.values())))
    times = known_at if isinstance(known_at, list) else [known_at] * rows
    frame = pl.DataFrame(
        {one.name: columns.get(one.name, [None] * rows) for one in RESOURCES[resource]},
        schema={one.name: one.polars for one in RESOURCES[resource]},
    ).with_columns(pl.Series("_extracted_at", times, dtype=pl.Datetime("us", "UTC")))
    with landing.open_load("files", resource) as writer:
        writer.write(frame)
        writer.commit()


def build(home: Path, *select: str, variables: dict[str, Any] | None = None) -> None:
    """Build what ``select`` says, without tests, into ``home``/warehouse.duckdb."""
    without = ("--exclude-resource-type", "test", "unit_test")
    _dbt(home, "build", select, *without, "--vars", json.dumps(variables or {}))


def run(home: Path, *select: str) -> None:
    """Run just these models there, upon tables that are given."""
    _dbt(home, "run", select)


def compiled(home: Path, *names: str) -> dict[str, str]:
    """The SQL of these models, upon tables in ``home``/warehouse.duckdb."""
    _dbt(home, "compile", names, "--indirect-selection", "empty")
    folder = home / "dbt" / "compiled"
    return {name: next(folder.rglob(f"{name}.sql")).read_text("utf-8") for name in names}


def write(connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame) -> None:
    """Make a table anew of rows whose ids are texts."""
    frame = rows  # noqa: F841 - read by the query
    keys = [column for column in rows.columns if column.endswith("_id")]
    casts = ", ".join(f"cast({key} as uuid) as {key}" for key in keys)
    replaced = f"replace ({casts})" if keys else ""
    connection.execute(f"create or replace table {table} as select * {replaced} from frame")


def _dbt(home: Path, command: str, select: tuple[str, ...], *more: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    run_process(
        [
            sys.executable, "-c", "from dbt.cli.main import cli; cli()", command,
            "--select", *select, *more, "--profiles-dir", "profiles", "--target", "duckdb",
            "--target-path", str(home / "dbt"), "--log-path", str(home / "dbt"),
        ],
        kept | {"ACE_HOME": str(home), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        ROOT,
    )  # fmt: skip
