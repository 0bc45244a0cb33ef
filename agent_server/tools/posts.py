"""How one post does."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent_server import found
from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call

POST = (
    *("post_id", "platform", "external_post_id", "published_at", "product_id", "experiment_id"),
    *("script_id", "pattern_id", "hypothesis", "variation_label", "verdict", "views", "likes"),
    *("comments", "shares", "polls", "age_hours", "last_collected_at", "is_stale"),
    *("views_24h", "status_24h", "views_72h", "status_72h", "views_168h", "status_168h"),
    *("views_72h_percentile", "percentile_posts", "baseline_ratio", "baseline_posts"),
    *("baseline_scope", "engagement_rate", "engagement_rate_eb", "engagement_rate_eb_lo"),
    *("engagement_rate_eb_hi", "engagement_percentile", "views_per_hour", "acceleration"),
    *("is_dead", "completion_rate", "crosses_break", "is_adopted"),
)
FORECAST = ("from_hours", "target_hours", "predicted", "lo80", "hi80", "n_train", "method")
POLL = ("collected_at", "age_hours", "views_mono", "likes_mono", "views_per_hour", "is_decrease")


class OfPost(Arguments):
    post_id: str = Field(description="Key of the post (marts.post_performance).")
    polls: int = Field(
        default=5, ge=0, le=100, description="How many of its polls to give, newest first."
    )


class PostAnswer(Answer):
    post: dict[str, Any] = Field(
        description="verdict: breakout, strong, normal, weak by views after 72 hours among the "
        "posts of the platform; pending while it is younger; unknown where it cannot be ranked. "
        "baseline_ratio: views against what is usual (1 is as usual, over baseline_posts posts). "
        "engagement_rate_eb is the rate to decide by, between _lo and _hi with 95%. A status "
        "other than 'measured' or 'interpolated' says why views at an age are null."
    )
    forecasts: list[Row] = Field(
        description="Views to expect at ages still to come: predicted, with an 80% interval, "
        "fitted on n_train posts. Empty when nothing is open."
    )
    polls: list[Row] = Field(description="What was counted when, newest first.")


def post_performance(call: Call, asked: OfPost) -> PostAnswer:
    """How one post does: counts, views at comparable ages, verdict against what is usual, speed,
    forecasts with intervals, and its latest polls.

    To compare or rank posts, use read_table of marts.post_performance with order_by.
    """
    found.post(call, asked.post_id)
    where = {"post_id": asked.post_id}
    rows = call.rows("marts.post_performance", POST, where=where)
    polls = call.rows("marts.post_metric_history", POLL, "-collected_at", asked.polls, where)
    return PostAnswer(
        **call.about("post_performance", "post_forecasts"),
        post=rows[0] if rows else {},
        forecasts=call.rows("marts.post_forecasts", FORECAST, "target_hours", where=where),
        polls=polls,
    )
