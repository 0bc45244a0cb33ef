"""The sections about what to do: what works, what rises, what needs attention."""

from __future__ import annotations

from typing import Any

from warehouse.markup import Markup, fill, joined
from warehouse.report.data import Report
from warehouse.report.table import platform_class, table
from warehouse.report.text import day, hours, minute, percent, signed

#: Space between two tables of a section.
GAP = Markup('<p class="lead"></p>')


def works(report: Report) -> Markup:
    """Patterns and tags with their evidence."""
    patterns = [
        [
            row["pattern"],
            f"{row['posts']:,}",
            _between(
                percent(row["engagement_rate_eb"]),
                percent(row["engagement_rate_eb_lo"]),
                percent(row["engagement_rate_eb_hi"]),
            ),
            _between(signed(row["shrunk_lift"]), signed(row["lift_lo"]), signed(row["lift_hi"])),
            day(row["last_used_at"]),
        ]
        for row in report.marts["patterns"]
    ]
    tags = [
        [
            row["tag"],
            row["kind"],
            f"{row['posts_with']:,} / {row['posts_without']:,}",
            _between(
                signed(row["shrunk_lift"]),
                signed(_relative(row["lo"])),
                signed(_relative(row["hi"])),
            ),
            f"{row['q_value']:.3f}" if row["q_value"] >= 0.001 else "< 0.001",
        ]
        for row in report.marts["tags"]
    ]
    return joined(
        [
            table(
                "Creative patterns in order of their estimate; a rate and a lift are drawn toward "
                "what is usual as far as the evidence is thin, with 95% intervals",
                ["pattern", "posts", "engagement", "views against usual", "last used"],
                patterns,
                numbers={1, 2, 3},
                empty="No pattern has been used yet.",
            ),
            GAP,
            table(
                "Tags and choices that go along with more or fewer views, by q value up to 0.1 "
                "(observed, not drawn by lot)",
                ["tag", "kind", "posts with / without", "views against usual", "q"],
                tags,
                numbers={2, 3, 4},
                empty="No tag stands out from chance.",
            ),
        ]
    )


def rises(report: Report) -> Markup:
    """Hashtags and products on the move."""
    hashtags = [
        [
            f"#{row['hashtag']}",
            fill(
                '<b class="tag {kind}">{platform}</b>',
                kind=platform_class(row["platform"]),
                platform=row["platform"],
            ),
            f"{row['videos']:,}",
            f"{row['trend_score']:.0f}",
            Markup('<b class="pill good">breakout</b>') if row["is_breakout"] else "",
        ]
        for row in report.marts["hashtags"]
    ]
    products = [
        [
            row["name"],
            row["direction"] or "unknown",
            signed(row["weekly_change"]),
            f"{row['opportunity']:.2f}",
            Markup('<b class="pill warn">stale</b>') if row["is_stale"] else "",
        ]
        for row in report.marts["products"]
    ]
    return joined(
        [
            table(
                "Hashtags of trending videos on the last complete day, by trend score (0 to 100)",
                ["hashtag", "platform", "videos", "score", ""],
                hashtags,
                numbers={2, 3},
                empty="No trending videos have been collected.",
            ),
            GAP,
            table(
                "Products by opportunity: fast, new, not yet saturated, little competition",
                ["product", "direction", "popularity in a week", "opportunity", ""],
                products,
                numbers={2, 3},
                empty="No product has a trend snapshot.",
            ),
        ]
    )


def attention(report: Report) -> Markup:
    """What a watchdog would bark at, newest data first; quiet when there is nothing."""
    rows = [
        [
            what,
            who,
            fill('<span class="wrap">{why}</span>', why=why),
            minute(since) if since else "",
        ]
        for what, who, why, since in [
            *(_workflow(row) for row in report.marts["workflows"]),
            *(_agent(row) for row in report.marts["agents"]),
            *(_stalled(row) for row in report.marts["stalled"]),
        ]
    ]
    return table(
        "Workflows, agents and products that stand still or misbehave, as of the release",
        ["what", "which", "why", "last sign of life"],
        rows,
        numbers=set(),
        empty="Nothing: no workflow is stuck, no agent silent, no product stalled.",
    )


def forecasts(report: Report) -> Markup:
    """The backtest beside the naive forecast."""
    rows = [
        [
            row["platform"],
            f"{row['from_hours']} h to {row['target_hours']} h",
            f"{row['n']:,}",
            percent(row["median_ape"]),
            percent(row["naive_median_ape"]),
            percent(row["coverage80"]),
        ]
        for row in report.marts["forecasts"]
    ]
    return table(
        "Views forecast with only what was known then: median error, the same for the median of "
        "the account, and how often the 80% interval held",
        ["platform", "forecast", "posts", "error", "naive error", "interval held"],
        rows,
        numbers={2, 3, 4, 5},
        empty="No forecast could be checked yet.",
    )


def _between(value: str, low: str, high: str) -> Markup:
    return fill(
        '{value} <span class="zero">{low} to {high}</span>', value=value, low=low, high=high
    )


def _relative(log_lift: float | None) -> float | None:
    from math import exp

    return None if log_lift is None else exp(log_lift) - 1


def _workflow(row: dict[str, Any]) -> tuple[str, str, str, str | None]:
    why = f"{row['kind'] or 'workflow'} {row['status']} at {row['last_stage'] or 'its start'}"
    if row["success_without_start"]:
        why = "reports success but never started"
    elif row["is_retry_storm"]:
        why = f"retries again and again at {row['last_stage'] or 'its start'}"
    if row["last_error"]:
        why += f": {str(row['last_error'])[:90]}"
    return "workflow", str(row["workflow_id"]), why, row["last_event_at"]


def _agent(row: dict[str, Any]) -> tuple[str, str, str, str | None]:
    why = f"silent for {hours(row['silent_hours'])}; usually {hours(row['usual_gap_hours'])}"
    return "agent", row["agent_name"], why, row["last_seen_at"]


def _stalled(row: dict[str, Any]) -> tuple[str, str, str, str | None]:
    why = f"waits at {row['stalled_at']} for {hours(row['stalled_hours'])}"
    return "product", row["name"], why, row["last_progress_at"]
