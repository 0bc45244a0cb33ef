"""What the report shows, read from one release."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warehouse import overview

if TYPE_CHECKING:
    from repositories.connection import Reader

TOP_POSTS = 12


@dataclass(frozen=True)
class Report:
    """Plain values, times as ISO 8601 text."""

    release: dict[str, Any]
    simulated: bool
    freshness: list[dict[str, Any]]
    ledger: list[dict[str, Any]]
    totals: dict[str, int]
    quarantine: list[dict[str, Any]]
    counts: dict[str, int]
    tests: dict[str, int]
    platforms: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    #: post_id to (age in hours, views so far), by age.
    curves: dict[str, list[tuple[float, int]]] = field(default_factory=dict)


def gather(reader: Reader) -> Report:
    """Read everything at once: the page is of one release, whatever is released meanwhile."""
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
        posts = _top_posts(reader)
    return Report(
        release=overview.release(reader),
        simulated=overview.is_simulated(reader),
        freshness=overview.freshness(reader),
        ledger=ledger,
        totals=overview.ledger_totals(ledger),
        quarantine=overview.quarantine(reader),
        counts=counts,
        tests=tests,
        platforms=_platforms(reader) if posts else [],
        posts=posts,
        curves=_curves(reader, [post["post_id"] for post in posts]),
    )


def _top_posts(reader: Reader) -> list[dict[str, Any]]:
    """Posts with the most views, with what they advertise."""
    return reader.query(
        "select cast(p.post_id as text) as post_id, p.platform, p.external_post_id, "
        "p.published_at, p.views, p.engagements, p.engagement_rate, p.age_hours, "
        "p.views_per_hour, products.name as product, p.variation_label "
        "from marts.post_performance as p "
        "left join canonical.products as products on p.product_id = products.product_id "
        "where p.views is not null "
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
