"""What agents ask the warehouse: ten questions of each kind, the one call that answers each,
where in the answer it stands, and SQL on the release that says the same.

``{product}`` and the like are filled in by ``KNOWN``. A path reads ``rows.0.views`` or, of every
entry of a list, ``rows.*.views``. A second call stands where one has to find a key first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: What an agent has in hand before it asks.
KNOWN = {
    "product": "select cast(product_id as text) from marts.product_performance "
    "where platform = 'all' order by posts desc, product_id limit 1",
    "name": "select name from canonical.products where product_id = "
    "(select product_id from marts.product_performance where platform = 'all' "
    "order by posts desc, product_id limit 1)",
    "post": "select cast(post_id as text) from marts.post_performance "
    "where verdict = 'breakout' order by post_id limit 1",
    "young": "select cast(post_id as text) from marts.post_forecasts order by post_id limit 1",
    "script": "select cast(reference_id as text) from marts.similar_items "
    "where reference_type = 'script' order by reference_id limit 1",
}


@dataclass(frozen=True)
class Question:
    asked: str
    tool: str
    given: dict[str, Any]
    #: Path into the answer, to SQL with the value or values there, in the same order.
    holds: dict[str, str]
    #: A call before: its answer's ``path`` is ``{found}`` in ``given``.
    first: tuple[str, dict[str, Any], str] | None = None


_OF_PRODUCT = {"product_id": "{product}"}
_BEST = "from marts.experiment_gaps where product_id = '{product}' order by rank limit 5"
_BRIEF = "from marts.creative_briefs where product_id = '{product}'"


def _read(table: str, **more: Any) -> dict[str, Any]:
    return {"table": table, **more}


QUESTIONS: dict[str, list[Question]] = {
    "Scriptwriter": [
        Question(
            "What shall I write next for this product?", "what_now", _OF_PRODUCT,
            {"make_next.*.reason": f"select reason {_BEST}",
             "make_next.*.pattern_posts": f"select pattern_posts {_BEST}",
             "brief.summary": f"select brief ->> 'summary' {_BRIEF}"},
        ),
        Question(
            "I only know its name: what works for it?", "creative_brief",
            {"product_id": "{found}"},
            {"brief.patterns_that_work.0.pattern_id":
             f"select brief -> 'patterns_that_work' -> 0 ->> 'pattern_id' {_BRIEF}"},
            first=("read_table", _read("canonical.products", filters={"name": "{name}"}),
                   "rows.0.product_id"),
        ),
        Question(
            "What should I avoid?", "creative_brief", _OF_PRODUCT,
            {"brief.avoid.0": f"select brief -> 'avoid' ->> 0 {_BRIEF}"},
        ),
        Question(
            "Which of its posts did best, so that I can see why?", "read_table",
            _read("marts.post_performance", filters=_OF_PRODUCT | {"views_72h__null": False},
                  order_by="-views_72h", limit=3),
            {"rows.*.post_id": "select cast(post_id as text) from marts.post_performance "
             "where product_id = '{product}' and views_72h is not null "
             "order by views_72h desc, post_id limit 3"},
        ),
        Question(
            "Is this script too much like one that is there?", "similar",
            {"reference_type": "script", "reference_id": "{script}"},
            {"items.*.reference_id": "select cast(neighbour_id as text) from marts.similar_items "
             "where reference_type = 'script' and reference_id = '{script}' order by rank limit 5",
             "items.*.is_near_duplicate": "select is_near_duplicate from marts.similar_items "
             "where reference_type = 'script' and reference_id = '{script}' order by rank limit 5"},
        ),
        Question(
            "Which tags go along with more views on TikTok, as far as is known?", "read_table",
            _read("marts.creative_tag_effects", order_by="-adjusted_lo", limit=5,
                  filters={"platform": "tiktok"},
                  columns=["kind", "tag", "adjusted_lift"]),
            {"rows.*.tag": "select tag from marts.creative_tag_effects where platform = 'tiktok' "
             "order by adjusted_lo desc nulls last, kind, tag limit 5",
             "rows.*.posts_with": "select posts_with from marts.creative_tag_effects "
             "where platform = 'tiktok' "
             "order by adjusted_lo desc nulls last, kind, tag limit 5"},
        ),
        Question(
            "Which hashtags could I use on Instagram now?", "trending",
            {"kind": "hashtags", "platform": "instagram", "limit": 3},
            {"rows.*.hashtag": "select hashtag from marts.hashtag_trends "
             "where platform = 'instagram' and day = (select max(day) from marts.hashtag_trends "
             "where platform = 'instagram' and not is_partial) "
             "order by trend_score desc nulls last, hashtag limit 3"},
        ),
        Question(
            "What patterns wear out?", "read_table",
            _read("marts.creative_pattern_performance", order_by="fatigue_z", limit=3,
                  filters={"platform": "all", "fatigue_z__lt": 0},
                  columns=["pattern_id", "fatigue_z", "shrunk_lift"]),
            {"rows.*.pattern_id": "select cast(pattern_id as text) "
             "from marts.creative_pattern_performance where platform = 'all' and fatigue_z < 0 "
             "order by fatigue_z, pattern_id limit 3"},
        ),
        Question(
            "What did other agents note about style?", "read_table",
            _read("marts.agent_memory", order_by="-memory_score", limit=3,
                  filters={"topic": "style", "is_superseded": False}),
            {"rows.*.content": "select content from marts.agent_memory where topic = 'style' "
             "and not is_superseded order by memory_score desc, note_id limit 3"},
        ),
        Question(
            "Is interest in the product rising or falling?", "read_table",
            _read("marts.product_trends", filters=_OF_PRODUCT | {"is_latest": True}),
            {"rows.*.direction": "select direction from marts.product_trends "
             "where product_id = '{product}' and is_latest",
             "rows.*.weekly_change": "select weekly_change from marts.product_trends "
             "where product_id = '{product}' and is_latest"},
        ),
    ],
    "Publisher": [
        Question(
            "When shall I post on TikTok?", "read_table",
            _read("marts.posting_times", filters={"platform": "tiktok"}, order_by="rank", limit=3,
                  columns=["weekday", "hour", "effect"]),
            {"rows.*.hour": "select hour from marts.posting_times where platform = 'tiktok' "
             "order by rank limit 3",
             "rows.*.effect_lo": "select effect_lo from marts.posting_times "
             "where platform = 'tiktok' order by rank limit 3",
             "meanings.weekday": "select description from meta.columns "
             "where table_name = 'posting_times' and column_name = 'weekday'"},
        ),
        Question(
            "Does any hour of YouTube do better beyond doubt?", "query",
            {"sql": "select weekday, hour, effect, effect_lo, effect_hi, n_posts "
             "from marts.posting_times where platform = 'youtube' and effect_lo > 0"},
            {"rows.*.1": "select hour from marts.posting_times where platform = 'youtube' "
             "and effect_lo > 0"},
        ),
        Question(
            "What was published last?", "read_table",
            _read("marts.post_performance", order_by="-published_at", limit=3),
            {"rows.*.post_id": "select cast(post_id as text) from marts.post_performance "
             "order by published_at desc, post_id limit 3"},
        ),
        Question(
            "How many posts a platform in the last seven days of the data?", "query",
            {"sql": "select platform, count(*) as posts from marts.post_performance "
             "where published_at > (select as_of from meta.release) - interval '7 days' "
             "group by platform order by platform"},
            {"rows.*.1": "select count(*) from marts.post_performance where published_at > "
             "(select as_of from meta.release) - interval '7 days' "
             "group by platform order by platform"},
        ),
        Question(
            "Did this post take off?", "post_performance", {"post_id": "{post}"},
            {"post.verdict": "select verdict from marts.post_performance "
             "where post_id = '{post}'",
             "post.baseline_ratio": "select baseline_ratio from marts.post_performance "
             "where post_id = '{post}'",
             "post.percentile_posts": "select percentile_posts from marts.post_performance "
             "where post_id = '{post}'"},
        ),
        Question(
            "What will this young post come to?", "post_performance", {"post_id": "{young}"},
            {"forecasts.*.predicted": "select predicted from marts.post_forecasts "
             "where post_id = '{young}' order by target_hours",
             "forecasts.*.lo80": "select lo80 from marts.post_forecasts "
             "where post_id = '{young}' order by target_hours"},
        ),
        Question(
            "Which scripts wait for a video?", "read_table",
            _read("marts.content_funnel", filters={"stalled_at": "asset"}, limit=5),
            {"rows.*.stalled_items": "select stalled_items from marts.content_funnel "
             "where stalled_at = 'asset' order by product_id limit 5"},
        ),
        Question(
            "Which posts were never polled?", "query",
            {"sql": "select count(*) from marts.post_performance where polls = 0"},
            {"rows.0.0": "select count(*) from marts.post_performance where polls = 0"},
        ),
        Question(
            "Which experiments have no post yet?", "query",
            {"sql": "select count(*) from marts.experiment_results where status = 'no_posts'"},
            {"rows.0.0": "select count(*) from marts.experiment_results "
             "where status = 'no_posts'"},
        ),
        Question(
            "Did my runs fail lately?", "read_table",
            _read("marts.agent_health", order_by="-day", limit=1,
                  filters={"agent_name": "PublisherAgent"}),
            {"rows.0.errors": "select errors from marts.agent_health "
             "where agent_name = 'PublisherAgent' order by day desc limit 1"},
        ),
    ],
    "Research": [
        Question(
            "Which products gain interest?", "trending", {"kind": "products", "limit": 3},
            {"rows.*.product_id": "select cast(product_id as text) from marts.product_trends "
             "where is_latest order by opportunity desc nulls last, product_id, snapshot_time "
             "limit 3",
             "rows.*.name": "select name from marts.product_trends "
             "join canonical.products using (product_id) where is_latest "
             "order by opportunity desc nulls last, product_id, snapshot_time limit 3"},
        ),
        Question(
            "Why is that one expected to rise?", "read_table",
            _read("marts.product_trends", filters=_OF_PRODUCT | {"is_latest": True},
                  columns=["why", "expected_change"]),
            {"rows.0.why": "select why from marts.product_trends "
             "where product_id = '{product}' and is_latest"},
        ),
        Question(
            "Which videos of others are biggest on YouTube?", "read_table",
            _read("marts.video_trends", filters={"platform": "youtube"}, order_by="-views",
                  limit=3),
            {"rows.*.external_id": "select external_id from marts.video_trends "
             "where platform = 'youtube' order by views desc nulls last, external_id limit 3"},
        ),
        Question(
            "Which of them carry a certain hashtag?", "read_table",
            _read("marts.video_trends", filters={"hashtags__has": "dailyhack"}, limit=3,
                  columns=["external_id", "hashtags", "views"]),
            {"rows.*.external_id": "select external_id from marts.video_trends "
             "where list_contains(hashtags, 'dailyhack') order by platform, external_id limit 3"},
        ),
        Question(
            "Can the trend scores be trusted?", "read_table",
            _read("marts.trend_accuracy", order_by=["-week", "platform"], limit=3),
            {"rows.*.coverage80": "select coverage80 from marts.trend_accuracy "
             "order by week desc, platform limit 3"},
        ),
        Question(
            "What was noted about a topic before?", "query",
            {"sql": "select topic, count(*) as notes from canonical.agent_notes "
             "group by topic order by notes desc, topic limit 3"},
            {"rows.*.0": "select topic from canonical.agent_notes group by topic "
             "order by count(*) desc, topic limit 3"},
        ),
        Question(
            "How many embeddings cannot be compared?", "read_table",
            _read("marts.embedding_coverage"),
            {"rows.*.unreadable": "select unreadable from marts.embedding_coverage "
             "order by reference_type, model"},
        ),
        Question(
            "What table tells about hashtags?", "list_tables", {},
            {"tables.*.table": "select 'marts.' || table_name from information_schema.tables "
             "where table_schema = 'marts' order by table_name"},
        ),
        Question(
            "What does velocity of a hashtag mean?", "describe_table",
            {"table": "hashtag_trends"},
            {"columns.*.description": "select description from meta.columns "
             "where table_name = 'hashtag_trends'"},
        ),
        Question(
            "Which categories do we have products in?", "query",
            {"sql": "select category, count(*) as products from canonical.products "
             "group by category order by category nulls last"},
            {"rows.*.1": "select count(*) from canonical.products group by category "
             "order by category nulls last"},
        ),
    ],
    "Optimization": [
        Question(
            "How shall I share the next posts of the product?", "what_now", _OF_PRODUCT,
            {"share_of_next_posts.0.suggested_share": "select suggested_share "
             "from marts.bandit_arms where product_id = '{product}' "
             "order by platform, suggested_share desc, pattern_id limit 1",
             "share_of_next_posts.0.trials": "select trials from marts.bandit_arms "
             "where product_id = '{product}' "
             "order by platform, suggested_share desc, pattern_id limit 1"},
        ),
        Question(
            "Which experiments lead or lose, for sure?", "read_table",
            _read("marts.experiment_results", filters={"status__in": ["leading", "losing"]},
                  columns=["experiment_id", "status", "shrunk_views_lift"], limit=5),
            {"rows.*.status": "select status from marts.experiment_results "
             "where status in ('leading', 'losing') order by experiment_id, platform limit 5",
             "rows.*.views_lift_lo": "select views_lift_lo from marts.experiment_results "
             "where status in ('leading', 'losing') order by experiment_id, platform limit 5"},
        ),
        Question(
            "What came of the product's experiments on TikTok?", "experiment_results",
            _OF_PRODUCT | {"platform": "tiktok", "limit": 5},
            {"experiments.*.chance_to_win": "select chance_to_win "
             "from marts.experiment_results where product_id = '{product}' "
             "and platform = 'tiktok' order by known_at desc, experiment_id limit 5",
             "experiments.*.control_n": "select control_n "
             "from marts.experiment_results where product_id = '{product}' "
             "and platform = 'tiktok' order by known_at desc, experiment_id limit 5"},
        ),
        Question(
            "Which of them are still open?", "experiment_results",
            _OF_PRODUCT | {"status": "open", "limit": 3},
            {"experiments.*.status": "select status from marts.experiment_results "
             "where product_id = '{product}' "
             "and status in ('no_posts', 'pending', 'too_little_data') "
             "order by known_at desc, experiment_id, platform limit 3"},
        ),
        Question(
            "What has the product not tried?", "read_table",
            _read("marts.experiment_gaps", filters=_OF_PRODUCT, order_by="rank", limit=3,
                  columns=["platform", "pattern_id", "expected_lift"]),
            {"rows.*.expected_lift_lo": "select expected_lift_lo from marts.experiment_gaps "
             "where product_id = '{product}' order by rank limit 3",
             "rows.*.trials": "select trials from marts.experiment_gaps "
             "where product_id = '{product}' order by rank limit 3"},
        ),
        Question(
            "Which patterns are best over all products?", "read_table",
            _read("marts.creative_pattern_performance", filters={"platform": "all"},
                  order_by="rank", limit=3),
            {"rows.*.shrunk_lift": "select shrunk_lift from marts.creative_pattern_performance "
             "where platform = 'all' order by rank limit 3",
             "rows.*.lift_lo": "select lift_lo from marts.creative_pattern_performance "
             "where platform = 'all' order by rank limit 3"},
        ),
        Question(
            "What is normal after three days?", "read_table",
            _read("marts.platform_benchmarks", filters={"horizon_hours": 72, "metric": "views"}),
            {"rows.*.p50": "select p50 from marts.platform_benchmarks "
             "where horizon_hours = 72 and metric = 'views' order by platform",
             "rows.*.n_posts": "select n_posts from marts.platform_benchmarks "
             "where horizon_hours = 72 and metric = 'views' order by platform"},
        ),
        Question(
            "How good are the forecasts?", "read_table",
            _read("marts.forecast_accuracy", filters={"platform": "all"}),
            {"rows.*.median_ape": "select median_ape from marts.forecast_accuracy "
             "where platform = 'all' order by from_hours, target_hours",
             "rows.*.naive_median_ape": "select naive_median_ape from marts.forecast_accuracy "
             "where platform = 'all' order by from_hours, target_hours"},
        ),
        Question(
            "Which products do best by engagement, with evidence?", "read_table",
            _read("marts.product_performance", filters={"platform": "all", "posts__gte": 10},
                  order_by="-engagement_rate_eb", limit=3,
                  columns=["product_id", "engagement_rate_eb"]),
            {"rows.*.engagement_rate_eb_lo": "select engagement_rate_eb_lo "
             "from marts.product_performance where platform = 'all' and posts >= 10 "
             "order by engagement_rate_eb desc limit 3",
             "rows.*.posts": "select posts from marts.product_performance "
             "where platform = 'all' and posts >= 10 order by engagement_rate_eb desc limit 3"},
        ),
        Question(
            "What may I train on?", "read_table",
            _read("marts.post_features_as_of", limit=2,
                  columns=["post_id", "expected_ln_views_72h", "views_72h"]),
            {"rows.*.expected_ln_views_72h": "select expected_ln_views_72h "
             "from marts.post_features_as_of order by post_id limit 2"},
        ),
    ],
    "Analyst": [
        Question(
            "Posts and views by platform?", "query",
            {"sql": "select platform, count(*) as posts, sum(views) as views "
             "from marts.post_performance group by platform order by platform"},
            {"rows.*.2": "select cast(sum(views) as bigint) from marts.post_performance "
             "group by platform order by platform"},
        ),
        Question(
            "Engagement by platform, as what is counted on?", "query",
            {"sql": "select platform, avg(engagement_rate_eb) as rate, count(*) as n "
             "from marts.post_performance group by platform order by platform"},
            {"rows.*.1": "select avg(engagement_rate_eb) from marts.post_performance "
             "group by platform order by platform"},
        ),
        Question(
            "Which posts are breakouts?", "read_table",
            _read("marts.post_performance", filters={"verdict": "breakout"},
                  order_by="-views_72h", limit=3),
            {"rows.*.views": "select views from marts.post_performance "
             "where verdict = 'breakout' order by views_72h desc, post_id limit 3",
             "rows.*.status_72h": "select status_72h from marts.post_performance "
             "where verdict = 'breakout' order by views_72h desc, post_id limit 3"},
        ),
        Question(
            "The curve of one post?", "post_performance", {"post_id": "{post}", "polls": 100},
            {"polls.*.views_mono": "select views_mono from marts.post_metric_history "
             "where post_id = '{post}' order by collected_at desc limit 100"},
        ),
        Question(
            "Its views at comparable ages?", "read_table",
            _read("marts.post_age_metrics", filters={"post_id": "{post}"}),
            {"rows.*.horizon_hours": "select horizon_hours from marts.post_age_metrics "
             "where post_id = '{post}' order by horizon_hours",
             "rows.*.status": "select status from marts.post_age_metrics "
             "where post_id = '{post}' order by horizon_hours"},
        ),
        Question(
            "How does the product do on each platform?", "what_now", _OF_PRODUCT,
            {"standing.*.posts": "select posts from marts.product_performance "
             "where product_id = '{product}' order by platform",
             "standing.*.engagement_rate_eb_hi": "select engagement_rate_eb_hi "
             "from marts.product_performance where product_id = '{product}' order by platform"},
        ),
        Question(
            "How many posts have each verdict?", "query",
            {"sql": "select verdict, count(*) as posts from marts.post_performance "
             "group by verdict order by verdict"},
            {"rows.*.1": "select count(*) from marts.post_performance "
             "group by verdict order by verdict"},
        ),
        Question(
            "How fresh is what I read?", "warehouse_status", {},
            {"release.number": "select release from meta.release",
             "ledger_balances": "select count(*) = 0 from marts.row_ledger where balance <> 0"},
        ),
        Question(
            "Which changes of what a view is are there?", "read_table",
            _read("reference.metric_definition_changes", order_by="platform"),
            {"rows.*.platform": "select platform from reference.metric_definition_changes "
             "order by platform"},
        ),
        Question(
            "Where did every record go?", "read_table", _read("marts.row_ledger", limit=100),
            {"rows.*.accepted": "select accepted from marts.row_ledger "
             "order by table_name, source",
             "rows.*.quarantined": "select quarantined from marts.row_ledger "
             "order by table_name, source"},
        ),
    ],
    "TrendAnalysis": [
        Question(
            "What is rising on all platforms?", "trending", {"kind": "hashtags", "limit": 1},
            {"rows.0.trend_score": "select max(trend_score) from marts.hashtag_trends as h "
             "where day = (select max(day) from marts.hashtag_trends as o "
             "where o.platform = h.platform and not o.is_partial)"},
        ),
        Question(
            "How sure is that?", "trending",
            {"kind": "hashtags", "platform": "tiktok", "limit": 2},
            {"rows.*.videos": "select videos from marts.hashtag_trends "
             "where platform = 'tiktok' and day = (select max(day) from marts.hashtag_trends "
             "where platform = 'tiktok' and not is_partial) "
             "order by trend_score desc nulls last, hashtag limit 2",
             "rows.*.lo80": "select lo80 from marts.hashtag_trends "
             "where platform = 'tiktok' and day = (select max(day) from marts.hashtag_trends "
             "where platform = 'tiktok' and not is_partial) "
             "order by trend_score desc nulls last, hashtag limit 2"},
        ),
        Question(
            "How did one tag do day by day?", "read_table",
            _read("marts.hashtag_trends", order_by="day", limit=50,
                  filters={"platform": "tiktok", "hashtag": "dailyhack"},
                  columns=["day", "videos", "share"]),
            {"rows.*.videos": "select videos from marts.hashtag_trends "
             "where platform = 'tiktok' and hashtag = 'dailyhack' order by day"},
        ),
        Question(
            "Which tags broke out this week?", "query",
            {"sql": "select platform, hashtag, max(trend_score) as score "
             "from marts.hashtag_trends where is_breakout and day > "
             "(select max(day) from marts.hashtag_trends) - 7 "
             "group by 1, 2 order by 3 desc nulls last, 1, 2 limit 5"},
            {"rows.*.1": "select hashtag from marts.hashtag_trends where is_breakout "
             "and day > (select max(day) from marts.hashtag_trends) - 7 "
             "group by platform, hashtag "
             "order by max(trend_score) desc nulls last, platform, hashtag limit 5"},
        ),
        Question(
            "Which videos rise now?", "trending",
            {"kind": "videos", "platform": "tiktok", "limit": 3},
            {"rows.*.external_id": "select external_id from marts.video_trends "
             "where platform = 'tiktok' order by is_rising desc nulls last, "
             "hot_score desc nulls last, external_id limit 3"},
        ),
        Question(
            "Which products fall?", "read_table",
            _read("marts.product_trends", order_by="weekly_change", limit=3,
                  filters={"is_latest": True, "direction": "down"}),
            {"rows.*.weekly_change": "select weekly_change from marts.product_trends "
             "where is_latest and direction = 'down' "
             "order by weekly_change nulls last, product_id, snapshot_time limit 3"},
        ),
        Question(
            "Did the breakouts of before stay?", "query",
            {"sql": "select sum(breakouts) as breakouts, sum(breakouts_stayed) as stayed "
             "from marts.trend_accuracy"},
            {"rows.0.0": "select cast(sum(breakouts) as bigint) from marts.trend_accuracy",
             "rows.0.1": "select cast(sum(breakouts_stayed) as bigint) "
             "from marts.trend_accuracy"},
        ),
        Question(
            "Which tags do our products and the trends share?", "read_table",
            _read("marts.product_trends", filters=_OF_PRODUCT | {"is_latest": True},
                  columns=["tags", "new_tags"]),
            {"rows.0.tags": "select tags from marts.product_trends "
             "where product_id = '{product}' and is_latest"},
        ),
        Question(
            "How many videos of others do we see a platform?", "query",
            {"sql": "select platform, count(*) from marts.video_trends group by 1 order by 1"},
            {"rows.*.1": "select count(*) from marts.video_trends group by platform "
             "order by platform"},
        ),
        Question(
            "Was collection complete on the last days?", "query",
            {"sql": "select day, platform, bool_or(is_partial) as partial "
             "from marts.hashtag_trends group by 1, 2 order by 1 desc, 2 limit 6"},
            {"rows.*.2": "select bool_or(is_partial) from marts.hashtag_trends "
             "group by day, platform order by day desc, platform limit 6"},
        ),
    ],
    "Watchdog": [
        Question(
            "Is everything fresh?", "warehouse_status", {},
            {"sources.*.is_stale": "select false from marts.feature_freshness",
             "release.as_of": "select strftime(as_of, '%Y-%m-%dT%H:%M:%SZ') from meta.release"},
        ),
        Question(
            "What is held back, and why?", "warehouse_status", {},
            {"quarantined.*.held_back": "select count(*) from quarantine.rows "
             "group by table_name, source, array_to_string(reasons, ', ') order by 1 desc, "
             "table_name, source, array_to_string(reasons, ', ')"},
        ),
        Question(
            "Which agents are silent?", "read_table",
            _read("marts.agent_health", filters={"is_latest": True, "is_silent": True},
                  columns=["agent_name", "silent_hours", "usual_gap_hours"]),
            {"rows.*.agent_name": "select agent_name from marts.agent_health "
             "where is_latest and is_silent order by agent_name"},
        ),
        Question(
            "Which runs are stuck?", "read_table",
            _read("marts.workflow_runs", filters={"status": "stuck"}),
            {"rows.*.workflow_id": "select workflow_id from marts.workflow_runs "
             "where status = 'stuck' order by workflow_id, id_kind",
             "rows.*.stuck_after_seconds": "select stuck_after_seconds from marts.workflow_runs "
             "where status = 'stuck' order by workflow_id, id_kind"},
        ),
        Question(
            "What failed last, and why?", "read_table",
            _read("marts.workflow_runs", filters={"status": "failed"}, order_by="-ended_at",
                  limit=3, columns=["workflow_id", "last_stage", "last_error"]),
            {"rows.*.last_error": "select last_error from marts.workflow_runs "
             "where status = 'failed' order by ended_at desc, workflow_id limit 3"},
        ),
        Question(
            "Where does content stand still?", "read_table",
            _read("marts.content_funnel", filters={"is_stalled": True}),
            {"rows.*.stalled_at": "select stalled_at from marts.content_funnel "
             "where is_stalled order by product_id",
             "rows.*.allowed_hours": "select allowed_hours from marts.content_funnel "
             "where is_stalled order by product_id"},
        ),
        Question(
            "Which agents fail most?", "query",
            {"sql": "select agent_name, sum(errors) as errors, sum(events) as events "
             "from marts.agent_health group by 1 order by 2 desc, 1 limit 3"},
            {"rows.*.1": "select cast(sum(errors) as bigint) from marts.agent_health "
             "group by agent_name order by 1 desc, agent_name limit 3"},
        ),
        Question(
            "Was there a storm of retries?", "query",
            {"sql": "select count(*) from marts.workflow_runs where is_retry_storm"},
            {"rows.0.0": "select count(*) from marts.workflow_runs where is_retry_storm"},
        ),
        Question(
            "What waits for a parent that has not come?", "query",
            {"sql": "select table_name, missing_reference, count(*) from quarantine.rows "
             "where missing_reference is not null group by 1, 2 order by 3 desc, 1, 2 limit 3"},
            {"rows.*.1": "select missing_reference from quarantine.rows "
             "where missing_reference is not null group by table_name, missing_reference "
             "order by count(*) desc, table_name, missing_reference limit 3"},
        ),
        Question(
            "Which fields does nobody know?", "read_table",
            _read("marts.feature_freshness", columns=["source", "resource", "unknown_fields"]),
            {"rows.*.unknown_fields": "select unknown_fields from marts.feature_freshness "
             "order by source, resource"},
        ),
    ],
}  # fmt: skip
