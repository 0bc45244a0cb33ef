"""What is wrong, as one sentence each: which file, resource, rows, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from loaders.landing import Heartbeat, Load
from warehouse import clock, freshness
from warehouse.freshness import Freshness
from warehouse.quality.judge import Verdict
from warehouse.quality.landing_rules import FILE_RULES, freshness_rules, load_rules
from warehouse.quality.rules import Rule, Severity, row_rules
from warehouse.quality.survey import POSITIONS_NAMED, Survey


@dataclass(frozen=True)
class Finding:
    """One thing that is not as expected. ``positions`` are the first rows meant."""

    severity: Severity
    check: str
    source: str
    resource: str
    message: str
    hint: str
    load_id: str | None = None
    file: str | None = None
    rows: int = 0
    positions: tuple[int, ...] = ()
    #: False for rows of loads that an earlier check already reported.
    new: bool = True

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


def find_all(
    found: Survey,
    files: pl.DataFrame,
    loads: pl.DataFrame,
    sources: Iterable[Freshness],
    ahead: Iterable[Load | Heartbeat] = (),
) -> list[Finding]:
    """Everything that breaks a rule, in the order files, clocks, loads, freshness, rows."""
    return [
        *_of_files(files),
        *map(_of_clock, ahead),
        *_of_loads(found, loads),
        *_of_freshness(sources),
        *_of_rows(found),
    ]


def _broken(frame: pl.DataFrame, rules: Iterable[Rule]) -> Iterable[tuple[Rule, dict[str, Any]]]:
    for rule in rules:
        for row in frame.filter(rule.bad()).iter_rows(named=True):
            yield rule, row


def _of_files(files: pl.DataFrame) -> Iterable[Finding]:
    for rule, row in _broken(files, FILE_RULES):
        problem = str(row["problem"]).strip().rstrip(".")
        yield Finding(
            rule.severity,
            rule.name,
            row["source"],
            row["resource"],
            f"{row['resource']} from {row['source']}: the landed file {row['file']} "
            f"{rule.says}: {problem}.",
            rule.hint,
            file=row["file"],
        )


def _of_clock(one: Load | Heartbeat) -> Finding:
    """Critical: a build on it would be as of a time that has not come."""
    return Finding(
        "critical",
        "landed ahead of time",
        one.source,
        one.resource if isinstance(one, Load) else "_heartbeat",
        clock.sentence(one),
        f"{clock.remedy(one)} Or keep it with 'ace check --accept {one.load_id}'.",
        load_id=one.load_id,
        file=one.file,
    )


def _of_loads(found: Survey, table: pl.DataFrame) -> Iterable[Finding]:
    by_id = {load.load_id: load for load in found.loads}
    for rule, row in _broken(table, load_rules()):
        load = by_id[row["load"]]
        value = row[rule.column]
        rows = f"rows 0 to {load.accepted - 1}" if load.accepted else "no rows"
        where = f"load {load.load_id}, file {load.file}, {rows}"
        if load.input:
            where = f"input {load.input}, {where}"
        says = rule.says.format(value=value)
        yield Finding(
            rule.severity,
            rule.name,
            load.source,
            load.resource,
            f"{load.resource} from {load.source}: the load {says} ({where}).",
            rule.hint.replace("{load_id}", load.load_id),
            load_id=load.load_id,
            file=load.file,
            rows=load.accepted,
            new=load.load_id in found.new,
        )


def _of_freshness(sources: Iterable[Freshness]) -> Iterable[Finding]:
    """Of one that is ahead, the load that says so is critical (above)."""
    (rule,) = freshness_rules()
    for one in sources:
        if one.state == "stale":
            message, hint = freshness.sentence(one), freshness.remedy(one)
            yield Finding(rule.severity, rule.name, one.source, one.resource, message, hint)


def _of_rows(found: Survey) -> Iterable[Finding]:
    for load in found.loads:
        profile = found.profiles.get(load.load_id)
        if profile is None:
            continue
        for rule in row_rules(load.resource):
            bad = profile.bad.get(rule.name)
            if bad is not None:
                yield _row_finding(load, rule, bad.rows, bad.positions, load.load_id in found.new)


def _row_finding(load: Load, rule: Rule, rows: int, positions: list[int], new: bool) -> Finding:
    named = ", ".join(str(position) for position in positions)
    if rows > len(positions):
        named += ", ..."
    noun = "row" if rows == 1 else "rows"
    return Finding(
        rule.severity,
        rule.name,
        load.source,
        load.resource,
        f"{load.resource} from {load.source}: {rule.says} in {rows} of {load.accepted} rows "
        f"({noun} {named} of {load.file}).",
        rule.hint,
        load_id=load.load_id,
        file=load.file,
        rows=rows,
        positions=tuple(positions[:POSITIONS_NAMED]),
        new=new,
    )


def only_expectations(verdicts: Iterable[Verdict], findings: list[Finding]) -> list[Finding]:
    """What Great Expectations rejects though no row was found: never swallowed."""
    named = {(finding.source, finding.resource, finding.check) for finding in findings}
    checks = {finding.check for finding in findings}
    extra = []
    for verdict in verdicts:
        source, _, resource = verdict.suite.partition(".")
        known = (source, resource, verdict.rule.name) in named
        if verdict.success or known or (source == "landing" and verdict.rule.name in checks):
            continue
        what = verdict.error or f"{verdict.unexpected} of {verdict.rows} rows do not meet it"
        extra.append(
            Finding(
                "warning",
                verdict.rule.name,
                source,
                resource,
                f"Great Expectations says of {resource} from {source}: "
                f"'{verdict.rule.name}' does not hold: {what}.",
                "Look at the suite's page in the Data Docs.",
                rows=verdict.unexpected,
            )
        )
    return extra
