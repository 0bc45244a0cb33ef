"""The usual question about a product, in one call."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent_server import found
from agent_server.answers import Answer, Row
from agent_server.call import Call
from agent_server.tools.creative import OfProduct, brief_of, experiments_of

ARM = (
    *("platform", "pattern_id", "suggested_share", "chance_best", "mean", "sd"),
    *("trials", "successes", "other_trials"),
)
GAP = (
    *("platform", "pattern_id", "expected_lift", "expected_lift_lo", "expected_lift_hi"),
    *("pattern_posts", "trials", "reason"),
)
STANDING = (
    *("platform", "posts", "views", "views_72h_median", "engagement_rate_eb"),
    *("engagement_rate_eb_lo", "engagement_rate_eb_hi", "last_published_at", "posts_30d"),
)
#: Entries of each list: a reader needs the first few.
ARMS, GAPS, EXPERIMENTS = 3, 5, 10


class Now(Answer):
    product: dict[str, Any] = Field(description="The product itself.")
    standing: list[Row] = Field(
        description="How its posts do by platform ('all' is all together); views_72h_median is "
        "null while no post is 72 hours old."
    )
    make_next: list[Row] = Field(
        description="Patterns that were not tried enough and are worth it, best first: "
        "expected_lift is in views against the usual (0.2 is +20%), with its 95% interval, over "
        "pattern_posts posts of all products. The surest thing to act on."
    )
    share_of_next_posts: list[Row] = Field(
        description="Which of the patterns that it has to give its next posts, by platform: "
        "suggested_share of them (0 to 1), which is the chance that the pattern is its best; mean "
        "and sd of the share of posts above the platform's median, from trials posts of its own."
    )
    open_experiments: list[Row] = Field(
        description="Experiments of which too little is known yet, newest first, as in "
        "experiment_results."
    )
    verdicts: list[Row] = Field(description="Experiments that lead or lose, newest first.")
    brief: dict[str, Any] | None = Field(description="As in creative_brief.")


def what_now(call: Call, asked: OfProduct) -> Now:
    """What to do next for a product, with the evidence, in one call: how it stands, what to make
    next, how to share the next posts among patterns, open experiments and verdicts, and the
    writer's brief.

    Start here for any question about one product. Without its id: read_table of
    canonical.products with filters {"name__contains": "..."}.
    """
    product = found.product(call, asked.product_id)
    key = asked.product_id
    where = {"product_id": key}
    arms = call.rows("marts.bandit_arms", ARM, ["platform", "-suggested_share"], where=where)
    gaps = call.rows("marts.experiment_gaps", GAP, "rank", GAPS, where)
    best = _best_of_each(arms)
    patterns = _patterns(call, [*best, *gaps])
    opened = experiments_of(call, key, None, "open", EXPERIMENTS + 1)
    notes = []
    if len(opened) > EXPERIMENTS:
        notes.append(
            f"Only the newest {EXPERIMENTS} open experiments; experiment_results lists the others."
        )
    return Now(
        **call.about("creative_briefs", "bandit_arms", "experiment_gaps", "experiment_results"),
        notes=notes,
        product=product,
        standing=call.rows("marts.product_performance", STANDING, "platform", where=where),
        make_next=[row | patterns.get(row["pattern_id"], {}) for row in gaps],
        share_of_next_posts=[row | patterns.get(row["pattern_id"], {}) for row in best],
        open_experiments=opened[:EXPERIMENTS],
        verdicts=[
            *experiments_of(call, key, None, "leading", EXPERIMENTS),
            *experiments_of(call, key, None, "losing", EXPERIMENTS),
        ],
        brief=brief_of(call, key),
    )


def _best_of_each(arms: list[Row]) -> list[Row]:
    """The first arms of every platform."""
    kept: list[Row] = []
    for row in arms:
        if sum(one["platform"] == row["platform"] for one in kept) < ARMS:
            kept.append(row)
    return kept


def _patterns(call: Call, rows: list[Row]) -> dict[str, Row]:
    """What the patterns are, by their keys."""
    keys = list({row["pattern_id"] for row in rows})
    if not keys:
        return {}
    columns = ("pattern_id", "hook_text", "structure", "style_tags", "emotion_tags")
    return {
        row["pattern_id"]: row
        for row in call.rows("canonical.creative_patterns", columns, where={"pattern_id__in": keys})
    }
