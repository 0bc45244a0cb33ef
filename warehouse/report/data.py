"""What the report shows, read from one release."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from common.errors import UsageError
from loaders.schema import ADOPTED
from warehouse import overview
from warehouse.analyses import analysis

if TYPE_CHECKING:
    from repositories.reader import Reader

TOP_POSTS = 12
BEST_PRODUCTS = 5
LEAST_PRODUCTS = 5
#: Days that the charts of every day go back.
DAYS = 56
#: Analyses whose answers the report shows: the same question, the same numbers.
ANALYSES = ("week_over_week", "failing_agents")
#: What the sections about decisions show: the tables each needs, and its query.
QUERIES: dict[str, tuple[set[str], str]] = {
    "experiments": (
        {"marts.experiment_results", "canonical.experiments", "canonical.scripts"},
        "select substr(cast(r.experiment_id as text), 1, 8) as experiment, "
        "r.platform, r.status, p.name as product, s.script_text as words, "
        "r.log_views_n, r.control_n, r.shrunk_views_lift, r.views_lift_lo, r.views_lift_hi, "
        "r.chance_to_win from marts.experiment_results as r "
        "join canonical.experiments as e on r.experiment_id = e.experiment_id "
        "left join canonical.scripts as s on e.script_id = s.script_id "
        "left join canonical.products as p on r.product_id = p.product_id "
        "where r.status not in ('no_posts', 'adopted', 'pending', 'too_little_data') "
        "order by case r.status when 'leading' then 1 when 'losing' then 2 else 3 end, "
        "r.shrunk_views_lift desc, r.experiment_id, r.platform limit 12",
    ),
    "experiment_counts": (
        {"marts.experiment_results"},
        "select status, count(*) as experiments from marts.experiment_results "
        "group by status order by status",
    ),
    "patterns": (
        {"marts.creative_pattern_performance"},
        "select coalesce(p.hook_text || coalesce(' (' || p.structure || ')', ''), p.structure, "
        "cast(p.pattern_id as text)) as pattern, array_to_string(p.style_tags, ', ') as styles, "
        "m.lift_posts, m.engagement_rate_eb, m.engagement_rate_eb_lo, m.engagement_rate_eb_hi, "
        "m.shrunk_lift, m.lift_lo, m.lift_hi, m.last_used_at "
        "from marts.creative_pattern_performance as m "
        "join canonical.creative_patterns as p on m.pattern_id = p.pattern_id "
        "where m.platform = 'all' and m.lift_posts > 0 order by m.rank limit 8",
    ),
    "tags": (
        {"marts.creative_tag_effects"},
        "select kind, tag, posts_with, posts_without, shrunk_lift, lo, hi, q_value, "
        "adjusted_lift, adjusted_lo, adjusted_hi "
        "from marts.creative_tag_effects where platform = 'all' and q_value <= 0.1 "
        "order by shrunk_lift desc, kind, tag limit 12",
    ),
    "hashtags": (
        {"marts.hashtag_trends"},
        "select t.platform, t.hashtag, t.day, t.videos, t.trend_score, "
        "(select max(b.day) from marts.hashtag_trends as b where b.platform = t.platform "
        "and b.hashtag = t.hashtag and b.is_breakout and b.day > t.day - 7 and b.day <= t.day) "
        "as breakout from marts.hashtag_trends as t join (select platform, max(day) as day "
        "from marts.hashtag_trends where not is_partial group by platform) as newest "
        "on t.platform = newest.platform and t.day = newest.day "
        "where t.trend_score is not null "
        "order by t.trend_score desc, t.platform, t.hashtag limit 10",
    ),
    "products": (
        {"marts.product_trends"},
        "select name, snapshot_time, popularity, direction, weekly_change, expected_change, "
        "opportunity, is_stale from (select p.name, t.*, "
        "row_number() over (order by t.is_stale, t.opportunity desc, p.name) as from_best, "
        "row_number() over (order by t.is_stale, t.opportunity, p.name desc) as from_least "
        "from marts.product_trends as t "
        "join canonical.products as p on t.product_id = p.product_id "
        "where t.is_latest and t.opportunity is not null) as ranked "
        f"where from_best <= {BEST_PRODUCTS} or from_least <= {LEAST_PRODUCTS} "
        "order by is_stale, opportunity desc, name",
    ),
    "times": (
        {"marts.posting_times"},
        "select platform, weekday, hour, effect, effect_lo, effect_hi, n_posts, rank, "
        "exp(effect) - 1 as views_change, exp(effect_lo) - 1 as views_change_lo, "
        "exp(effect_hi) - 1 as views_change_hi "
        "from marts.posting_times order by platform, weekday, hour",
    ),
    "days": (
        {"marts.daily_metrics"},
        "select day, platform, sum(views_gained) as views_gained, "
        "sum(engagements_gained) as engagements_gained, "
        "cast(sum(posts_published) as double precision) as posts_published "
        "from marts.daily_metrics where is_complete and day > "
        f"(select max(day) - {DAYS} from marts.daily_metrics where is_complete) "
        "group by day, platform order by day, platform",
    ),
    "runs": (
        {"marts.workflow_runs"},
        "select coalesce(kind, 'without a kind') as kind, count(*) as runs, "
        "count(*) filter (where status = 'succeeded') as succeeded, "
        "count(*) filter (where status = 'failed') as failed, "
        "count(*) filter (where status = 'stuck') as stuck, "
        "count(*) filter (where is_retry_storm) as storms "
        "from marts.workflow_runs group by 1 order by runs desc, kind limit 12",
    ),
    "workflows": (
        {"marts.workflow_runs"},
        "select workflow_id, kind, status, last_stage, last_event_at, last_error, "
        "success_without_start, is_retry_storm from marts.workflow_runs "
        "where status = 'stuck' or success_without_start or is_retry_storm "
        "order by last_event_at desc, workflow_id limit 20",
    ),
    "agents": (
        {"marts.agent_health"},
        "select agent_name, last_seen_at, silent_hours, usual_gap_hours from marts.agent_health "
        "where is_latest and is_silent order by last_seen_at, agent_name",
    ),
    "stalled": (
        {"marts.content_funnel"},
        "select p.name, f.stalled_at, f.stalled_hours, f.last_progress_at "
        "from marts.content_funnel as f join canonical.products as p "
        "on f.product_id = p.product_id where f.is_stalled "
        "order by f.stalled_hours desc, p.name limit 20",
    ),
    "forecasts": (
        {"marts.forecast_accuracy"},
        "select platform, platform = 'all' as is_total, from_hours, target_hours, n, median_ape, "
        "naive_median_ape, coverage80 "
        "from marts.forecast_accuracy where n > 0 order by from_hours, target_hours, platform",
    ),
}


@dataclass(frozen=True)
class Report:
    """Plain values, times as ISO 8601 text."""

    #: When the page is written: ages in it are of that time.
    written_at: datetime
    release: dict[str, Any]
    simulated: bool
    freshness: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    totals: dict[str, int]
    quarantine: list[dict[str, Any]]
    counts: dict[str, int]
    tests: dict[str, int]
    volumes: list[dict[str, Any]] = field(default_factory=list)
    platforms: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    #: post_id to (age in hours, views so far), by age.
    curves: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    #: Rows of QUERIES by name, empty where the mart is not there.
    marts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def gather(reader: Reader, at: datetime | None = None) -> Report:
    """Read everything at once: the page is of one release, whatever is released meanwhile.

    ``at`` is the time ages are told for; now by default.
    """
    at = at or overview.now()
    ledger = overview.ledger(reader)
    tables = reader.tables()
    counts = {
        f"{schema}.{table}": rows
        for schema, table, rows in reader.query(
            'select "schema", "table", rows from meta.row_counts'
        ).rows
    }
    tests = dict(reader.query("select status, count(*) from meta.tests group by 1").rows)
    posts: list[dict[str, Any]] = []
    if "marts.post_performance" in tables:
        posts = _top_posts(reader, with_words="canonical.scripts" in tables)
    return Report(
        written_at=at,
        release=overview.release(reader, at),
        simulated=overview.is_simulated(reader),
        freshness=overview.freshness(reader, at),
        ledger=ledger,
        totals=overview.ledger_totals(ledger),
        quarantine=overview.quarantine(reader),
        counts=counts,
        tests=tests,
        volumes=overview.volumes(reader),
        platforms=_platforms(reader) if posts else [],
        posts=posts,
        curves=_curves(reader, [post["post_id"] for post in posts]),
        marts={
            name: reader.query(sql).dicts() if needs <= tables else []
            for name, (needs, sql) in QUERIES.items()
        }
        | {name: _answer(reader, name, tables) for name in ANALYSES},
    )


def _answer(reader: Reader, name: str, tables: set[str]) -> list[dict[str, Any]]:
    """What an analysis finds; nothing where a table it asks is not there."""
    try:
        sql = analysis(name).sql(tables, {})
    except UsageError:
        return []
    return reader.query(sql).dicts()


def _top_posts(reader: Reader, *, with_words: bool) -> list[dict[str, Any]]:
    """Posts with the most views, with what they advertise. Adopted ones are of one account:
    they are told apart by their words.
    """
    words, scripts = "null", ""
    if with_words:
        words = f"case when p.variation_label = '{ADOPTED}' then scripts.script_text end"
        scripts = "left join canonical.scripts as scripts on p.script_id = scripts.script_id "
    return reader.query(
        "select cast(p.post_id as text) as post_id, p.platform, p.external_post_id, "
        "p.published_at, p.views, p.engagements, p.engagement_rate, p.age_hours, "
        f"p.views_per_hour, products.name as product, p.variation_label, {words} as words "
        "from marts.post_performance as p "
        "left join canonical.products as products on p.product_id = products.product_id "
        f"{scripts}where p.views is not null "
        f"order by p.views desc, p.post_id limit {TOP_POSTS}"
    ).dicts()


def _platforms(reader: Reader) -> list[dict[str, Any]]:
    return reader.query(
        "select platform, count(*) as posts, cast(coalesce(sum(views), 0) as bigint) as views, "
        "percentile_cont(0.5) within group (order by views_72h) as median_views_72h, "
        "cast(sum(case when views > 0 then engagements end) as double precision) "
        "/ nullif(sum(case when engagements is not null then views end), 0) as engagement_rate "
        "from marts.post_performance group by platform order by views desc, platform"
    ).dicts()


def _curves(reader: Reader, posts: list[str]) -> dict[str, list[tuple[float, int]]]:
    if not posts:
        return {}
    marks = ", ".join("?" for _ in posts)
    rows = reader.query(
        "select cast(post_id as text), age_hours, views_mono from marts.post_metric_history "
        f"where cast(post_id as text) in ({marks}) and views_mono is not null "
        "and age_hours is not null order by post_id, age_hours",
        posts,
    ).rows
    curves: dict[str, list[tuple[float, int]]] = {}
    for post, hours, views in rows:
        curves.setdefault(post, []).append((max(0.0, float(hours)), int(views)))
    return curves
