"""A few rows of marts, and the metrics that were worked out of them by hand."""

from __future__ import annotations

from typing import Any

P1, P2 = "00000000-0000-0000-0000-0000000000a1", "00000000-0000-0000-0000-0000000000a2"
H1 = "00000000-0000-0000-0000-0000000000b1"
DAYS = ", ".join(f"('2026-03-{day:02}')" for day in range(1, 18))
#: Two posts on either side of a midnight that ends a week, one that hides its views and one that
#: shows nothing else.
ROWS = f"""
create schema marts; create schema canonical; create schema reference;
create table canonical.products as
    select cast('{P1}' as uuid) as product_id, 'Serum' as name, 'Beauty' as category,
        'amazon' as source_platform
    union all select cast('{P2}' as uuid), 'Mug', 'Kitchen', 'etsy';
create table canonical.creative_patterns as
    select cast('{H1}' as uuid) as pattern_id, 'Look at this' as hook_text, 'list' as structure;
create table marts.post_performance (
    post_id integer, platform text, product_id uuid, pattern_id uuid, experiment_id uuid,
    published_at timestamptz, views bigint, likes bigint, comments bigint, shares bigint,
    engagements bigint, polls bigint, performance_score double precision,
    views_72h double precision, verdict text, is_adopted boolean, variation_label text
);
insert into marts.post_performance values
    (1, 'tiktok', '{P1}', '{H1}', null, '2026-03-02 00:30:00+00', 1000, 80, 10, 10, 100, 3, 30,
     800, 'strong', false, 'A'),
    (2, 'tiktok', '{P1}', '{H1}', null, '2026-03-01 23:30:00+00', 100, 1, 0, null, 1, 2, 10,
     100, 'weak', false, 'B'),
    (3, 'youtube', '{P2}', null, null, '2026-03-03 12:00:00+00', null, 50, null, null, 50, 1, null,
     null, 'unknown', false, 'A'),
    (4, 'youtube', '{P2}', null, null, '2026-03-04 12:00:00+00', 900, null, null, null, null, 1, 90,
     500, 'normal', true, 'A'),
    (5, 'youtube', '{P2}', null, null, '2026-03-04 13:00:00+00', null, null, null, null, null, 0,
     null, null, 'pending', true, 'A');
create table marts.daily_metrics (
    day date, platform text, product_id uuid, posts_published bigint,
    views_gained double precision, views_gained_spread double precision,
    views_unplaced double precision, engagements_gained double precision, is_complete boolean
);
insert into marts.daily_metrics values
    ('2026-03-01', 'tiktok', '{P1}', 1, 40, 0, null, 1, true),
    ('2026-03-02', 'tiktok', '{P1}', 1, 10, 0, 5, null, true),
    ('2026-03-02', 'youtube', '{P2}', 0, 30, 8, null, 2, true),
    ('2026-03-03', 'tiktok', '{P1}', 0, 20, 11, null, null, true),
    ('2026-03-08', 'tiktok', '{P1}', 0, 60, 30, null, 3, true),
    ('2026-03-09', 'tiktok', '{P1}', 0, 20, 0, null, 4, true),
    ('2026-03-10', 'tiktok', '{P1}', 0, 25, 0, null, null, true),
    ('2026-03-15', 'tiktok', '{P1}', 0, 30, 0, null, null, true),
    ('2026-03-16', 'tiktok', '{P1}', 0, 25, 13, null, null, true),
    ('2026-03-17', 'tiktok', '{P1}', 0, 15, 0, null, null, false);
create table reference.time_spine (day date);
insert into reference.time_spine values {DAYS};
"""
FEBRUARY, FIRST, SECOND, THIRD = "2026-02-23", "2026-03-02", "2026-03-09", "2026-03-16"

#: Metrics, what they are grouped by, and the rows that come of it.
WORKED_OUT: list[tuple[list[str], list[str], list[tuple[Any, ...]]]] = [
    (["posts", "polled_posts", "views", "engagements"], [], [(5, 4, 2000, 151)]),
    (
        ["views", "posts"],
        ["week", "platform"],
        [(FEBRUARY, "tiktok", 100, 1), (FIRST, "tiktok", 1000, 1), (FIRST, "youtube", 900, 3)],
    ),
    # 101 of 1100, not the mean of 0.1 and 0.01; of the others no post shows both.
    (["engagement_rate"], ["platform"], [("tiktok", 101 / 1100)]),
    (
        ["views", "engagement_rate"],
        ["platform"],
        [("tiktok", 1100, 101 / 1100), ("youtube", 900, None)],
    ),
    (["like_rate", "comment_rate", "share_rate"], [], [(81 / 1100, 10 / 1100, 10 / 1000)]),
    # The mean of posts that have a score, and of those that show views.
    (
        ["performance_score", "views_per_post", "median_views_72h"],
        ["product__name"],
        [("Mug", 90, 900, 500), ("Serum", 20, 550, 450)],
    ),
    (["median_views_72h"], [], [(500,)]),
    (
        ["likes", "comments", "shares"],
        ["pattern__hook_text"],
        [("Look at this", 81, 10, 10), (None, 50, None, None)],
    ),
    (
        ["views_gained", "posts_published", "views_unplaced", "engagements_gained"],
        ["week"],
        [
            (FEBRUARY, 40, 1, None, 1),
            (FIRST, 120, 1, 5, 5),
            (SECOND, 75, 0, None, 4),
            (THIRD, 40, 0, None, None),
        ],
    ),
    (
        ["days_known", "days_incomplete", "views_gained_spread"],
        ["week"],
        [(FEBRUARY, 1, 0, 0), (FIRST, 3, 0, 49), (SECOND, 3, 0, 0), (THIRD, 2, 1, 13)],
    ),
    # A change is told of the second week alone: before the first one day is known, not three, and
    # the third goes on. What it is compared with ends with the same weekday.
    (
        ["views_gained_a_week_before", "views_gained_change"],
        ["week"],
        [
            (FEBRUARY, None, None),
            (FIRST, 40, None),
            (SECOND, 120, 75 / 120 - 1),
            (THIRD, 45, None),
        ],
    ),
    # Of the 3rd, which the 10th is held against, and of the 16th most came between polls far apart.
    (
        ["views_gained_change"],
        ["day"],
        [
            *((f"2026-03-0{day}", None) for day in (1, 2, 3)),
            ("2026-03-08", 0.5),
            ("2026-03-09", -0.5),
            ("2026-03-10", None),
            ("2026-03-15", -0.5),
            ("2026-03-16", None),
            ("2026-03-17", None),
        ],
    ),
    (
        ["views", "views_gained"],
        ["product__category"],
        [("Beauty", 1100, 245), ("Kitchen", 900, 30)],
    ),
]
