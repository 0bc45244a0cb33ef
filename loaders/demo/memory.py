"""What agents remember: notes, some of them repeated, and embeddings, some of them bad."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from loaders.demo import truth
from loaders.demo.clock import DAY, HOUR, MINUTE
from loaders.demo.frames import pick, simulated, times
from loaders.demo.keys import Ints, stream, uuids
from loaders.demo.world import World

DIMENSION = 16
MODELS = ("demo-embed-v1", "demo-embed-v2")
MAX_NOTES = 20_000
MAX_VECTORS = 20_000
NOTE_AGENTS = ("AnalystAgent", "ResearchAgent", "ScriptwriterAgent", "TrendAnalysisAgent")
#: Every tenth note says what the note ten before it said, word for word.
REPEAT_EVERY = 10


def note_count(posts: int) -> int:
    """A note per ten posts, within bounds."""
    return int(min(max(posts // 10, 20), MAX_NOTES))


def _vector_texts(vectors: npt.NDArray[np.float64]) -> list[str]:
    return [json.dumps([round(float(x), 5) for x in row]) for row in vectors]


def notes(world: World) -> Iterator[pl.DataFrame]:
    """Notes of agents on patterns and tags; a repeated note supersedes the one before."""
    clock, seed = world.clock, world.clock.seed
    count = note_count(clock.posts)
    number = np.arange(count, dtype=np.int64)
    repeats = (number % REPEAT_EVERY == REPEAT_EVERY - 1) & (number >= REPEAT_EVERY)
    said = np.where(repeats, number - REPEAT_EVERY + 1, number)
    created = clock.start + (number + 1) * (clock.end - clock.start - HOUR) // (count + 1)
    random = stream(seed, "notes")
    importance = np.round(random.uniform(0.1, 1.0, count), 2)[said]
    vectors = random.normal(0, 1, (count, DIMENSION))[said]
    texts = _vector_texts(vectors)
    style = [e.name for e in truth.STYLES]
    topic = pick(("hooks", "style", "posting times", "trends", None), said % 5)
    content = [
        f"Simulated note {k}: {style[k % len(style)]} videos, look at them again." for k in said
    ]
    rated = pl.Series(said % 9 != 4)
    embedded = pl.Series(said % 3 == 0)
    yield simulated(
        created + MINUTE,
        note_id=uuids(seed, "note", number),
        agent_name=pick(NOTE_AGENTS, said % len(NOTE_AGENTS)),
        topic=topic,
        content=pl.Series(content),
        importance=pl.Series(importance),
        embedding=pl.Series(texts),
        created_at=times(created),
    ).with_columns(
        importance=pl.when(rated).then("importance"),
        embedding=pl.when(embedded).then("embedding"),
    )


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    unit: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def embedded_scripts(world: World) -> Ints:
    """Which scripts have a vector: all of them, or the first twenty thousand."""
    return np.arange(min(world.catalogue.scripts, MAX_VECTORS), dtype=np.int64)


def near_duplicates(world: World) -> list[tuple[int, int]]:
    """Pairs of scripts whose vectors are all but equal."""
    last = len(embedded_scripts(world)) - 1
    return [(0, last // 2), (1, last)]


def embeddings(world: World) -> Iterator[pl.DataFrame]:
    """Vectors of scripts and patterns near those of their product, and the bad ones."""
    catalogue = world.catalogue
    random = stream(world.clock.seed, "embeddings")
    products = random.normal(0, 1, (catalogue.products, DIMENSION))
    index = embedded_scripts(world)
    product = catalogue.script_product[index]
    vectors = products[product] + random.normal(0, 0.7, (len(index), DIMENSION))
    for one, other in near_duplicates(world):
        vectors[other] = vectors[one] + random.normal(0, 0.01, DIMENSION)
    created = catalogue.script_created[index] + 10 * MINUTE
    model = (index % 20 == 19).astype(np.int64)
    for pair in near_duplicates(world):
        model[list(pair)] = 0
    yield _frame(world, "script", index, _vector_texts(_unit(vectors)), created, model)
    index = np.arange(min(catalogue.patterns, MAX_VECTORS), dtype=np.int64)
    owner = catalogue.pattern_product[index]
    vectors = products[owner] + random.normal(0, 0.7, (len(index), DIMENSION))
    created = catalogue.pattern_created[index] + 10 * MINUTE
    model = np.zeros(len(index), dtype=np.int64)
    yield _frame(world, "creative_pattern", index, _vector_texts(_unit(vectors)), created, model)
    yield _unusable(world)


def _frame(
    world: World, kind: str, index: Ints, texts: list[str], created: Ints, model: Ints
) -> pl.DataFrame:
    seed = world.clock.seed
    parent = {"script": "script", "creative_pattern": "pattern"}[kind]
    described = [f'{{"dimension":{DIMENSION},"model":"{name}"}}' for name in MODELS]
    return simulated(
        created + MINUTE,
        embedding_id=uuids(seed, f"embedding {kind}", index),
        reference_type=pl.Series([kind]).gather(pl.Series(np.zeros(len(index), dtype=np.uint32))),
        reference_id=uuids(seed, parent, index),
        embedding=pl.Series(texts),
        metadata=pick(described, model),
        created_at=times(created),
    )


#: Vectors no similarity may choke on: they are valid rows, and useless ones.
UNUSABLE: dict[str, str] = {
    "zero": json.dumps([0.0] * DIMENSION),
    "null element": json.dumps([0.1, None, *[0.2] * (DIMENSION - 2)]),
    "broken text": "[0.1, 0.2, oops",
    "not a number": "[NaN, 0.1]",
    "empty": "[]",
    "other dimension": json.dumps([0.5] * 8),
}


def _unusable(world: World) -> pl.DataFrame:
    """One embedding of each unusable sort, on existing scripts."""
    count = len(UNUSABLE)
    index = np.arange(count, dtype=np.int64) % world.catalogue.scripts
    created = np.full(count, world.clock.start + 2 * DAY, dtype=np.int64) + index * MINUTE
    created = np.minimum(created, world.clock.end - HOUR)
    model = np.zeros(count, dtype=np.int64)
    frame = _frame(world, "script", index, list(UNUSABLE.values()), created, model)
    return frame.with_columns(
        embedding_id=uuids(world.clock.seed, "embedding unusable", index),
        _reason=pl.concat_str(pl.lit("unusable vector: "), pl.Series(list(UNUSABLE))),
    )
