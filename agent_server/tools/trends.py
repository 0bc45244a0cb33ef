"""What rises outside: hashtags, videos of others, products."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call, rounded
from agent_server.fitting import fitting
from agent_server.usual_columns import USUAL
from common.errors import UsageError

Kind = Literal["hashtags", "videos", "products"]
_MART: dict[str, str] = {
    "hashtags": "hashtag_trends",
    "videos": "video_trends",
    "products": "product_trends",
}


class Trending(Arguments):
    kind: Kind = Field(
        description="hashtags and videos: of trending videos of others, by platform. products: "
        "interest in the products that ACE makes content about, over all platforms."
    )
    platform: str | None = Field(
        default=None, description="Such as tiktok; for hashtags and videos. Default: all of them."
    )
    limit: int = Field(default=10, ge=1, le=100)


class Trends(Answer):
    kind: Kind
    day: str | None = Field(
        description="hashtags: the newest complete day of each platform is shown; this is the "
        "newest of them. Null for the others."
    )
    rows: list[Row] = Field(
        description="Best first. hashtags: trend_score 0 to 100 is how surely it stays above its "
        "past (50: half as much again); expected_lift its share of the next three days against "
        "the week before (1 is no change), lo80 to hi80 the 80% interval, from videos videos. "
        "videos: is_rising, views_per_hour, view_percentile among the platform's videos. "
        "products: direction, weekly_change and expected_change (0.1 is +10% in a week), "
        "opportunity 0 to 1 among the products, from snapshots snapshots."
    )


def trending(call: Call, asked: Trending) -> Trends:
    """What is trending now: hashtags that are expected to stay up, videos of others that rise,
    or products that gain interest.

    How far such scores could be trusted is in marts.trend_accuracy.
    """
    if asked.kind == "products" and asked.platform is not None:
        raise UsageError(
            "trending: products have no platform.", "Leave platform out, or ask for hashtags."
        )
    _check_platform(call, asked)
    day = None
    if asked.kind == "hashtags":
        rows, day = _hashtags(call, asked)
    elif asked.kind == "videos":
        filters = {} if asked.platform is None else {"platform": asked.platform}
        rows = call.rows(
            "marts.video_trends",
            USUAL["video_trends"],
            ["-is_rising", "-hot_score"],
            asked.limit,
            filters,
        )
    else:
        rows = _products(call, asked.limit)
    fit, notes = fitting([rounded(row) for row in rows])
    return Trends(**call.about(_MART[asked.kind]), notes=notes, kind=asked.kind, day=day, rows=fit)


def _platforms(call: Call, mart: str) -> list[str]:
    rows = call.warehouse.query(f"select distinct platform from marts.{mart} order by 1")
    return [row["platform"] for row in rows]


def _check_platform(call: Call, asked: Trending) -> None:
    """UsageError for a platform without rows: an empty answer would say that nothing rises."""
    if asked.platform is None:
        return
    there = _platforms(call, _MART[asked.kind])
    if asked.platform not in there:
        raise UsageError(
            f"There are no trending {asked.kind} of '{asked.platform}'.",
            f"There are some of: {', '.join(there) or 'no platform'}.",
        )


def _hashtags(call: Call, asked: Trending) -> tuple[list[Row], str | None]:
    """The best of the newest complete day of each platform."""
    where = "" if asked.platform is None else "and platform = ?"
    given = [] if asked.platform is None else [asked.platform]
    days = call.warehouse.query(
        "select platform, cast(max(day) as text) as day from marts.hashtag_trends "
        f"where not is_partial {where} group by platform",
        given,
    )
    rows: list[Row] = []
    for one in days:
        rows += call.rows(
            "marts.hashtag_trends",
            USUAL["hashtag_trends"],
            "-trend_score",
            asked.limit,
            {"platform": one["platform"], "day": one["day"]},
        )
    rows.sort(key=lambda row: (-(row.get("trend_score") or -1), row["platform"], row["hashtag"]))
    return rows[: asked.limit], max((one["day"] for one in days), default=None)


def _products(call: Call, limit: int) -> list[Row]:
    rows = call.rows(
        "marts.product_trends", USUAL["product_trends"], "-opportunity", limit, {"is_latest": True}
    )
    names: dict[str, Any] = {}
    keys = [row["product_id"] for row in rows]
    if keys:
        found = call.rows(
            "canonical.products", ("product_id", "name"), where={"product_id__in": keys}
        )
        names = {row["product_id"]: row["name"] for row in found}
    return [{"name": names.get(row["product_id"])} | row for row in rows]
