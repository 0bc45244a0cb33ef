"""What a landed file looks like: the columns of every resource, declared once.

A *resource* is the landing form of one canonical table. It holds the canonical
columns plus the columns of the operational database that canonical has no room
for (both spellings: ``views`` and ``view_count``), so that every source lands
the same shape and staging can map it. A field no resource knows goes to
``_extra``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["uuid", "text", "json", "text[]", "number", "integer", "timestamp"]


@cache
def polars_type(kind: Kind) -> pl.DataType:
    """Type of a logical kind in landed files.

    ``uuid`` is lower-case text, ``json`` is canonical JSON text (sorted keys),
    timestamps are UTC with microseconds.
    """
    # Not at the top: names and kinds alone are read by commands that touch no data.
    import polars as pl

    types: dict[Kind, pl.DataType] = {
        "text[]": pl.List(pl.String()),
        "number": pl.Float64(),
        "integer": pl.Int64(),
        "timestamp": pl.Datetime("us", "UTC"),
    }
    return types.get(kind, pl.String())


@dataclass(frozen=True)
class Column:
    """One landed column: its name and logical kind."""

    name: str
    kind: Kind

    @property
    def polars(self) -> pl.DataType:
        return polars_type(self.kind)


def _columns(**kinds: Kind) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in kinds.items())


#: Columns of each resource, canonical spelling first, then what the
#: operational database calls the same thing or has besides.
RESOURCES: dict[str, tuple[Column, ...]] = {
    "products": _columns(
        product_id="uuid",
        name="text",
        description="text",
        image_url="text",
        affiliate_link="text",
        source_platform="text",
        category="text",
        meta="json",
        created_at="timestamp",
        updated_at="timestamp",
        brand="text",
        price_usd="number",
        currency="text",
        status="text",
        primary_benefit="text",
        target_audience="text",
        content_brief="json",
        key_features="json",
        objections="json",
        demo_ideas="json",
    ),
    "creative_patterns": _columns(
        pattern_id="uuid",
        product_id="uuid",
        hook_text="text",
        structure="text",
        style_tags="text[]",
        emotion_tags="text[]",
        notes="text",
        observed_performance="json",
        created_at="timestamp",
    ),
    "agent_notes": _columns(
        note_id="uuid",
        agent_name="text",
        topic="text",
        content="text",
        importance="number",
        embedding="text",
        created_at="timestamp",
    ),
    "embeddings": _columns(
        embedding_id="uuid",
        reference_type="text",
        reference_id="uuid",
        embedding="text",
        metadata="json",
        created_at="timestamp",
    ),
    "raw_videos": _columns(
        id="uuid",
        external_id="text",
        platform="text",
        caption="text",
        hashtags="text[]",
        author="text",
        view_count="integer",
        like_count="integer",
        share_count="integer",
        comment_count="integer",
        collected_at="timestamp",
        created_at="timestamp",
        caption_hashtags="text[]",
    ),
    "trend_snapshots": _columns(
        snapshot_id="uuid",
        product_id="uuid",
        popularity_score="number",
        velocity_score="number",
        competition_score="number",
        tiktok_trend_tags="text[]",
        raw_source_data="json",
        snapshot_time="timestamp",
    ),
    "scripts": _columns(
        script_id="uuid",
        product_id="uuid",
        script_text="text",
        creative_variables="json",
        created_at="timestamp",
        hook="text",
        title="text",
        cta="text",
        outline="text",
        creative_pattern_id="uuid",
        trend_reference="uuid",
    ),
    "video_assets": _columns(
        asset_id="uuid",
        script_id="uuid",
        product_id="uuid",
        storage_url="text",
        format="text",
        metadata="json",
        created_at="timestamp",
        storage_path="text",
        thumbnail_path="text",
        duration_seconds="number",
        tone="text",
        layout="text",
        style_tags="text[]",
    ),
    "experiments": _columns(
        experiment_id="uuid",
        product_id="uuid",
        script_id="uuid",
        asset_id="uuid",
        created_at="timestamp",
        hypothesis="text",
        variation_label="text",
    ),
    "published_posts": _columns(
        post_id="uuid",
        experiment_id="uuid",
        platform="text",
        external_post_id="text",
        published_at="timestamp",
        platform_post_id="text",
        posted_at="timestamp",
        caption="text",
        hashtags="text[]",
        workflow_id="text",
        correlation_id="text",
        created_at="timestamp",
    ),
    "performance_metrics": _columns(
        metric_id="uuid",
        post_id="uuid",
        views="integer",
        likes="integer",
        comments="integer",
        shares="integer",
        collected_at="timestamp",
        platform="text",
        external_post_id="text",
        view_count="integer",
        like_count="integer",
        comment_count="integer",
        share_count="integer",
        watch_time_ms="number",
        completion_rate="number",
        average_watch_seconds="number",
        three_second_rate="number",
        click_through_rate="number",
        impressions="integer",
        reach="integer",
        saves="integer",
        followers_gained="integer",
        is_ai_generated="text",
    ),
    "system_events": _columns(
        event_id="uuid",
        agent_name="text",
        event_type="text",
        payload="json",
        created_at="timestamp",
        correlation_id="text",
        workflow_id="text",
        event_category="text",
        severity="text",
        message="text",
        metadata="json",
    ),
}

#: What platforms tell of a post beyond its counts, so far since it was published: rates are
#: shares of 1, ``is_ai_generated`` is the platform's own label ("true" or "false").
TOLD: tuple[str, ...] = (
    "average_watch_seconds",
    "three_second_rate",
    "click_through_rate",
    "impressions",
    "reach",
    "saves",
    "followers_gained",
    "is_ai_generated",
)
#: Columns that a resource got when records of it had long been landed. They take part in a
#: record's hash where they hold something: one without them is the record that it was before.
ADDED: dict[str, frozenset[str]] = {"performance_metrics": frozenset(TOLD)}

#: Columns every landed row carries behind its resource's own.
BOOKKEEPING: dict[str, Kind] = {
    "_load_id": "text",
    "_source": "text",
    "_position": "integer",
    "_extracted_at": "timestamp",
    "_loaded_at": "timestamp",
    "_record_hash": "text",
    "_extra": "json",
}

#: No value was observed before (the models' var ``earliest_time``): such a time is the zero
#: of some program or of a clock that was never set.
EARLIEST_TIME = datetime(2005, 1, 1, tzinfo=UTC)

#: The column that says when a record's value was observed, by its own clock
#: (``--backfill`` takes the known-at time from it).
OWN_TIME: dict[str, tuple[str, ...]] = {
    "products": ("updated_at", "created_at"),
    "published_posts": ("published_at", "posted_at"),
    "performance_metrics": ("collected_at",),
    "raw_videos": ("collected_at", "created_at"),
    "trend_snapshots": ("snapshot_time",),
}
DEFAULT_OWN_TIME: tuple[str, ...] = ("created_at",)

#: The source's own key and the natural key of each resource; a load whose
#: records all lack both is worthless.
SOURCE_KEY: dict[str, str] = {
    "products": "product_id",
    "creative_patterns": "pattern_id",
    "agent_notes": "note_id",
    "embeddings": "embedding_id",
    "raw_videos": "id",
    "trend_snapshots": "snapshot_id",
    "scripts": "script_id",
    "video_assets": "asset_id",
    "experiments": "experiment_id",
    "published_posts": "post_id",
    "performance_metrics": "metric_id",
    "system_events": "event_id",
}
NATURAL_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "raw_videos": (("platform", "external_id"),),
    "published_posts": (("platform", "external_post_id"), ("platform", "platform_post_id")),
    "performance_metrics": (("post_id",), ("platform", "external_post_id")),
}

#: Names of the same thing: counts and ids are called one way in one table or export and
#: another way in the next. The preferred one comes first.
SAME: tuple[tuple[str, ...], ...] = (
    ("views", "view_count"),
    ("likes", "like_count"),
    ("comments", "comment_count"),
    ("shares", "share_count"),
    ("external_post_id", "platform_post_id", "external_id"),
    ("published_at", "posted_at"),
)

#: Something a row needs: ways to give it, each the columns it takes.
Need = tuple[tuple[str, ...], ...]

#: Without these a row is held back by the build (the ``missing_required`` cases of
#: ``models/versions/int_<table>.sql``; a post is not published yet without its last
#: two). A natural key stands for the source's own.
REQUIRED: dict[str, tuple[Need, ...]] = {
    "products": ((("product_id",),), (("name",),), (("source_platform",),)),
    "creative_patterns": ((("pattern_id",),),),
    "agent_notes": ((("note_id",),), (("agent_name",),), (("content",),)),
    "embeddings": (
        (("embedding_id",),),
        (("reference_type",),),
        (("reference_id",),),
        (("embedding",),),
    ),
    "raw_videos": ((("platform",),), (("external_id",),)),
    "trend_snapshots": ((("snapshot_id",),), (("product_id",),)),
    "scripts": ((("script_id",),), (("product_id",),), (("script_text",),)),
    "video_assets": (
        (("asset_id",),),
        (("product_id",), ("script_id",)),
        (("storage_url",), ("storage_path",)),
    ),
    "experiments": ((("experiment_id",),), (("product_id",),)),
    "published_posts": (
        (("platform",),),
        (("external_post_id",),),
        (("published_at",),),
        (("experiment_id",),),
    ),
    "performance_metrics": ((("post_id",), ("platform", "external_post_id")),),
    # An event without an agent is the system's.
    "system_events": ((("event_id",),), (("event_type",),)),
}

#: Columns that say what a record is about, besides its keys: a file with none of these
#: and no key column holds something else, whatever other names it shares.
ABOUT: dict[str, tuple[str, ...]] = {
    "products": ("name",),
    "creative_patterns": ("hook_text", "structure"),
    "agent_notes": ("content",),
    "embeddings": ("reference_id", "embedding"),
    "trend_snapshots": ("product_id",),
    "scripts": ("product_id", "script_text"),
    "video_assets": ("script_id", "product_id", "storage_url"),
    "experiments": ("product_id", "script_id", "asset_id"),
    "published_posts": ("experiment_id",),
    "performance_metrics": ("views", "view_count"),
    "system_events": ("event_type",),
}

#: ``variation_label`` of an adopted post's experiment, and ``source_platform`` of its
#: product (the models' macro ``is_adopted``); see :mod:`loaders.adoption`.
ADOPTED = "adopted"
#: Where the product that an adopted post's own record names is kept, in ``_extra``.
PRODUCT = "_product"

ALL_RESOURCES: tuple[str, ...] = tuple(RESOURCES)

#: What the rows of each resource are, in the descriptions of the tables they land in.
TITLES: dict[str, str] = {
    "products": "Products",
    "creative_patterns": "Creative patterns",
    "agent_notes": "Agent notes",
    "embeddings": "Embeddings",
    "raw_videos": "Observations of trending videos",
    "trend_snapshots": "Trend snapshots of products",
    "scripts": "Scripts",
    "video_assets": "Rendered videos",
    "experiments": "Creative experiments",
    "published_posts": "Published posts",
    "performance_metrics": "Polls of published posts",
    "system_events": "Events of agents and workflows",
}

#: Which resources each source can land: the one list of sources. What dbt reads of it and of
#: the columns above is written by ``make schema`` (:mod:`warehouse.declared`).
SOURCES: dict[str, tuple[str, ...]] = {
    "supabase": ALL_RESOURCES,
    "files": ALL_RESOURCES,
    "inbox": ALL_RESOURCES,
    "demo": ALL_RESOURCES,
    "tiktok_research": ("raw_videos",),
    "tiktok": ("published_posts", "performance_metrics"),
    "apify_tiktok": ("raw_videos", "performance_metrics"),
    "youtube": ("raw_videos", "published_posts", "performance_metrics"),
    "youtube_trending": ("raw_videos",),
    "instagram": ("raw_videos", "published_posts", "performance_metrics"),
    "yt_dlp": ("raw_videos", "performance_metrics"),
}

#: What each source is, in a sentence.
ABOUT_SOURCES: dict[str, str] = {
    "supabase": "The operational Postgres (Supabase), copied incrementally by row version.",
    "files": "Files handed over by people and scripts, columns named as the canonical tables.",
    "inbox": "What agents write through the repositories.",
    "demo": "A simulated month of ACE, never real; every row of it is labelled simulated.",
    "tiktok_research": "Trending videos from the TikTok Research API.",
    "tiktok": "Our own posts and their polls from the TikTok Display API.",
    "apify_tiktok": "TikTok videos from Apify and older scrapers.",
    "youtube": "Videos, our own posts and their polls from the YouTube Data API.",
    "youtube_trending": "Daily lists of trending YouTube videos, as published on Kaggle.",
    "instagram": "Hashtag media, our own posts and their insights from the Instagram Graph API.",
    "yt_dlp": "Videos and polls read with yt-dlp.",
}

#: Sources that land every resource and share one staging model for each.
OPERATIONAL_SOURCES: tuple[str, ...] = tuple(
    source for source, resources in SOURCES.items() if resources == ALL_RESOURCES
)

#: Sources that are asked for all their tables at once: asked, they are known to be as they are.
ASKED_SOURCES = frozenset({"supabase"})


@cache
def uuid_columns(resource: str) -> tuple[str, ...]:
    """Columns of a resource that hold uuids: its key and those of other rows."""
    return tuple(column.name for column in RESOURCES[resource] if column.kind == "uuid")


def polars_schema(resource: str) -> dict[str, pl.DataType]:
    """Column name to Polars type of a landed file, bookkeeping included."""
    own = {column.name: column.polars for column in RESOURCES[resource]}
    return own | {name: polars_type(kind) for name, kind in BOOKKEEPING.items()}


@cache
def spellings(resource: str, column: str) -> tuple[str, ...]:
    """The resource's columns that hold the same thing as ``column``, itself among them."""
    own = {one.name for one in RESOURCES[resource]}
    same = next((names for names in SAME if column in names), (column,))
    return tuple(name for name in same if name in own)


@cache
def twins(resource: str) -> dict[str, str]:
    """Names that are no column of the resource to the column of it that means the same."""
    own = {one.name for one in RESOURCES[resource]}
    found: dict[str, str] = {}
    for names in SAME:
        columns = [name for name in names if name in own]
        if columns:
            found.update((name, columns[0]) for name in names if name not in own)
    return found


def identifying(resource: str) -> tuple[str, ...]:
    """Columns of which a file must have at least one to be this table's."""
    # A platform alone names nothing.
    natural = [n for key in NATURAL_KEYS.get(resource, ()) for n in key if n != "platform"]
    return tuple(dict.fromkeys((SOURCE_KEY[resource], *natural, *ABOUT.get(resource, ()))))
