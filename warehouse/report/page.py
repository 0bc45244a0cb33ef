"""The report's HTML: every value is escaped here, nothing is loaded from elsewhere."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import Any

from warehouse.report import decisions
from warehouse.report.data import Report
from warehouse.report.svg import growth
from warehouse.report.table import platform_class, table
from warehouse.report.text import compact, day, escape, hours, minute, percent

REASONS = {
    "missing_parent": "its parent has not arrived",
    "missing_required": "a required value is missing",
    "out_of_range": "a value is impossible",
    "not_published_yet": "not published yet",
}


def render(report: Report) -> str:
    """The whole page."""
    folder = files("warehouse.report")
    template = Template((folder / "template.html").read_text("utf-8"))
    release = report.release
    return template.substitute(
        style=(folder / "style.css").read_text("utf-8"),
        number=escape(release["release"]),
        as_of=minute(release["as_of"]),
        released=minute(release["released_at"]),
        engine=escape(release["engine"]),
        dbt=escape(release["dbt_version"]),
        revision=escape((release["git_revision"] or "unknown")[:12]),
        notice=_notice(report),
        facts=_facts(report),
        posts=_posts(report),
        platforms=_platforms(report),
        works=decisions.works(report),
        rises=decisions.rises(report),
        attention=decisions.attention(report),
        forecasts=decisions.forecasts(report),
        freshness=_freshness(report),
        ledger=_ledger(report),
        quarantine=_quarantine(report),
    )


def _notice(report: Report) -> str:
    if not report.simulated:
        return ""
    return (
        '<p class="notice" role="note"><strong>Simulated data.</strong> This release contains '
        "rows of the source <code>demo</code>: made up by a simulator, labelled, and not to be "
        "decided on.</p>"
    )


def _facts(report: Report) -> str:
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
    return "".join(
        f'<div class="fact {kind}"><dd>{escape(value)}</dd><dt>{escape(name)}</dt></div>'
        for value, name, kind in facts
    )


def _warned(report: Report) -> str:
    count = report.tests.get("warn", 0)
    return f", {count:,} warned" if count else ""


def _posts(report: Report) -> str:
    if not report.posts:
        return '<p class="none">No post has been polled yet.</p>'
    cards = []
    for place, post in enumerate(report.posts, start=1):
        name = post["product"] or post["external_post_id"]
        label = (
            f"Views of {name} on {post['platform']} by age: {post['views']:,} "
            f"after {hours(post['age_hours'])}"
        )
        variation = post["variation_label"]
        under = " · ".join(
            [f"post {post['external_post_id']}"] + ([f"variation {variation}"] if variation else [])
        )
        cards.append(
            f'<li class="post {platform_class(post["platform"])}">'
            f'<p class="rank"><span>{place}</span> <b class="tag">{escape(post["platform"])}</b> '
            f"{escape(day(post['published_at']))}</p>"
            f'<h3>{escape(name)}</h3><p class="id">{escape(under)}</p>'
            f"{growth(report.curves.get(post['post_id'], []), label)}"
            f'<dl><div><dd title="{post["views"]:,}">{compact(post["views"])}</dd>'
            f"<dt>views</dt></div>"
            f"<div><dd>{percent(post['engagement_rate'])}</dd><dt>engagement</dt></div>"
            f"<div><dd>{compact(post['views_per_hour'])}</dd><dt>views/h lately</dt></div>"
            f"<div><dd>{hours(post['age_hours'])}</dd><dt>age</dt></div></dl></li>"
        )
    return f'<ol class="posts">{"".join(cards)}</ol>'


def _platforms(report: Report) -> str:
    if not report.platforms:
        return ""
    most = max(row["views"] for row in report.platforms) or 1
    rows = [
        [
            escape(row["platform"]),
            f"{row['posts']:,}",
            f"{_bar(row['views'] / most, row['platform'])}{compact(row['views'])}",
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


def _bar(share: float, platform: str) -> str:
    return (
        f'<span class="bar {platform_class(platform)}" aria-hidden="true">'
        f'<i style="width:{100 * share:.1f}%"></i></span>'
    )


def _freshness(report: Report) -> str:
    rows = [
        [
            escape(row["source"]),
            escape(row["resource"]),
            minute(row["last_extracted_at"]),
            hours(row["age_hours"]),
            '<b class="pill warn">stale</b>'
            if row["is_stale"]
            else '<b class="pill good">fresh</b>',
        ]
        for row in report.freshness
    ]
    return table(
        "Newest record of each source, and its age at the as-of time",
        ["source", "resource", "last extracted", "age at as-of", "state"],
        rows,
        numbers={3},
        empty="Nothing has landed yet.",
    )


def _ledger(report: Report) -> str:
    names = ("read", "rejected", "landed", "accepted", "duplicate", "superseded", "quarantined")
    rows = [
        [
            escape(row["table_name"]),
            escape(row["source"]),
            *(f"{row[name]:,}" if row[name] else '<span class="zero">0</span>' for name in names),
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


def _balance(value: int) -> str:
    if value == 0:
        return '<b class="pill good">0</b>'
    return f'<b class="pill bad">{value:+,}</b>'


def _quarantine(report: Report) -> str:
    rows = [
        [
            escape(row["table_name"]),
            escape(row["source"]),
            f'<span title="{escape(REASONS.get(row["reason"], row["reason"]))}">'
            f"{escape(row['reason'])}</span>",
            f"{row['rows']:,}",
            escape(day(row["oldest_since"])),
            f"<code>{escape(_example(row))}</code>",
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
