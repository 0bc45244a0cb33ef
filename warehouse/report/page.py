"""The report's HTML: nothing in it is loaded from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import Any

from loaders.schema import ADOPTED
from warehouse.markup import POLICY, Markup, fill, joined
from warehouse.report import decisions
from warehouse.report.data import Report
from warehouse.report.svg import growth
from warehouse.report.table import platform_class, table
from warehouse.report.text import compact, day, hours, minute, percent, shortened

REASONS = {
    "missing_parent": "its parent has not arrived",
    "missing_required": "a required value is missing",
    "out_of_range": "a value is impossible",
    "not_published_yet": "not published yet",
}

NONE = Markup('<span class="zero">0</span>')


def render(report: Report) -> str:
    """The whole page."""
    folder = files("warehouse.report")
    release = report.release
    parts: dict[str, Any] = {
        "policy": POLICY,
        "style": Markup((folder / "style.css").read_text("utf-8")),
        "number": release["release"],
        "as_of": minute(release["as_of"]),
        "released": minute(release["released_at"]),
        "written": minute(report.written_at.isoformat()),
        "engine": release["engine"],
        "dbt": release["dbt_version"],
        "revision": (release["git_revision"] or "unknown")[:12],
        "notice": _notice(report),
        "facts": _facts(report),
        "posts": _posts(report),
        "platforms": _platforms(report),
        "works": decisions.works(report),
        "rises": decisions.rises(report),
        "attention": decisions.attention(report),
        "forecasts": decisions.forecasts(report),
        "freshness": _freshness(report),
        "ledger": _ledger(report),
        "quarantine": _quarantine(report),
    }
    template = Template((folder / "template.html").read_text("utf-8"))
    return template.substitute({name: Markup.escape(part) for name, part in parts.items()})


def _notice(report: Report) -> Markup:
    if not report.simulated:
        return Markup("")
    return Markup(
        '<p class="notice" role="note"><strong>Simulated data.</strong> This release contains '
        "rows of the source <code>demo</code>: made up by a simulator, labelled, and not to be "
        "decided on.</p>"
    )


def _facts(report: Report) -> Markup:
    totals = report.totals
    balanced = totals["balance"] == 0
    facts = [
        (compact(report.counts.get("canonical.published_posts", 0)), "published posts", ""),
        (compact(report.counts.get("canonical.performance_metrics", 0)), "polls of them", ""),
        (compact(totals["accepted"]), "rows accepted", ""),
        (
            compact(totals["quarantined"]),
            "rows held back",
            "warn" if totals["quarantined"] else "",
        ),
        (
            "balanced" if balanced else f"off by {totals['balance']:,}",
            "ledger",
            "good" if balanced else "bad",
        ),
        (
            f"{report.tests.get('pass', 0):,}",
            f"tests passed{_warned(report)}",
            "good" if not report.tests.get("warn") else "warn",
        ),
    ]
    return joined(
        fill(
            '<div class="fact {kind}"><dd>{value}</dd><dt>{name}</dt></div>',
            kind=kind, value=value, name=name,
        )
        for value, name, kind in facts
    )  # fmt: skip


def _warned(report: Report) -> str:
    count = report.tests.get("warn", 0)
    return f", {count:,} warned" if count else ""


def _posts(report: Report) -> Markup:
    if not report.posts:
        return Markup('<p class="none">No post has been polled yet.</p>')
    cards = [_card(report, place, post) for place, post in enumerate(report.posts, start=1)]
    return fill('<ol class="posts">{cards}</ol>', cards=joined(cards))


def _card(report: Report, place: int, post: dict[str, Any]) -> Markup:
    words = shortened(post["words"])
    name = words or post["product"] or post["external_post_id"]
    label = (
        f"Views of {name} on {post['platform']} by age: {post['views']:,} "
        f"after {hours(post['age_hours'])}"
    )
    variation = post["variation_label"]
    below = [f"post {post['external_post_id']}"]
    if words and post["product"]:
        below.append(post["product"])
    if variation and variation != ADOPTED:
        below.append(f"variation {variation}")
    under = " · ".join(below)
    return fill(
        '<li class="post {kind}"><p class="rank"><span>{place}</span> '
        '<b class="tag">{platform}</b> {day}</p>'
        '<h3>{name}</h3><p class="id">{under}</p>{curve}'
        '<dl><div><dd title="{views:,}">{short_views}</dd><dt>views</dt></div>'
        "<div><dd>{rate}</dd><dt>engagement</dt></div>"
        "<div><dd>{speed}</dd><dt>views/h lately</dt></div>"
        "<div><dd>{age}</dd><dt>age</dt></div></dl></li>",
        kind=platform_class(post["platform"]),
        place=place,
        platform=post["platform"],
        day=day(post["published_at"]),
        name=name,
        under=under,
        curve=growth(report.curves.get(post["post_id"], []), label),
        views=post["views"],
        short_views=compact(post["views"]),
        rate=percent(post["engagement_rate"]),
        speed=compact(post["views_per_hour"]),
        age=hours(post["age_hours"]),
    )


def _platforms(report: Report) -> Markup:
    if not report.platforms:
        return Markup("")
    most = max(row["views"] for row in report.platforms) or 1
    rows = [
        [
            row["platform"],
            f"{row['posts']:,}",
            _bar(row["views"] / most, row["platform"]) + compact(row["views"]),
            compact(row["median_views_72h"]),
            percent(row["engagement_rate"]),
        ]
        for row in report.platforms
    ]
    return table(
        "Posts and views by platform",
        ["platform", "posts", "views", "median views at 72 h", "engagement"],
        rows,
        numbers={1, 2, 3, 4},
    )


def _bar(share: float, platform: str) -> Markup:
    return fill(
        '<span class="bar {kind}" aria-hidden="true"><i style="width:{percent:.1f}%"></i></span>',
        kind=platform_class(platform),
        percent=100 * share,
    )


#: How each state of a source is shown.
STATES = {
    "fresh": Markup('<b class="pill good">fresh</b>'),
    "stale": Markup('<b class="pill warn">stale</b>'),
    "ahead": Markup('<b class="pill warn">ahead of now</b>'),
    "unlimited": "no limit",
}


def _freshness(report: Report) -> Markup:
    rows = [
        [
            row["source"],
            row["resource"],
            minute(row["last_asked_at"]),
            hours(None if row["state"] == "ahead" else row["hours_old"]),
            "none" if row["stale_after_hours"] is None else hours(row["stale_after_hours"]),
            STATES[row["state"]],
        ]
        for row in report.freshness
    ]
    return table(
        "Up to when each source is known, and how old that was when this page was written",
        ["source", "resource", "last known", "age when written", "stale after", "state"],
        rows,
        numbers={3, 4},
        empty="Nothing has landed yet.",
    )


def _ledger(report: Report) -> Markup:
    names = ("read", "rejected", "landed", "accepted", "duplicate", "superseded", "quarantined")
    rows = [
        [
            row["table_name"],
            row["source"],
            *(f"{row[name]:,}" if row[name] else NONE for name in names),
            _balance(row["balance"]),
        ]
        for row in report.ledger
    ]
    totals = report.totals
    foot = ["all", "", *(f"{totals[name]:,}" for name in names), _balance(totals["balance"])]
    return table(
        "Where every record went: read = landed + rejected, and landed = accepted + duplicate "
        "+ superseded + quarantined",
        ["table", "source", *names, "balance"],
        rows,
        numbers=set(range(2, 10)),
        foot=foot if rows else None,
        empty="Nothing has landed yet.",
    )


def _balance(value: int) -> Markup:
    if value == 0:
        return Markup('<b class="pill good">0</b>')
    return fill('<b class="pill bad">{value:+,}</b>', value=value)


def _quarantine(report: Report) -> Markup:
    rows = [
        [
            row["table_name"],
            row["source"],
            fill(
                '<span title="{means}">{reason}</span>',
                means=REASONS.get(row["reason"], row["reason"]),
                reason=row["reason"],
            ),
            f"{row['rows']:,}",
            day(row["oldest_since"]),
            fill("<code>{example}</code>", example=_example(row)),
        ]
        for row in report.quarantine
    ]
    return table(
        "Rows that break a rule; they come back by themselves when the cause goes away",
        ["table", "source", "reason", "rows", "oldest since", "example"],
        rows,
        numbers={3},
        empty="Nothing is held back.",
    )


def _example(row: dict[str, Any]) -> str:
    waits = row["example_missing_reference"]
    return f"waits for {waits}" if waits else str(row["example_key"] or "no key")
