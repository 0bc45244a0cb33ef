"""Trends: are breakouts found, how early, and is a day without collection ever a fall?

The simulated world plants breakouts, slow risers, weekly tags and steady ones, and days
without collection. The first seed is where thresholds were chosen, the others are judged.
The real videos (YouTube US, autumn 2017) have no planted truth; stand-ins are checked: events
whose day is known from the news; whether a flagged tag stayed up, its share over the next three
days at least twice its share before; and whether trend_score tells what stays better than
simpler scores do: rank correlation with the lift that came, of the top 20 of each day the share
above 1.5 times their past and the mean log gain, and how much of the growth was ahead of a tag
that came in. Parameters of the score were chosen on the first half of these days.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks import models
from benchmarks.measure import Line

#: The first is for choosing thresholds, the others are reported.
SEEDS = (7, 11, 12, 13)
POSTS = 1000
#: A tag trends from this score on; chosen on the first seed.
SCORE = 50.0
#: A flag counts as a find up to so many days after a breakout began.
FOUND_WITHIN = 7
MODELS = ("+hashtag_trends",)
FLAGS = {"is_breakout": "is_breakout", "trend_score": f"trend_score >= {SCORE}"}
#: What the news were about, and when: tags that could not trend before.
EVENTS = {
    date(2017, 9, 19): ("mexico", "earthquake"),
    date(2017, 9, 24): ("nfl",),
    date(2017, 10, 2): ("las vegas", "las vegas shooting", "stephen paddock"),
    date(2017, 10, 5): ("harvey weinstein",),
    date(2017, 10, 9): ("the last jedi", "star wars"),
}

Rows = list[dict[str, Any]]


def lines(folder: Path, seeds: Sequence[int] = SEEDS) -> Iterator[Line]:
    """Precision, recall and lead time on each seed, falls after gaps, and the real videos."""
    for number, seed in enumerate(seeds):
        home = folder / str(seed)
        models.land_demo(home, POSTS, seed)
        models.run(home, *MODELS)
        tags = _query(home, "select * from marts.hashtag_trends where day > date '2020-01-01'")
        truth = _query(home, f"select * from '{home}/truth/truth_tags.parquet'")
        kept = "seed for choosing" if number == 0 else "unseen"
        for name, condition in FLAGS.items():
            flags = _query(
                home,
                "select platform, hashtag, day from marts.hashtag_trends"
                f" where day > date '2020-01-01' and {condition}",
            )
            yield from _found(f"{name}, seed {seed}", flags, truth, kept)
        yield _falls(home, seed, tags)
        if number == 0:
            yield from _real(home)


def _query(home: Path, sql: str) -> Rows:
    import duckdb

    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        cursor = connection.execute(sql)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _found(name: str, flags: Rows, truth: Rows, note: str) -> Iterator[Line]:
    """A tag is found when flagged within days of its start. Every other tag flagged is a
    false alarm, but slow risers, which do rise: they are only counted."""
    planted = {(row["platform"], row["hashtag"]): row for row in truth}
    first: dict[tuple[str, str], list[date]] = {}
    for row in flags:
        first.setdefault((row["platform"], row["hashtag"]), []).append(row["day"])
    leads, late = [], 0
    breakouts = [key for key, row in planted.items() if row["kind"] == "breakout"]
    false = 0
    for key, days in first.items():
        kind = planted[key]["kind"] if key in planted else "other"
        false += kind not in ("breakout", "slow_riser") or (
            kind == "breakout" and min(days) < planted[key]["start_day"]
        )
    for key in breakouts:
        start = planted[key]["start_day"]
        after = [day for day in first.get(key, []) if day >= start]
        if after and min(after) <= start + timedelta(days=FOUND_WITHIN):
            leads.append((min(after) - start).days)
        else:
            late += 1
    risers = sum(key in first for key, row in planted.items() if row["kind"] == "slow_riser")
    weekly = sum(key in first for key, row in planted.items() if row["kind"] == "seasonal")
    lead = f"lead median {statistics.median(leads):g}, at most {max(leads)} days" if leads else ""
    precision = len(leads) / (len(leads) + false) if leads or false else None
    yield Line(
        f"{name}: recall", len(leads) / len(breakouts), unit="",
        note=f"{note}; {len(leads)} of {len(breakouts)}; {lead}",
    )  # fmt: skip
    yield Line(
        f"{name}: precision", precision, unit="",
        note=f"{false} false, {weekly} of them weekly; slow risers flagged: {risers} of 3",
    )  # fmt: skip


def _falls(home: Path, seed: int, tags: Rows) -> Line:
    """Rows on days without collection, and velocities below 0 on the first day after one
    though the share was not below that of the last day that was collected in full: a day
    collected in part is judged by nothing and judges nothing."""
    gaps = _query(
        home,
        f"""select coalesce(g.platform, p.platform) as platform, cast(g.since as date) as day
        from '{home}/truth/truth_gaps.parquet' g
        cross join (select distinct platform from '{home}/truth/truth_tags.parquet') p
        where g.kind = 'no_trend_collection' and coalesce(g.platform, p.platform) = p.platform""",
    )
    closed = {(row["platform"], row["day"]) for row in gaps}
    share = {(r["platform"], r["hashtag"], r["day"]): r for r in tags}
    unjudged = closed | {(row["platform"], row["day"]) for row in tags if row["is_partial"]}
    false = naive = 0
    for (platform, tag, day), row in share.items():
        if (platform, day) in closed:
            false += 1
        before = day - timedelta(days=1)
        if (platform, before) not in closed:
            continue
        while (platform, before) in unjudged:
            before -= timedelta(days=1)
        earlier = share.get((platform, tag, before))
        rose = earlier is None or _half(row) >= _half(earlier)
        false += bool(rose and row["velocity"] is not None and row["velocity"] < 0)
    for platform, day in closed:
        naive += sum(key[0] == platform and key[2] == day - timedelta(days=1) for key in share)
    return Line(
        f"falls made by days without collection, seed {seed}",
        float(false), float(naive), unit="", ratio=float(false), limit=0,
        note="peer: tags that fall to 0 when such days count as 0",
    )  # fmt: skip


def _half(row: Mapping[str, Any]) -> float:
    return float((row["videos"] + 0.5) / (row["platform_videos"] + 1))


def _real(home: Path) -> Iterator[Line]:
    rows = _query(home, "select * from marts.hashtag_trends where day < date '2020-01-01'")
    shares = {(row["hashtag"], row["day"]): row["share"] for row in rows}
    last = max(row["day"] for row in rows)
    yield from _stays(rows)
    flags: dict[str, Callable[[dict[str, Any]], bool]] = {
        "is_breakout": lambda row: bool(row["is_breakout"]),
        "trend_score of 30": lambda row: (row["trend_score"] or 0) >= 30,
    }
    for name, flagged in flags.items():
        first: dict[str, dict[str, Any]] = {}
        for row in sorted(rows, key=lambda row: row["day"]):
            if flagged(row):
                first.setdefault(row["hashtag"], row)
        leads = []
        for day, names in EVENTS.items():
            for tag in names:
                hit = [r["day"] for r in rows if r["hashtag"] == tag and flagged(r)]
                hit = [d for d in hit if day <= d <= day + timedelta(days=10)]
                leads += [(min(hit) - day).days] if hit else []
        total = sum(len(names) for names in EVENTS.values())
        yield Line(
            f"real videos, {name}: events of the news found", len(leads) / total, unit="",
            note=f"{len(leads)} of {total} tags; days after: {sorted(leads)}",
        )  # fmt: skip
        judged = [r for r in first.values() if r["day"] <= last - timedelta(days=3)]
        stayed = 0
        for row in judged:
            after = [
                shares.get((row["hashtag"], row["day"] + timedelta(days=k)), 0.0) for k in (1, 2, 3)
            ]
            stayed += statistics.mean(after) >= 2 * row["prior_share"]
        yield Line(
            f"real videos, {name}: stayed up", stayed / max(len(judged), 1), unit="",
            note=f"{stayed} of {len(judged)} tags flagged first had twice their share for 3 days",
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A tag on a day, and what came of it."""

    day: int
    row: Mapping[str, Any]
    past: float
    three: float
    after: float
    peak: float
    gain: float

    @property
    def stayed(self) -> bool:
        return self.after > 1.5 * self.past


#: What is compared; whatever a share of 0 in the past says is above all.
SCORES: dict[str, Callable[[Outcome], float]] = {
    "trend_score": lambda it: float(it.row["trend_score"]),
    "today's share / mean of 7": lambda it: _over(it.row["share"], it.past),
    "mean of 3 / mean of 7": lambda it: _over(it.three, it.past),
    "velocity": lambda it: float(it.row["velocity"] or 0),
    "number of videos": lambda it: float(it.row["videos"]),
}


def _over(share: float, past: float) -> float:
    return share / past if past else math.inf


def _outcomes(rows: Rows) -> list[Outcome]:
    """Tags of three videos and more with seven complete days before and three after. To gains
    half a video a week is added, for shares of 0."""
    complete = [row for row in rows if not row["is_partial"]]
    size = {row["day"]: row["platform_videos"] for row in complete}
    days = sorted(size)
    part = 0.5 / 7 / statistics.mean(size.values())
    shares = {(row["hashtag"], row["day"]): row["share"] for row in complete}
    place = {day: number for number, day in enumerate(days)}
    found = []
    for row in complete:
        number = place[row["day"]]
        if row["videos"] < 3 or number < 7 or number + 3 >= len(days) or row["trend_score"] is None:
            continue
        series = [shares.get((row["hashtag"], d), 0.0) for d in days[number - 7 : number + 4]]
        past, after = statistics.mean(series[:7]), statistics.mean(series[8:])
        gain = math.log((after + part) / (past + part))
        three = statistics.mean(series[5:8])
        found.append(Outcome(number, row, past, three, after, max(series[8:]), gain))
    return found


def _stays(rows: Rows) -> Iterator[Line]:
    """A table of scores on the second half of the days, which nothing was chosen on, and on all."""
    every = _outcomes(rows)
    half = statistics.median({it.day for it in every})
    for name, score in SCORES.items():
        for which, found in (
            ("second half", [it for it in every if it.day > half]),
            ("all days", every),
        ):
            yield from _scored(f"real videos, {which}, {name}", found, score)
    covered = [
        it.row["lo80"] <= (it.after + added) / (it.past + added) <= it.row["hi80"]
        for it in every
        for added in [0.25 / it.row["platform_videos"]]
    ]
    yield Line("real videos: outcomes within lo80 and hi80", statistics.mean(covered), unit="")
    flagged = [it for it in every if it.row["is_breakout"]]
    right = sum(it.stayed for it in flagged)
    yield Line(
        "real videos, is_breakout: above 1.5 times their past", right / len(flagged), unit="",
        note=f"{right} of {len(flagged)} days of tags; of all: "
        f"{statistics.mean(it.stayed for it in every):.2f}",
    )  # fmt: skip


def _scored(name: str, found: list[Outcome], score: Callable[[Outcome], float]) -> Iterator[Line]:
    from scipy.stats import spearmanr

    top: list[Outcome] = []
    for day in sorted({it.day for it in found}):
        of_day = [it for it in found if it.day == day]
        top += sorted(of_day, key=lambda it: (-score(it), it.row["hashtag"]))[:20]
    rho = spearmanr([score(it) for it in found], [it.gain for it in found]).statistic
    seen: dict[str, int] = {}
    first = []
    for it in top:
        tag = it.row["hashtag"]
        first += [it] if it.day - seen.get(tag, -100) > 28 else []
        seen[tag] = it.day
    ahead = sum(max(it.peak - max(it.row["share"], it.past), 0) for it in first)
    whole = sum(max(it.peak, it.row["share"], it.past) - it.past for it in first)
    yield Line(
        f"{name}: Spearman", float(rho), unit="",
        note=f"{len(found)} tags and days; top 20 above 1.5x their past "
        f"{statistics.mean(it.stayed for it in top):.2f}, mean log gain "
        f"{statistics.mean(it.gain for it in top):.2f}, growth ahead {ahead / whole:.2f}",
    )  # fmt: skip
