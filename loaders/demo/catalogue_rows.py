"""The catalogue as rows: names, texts and both spellings of the operational columns."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import polars as pl

from loaders.demo import truth
from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS, SECOND, moment
from loaders.demo.frames import (
    DUPLICATE,
    SUPERSEDED,
    json_object,
    pick,
    simulated,
    times,
)
from loaders.demo.keys import Ints, hex_text, stream, uuid_or_null, uuids
from loaders.demo.world import World

CHUNK = 50_000
LABEL = "(simulated)"
CATEGORIES = ("Beauty", "Home", "Kitchen", "Fitness", "Tech", "Pets", "Travel")
ADJECTIVES = ("Glow", "Swift", "Cosy", "Pocket", "Quiet", "Bright", "Nimble", "Pure", "Snap")
THINGS = ("Serum", "Blender", "Lamp", "Roller", "Charger", "Brush", "Bottle", "Organiser")
HOOKS = {
    "question": "Why does nobody tell you about {}?",
    "bold_claim": "{} beat everything else I tried.",
    "statistic": "9 of 10 people use {} the wrong way.",
    "confession": "I was wrong about {}.",
}
FORMATS = ("mp4", "mov", "mp4", "webm")
#: Every tenth post uses the operational spelling of its columns, and so do its polls.
DRIFT_EVERY, DRIFT_REST = 10, 3


def product_names(world: World) -> list[str]:
    """Name of each product; all end in "(simulated)"."""
    return [
        f"{ADJECTIVES[i % len(ADJECTIVES)]} {THINGS[i // len(ADJECTIVES) % len(THINGS)]}"
        f"{f' {i // 72 + 1}' if i >= 72 else ''} {LABEL}"
        for i in range(world.catalogue.products)
    ]


def _chunks(count: int) -> Iterator[Ints]:
    for low in range(0, count, CHUNK):
        yield np.arange(low, min(low + CHUNK, count), dtype=np.int64)


def _some(world: World, name: str, count: int, share: float, low: int = 2) -> Ints:
    """Sorted distinct numbers under ``count``: about that share of them."""
    size = min(count, max(low, round(count * share)))
    return np.sort(stream(world.clock.seed, name).choice(count, size, replace=False)).astype(int)


def _product_frame(world: World, index: Ints, price_factor: float) -> pl.DataFrame:
    catalogue, seed = world.catalogue, world.clock.seed
    names = product_names(world)
    created = catalogue.product_created[index]
    price = np.round((9 + (index * 7) % 40 + 0.99) * price_factor, 2)
    meta = [
        json.dumps({"simulated": True, "tier": int(i % 3)}, separators=(",", ":")) for i in index
    ]
    slugs = hex_text(seed, "slug", index, 12)
    return simulated(
        created + 5 * MINUTE,
        product_id=uuids(seed, "product", index),
        name=pl.Series([names[i] for i in index]),
        description=pl.Series([f"{names[i]}: made up for the demo world." for i in index]),
        image_url=pl.Series([f"https://example.invalid/images/{s}.jpg" for s in slugs]),
        affiliate_link=pl.Series([f"https://example.invalid/buy/{s}" for s in slugs]),
        source_platform=pick(("amazon", "tiktok_shop", "shopify"), index % 3),
        category=pick(CATEGORIES, index % len(CATEGORIES)),
        meta=pl.Series(meta),
        created_at=times(created),
        updated_at=times(created),
        brand=pick(("Demo Brand", "Sample & Co", None), index % 3),
        price_usd=pl.Series(price),
        currency=pick(("USD",), index * 0),
        status=pick(("active",), index * 0),
        key_features=pl.Series(['["feature a","feature b"]'] * len(index)),
    )


def products(world: World) -> Iterator[pl.DataFrame]:
    """Products; some get a new price within the month, some are listed again unchanged."""
    catalogue, clock = world.catalogue, world.clock
    everyone = np.arange(catalogue.products, dtype=np.int64)
    updated = _some(world, "product updates", catalogue.products - 1, 0.2)
    again = np.setdiff1d(_some(world, "products again", catalogue.products, 0.15), updated)
    first = _product_frame(world, everyone, 1.0)
    old = pl.Series(np.isin(everyone, updated))
    yield first.with_columns(
        _fate=pl.when(old).then(pl.lit(SUPERSEDED)).otherwise("_fate"),
        _reason=pl.when(old).then(pl.lit("updated later")),
    )
    span = clock.end - clock.start
    when = clock.start + span // 4 + (updated * 7919 * MINUTE) % (span // 2)
    yield _product_frame(world, updated, 0.8).with_columns(
        updated_at=times(when),
        status=pl.lit("discounted"),
        _extracted_at=times(when + 5 * MINUTE),
        _reason=pl.lit("newer version"),
    )
    yield _product_frame(world, again, 1.0).with_columns(
        _extracted_at=times(np.full(len(again), clock.start + span // 2)),
        _fate=pl.lit(DUPLICATE),
        _reason=pl.lit("listed again unchanged"),
    )


def patterns(world: World) -> Iterator[pl.DataFrame]:
    """Creative patterns, a few of them for every product (product_id null)."""
    catalogue, seed = world.catalogue, world.clock.seed
    style, emotion = ([e.name for e in t] for t in (truth.STYLES, truth.EMOTIONS))
    structure = [e.name for e in truth.STRUCTURES]
    for index in _chunks(catalogue.patterns):
        chosen = catalogue.pattern_styles[index]
        styles = pl.DataFrame({"a": pick(style, chosen[:, 0]), "b": pick(style, chosen[:, 1])})
        feeling = pick(emotion, catalogue.pattern_emotion[index]).to_frame("a")
        hooks = list(HOOKS.values())
        openings = [text[0].upper() + text[1:] for text in (hook.format("this") for hook in hooks)]
        yield simulated(
            catalogue.pattern_created[index] + 3 * MINUTE,
            pattern_id=uuids(seed, "pattern", index),
            product_id=uuid_or_null(seed, "product", catalogue.pattern_product[index]),
            hook_text=pick(openings, index % len(hooks)),
            structure=pick(structure, catalogue.pattern_structure[index]),
            style_tags=styles.select(pl.concat_list("a", "b").alias("x"))["x"],
            emotion_tags=feeling.select(pl.concat_list("a").alias("x"))["x"],
            notes=pick(("Simulated pattern.", None), index % 2),
            observed_performance=pick(('{"source":"simulated"}', None), index % 2),
            created_at=times(catalogue.pattern_created[index]),
        )


def scripts(world: World) -> Iterator[pl.DataFrame]:
    """Scripts; every second one names its pattern in the operational column instead."""
    catalogue, seed = world.catalogue, world.clock.seed
    names = product_names(world)
    hooks = list(HOOKS.values())
    hook_order = [list(HOOKS).index(e.name) for e in truth.VARIABLES["hook_type"]]
    for index in _chunks(catalogue.scripts):
        chosen = catalogue.script_variables[index]
        fields = {
            key: pick([e.name for e in levels], chosen[:, number])
            for number, (key, levels) in enumerate(truth.VARIABLES.items())
        }
        pattern = catalogue.script_pattern[index]
        inside = json_object(
            len(index), creativePatternId=uuid_or_null(seed, "pattern", pattern), **fields
        )
        outside = json_object(len(index), **fields)
        column = pl.Series(index % 2 == 1)
        product = pick(names, catalogue.script_product[index])
        place = list(fields).index("hook_type")
        hook = pick([hooks[i] for i in hook_order], chosen[:, place])
        texts = pl.DataFrame(
            {
                "hook": hook,
                "product": product,
                "inside": inside,
                "outside": outside,
                "pattern": uuid_or_null(seed, "pattern", pattern),
            }
        ).with_columns(hook=pl.col("hook").str.replace("{}", pl.col("product"), literal=True))
        texts = texts.with_columns(
            text=pl.concat_str(
                "hook", pl.lit(" Here is what changed for me. Try "), "product", pl.lit(" today.")
            ),
            variables=pl.when(column).then("outside").otherwise("inside"),
            pattern=pl.when(column).then("pattern"),
        )
        yield simulated(
            catalogue.script_created[index] + 2 * MINUTE,
            script_id=uuids(seed, "script", index),
            product_id=uuids(seed, "product", catalogue.script_product[index]),
            script_text=texts["text"],
            creative_variables=texts["variables"],
            created_at=times(catalogue.script_created[index]),
            hook=texts["hook"],
            title=texts["product"],
            cta=pick(("Link in bio.", None), index % 2),
            creative_pattern_id=texts["pattern"],
        )


def assets(world: World) -> Iterator[pl.DataFrame]:
    """One video per experiment; every tenth has only the operational columns."""
    catalogue, seed = world.catalogue, world.clock.seed
    created = catalogue.asset_created
    for index in _chunks(catalogue.experiments):
        script = catalogue.experiment_script[index]
        drift = pl.Series(index % DRIFT_EVERY == DRIFT_REST)
        plain = ~drift
        path = pl.DataFrame(
            {"a": hex_text(seed, "asset file", index, 16), "b": pick(FORMATS, index % 4)}
        ).select(pl.concat_str(pl.lit("demo/"), "a", pl.lit("."), "b").alias("x"))["x"]
        yield simulated(
            created[index] + 2 * MINUTE,
            asset_id=uuids(seed, "asset", index),
            script_id=uuids(seed, "script", script),
            product_id=uuids(seed, "product", catalogue.script_product[script]),
            storage_url=path,
            format=pick(FORMATS, index % 4),
            metadata=pl.Series(['{"simulated":true}'] * len(index)),
            created_at=times(created[index]),
            storage_path=path,
            duration_seconds=pl.Series(12.0 + index % 40),
            tone=pick(("upbeat", "calm", None), index % 3),
            style_tags=pl.Series([["ugc"]] * len(index)),
        ).with_columns(
            *(pl.when(plain).then(name).alias(name) for name in ("product_id", "storage_url")),
            *(pl.when(plain).then(name).alias(name) for name in ("format", "metadata")),
            *(
                pl.when(drift).then(name).alias(name)
                for name in ("storage_path", "duration_seconds", "tone", "style_tags")
            ),
        )


def _late(world: World, index: Ints, extracted: Ints, name: str, count: int) -> Ints:
    """Rows that reach the warehouse one load later, after their children."""
    late = np.isin(index, _some(world, name, count, 0.005))
    later = extracted + world.clock.batch_length
    return np.where(late & (later <= world.clock.end), later, extracted)


def experiments(world: World) -> Iterator[pl.DataFrame]:
    """Experiments; a few are known only after their posts, a few lost their script."""
    catalogue, seed = world.catalogue, world.clock.seed
    lost = _some(world, "lost scripts", catalogue.experiments, 0.01)
    for index in _chunks(catalogue.experiments):
        script = catalogue.experiment_script[index]
        created = catalogue.experiment_created[index]
        kept = np.where(np.isin(index, lost), -1, script)
        yield simulated(
            _late(world, index, created + MINUTE, "late experiments", catalogue.experiments),
            experiment_id=uuids(seed, "experiment", index),
            product_id=uuids(seed, "product", catalogue.script_product[script]),
            script_id=uuid_or_null(seed, "script", kept),
            asset_id=uuids(seed, "asset", index),
            created_at=times(created),
            hypothesis=pick(
                ("A question hook lifts views.", "Fast pacing lifts views.", None), index % 3
            ),
            variation_label=pick(("A", "B", "C", "D", "E"), index % 5),
        )


def external_ids(world: World, index: Ints) -> pl.Series:
    """The platform's own id of each post, shaped like that platform's ids."""
    platform = world.catalogue.post_platform[index]
    frame = pl.DataFrame(
        {
            "platform": platform,
            "number": index,
            "hex": hex_text(world.clock.seed, "external", index, 11),
        }
    )
    return frame.select(
        pl.when(pl.col("platform") == 0)
        .then((pl.col("number") * 104_729 + 7_300_000_000_000_000_000).cast(pl.String))
        .when(pl.col("platform") == 1)
        .then("hex")
        .otherwise((pl.col("number") * 7 + 17_900_000_000_000_000).cast(pl.String))
        .alias("x")
    )["x"]


def _post_frame(world: World, index: Ints) -> pl.DataFrame:
    catalogue, seed = world.catalogue, world.clock.seed
    published = catalogue.post_published[index]
    drift = pl.Series(index % DRIFT_EVERY == DRIFT_REST)
    tags = [e.name for e in truth.POST_HASHTAGS]
    columns = {f"t{k}": pick(tags, catalogue.post_tags[index, k]) for k in range(3)}
    tagged = pl.DataFrame(columns).select(
        pl.concat_list("t0", "t1", "t2").alias("list"),
        pl.concat_str(
            pl.lit("Simulated post #"), "t0", pl.lit(" #"), "t1", pl.lit(" #"), "t2"
        ).alias("caption"),
    )
    external = external_ids(world, index)
    experiment = catalogue.post_experiment[index]
    return simulated(
        published + 2 * MINUTE + (index % 400) * SECOND,
        post_id=uuids(seed, "post", index),
        experiment_id=uuids(seed, "experiment", experiment),
        platform=pick(PLATFORMS, catalogue.post_platform[index]),
        external_post_id=external,
        published_at=times(published),
        platform_post_id=external,
        posted_at=times(published),
        caption=tagged["caption"],
        hashtags=tagged["list"],
        workflow_id=uuids(seed, "workflow", experiment),
        correlation_id=uuids(seed, "correlation", experiment),
        created_at=times(published - 10 * MINUTE),
    ).with_columns(
        *(pl.when(~drift).then(n).alias(n) for n in ("external_post_id", "published_at")),
        *(pl.when(drift).then(n).alias(n) for n in ("platform_post_id", "posted_at")),
    )


def posts(world: World) -> Iterator[pl.DataFrame]:
    """Posts; some were landed as drafts first, some come twice, some come late."""
    clock, count = world.clock, world.clock.posts
    drafts = _some(world, "drafts", count, 0.01)
    drafts = drafts[world.catalogue.post_published[drafts] > clock.start + DAY]
    twice = np.setdiff1d(_some(world, "posts twice", count, 0.01), drafts)
    for index in _chunks(count):
        frame = _post_frame(world, index)
        extracted = frame["_extracted_at"].to_physical().to_numpy()
        late = _late(world, index, extracted, "late posts", count)
        yield frame.with_columns(_extracted_at=times(late))
        draft = index[np.isin(index, drafts)]
        published = world.catalogue.post_published[draft]
        gone = ("external_post_id", "published_at", "platform_post_id", "posted_at")
        yield _post_frame(world, draft).with_columns(
            *(pl.lit(None).alias(name) for name in gone),
            _extracted_at=times(published - HOUR),
            _fate=pl.lit(SUPERSEDED),
            _reason=pl.lit("draft, published later"),
        )
        copies = frame.filter(pl.Series(np.isin(index, twice)))
        again = late[np.isin(index, twice)] + 30 * HOUR
        yield copies.with_columns(
            _extracted_at=times(again),
            _fate=pl.lit(DUPLICATE),
            _reason=pl.lit("landed twice"),
        ).filter(pl.col("_extracted_at") <= moment(clock.end))
