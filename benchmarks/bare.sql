-- What a person would write who wants no more than the figures: no verdicts, no clocks, no tests.
-- Reads the landed polls and posts (variable `landing`) and keeps four tables: the newest poll of
-- each post and moment, its history, what was known around five ages, and the latest counts.

create table posts as
select post_id, published_at
from (
    select
        post_id,
        platform,
        coalesce(external_post_id, platform_post_id) as external_post_id,
        coalesce(published_at, posted_at) as published_at,
        _extracted_at,
        _loaded_at
    from read_parquet(
        getvariable('landing') || '/*/published_posts/[0-9a-f]*.parquet', union_by_name = true
    )
)
where published_at is not null and external_post_id is not null
qualify row_number() over (
    partition by platform, external_post_id order by _extracted_at desc, _loaded_at desc
) = 1;

create table polls as
select
    polls.post_id,
    posts.published_at,
    polls.collected_at,
    coalesce(polls.views, polls.view_count) as views,
    coalesce(polls.likes, polls.like_count) as likes,
    coalesce(polls.comments, polls.comment_count) as comments,
    coalesce(polls.shares, polls.share_count) as shares
from read_parquet(
    getvariable('landing') || '/*/performance_metrics/[0-9a-f]*.parquet', union_by_name = true
) as polls
inner join posts on polls.post_id = posts.post_id
where polls.collected_at is not null
qualify row_number() over (
    partition by polls.post_id, polls.collected_at
    order by polls._extracted_at desc, polls._loaded_at desc
) = 1;

create table history as
select
    *,
    max(views) over so_far as views_mono,
    max(likes) over so_far as likes_mono,
    max(comments) over so_far as comments_mono,
    max(shares) over so_far as shares_mono,
    views - lag(views) over so_far as views_delta,
    date_diff('second', lag(collected_at) over so_far, collected_at) as gap_seconds
from polls
window so_far as (partition by post_id order by collected_at rows unbounded preceding);

create table ages as
select
    post_id,
    hours,
    max(collected_at) filter (where collected_at <= horizon) as before_at,
    max(views_mono) filter (where collected_at <= horizon) as views_before,
    max(likes_mono) filter (where collected_at <= horizon) as likes_before,
    min(collected_at) filter (where collected_at > horizon) as after_at,
    min(views_mono) filter (where collected_at > horizon) as views_after,
    min(likes_mono) filter (where collected_at > horizon) as likes_after
from (
    select *, published_at + to_hours(hours) as horizon
    from history
    cross join (values (1), (6), (24), (72), (168)) as horizons (hours)
)
group by post_id, hours;

create table latest as
select
    post_id,
    max(collected_at) as collected_at,
    max_by(views, collected_at) as views,
    max_by(likes, collected_at) as likes,
    max_by(comments, collected_at) as comments,
    max_by(shares, collected_at) as shares
from polls
group by post_id;
