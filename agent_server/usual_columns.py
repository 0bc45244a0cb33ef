"""The columns that are shown when none are named: of wide tables those that decide."""

from __future__ import annotations

from repositories.columns import Relation

#: By table; of others all columns are shown that are not named in ``LEFT_OUT``.
USUAL: dict[str, tuple[str, ...]] = {
    "post_performance": (
        *("post_id", "platform", "product_id", "experiment_id", "published_at", "verdict"),
        *("views", "age_hours", "views_72h", "status_72h", "baseline_ratio", "baseline_posts"),
        *("engagement_rate_eb", "views_per_hour", "is_stale", "last_collected_at"),
    ),
    "experiment_results": (
        *("experiment_id", "platform", "product_id", "status", "posts", "shrunk_views_lift"),
        *("chance_to_win", "always_valid_lo", "always_valid_hi", "engagement_rate_eb"),
    ),
    "hashtag_trends": (
        *("platform", "hashtag", "day", "rank", "trend_score", "videos", "share", "is_breakout"),
        *("expected_lift", "lo80", "hi80", "days_observed"),
    ),
    "product_trends": (
        *("product_id", "snapshot_time", "is_latest", "direction", "popularity", "weekly_change"),
        *("opportunity", "expected_change", "why", "snapshots", "is_stale"),
    ),
    "video_trends": (
        *("platform", "external_id", "author", "caption", "views", "views_per_hour", "is_rising"),
        *("hot_score", "view_percentile", "observations", "last_collected_at"),
    ),
    "creative_pattern_performance": (
        *("pattern_id", "platform", "rank", "posts", "shrunk_lift", "share_above_median"),
        *("engagement_rate_eb", "fatigue_z", "last_used_at"),
    ),
    "workflow_runs": (
        *("workflow_id", "kind", "status", "started_at", "ended_at", "last_event_at"),
        *("last_stage", "idle_seconds", "stuck_after_seconds", "errors", "last_error", "retries"),
    ),
    "forecast_accuracy": (
        *("platform", "from_hours", "target_hours", "n", "median_ape", "naive_median_ape"),
        *("coverage80", "spearman", "naive_spearman"),
    ),
    "trend_accuracy": (
        *("platform", "week", "days", "tags", "top20_log_lift", "today_top20_log_lift"),
        *("coverage80", "breakouts", "breakouts_stayed"),
    ),
    "post_features_as_of": (
        *("post_id", "platform", "published_at", "product_id", "pattern_id"),
        *("expected_ln_views_72h", "views_24h", "views_72h", "views_168h"),
    ),
}
#: Too long to be of use unasked: vectors.
LEFT_OUT = ("embedding",)


def usual_columns(relation: Relation) -> list[str]:
    """Those of ``USUAL`` that this release has, or all."""
    listed = [name for name in USUAL.get(relation.name, ()) if name in relation.columns]
    return listed or [name for name in relation.columns if name not in LEFT_OUT]
