"""An operational database as ACE really runs it, drifted columns and all, by hand.

``create(url)`` makes the twelve tables in schema ``public`` of an empty database and
``fill(url)`` puts a few linked rows into each;
``fill_corners(url)`` adds awkward ones. ``uid(kind, n)`` gives the ids used.
"""

from __future__ import annotations

import psycopg

from tests.conftest import PASSWORD_ROLE

_KINDS = (
    *("product", "pattern", "note", "embedding", "video", "snapshot", "script", "asset"),
    *("experiment", "post", "metric", "event"),
)


def uid(kind: str, n: int = 1) -> str:
    """The id of the n-th row of a kind, such as ``uid('product')``."""
    return f"{_KINDS.index(kind) + 1:08x}-0000-4000-8000-{n:012x}"


DDL = """
create type post_platform as enum ('tiktok', 'youtube', 'instagram');
create table products (
    product_id uuid primary key, name text not null, description text, image_url text,
    affiliate_link text, source_platform text, category text, meta jsonb,
    created_at timestamptz default now(), updated_at timestamptz,
    brand text, price_usd numeric(12, 2), currency text, status text, primary_benefit text,
    target_audience text, content_brief jsonb, key_features jsonb, objections jsonb,
    demo_ideas jsonb, warehouse_bin int, supplier jsonb
);
create table creative_patterns (
    pattern_id uuid primary key, product_id uuid references products on delete set null,
    hook_text text, structure text, style_tags text[], emotion_tags text[], notes text,
    observed_performance jsonb, created_at timestamptz
);
create table agent_notes (
    note_id uuid primary key, agent_name text, topic text, content text, importance numeric,
    embedding text, created_at timestamptz
);
create table embeddings (
    embedding_id uuid primary key, reference_type text, reference_id uuid, embedding text,
    metadata jsonb, created_at timestamptz
);
create table raw_videos (
    id uuid primary key, external_id text, platform text, caption text, hashtags text[],
    author text, view_count bigint, like_count bigint, share_count int, comment_count int,
    collected_at timestamptz, created_at timestamptz
);
create table trend_snapshots (
    snapshot_id uuid primary key, product_id uuid references products on delete cascade,
    popularity_score numeric, velocity_score real, competition_score double precision,
    tiktok_trend_tags text[], raw_source_data jsonb, snapshot_time timestamptz
);
create table scripts (
    script_id uuid primary key, product_id uuid references products on delete cascade,
    script_text text, creative_variables jsonb, created_at timestamptz, hook text, title text,
    cta text, outline text,
    creative_pattern_id uuid references creative_patterns on delete set null,
    trend_reference uuid references trend_snapshots on delete set null
);
create table video_assets (
    asset_id uuid primary key, script_id uuid references scripts on delete set null,
    storage_path text, thumbnail_path text, duration_seconds numeric, tone text, layout text,
    style_tags text[], metadata jsonb, created_at timestamp
);
create table experiments (
    experiment_id uuid primary key, product_id uuid references products on delete cascade,
    script_id uuid references scripts on delete set null,
    asset_id uuid references video_assets on delete set null,
    hypothesis text, variation_label text, created_at timestamptz
);
create table published_posts (
    post_id uuid primary key, experiment_id uuid references experiments on delete cascade,
    platform post_platform, platform_post_id text, caption text, hashtags text[],
    workflow_id text, correlation_id uuid, posted_at timestamptz, created_at timestamptz
);
create table performance_metrics (
    metric_id uuid primary key, post_id uuid references published_posts on delete cascade,
    view_count bigint, like_count bigint, share_count bigint, comment_count bigint,
    watch_time_ms bigint, completion_rate numeric, collected_at timestamptz
);
create table system_events (
    event_id uuid primary key, agent_name text, event_type text, payload jsonb,
    created_at timestamptz, correlation_id text, workflow_id text, event_category text,
    severity text, message text, metadata jsonb
);
"""

_AT = "timestamptz '2026-09-01 08:00+00'"

ROWS = f"""
insert into products values
    ('{uid("product", 1)}', 'Glow Serum', 'A serum', 'https://x/1.png', 'https://a/1', 'tiktok',
     'Beauty', '{{"z": 1, "brand": "kept"}}', {_AT}, {_AT}, 'Lumo', 24.90, 'USD', 'active',
     'glow', 'adults', '{{"tone": "warm"}}', '["light", "fast"]', '[]', null, 7, '{{"id": 9}}'),
    ('{uid("product", 2)}', 'Desk Lamp', null, null, null, 'amazon', 'Home', null,
     {_AT} + interval '1 day', null, null, null, null, null, null, null, null, null, null, null,
     null, null);
insert into creative_patterns values
    ('{uid("pattern", 1)}', '{uid("product", 1)}', 'Wait for it', 'hook-demo-cta',
     '{{fast,"close up"}}', '{{joy,NULL}}', null, '{{"lift": 0.1}}', {_AT}),
    ('{uid("pattern", 2)}', null, 'Did you know', null, '{{}}', null, 'n', null, {_AT});
insert into agent_notes values
    ('{uid("note", 1)}', 'AnalystAgent', 'hooks', 'Questions win', 0.7, '[0.1,0.2]', {_AT}),
    ('{uid("note", 2)}', 'Research', null, 'Lamps rise', null, null, {_AT});
insert into embeddings values
    ('{uid("embedding", 1)}', 'product', '{uid("product", 1)}', '[0.1,0.2,3e-07]', '{{}}', {_AT}),
    ('{uid("embedding", 2)}', 'script', '{uid("script", 1)}', '[1,2,3]', null, {_AT});
insert into raw_videos values
    ('{uid("video", 1)}', '7300000000000000001', 'tiktok', 'Look #Glow #skin', '{{}}', 'ana',
     5000000000, 10, 3, null, {_AT}, {_AT}),
    ('{uid("video", 2)}', 'abc', 'YouTube', null, null, null, null, null, null, null, null, {_AT});
insert into trend_snapshots values
    ('{uid("snapshot", 1)}', '{uid("product", 1)}', 0.8, 0.5, 0.25, '{{glow,skin}}',
     '{{"source": "x"}}', {_AT}),
    ('{uid("snapshot", 2)}', '{uid("product", 1)}', 0.9, 0.6, 0.25, '{{glow}}', '{{}}',
     {_AT} + interval '1 day');
insert into scripts values
    ('{uid("script", 1)}', '{uid("product", 1)}', 'Say hello to glow', '{{"hook": "own"}}', {_AT},
     'Wait for it', 'Glow', 'Buy', 'a-b-c', '{uid("pattern", 1)}', '{uid("snapshot", 1)}'),
    ('{uid("script", 2)}', '{uid("product", 2)}', 'Light up', null, {_AT}, null, null, null, null,
     null, null);
insert into video_assets values
    ('{uid("asset", 1)}', '{uid("script", 1)}', 'videos/glow.mp4', 'thumbs/glow.png', 21.5,
     'warm', 'split', '{{fast}}', '{{"fps": 30}}', timestamp '2026-09-01 09:00'),
    ('{uid("asset", 2)}', null, 'videos/lamp', null, null, null, null, null, null,
     timestamp '2026-09-01 10:00');
insert into experiments values
    ('{uid("experiment", 1)}', '{uid("product", 1)}', '{uid("script", 1)}', '{uid("asset", 1)}',
     'Warm tone wins', 'A', {_AT}),
    ('{uid("experiment", 2)}', '{uid("product", 2)}', null, '{uid("asset", 2)}', null, null,
     {_AT});
insert into published_posts values
    ('{uid("post", 1)}', '{uid("experiment", 1)}', 'tiktok', '7400000000000000001', 'Glow!',
     '{{glow}}', 'wf-1', '{uid("event", 900)}', {_AT} + interval '2 days', {_AT}),
    ('{uid("post", 2)}', '{uid("experiment", 2)}', 'youtube', null, null, null, null, null, null,
     {_AT});
insert into performance_metrics values
    ('{uid("metric", 1)}', '{uid("post", 1)}', 1000, 50, 5, 7, 123456, 0.42,
     {_AT} + interval '49 hours'),
    ('{uid("metric", 2)}', '{uid("post", 1)}', 5000000000, 90, null, 9, null, null,
     {_AT} + interval '72 hours');
insert into system_events values
    ('{uid("event", 1)}', 'Publisher', 'publish.start', '{{"a": 1}}', {_AT}, 'c1', 'wf-1',
     'publish', 'info', 'started', '{{"m": 2}}'),
    ('{uid("event", 2)}', null, 'workflow.start', null, {_AT}, null, 'wf-2', null, null, null,
     null);
"""

#: Further rows, each at a corner of the mapping to the canonical tables.
CORNERS = f"""
insert into products (product_id, name, source_platform, meta, created_at, brand, price_usd,
    currency) values
    ('{uid("product", 3)}', 'Mug', ' TikTok ', '{{"brand": null, "currency": "EUR"}}', null,
     'Lumo', 25.00, 'USD');
insert into agent_notes values
    ('{uid("note", 3)}', 'Analyst', null, 'No clock', null, null, null);
insert into trend_snapshots values
    ('{uid("snapshot", 3)}', '{uid("product", 2)}', null, null, null, null, null, null);
insert into embeddings values
    ('{uid("embedding", 3)}', 'mood', '{uid("event", 77)}', '[0]', '{{"k": 1}}', {_AT}),
    ('{uid("embedding", 4)}', 'post', '{uid("post", 1)}', '[4]', '{{}}', {_AT}),
    ('{uid("embedding", 5)}', 'product', '{uid("product", 4)}', '[5]', '{{}}', {_AT});
insert into scripts values
    ('{uid("script", 3)}', '{uid("product", 1)}', 'Sip it', '{{"cta": null}}', {_AT}, 'Hot?',
     null, 'Order', null, '{uid("pattern", 2)}', null);
insert into video_assets values
    ('{uid("asset", 3)}', null, 'videos/mug.mp4', null, null, null, null, null,
     '{{"format": "webm"}}', null),
    ('{uid("asset", 4)}', '{uid("script", 2)}', 'videos/Clip.MOV?sig=a.b', null, 8, null, null,
     null, '{{"tone": "own"}}', timestamp '2026-09-01 11:00'),
    ('{uid("asset", 5)}', null, 'videos/unused.mp4', null, null, null, null, null, null,
     timestamp '2026-09-01 12:00');
insert into experiments values
    ('{uid("experiment", 3)}', '{uid("product", 1)}', null, '{uid("asset", 3)}', null, 'later',
     {_AT} + interval '2 hours'),
    ('{uid("experiment", 4)}', '{uid("product", 2)}', null, '{uid("asset", 3)}', null, 'first',
     {_AT} + interval '1 hour'),
    ('{uid("experiment", 5)}', '{uid("product", 1)}', null, '{uid("asset", 4)}', null, null,
     {_AT});
insert into performance_metrics values
    ('{uid("metric", 3)}', '{uid("post", 1)}', 2000, null, null, null, null, null, null),
    ('{uid("metric", 4)}', '{uid("post", 1)}', -8, 1, 1, 1, null, null,
     {_AT} + interval '73 hours'),
    ('{uid("metric", 5)}', '{uid("post", 2)}', 10, 1, 1, 1, null, null,
     {_AT} + interval '80 hours');
"""


def create(url: str) -> None:
    """Make the twelve tables; the password role may read them, but owns nothing."""
    with psycopg.connect(url) as connection:
        connection.execute(DDL.encode())
        connection.execute(
            f"grant select on all tables in schema public to {PASSWORD_ROLE}".encode()
        )


def fill(url: str) -> None:
    """Two rows for each table, linked; some of what the columns allow is missing."""
    with psycopg.connect(url) as connection:
        connection.execute(ROWS.encode())


def fill_corners(url: str) -> None:
    """After ``fill``: rows with null times, contested folds and products, broken references."""
    with psycopg.connect(url) as connection:
        connection.execute(CORNERS.encode())
