"""Posts that ACE did not make: what they hang on, derived from each of them.

A post belongs to an experiment, an experiment to a script and a product. A team that has
only its accounts has none of the three: for each post without an experiment they are made
here, with keys that follow from the post's platform and id alone, so that every load of the
same post makes the same rows. They land as source ``files``, whatever the posts come from.
"""

from __future__ import annotations

import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from loaders.jsontext import clean_text
from loaders.keys import derived_key
from loaders.landing.metadata import utc_now
from loaders.landing.rows import landed_rows
from loaders.schema import ADOPTED, EARLIEST_TIME, PRODUCT, RESOURCES, SOURCES, polars_type
from loaders.staged import platform, trimmed
from loaders.tags import written_tags

if TYPE_CHECKING:
    from loaders.landing import Landing, Load, LoadWriter

#: The source that products, scripts and experiments of adopted posts land as.
SOURCE = "files"

_TIME = polars_type("timestamp")


def product_name(given: Any) -> str:
    """A product's name as it counts: one spelling of blanks and of composed letters."""
    if given is not None and not isinstance(given, str):
        given = orjson.dumps(given).decode()
    return " ".join(unicodedata.normalize("NFC", clean_text(given or "")).split())


@dataclass
class _Product:
    """A product of adopted posts: since when it has content, and since when that is known."""

    name: str
    known_at: datetime
    created_at: datetime | None = None


class Adoption:
    """Makes what the posts of one load need; a context manager.

    Nothing is kept without :meth:`commit`, which comes before that of the posts. Killed in
    between, the next run makes the same rows again, which then are repeats.
    """

    def __init__(self, landing: Landing, name: str, *, input: str | None) -> None:
        self._landing = landing
        self._name = product_name(name)
        self._input = input
        self._now = utc_now()
        self._stack = ExitStack()
        self._writers: dict[str, LoadWriter] = {}
        self._products: dict[str, _Product] = {}

    def __enter__(self) -> Adoption:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def take(self, posts: pl.DataFrame) -> pl.DataFrame:
        """Typed posts with their ``_extracted_at``, each with an experiment: its own if it
        has one, or had one when it was landed before. A post without platform or id stays
        as it is. Raises AceError when the landing zone cannot be written.
        """
        named = _named(_completed(posts))
        nameless = (pl.col("_platform") == "") | (pl.col("_id") == "")
        orphaned = pl.col("experiment_id").is_null() & ~nameless.fill_null(True)
        if named.filter(orphaned).is_empty():
            return posts
        named = (
            named.join(self._own, on=["_platform", "_id"], how="left", maintain_order="left")
            .with_columns(pl.coalesce("experiment_id", "_own").alias("experiment_id"))
            .drop("_own")
        )
        made = self._make(named.filter(orphaned))
        tags = pl.lit(written_tags(named["caption"]))
        return (
            named.join(made, on="_position", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("experiment_id", "_experiment_id").alias("experiment_id"),
                pl.when(orphaned & pl.col("hashtags").is_null() & (tags.list.len() > 0))
                .then(tags)
                .otherwise("hashtags")
                .alias("hashtags"),
            )
            .drop("_platform", "_id", "_experiment_id")
        )

    @cached_property
    def _own(self) -> pl.DataFrame:
        """The experiment that is known of a post because ACE made it: it stays its own."""
        columns = ("platform", "external_post_id", "platform_post_id", "experiment_id")
        sources = [name for name, kinds in SOURCES.items() if "published_posts" in kinds]
        posts = pl.concat([self._landed("published_posts", *columns, source=s) for s in sources])
        posts = _named(posts).filter(pl.col("experiment_id").is_not_null()).drop_nulls("_id")
        return (
            posts.filter(posts["experiment_id"] != _keys("experiments", posts))
            .sort("_extracted_at", "_load_id", "_position")
            .unique(["_platform", "_id"], keep="last")
            .select("_platform", "_id", pl.col("experiment_id").alias("_own"))
        )

    def _make(self, posts: pl.DataFrame) -> pl.DataFrame:
        """Scripts and experiments of the posts; the experiments' keys by ``_position``."""
        published = pl.coalesce("published_at", "posted_at")
        made = posts.select(
            "_position",
            "_extracted_at",
            pl.Series("product_id", map(self._product, posts["_extra"]), dtype=pl.String),
            _keys("scripts", posts).alias("script_id"),
            _keys("experiments", posts).alias("experiment_id"),
            # Empty, not null: a post without words has a script without words.
            pl.col("caption").alias("script_text"),
            pl.lit(ADOPTED).alias("variation_label"),
            # A post may be scheduled; nothing of it was made later than it was known.
            pl.min_horizontal(published, "_extracted_at", pl.lit(self._now, _TIME))
            .pipe(lambda time: pl.when(time >= EARLIEST_TIME).then(time))
            .alias("created_at"),
        )
        self._note(made)
        made = self._worded(made)
        for resource in ("scripts", "experiments"):
            own = {column.name for column in RESOURCES[resource]} | {"_extracted_at"}
            self._writer(resource).write(made.select(n for n in made.columns if n in own))
        return made.select("_position", pl.col("experiment_id").alias("_experiment_id"))

    def _product(self, extra: str | None) -> str:
        """Key of the product a record names, else of the one all others belong to."""
        name = orjson.loads(extra).get(PRODUCT) if extra and PRODUCT in extra else None
        name = product_name(name) or self._name
        key = derived_key(ADOPTED, "products", name)
        self._products.setdefault(key, _Product(name, self._now))
        return key

    def _note(self, made: pl.DataFrame) -> None:
        """Products begin with the first of their posts, and are known with it."""
        first = made.group_by("product_id").agg(
            pl.min("created_at"),
            pl.when(pl.col("_extracted_at") >= EARLIEST_TIME)
            .then("_extracted_at")
            .otherwise(pl.lit(self._now, _TIME))
            .min(),
        )
        for key, created, known in first.iter_rows():
            product = self._products[key]
            product.created_at = _earlier(product.created_at, created)
            product.known_at = min(product.known_at, known)

    def _worded(self, made: pl.DataFrame) -> pl.DataFrame:
        """Every script has a text: where this load has none, that of the last which had."""
        if not made["script_text"].null_count():
            return made
        return (
            made.join(self._known_texts, on="script_id", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("script_text", "_known_text", pl.lit("")).alias("script_text")
            )
            .drop("_known_text")
        )

    @cached_property
    def _known_texts(self) -> pl.DataFrame:
        return (
            self._landed("scripts", "script_id", "script_text")
            .filter(pl.col("script_text") != "")
            .sort("_extracted_at", "_load_id", "_position")
            .unique("script_id", keep="last")
            .select("script_id", pl.col("script_text").alias("_known_text"))
        )

    def commit(self) -> list[Load]:
        """Commit what was made, parents first. Raises AceError as :meth:`take` does."""
        if not self._products:
            return []
        self._writer("products").write(self._product_rows())
        order = [name for name in RESOURCES if name in self._writers]
        return [self._writers[name].commit() for name in order]

    def _product_rows(self) -> pl.DataFrame:
        """Products as this load and those before say: as old as the oldest post of all."""
        landed = (
            self._landed("products", "product_id", "created_at")
            .filter(pl.col("product_id").is_in(list(self._products)))
            .group_by("product_id")
            .agg(pl.min("created_at"), pl.max("_extracted_at"))
        )
        before = {key: times for key, *times in landed.iter_rows()}
        rows = []
        for key, product in self._products.items():
            created, known = before.get(key, (None, None))
            oldest = _earlier(product.created_at, created)
            row = {"product_id": key, "name": product.name, "source_platform": ADOPTED,
                   "created_at": oldest, "_extracted_at": product.known_at}  # fmt: skip
            rows.append(row)
            if known is not None and oldest != created and product.known_at < known:
                # Known before the last version, the row would not replace it.
                rows.append(row | {"_extracted_at": self._now})
        times = {"created_at": _TIME, "_extracted_at": _TIME}
        return pl.DataFrame(rows, schema_overrides=times)

    def _writer(self, resource: str) -> LoadWriter:
        if resource not in self._writers:
            writer = self._landing.open_load(SOURCE, resource, input=self._input)
            self._writers[resource] = self._stack.enter_context(writer)
        return self._writers[resource]

    def _landed(self, resource: str, *columns: str, source: str = SOURCE) -> pl.DataFrame:
        """Columns of what was landed before, with ``_extracted_at``, load and position."""
        return landed_rows(self._landing, source, resource, columns)


def _keys(table: str, posts: pl.DataFrame) -> pl.Series:
    """Keys of the posts' rows in another table: they follow from platform and id alone."""
    keys = [
        derived_key(f"{ADOPTED} {platform}", table, one)
        for platform, one in zip(posts["_platform"], posts["_id"], strict=True)
    ]
    return pl.Series(keys, dtype=pl.String)


def _completed(posts: pl.DataFrame) -> pl.DataFrame:
    """The posts with every column of their resource and ``_extra``."""
    kinds = {column.name: column.polars for column in RESOURCES["published_posts"]}
    kinds |= {"_extra": pl.String(), "_extracted_at": _TIME}
    missing = [pl.lit(None, kind).alias(n) for n, kind in kinds.items() if n not in posts.columns]
    return posts.with_columns(missing)


def _named(posts: pl.DataFrame) -> pl.DataFrame:
    """The posts with ``_platform`` and ``_id`` as the models' staging reads them."""
    named = trimmed(pl.coalesce("external_post_id", "platform_post_id"))
    return posts.with_columns(platform().alias("_platform"), named.alias("_id"))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((time for time in (one, other) if time is not None), default=None)
