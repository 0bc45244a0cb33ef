"""What to write for a product, and what its experiments came to."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent_server import found
from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call

EXPERIMENT = (
    *("experiment_id", "platform", "status", "posts", "log_views_n", "planned_posts"),
    *("control_scope", "control_n", "shrunk_views_lift", "views_lift_lo", "views_lift_hi"),
    *("chance_to_win", "expected_loss", "always_valid_lo", "always_valid_hi"),
    *("engagement_rate_eb", "engagement_rate_eb_lo", "engagement_rate_eb_hi", "known_at"),
)


class OfProduct(Arguments):
    product_id: str = Field(description="Key of the product (canonical.products).")


class Brief(Answer):
    product_id: str
    brief: dict[str, Any] | None = Field(
        description="Keys without content are left out. usual: what is normal for the product. "
        "patterns_that_work, what_helps, what_hurts: with evidence in words. try_next: what was "
        "not tried. how_to_read says how to read it. Null where no brief was made."
    )


def creative_brief(call: Call, asked: OfProduct) -> Brief:
    """Everything a writer needs about one product: what works and on what evidence, what helps
    and hurts, the trend, the best posts, when to post, what to avoid, what to try.

    For open experiments and which pattern to use next as well, ask what_now instead.
    """
    found.product(call, asked.product_id)
    return Brief(
        **call.about("creative_briefs"),
        product_id=asked.product_id,
        brief=brief_of(call, asked.product_id),
    )


def brief_of(call: Call, product_id: str) -> dict[str, Any] | None:
    rows = call.warehouse.rows("marts.creative_briefs").plain(
        columns=["brief"], filters={"product_id": product_id}
    )
    brief: dict[str, Any] | None = rows[0]["brief"] if rows else None
    return brief


class Experiments(OfProduct):
    platform: str | None = Field(default=None, description="One platform only, such as tiktok.")
    status: Literal["open", "leading", "losing", "inconclusive", "all"] = Field(
        default="all",
        description="open: too little is known yet. leading and losing hold however often one "
        "looks. inconclusive: enough is known, and no difference shows.",
    )
    limit: int = Field(default=20, ge=1, le=100, description="Experiments at most, newest first.")


#: Statuses of an experiment of which too little is known yet.
OPEN = ("no_posts", "pending", "too_little_data")


class ExperimentRows(Answer):
    product_id: str
    experiments: list[Row] = Field(
        description="One for each experiment and platform. shrunk_views_lift: views after 3 days "
        "against what the product usually has there, drawn toward 0 as far as little is known "
        "(0.2 is +20%), with views_lift_lo and views_lift_hi (95%); log_views_n posts with known "
        "views stand against control_n. always_valid_lo and always_valid_hi hold however often "
        "one looks. chance_to_win is from 0 to 1."
    )
    has_more: bool = Field(description="True when there are more than the answer has.")


def experiment_results(call: Call, asked: Experiments) -> ExperimentRows:
    """What the experiments of a product came to, with how sure that is.

    A lift whose interval spans 0 may be no difference at all: do not report it as a win.
    """
    found.product(call, asked.product_id)
    rows = experiments_of(call, asked.product_id, asked.platform, asked.status, asked.limit + 1)
    return ExperimentRows(
        **call.about("experiment_results"),
        product_id=asked.product_id,
        experiments=rows[: asked.limit],
        has_more=len(rows) > asked.limit,
    )


def experiments_of(
    call: Call, product_id: str, platform: str | None, status: str, limit: int
) -> list[Row]:
    filters: dict[str, Any] = {"product_id": product_id}
    if platform is not None:
        filters["platform"] = platform
    if status != "all":
        filters["status__in"] = list(OPEN) if status == "open" else [status]
    return call.rows("marts.experiment_results", EXPERIMENT, "-known_at", limit, filters)
