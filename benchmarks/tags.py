"""Effects of tags that travel together: how near adjusted_lift and its like come to the truth.

Simulated posts, in which every tag's effect is known. Hashtags and styles go in groups, most of a
group together, and one of each group has an effect; hashtags are also chosen by the structure and
the hook, which have effects of their own. In other worlds tags are drawn for themselves, and
scripts do better or worse beyond their tags: there intervals of lift_log are held to the truth as
well, with a post a script and with many. All worlds are built by the project's own models in one
run, each as a platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

SEEDS = range(10)
POSTS, PATTERNS = 3000, 200
GROUPS, SIZE = 3, 4
NOISE = 0.8
STRUCTURES = {"listicle": 0.3, "story": -0.2, "demo": 0.0, "skit": 0.0}
HOOKS = {"question": 0.3, "shock": -0.3, "number": 0.0, "plain": 0.0}
KINDS = ("hashtag", "style")
MODELS = ("int_choice_tags", "int_tagged_posts", "int_adjusted_tags", "creative_tag_effects")
#: Of worlds of scripts: seeds, posts a script on average, their deviation on ln views, and posts.
SCRIPT_SEEDS = range(30)
POSTS_A_SCRIPT = (1, 3, 10)
SCRIPT_SD, SCRIPT_WORLD = 0.4, 400
TAGS, SHARE = 8, 0.4


@dataclass(frozen=True)
class World:
    """Which tags posts have, their lifts, and the true effect of each tag, by kind.

    Posts of a script have one pattern and one hook.
    """

    has: dict[str, Floats]
    structure: npt.NDArray[np.int64]
    hook: npt.NDArray[np.int64]
    pattern: npt.NDArray[np.int64]
    script: npt.NDArray[np.int64]
    lift: Floats
    effect: dict[str, Floats]


def lines(folder: Path) -> Iterator[Line]:
    """Error by kind of tag, and how often the intervals hold the truth."""
    import numpy as np

    worlds = {seed: world(seed) for seed in SEEDS}
    of_scripts = {
        (posts, seed): script_world(seed, posts)
        for posts in POSTS_A_SCRIPT
        for seed in SCRIPT_SEEDS
    }
    numbers = {key: len(worlds) + place for place, key in enumerate(of_scripts)}
    built = by_the_models(folder, worlds | {numbers[key]: one for key, one in of_scripts.items()})
    for kind in KINDS:
        errors: dict[str, list[float]] = {}
        held = []
        for seed, one in worlds.items():
            marginal, shrunk, adjusted, low, high, *_ = built[kind, seed]
            truth = one.effect[kind]
            found = {
                "adjusted": adjusted, "marginal": marginal, "shrunk": shrunk,
                "least squares": least_squares(one, kind), "zero": 0 * truth,
            }  # fmt: skip
            for method, values in found.items():
                errors.setdefault(method, []).append(float(np.mean((values - truth) ** 2)))
            held.append(float(np.mean((low <= truth) & (truth <= high))))
        error = {method: float(np.sqrt(np.mean(values))) for method, values in errors.items()}
        yield Line(
            f"{kind}s that travel together: error of effects", error["adjusted"],
            error["marginal"], unit="", ratio=error["adjusted"] / error["marginal"], limit=0.5,
            note=f"{error['adjusted']:.4f}; lift_log {error['marginal']:.4f}, shrunk_lift "
            f"{error['shrunk']:.4f}, least squares {error['least squares']:.4f}, all zero "
            f"{error['zero']:.4f}; 95% intervals hold {np.mean(held):.1%}; {len(SEEDS)} seeds",
        )  # fmt: skip
    for posts in POSTS_A_SCRIPT:
        for kind in (*KINDS, "variable"):
            of_one = [
                (built[kind, numbers[posts, seed]], of_scripts[posts, seed].effect[kind])
                for seed in SCRIPT_SEEDS
            ]
            for column, end in (("lift_log", 5), ("adjusted_lift", 3)):
                inside = np.concatenate([
                    ((found[end] <= truth) & (truth <= found[end + 1]))[~np.isnan(found[end])]
                    for found, truth in of_one
                ])  # fmt: skip
                for sense, limit in ((">=", 0.9), ("<=", 0.98)):
                    yield Line(
                        f"95% intervals of {column}, {kind}s, {posts} posts a script",
                        100 * float(inside.mean()), unit="%", ratio=float(inside.mean()),
                        sense=sense, limit=limit,
                        note=f"{len(inside)} told; scripts differ by {SCRIPT_SD}, posts by {NOISE}",
                    )  # fmt: skip


def script_world(seed: int, posts_a_script: int) -> World:
    """Scripts of so many posts on average, of no two sizes, that differ beyond their tags."""
    import numpy as np

    random = np.random.default_rng([seed, posts_a_script, 43])
    scripts = SCRIPT_WORLD // posts_a_script
    sizes = 1 + random.poisson(random.gamma(2, (posts_a_script - 1) / 2, scripts))
    script = np.repeat(np.arange(scripts), sizes)
    has = {
        "hashtag": (random.random((len(script), TAGS)) < SHARE).astype(np.float64),
        "style": (random.random((scripts, TAGS)) < SHARE).astype(np.float64)[script],
    }
    hook = random.integers(0, len(HOOKS), scripts)[script]
    effect = {kind: random.normal(0, 0.2, TAGS) for kind in KINDS}
    own = random.normal(0, 0.2, len(HOOKS))
    used = np.bincount(hook, minlength=len(HOOKS))
    effect["variable"] = own - (used @ own - used * own) / (used.sum() - used)
    lift = sum(has[kind] @ effect[kind] for kind in KINDS) + own[hook]
    lift = lift + random.normal(0, SCRIPT_SD, scripts)[script]
    lift = lift + random.normal(0, NOISE, len(script))
    effect["variable"] = effect["variable"][np.argsort(list(HOOKS))]
    return World(has, 0 * script, hook, script, script, lift - np.median(lift), effect)


def world(seed: int, posts: int = POSTS) -> World:
    """Posts whose hashtags follow structure and hook, made after patterns with styles."""
    import numpy as np

    random = np.random.default_rng([seed, 41])

    def grouped(likely: Floats) -> Floats:
        """Tags of the groups that are taken, most of each, and a few of the others."""
        taken = random.random(likely.shape) < likely
        share = np.repeat(np.where(taken, 0.85, 0.03), SIZE, axis=1)
        return np.asarray(random.random(share.shape) < share, dtype=np.float64)

    styles = grouped(np.full((PATTERNS, GROUPS), 0.4))
    structures = random.integers(0, len(STRUCTURES), PATTERNS)
    pattern = random.integers(0, PATTERNS, posts)
    structure, hook = structures[pattern], random.integers(0, len(HOOKS), posts)
    likely = np.full((posts, GROUPS), 0.2)
    likely[:, 0] += 0.5 * (structure == 0)
    likely[:, 1] += 0.5 * (hook == 1)
    has = {"hashtag": grouped(likely), "style": styles[pattern]}
    effect = {}
    for kind in KINDS:
        effect[kind] = np.zeros(GROUPS * SIZE)
        first = np.arange(GROUPS) * SIZE + random.integers(0, SIZE, GROUPS)
        effect[kind][first] = random.choice([-0.4, 0.4], GROUPS)
    lift = sum(has[kind] @ effect[kind] for kind in KINDS) + random.normal(0, NOISE, posts)
    lift += np.array(list(STRUCTURES.values()))[structure] + np.array(list(HOOKS.values()))[hook]
    script = np.arange(posts)
    return World(has, structure, hook, pattern, script, lift - np.median(lift), effect)


def least_squares(one: World, kind: str) -> Floats:
    """Coefficients of a plain regression on the same columns."""
    import numpy as np

    columns = np.hstack(
        [one.has[kind], np.eye(len(STRUCTURES))[one.structure], np.eye(len(HOOKS))[one.hook]]
    )
    described = one.has[kind].any(axis=1)
    return np.asarray(np.linalg.lstsq(columns[described], one.lift[described])[0][: GROUPS * SIZE])


def by_the_models(
    folder: Path, worlds: dict[int, World]
) -> dict[tuple[str, int], tuple[Floats, ...]]:
    """Effects of every tag, as logarithms, built by the project's models: a platform a world."""
    import duckdb
    import numpy as np

    home = folder / "home"
    models.new_landing(home)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("create schema intermediate")
        for name, rows in tables(worlds).items():
            models.write(connection, f"intermediate.{name}", rows)
    models.run(home, *MODELS)
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select kind, platform, list([lift_log, ln(1 + shrunk_lift), ln(1 + adjusted_lift), "
            "ln(1 + adjusted_lo), ln(1 + adjusted_hi), lo, hi] order by tag) "
            "from marts.creative_tag_effects where platform <> 'all' and kind in ('hashtag', "
            "'style', 'variable') group by kind, platform"
        ).fetchall()
    return {
        (kind, int(platform)): tuple(np.array(values, dtype=np.float64).T)
        for kind, platform, values in rows
    }


def key(kind: int, seed: int, number: int) -> str:
    """The key of a thing of a kind in the world of a seed."""
    return str(UUID(int=(kind << 80) + (seed << 40) + number))


def tables(worlds: dict[int, World]) -> dict[str, Any]:
    """The rows that the models read. Hashtags of a post are a list, scripts name a hook each."""
    import polars as pl

    known = "2026-01-01 00:00:00+00"
    hooks = list(HOOKS)
    outcomes, published, patterns, scripts = [], [], [], []
    lists = set()
    for seed, one in worlds.items():
        for post in range(len(one.lift)):
            tags = [f"t{n:02}" for n in one.has["hashtag"][post].nonzero()[0]]
            lists.add(tuple(tags))
            published.append({"post_id": key(1, seed, post), "hashtags": tags})
            outcomes.append(
                {
                    "post_id": key(1, seed, post),
                    "platform": str(seed),
                    "product_id": key(2, seed, 0),
                    "pattern_id": key(3, seed, int(one.pattern[post])),
                    "script_id": key(4, seed, int(one.script[post])),
                    "log_lift_72h": float(one.lift[post]),
                }
            )
        for number in sorted(set(one.pattern.tolist())):
            post = int((one.pattern == number).argmax())
            made_with = [("style", f"t{n:02}") for n in one.has["style"][post].nonzero()[0]]
            made_with.append(("structure", list(STRUCTURES)[one.structure[post]]))
            patterns += [
                {"pattern_id": key(3, seed, number), "kind": kind, "tag": tag}
                for kind, tag in made_with
            ]
        hook_of = dict(zip(one.script.tolist(), one.hook.tolist(), strict=True))
        scripts += [
            {"script_id": key(4, seed, number), "tags": [f"hook_type={hooks[hook]}"]}
            for number, hook in sorted(hook_of.items())
        ]
    moment = pl.lit(known).str.to_datetime("%Y-%m-%d %H:%M:%S%#z").alias("known_at")
    return {
        "int_post_outcomes": pl.DataFrame(outcomes).with_columns(moment),
        "int_pattern_tags": pl.DataFrame(patterns).with_columns(moment),
        "int_script_tags": pl.DataFrame(scripts).with_columns(moment),
        "accepted_published_posts": pl.DataFrame(
            published, schema={"post_id": pl.String, "hashtags": pl.List(pl.String)}
        ),
        "int_hashtag_tags": pl.DataFrame(
            [{"hashtags": list(tags), "tag": tag} for tags in sorted(lists) for tag in tags],
            schema={"hashtags": pl.List(pl.String), "tag": pl.String},
        ),
    }
