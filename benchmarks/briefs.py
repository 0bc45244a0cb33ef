"""Whether what briefs advise is true: items of what_helps and what_hurts against known effects.

Two sorts of simulated worlds: the demo's (tags drawn for themselves, products with a favourite
hook), and those of ``tags``, whose tags travel in groups. An item is right when its tag's true
effect has the sign that the brief says; a tag without any effect is wrong. The same rule that is
fed with shrunk_lift, a tag's effect with all that travels with it, is the peer. The models
are compiled by dbt once and run upon the rows of each world.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import models, tags
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

SEEDS = range(10)
#: Posts of a world, as in the demo and as few as a young team has.
POSTS = (400, 1000)
MODELS = (
    *tags.MODELS,
    *("int_product_choices", "int_telling_effects", "int_brief_effects"),
)
#: What ours may be of the peer's: where tags are drawn for themselves, both say the same.
AT_LEAST = 0.98
#: The mart with the effect of a tag alone put where that beside other tags is.
MARGINAL = """
    select * replace (
        shrunk_lift as adjusted_lift,
        exp(ln(1 + shrunk_lift) - half) - 1 as adjusted_lo,
        exp(ln(1 + shrunk_lift) + half) - 1 as adjusted_hi
    )
    from (
        select *, 1.959963984540054 * se * sqrt(ln(1 + shrunk_lift) / nullif(lift_log, 0)) as half
        from marts.creative_tag_effects
    )
"""


@dataclass(frozen=True)
class World:
    """Rows that the models read, and the true effect on ln views by product, kind and tag."""

    tables: dict[str, pl.DataFrame]
    effects: dict[tuple[str, str, str], float]


@dataclass(frozen=True)
class Item:
    """What one brief says of one tag: its place on its side, and the effect in that sense."""

    source: str
    confidence: str
    place: int
    true: float


def lines(folder: Path) -> Iterator[Line]:
    """Share of items that are right, and what the first three are truly worth."""
    home = folder / "home"
    models.new_landing(home)
    sql = models.compiled(home, *MODELS)
    for posts in POSTS:
        for name, make in (("drawn", demo_world), ("in groups", grouped_world)):
            ours: list[Item] = []
            marginal: list[Item] = []
            for seed in SEEDS:
                world = make(seed, posts)
                ours += said(home, world, sql)
                marginal += said(home, world, sql, marginal=True)
            yield from _compared(f"{posts} posts, tags {name}", ours, marginal)


def _compared(name: str, ours: list[Item], marginal: list[Item]) -> Iterator[Line]:
    for what, of in (("items that are right", right), ("effect of the first three", worth)):
        yield Line(
            f"{name}: {what}", of(ours), of(marginal), unit="",
            ratio=of(ours) / of(marginal), sense=">=", limit=AT_LEAST,
            note="; ".join(
                f"{sort} {of(found):.3f} of {len(found)}, by shrunk_lift {of(other):.3f} "
                f"of {len(other)}"
                for sort in ("this product", "all products", "uncertain")
                if (found := _of(ours, sort)) and (other := _of(marginal, sort))
            ),
        )  # fmt: skip


def _of(items: list[Item], sort: str) -> list[Item]:
    """Items of a source that are told, or those of any that are uncertain."""
    return [one for one in items
            if sort == ("uncertain" if one.confidence == "uncertain" else one.source)]  # fmt: skip


def right(items: list[Item]) -> float:
    """Share of the items whose tag does what they say."""
    return sum(one.true > 0 for one in items) / len(items)


def worth(items: list[Item]) -> float:
    """Mean true effect on ln views of those on the first three places, in the sense they say."""
    first = [one.true for one in items if one.place <= 3]
    return sum(first) / max(len(first), 1)


def said(home: Path, world: World, sql: dict[str, str], marginal: bool = False) -> Iterator[Item]:
    """Items of the briefs of a world's products, by adjusted_lift or by shrunk_lift."""
    import duckdb

    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        for schema in ("intermediate", "marts"):
            connection.execute(f"create schema if not exists {schema}")
        for name, rows in world.tables.items():
            models.write(connection, f"intermediate.{name}", rows)
        for name, query in sql.items():
            schema = "marts" if name == "creative_tag_effects" else "intermediate"
            connection.execute(f"create or replace table {schema}.{name} as {query}")
            if marginal and schema == "marts":
                connection.execute(f"create or replace table marts.{name} as {MARGINAL}")
        found = connection.execute(
            "select cast(product_id as text), kind, tag, list, place, confidence, "
            "item ->> 'evidence_from' from intermediate.int_brief_effects"
        ).fetchall()
    for product, kind, tag, side, place, confidence, source in found:
        effect = world.effects[product, kind, tag]
        yield Item(source, confidence, place, effect if side == "helps" else -effect)


def grouped_world(seed: int, posts: int) -> World:
    """A world of ``tags`` with these posts, all of one product."""
    import numpy as np

    one = tags.world(seed, posts)
    product = tags.key(2, 0, 0)
    effects = {
        (product, kind, f"t{number:02}"): float(effect)
        for kind in tags.KINDS
        for number, effect in enumerate(one.effect[kind])
    }
    for kind, prefix, chosen, levels in (
        ("structure", "", one.structure, tags.STRUCTURES),
        ("variable", "hook_type=", one.hook, tags.HOOKS),
    ):
        counts = np.bincount(chosen, minlength=len(levels))
        effects |= {
            (product, kind, prefix + name): effect
            for name, effect in zip(
                levels, _against_others(np.array(list(levels.values())), counts), strict=True
            )
        }
    tables = tags.tables({0: one})
    return World(tables | _without_patterns([product]), effects)


def _against_others(
    effects: npt.NDArray[np.float64], counts: npt.NDArray[np.integer[Any]]
) -> list[float]:
    """Each value's effect beside those of the other values, as often as they are used."""
    others = counts.sum() - counts
    return [float(x) for x in effects - (counts @ effects - counts * effects) / others]


def _without_patterns(products: list[str]) -> dict[str, pl.DataFrame]:
    """Products, and no pattern that a brief recommends."""
    import polars as pl

    text = {"product_id": pl.String, "pattern_id": pl.String, "hook": pl.String}
    return {
        "accepted_products": pl.DataFrame({"product_id": products}),
        "int_brief_patterns": pl.DataFrame(schema=text | {"works_place": pl.Int64}),
        "int_script_hooks": pl.DataFrame(
            schema={"script_id": pl.String, "said_of_anything": pl.String}
        ),
    }


def demo_world(seed: int, posts: int) -> World:
    """Posts of the demo's catalogue: views beside the platform's and the product's usual."""
    import numpy as np
    import polars as pl

    from loaders.demo import truth
    from loaders.demo.catalogue import FAVOURITE_VIEWS, HOOK, make_catalogue
    from loaders.demo.clock import PLATFORMS, make_clock

    catalogue = make_catalogue(make_clock(posts, 30, seed, None, 8, 1))
    script = catalogue.experiment_script[catalogue.post_experiment]
    product = catalogue.script_product[script]
    pattern = catalogue.script_pattern[script]
    lift = catalogue.post_log_views.copy()
    for number in range(len(PLATFORMS)):
        lift[catalogue.post_platform == number] -= np.median(
            lift[catalogue.post_platform == number]
        )
    # What is usual for a product is drawn to that of the platform, as baselines are.
    counts = np.bincount(product, minlength=catalogue.products)
    lift -= (np.bincount(product, lift, catalogue.products) / (counts + 4))[product]

    def key(kind: int, number: int) -> str:
        return str(UUID(int=(kind << 80) + int(number)))

    names = [effect.name for effect in truth.POST_HASHTAGS]
    hashtags = [sorted(names[tag] for tag in row) for row in catalogue.post_tags]
    moment = pl.lit("2026-01-01 00:00:00+00").str.to_datetime("%Y-%m-%d %H:%M:%S%#z")
    known = moment.alias("known_at")
    products = [key(2, number) for number in range(catalogue.products)]
    pattern_tags = []
    for number in range(catalogue.patterns):
        made_with = [("style", truth.STYLES[s].name) for s in catalogue.pattern_styles[number]]
        made_with.append(("emotion", truth.EMOTIONS[catalogue.pattern_emotion[number]].name))
        made_with.append(("structure", truth.STRUCTURES[catalogue.pattern_structure[number]].name))
        pattern_tags += [
            {"pattern_id": key(3, number), "kind": kind, "tag": tag} for kind, tag in made_with
        ]
    tables = {
        "int_post_outcomes": pl.DataFrame(
            {
                "post_id": [key(1, number) for number in range(posts)],
                "platform": [PLATFORMS[number] for number in catalogue.post_platform],
                "product_id": [key(2, number) for number in product],
                "pattern_id": [key(3, number) if number >= 0 else None for number in pattern],
                "script_id": [key(4, number) for number in script],
                "log_lift_72h": lift,
            }
        ).with_columns(known),
        "int_pattern_tags": pl.DataFrame(pattern_tags).with_columns(known),
        "int_script_tags": pl.DataFrame(
            {
                "script_id": [key(4, number) for number in range(len(catalogue.script_variables))],
                "tags": [
                    sorted(
                        f"{name}={levels[value].name}"
                        for (name, levels), value in zip(truth.VARIABLES.items(), row, strict=True)
                    )
                    for row in catalogue.script_variables
                ],
            }
        ).with_columns(known),
        "accepted_published_posts": pl.DataFrame(
            {"post_id": [key(1, number) for number in range(posts)], "hashtags": hashtags}
        ),
        "int_hashtag_tags": pl.DataFrame(
            [
                {"hashtags": list(several), "tag": tag}
                for several in sorted(set(map(tuple, hashtags)))
                for tag in several
            ]
        ),
    }
    effects = {}
    for number, one in enumerate(products):
        for kind, levels in (
            ("style", truth.STYLES), ("emotion", truth.EMOTIONS),
            ("structure", truth.STRUCTURES), ("hashtag", truth.POST_HASHTAGS),
        ):  # fmt: skip
            values = _against_others(truth.views(levels), np.ones(len(levels), dtype=np.int64))
            for effect, value in zip(levels, values, strict=True):
                effects[one, kind, effect.name] = value
        for place, (name, levels) in enumerate(truth.VARIABLES.items()):
            views = truth.views(levels)
            favourite = catalogue.product_favourite[number]
            if place == HOOK and favourite >= 0:
                views[favourite] += FAVOURITE_VIEWS
            values = _against_others(views, np.ones(len(levels), dtype=np.int64))
            for effect, value in zip(levels, values, strict=True):
                effects[one, "variable", f"{name}={effect.name}"] = value
    return World(tables | _without_patterns(products), effects)
