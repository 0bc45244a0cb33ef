"""similar_items over the simulated world against NumPy, and what was left out."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from tests.support.builds import Warehouse
from tests.support.macros import rendered

NEIGHBOURS = 10
#: What stands between the commas of broken vectors, and what slips in anywhere.
ELEMENTS = (
    "1", "-2.5", "3e2", "0", "-0.0", " 4 ", "NaN", "null", "", "oops", '"1"', "[1]",
    "1e999", "0x1", "1_0", "+1", ".5", "5.", "00", "Infinity", "{}", "true", "1 2", "\u0661",
)  # fmt: skip
SLIPS = ("", " ", "x", "]", "[", ",", "\n", "\t", "-", "e", ".", "'", '"', "\u00a0")


def readable(text: str) -> list[float] | None:
    """The vector, strictly: JSON without NaN, only numbers, at least one."""
    try:
        found = json.loads(text, parse_constant=lambda name: None)
    except ValueError:
        return None
    if not isinstance(found, list) or not found:
        return None
    if not all(type(x) in (int, float) and math.isfinite(x) for x in found):
        return None
    return [float(x) for x in found]


def spaces(demo: Warehouse) -> dict[tuple[str, str, int], dict[str, np.ndarray]]:
    """Newest usable vector of each item by type, model and dimension, at length 1."""
    found: dict[tuple[str, str, int], dict[str, Any]] = defaultdict(dict)
    for row in demo.query("select * from canonical.embeddings order by created_at, embedding_id"):
        vector = readable(row["embedding"])
        if vector is None or not any(vector):
            continue
        metadata = row["metadata"]
        metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
        array = np.array(vector)
        space = (row["reference_type"], metadata["model"], len(vector))
        found[space][str(row["reference_id"])] = array / np.linalg.norm(array)
    return found


def some_text(random_: random.Random) -> str | None:
    """A vector, usually with something wrong in it."""
    if random_.random() < 0.05:
        return None
    elements = [
        random_.choice(ELEMENTS) if random_.random() < 0.2 else f"{random_.uniform(-9, 9):.4g}"
        for _ in range(random_.randrange(7))
    ]
    text = f"[{','.join(elements)}]"
    if random_.random() < 0.3:
        at = random_.randrange(len(text) + 1)
        text = text[:at] + random_.choice(SLIPS) + text[at + random_.randrange(2) :]
    return text


@pytest.mark.parametrize("seed", range(5))
def test_broken_texts_are_no_vectors_and_no_errors(seed: int) -> None:
    """All in one expression, where nothing but the macros themselves keeps nulls apart."""
    random_ = random.Random(seed)
    texts = [some_text(random_) for _ in range(400)] + ["[0, 0]", "[3, 4]", "", "[]"]
    parsed = rendered("parse_vector", "text")
    unit = rendered("vector_unit", parsed)
    with duckdb.connect() as connection:
        connection.register("texts", pl.DataFrame({"text": texts}, schema={"text": pl.String}))
        rows = connection.execute(
            f"select text, {parsed}, {rendered('vector_norm', parsed)}, {unit},"
            f" {rendered('unit_cosine', unit, unit)} from texts"
        ).fetchall()
    assert len(rows) == len(texts)
    usable = 0
    for text, vector, norm, unit_vector, cosine in rows:
        expected = readable(text) if text is not None else None
        assert vector == expected, text
        if expected is None or not any(expected):
            assert norm == (None if expected is None else 0), text
            assert unit_vector is cosine is None, text
            continue
        usable += 1
        assert math.isclose(norm, np.linalg.norm(expected), rel_tol=1e-12), text
        assert np.allclose(unit_vector, np.array(expected) / np.linalg.norm(expected)), text
        assert cosine == 1, text
    assert 50 < usable < 350


def test_neighbours_are_numpys(demo: Warehouse) -> None:
    listed: dict[tuple[str, str], list[tuple[str, float]]] = {}
    largest_first = sorted(spaces(demo).items(), key=lambda item: -len(item[1]))
    for (kind, _, _), items in largest_first:
        names = sorted(items)
        matrix = np.stack([items[name] for name in names])
        cosines = matrix @ matrix.T
        for i, name in enumerate(names):
            if (kind, name) in listed:
                continue
            others = [j for j in range(len(names)) if j != i]
            others.sort(key=lambda j: (-round(cosines[i, j], 9), names[j]))
            listed[kind, name] = [(names[j], cosines[i, j]) for j in others[:NEIGHBOURS]]
    rows = demo.query("select * from marts.similar_items order by reference_id, rank")
    got: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for row in rows:
        assert row["is_exact"]
        key = (row["reference_type"], str(row["reference_id"]))
        got[key].append((str(row["neighbour_id"]), row["cosine"]))
    expected = {key: near for key, near in listed.items() if near}
    assert set(got) == set(expected)
    for key, near in expected.items():
        assert [name for name, _ in got[key]] == [name for name, _ in near]
        assert np.allclose([c for _, c in got[key]], [c for _, c in near], atol=1e-11)


def test_planted_near_duplicates_show_and_no_other(demo: Warehouse) -> None:
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_similar.parquet")
    planted = {frozenset(row) for row in truth.select(pl.all().cast(pl.String)).iter_rows()}
    rows = demo.query(
        "select reference_id, neighbour_id from marts.similar_items"
        " where is_near_duplicate and reference_type = 'script'"
    )
    assert {frozenset((str(r["reference_id"]), str(r["neighbour_id"]))) for r in rows} == planted
    assert len(rows) == 2 * len(planted)


def test_what_was_left_out_is_counted(demo: Warehouse) -> None:
    texts = [row["embedding"] for row in demo.query("select embedding from canonical.embeddings")]
    vectors = [readable(text) for text in texts]
    total = demo.query(
        "select sum(embeddings)::int as n, sum(unreadable)::int as unreadable,"
        " sum(zero)::int as zero, max(dimensions) as dimensions from marts.embedding_coverage"
    )[0]
    assert total["n"] == len(texts)
    assert total["unreadable"] == sum(vector is None for vector in vectors) == 4
    assert total["zero"] == sum(vector is not None and not any(vector) for vector in vectors) == 1
    assert total["dimensions"] == 2
