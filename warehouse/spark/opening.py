"""What a build on Spark begins with: landed rows, the loads that it sees, its number and time.

Spark's SQL cannot read the footers of Parquet files, which say what a file holds; everything that
the models read of a build is therefore written beside its tables and named to the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from loaders.schema import RESOURCES, SOURCES, Kind, polars_schema

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from loaders.landing import Landing
    from loaders.landing.metadata import Load
    from warehouse.build.stale import Increment
    from warehouse.spark.versions import Held

_TIME = pa.timestamp("us", tz="UTC")
_LOADS = pa.schema(
    [
        *((name, pa.string()) for name in ("load_id", "source", "resource", "account")),
        ("landed_at", _TIME),
        *((name, pa.int64()) for name in ("read", "accepted", "rejected", "recovered")),
        ("known_at_min", _TIME),
        ("known_at_max", _TIME),
        ("file", pa.string()),
    ]
)
_BEATS = pa.schema([("source", pa.string()), ("landed_at", _TIME)])
_BUILDS = pa.schema(
    [
        ("build", pa.int64()),
        ("started_at", _TIME),
        ("as_of", _TIME),
        ("invocation_id", pa.string()),
    ]
)
_CONSUMED = pa.schema([("model", pa.string()), ("build", pa.int64())])
_PASSED = pa.schema([("build", pa.int64())])
_SQL_TYPES = {"timestamp[us, tz=UTC]": "timestamp", "int64": "bigint", "string": "string"}
#: Landed columns as Spark types them, by their kind.
_KINDS: dict[Kind, str] = {
    "text[]": "array<string>",
    "number": "double",
    "integer": "bigint",
    "timestamp": "timestamp",
}
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Pinned:
    """What a build sees of what landed, where that is not all of it."""

    #: Ids of the loads; None stands for every one.
    loads: frozenset[str] | None = None
    #: Its as-of time; without one it is that of the newest load or heartbeat.
    as_of: datetime | None = None

    @classmethod
    def of(cls, before: Held, increment: Increment | None, as_of: datetime | None) -> Pinned:
        """What an increment was planned for: what lands since waits for the next build."""
        if increment is None:
            return cls(as_of=as_of)
        return cls(before.loads | increment.loads, as_of or increment.until)


def open_build(
    session: SparkSession, landing: Landing, folder: Path, before: Held, pinned: Pinned
) -> None:
    """Name to the session what the models of a build read: what landed, and the tables of the
    build before. ``folder`` is the build's own, in that of all builds."""
    loads = [one for one in landing.loads() if pinned.loads is None or one.load_id in pinned.loads]
    beats = landing.heartbeats()
    times = [load.landed_at for load in loads] + [beat.landed_at for beat in beats]
    as_of = pinned.as_of or max(times, default=EARLIEST)
    rows = [{name: getattr(load, name) for name in _LOADS.names} for load in loads]
    builds = [dict(zip(_BUILDS.names, one, strict=True)) for one in before.builds]
    this = dict(zip(_BUILDS.names, (before.build + 1, datetime.now(UTC), as_of, ""), strict=True))
    tables = [one for one in before.versions if one.folder]
    consumed = [{"model": one.name, "build": before.build} for one in tables]
    session.sql("create database if not exists raw")
    _keep(session, folder, "build_meta.loads", _LOADS, rows)
    _keep(session, folder, "build_meta.heartbeats", _BEATS, [_beat(beat) for beat in beats])
    _keep(session, folder, "build_meta.builds", _BUILDS, [*builds, this])
    _keep(session, folder, "build_meta.this_build", _BUILDS, [this])
    _keep(session, folder, "build_meta.consumed", _CONSUMED, consumed)
    _keep(session, folder, "build_meta.passed", _PASSED, [{"build": before.passed}])
    for source, resources in SOURCES.items():
        for resource in resources:
            places = _places(landing, loads, source, resource)
            _name_landed(session, source, resource, places, folder)
    for one in tables:
        columns = list(zip(one.columns, one.types, strict=True))
        place = folder.parent / str(one.folder)
        name_table(session, f"build_{one.schema}.{one.name}", columns, place)
    for one in before.versions:
        if one.sql:
            session.sql(one.sql)


def _beat(beat: Any) -> dict[str, Any]:
    return {"source": beat.source, "landed_at": beat.landed_at}


def _keep(
    session: SparkSession,
    folder: Path,
    name: str,
    schema: pa.Schema,
    rows: Iterable[dict[str, Any]],
) -> None:
    place = folder / name.replace(".", "/")
    place.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema), place / "part-0.parquet")
    columns = [(one.name, _SQL_TYPES[str(one.type)]) for one in schema]
    name_table(session, name, columns, place)


def _places(landing: Landing, loads: Sequence[Load], source: str, resource: str) -> list[str]:
    """The folder of a resource, or its files where the folder holds some that nobody can read."""
    if not landing.storage.names(f"{source}/{resource}"):
        return []
    if not landing.left_out():
        # Whole: a catalogue would look for a relative path below its own folder.
        return [landing.storage.location(f"{source}/{resource}")]
    return [load.file for load in loads if (load.source, load.resource) == (source, resource)]


def _name_landed(
    session: SparkSession, source: str, resource: str, places: Sequence[str], folder: Path
) -> None:
    """A view of the landed rows with every column: older files lack some, and a folder without
    files has none at all."""
    from pyspark.errors import AnalysisException

    kinds = {column.name: column.kind for column in RESOURCES[resource]}
    columns = {
        name: _KINDS.get(kinds[name], "string") if name in kinds else _bookkeeping(str(dtype))
        for name, dtype in polars_schema(resource).items()
    }
    name = f"{source}__{resource}"
    found: set[str] = set()
    if places:
        files = session.read.option("mergeSchema", "true").parquet(*places)
        found = set(files.columns)
        files.createOrReplaceTempView(f"landed__{name}")
    chosen = ", ".join(
        f"cast({f'`{column}`' if column in found else 'null'} as {kind}) as `{column}`"
        for column, kind in columns.items()
    )
    view = f"create or replace view raw.{name} as select {chosen}"
    if not found:
        session.sql(f"{view} where false")
        return
    try:
        session.sql(f"{view} from landed__{name}")
    except AnalysisException:
        # Apache Spark: a view of the catalogue cannot read one of the session. Sail cannot read
        # such a table in turn: its arrays are not those of the files.
        held = [(field.name, field.dataType.simpleString()) for field in files.schema.fields]
        name_table(session, f"raw.landed__{name}", held, _one_folder(places, folder / "raw" / name))
        session.sql(f"{view} from raw.landed__{name}")


def _one_folder(places: Sequence[str], linked: Path) -> str:
    """A folder that holds the landed files and no others: their own, or one of links to them."""
    if len(places) == 1 and not places[0].endswith(".parquet"):
        return places[0]
    linked.mkdir(parents=True)
    for place in places:
        (linked / Path(place).name).symlink_to(place)
    return str(linked)


def _bookkeeping(dtype: str) -> str:
    if dtype.startswith("Datetime"):
        return "timestamp"
    return "bigint" if dtype.startswith("Int") else "string"


def name_table(
    session: SparkSession, name: str, columns: Sequence[tuple[str, str]], place: Path | str
) -> None:
    """A table over the Parquet files in a folder; columns that a file lacks are null."""
    session.sql(f"drop table if exists {name}")
    listed = ", ".join(f"`{column}` {kind}" for column, kind in columns)
    quoted = str(place).replace("'", "\\'")
    session.sql(f"create table {name} ({listed}) using parquet location '{quoted}'")
