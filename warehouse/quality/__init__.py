"""Checks of what was landed, before anything is built on it.

:func:`run_checks` has Great Expectations judge the landed files and writes Data Docs;
:func:`critical_findings` answers only whether a build may start, in a fraction of a
second. Thresholds are in ``expectations/rules.toml``.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.errors import AceError
from loaders.landing import Landing
from warehouse import clock
from warehouse.build.lock import check_lock
from warehouse.freshness import Freshness, of_landing
from warehouse.quality.findings import Finding, find_all
from warehouse.quality.landing_rules import (
    FILE_RULES,
    file_table,
    freshness_rules,
    freshness_table,
    load_rules,
    load_table,
)
from warehouse.quality.pages import write_index
from warehouse.quality.rules import row_rules
from warehouse.quality.state import State, accepted_loads, load_state, save_state
from warehouse.quality.survey import Survey, take_survey
from warehouse.terminal import note

__all__ = ["CheckResult", "Finding", "SuiteResult", "critical_findings", "run_checks"]


@dataclass(frozen=True)
class SuiteResult:
    """One suite when it was last judged: ``failed`` of ``expectations`` did not hold."""

    suite: str
    expectations: int
    failed: int
    about: str
    judged: str


@dataclass(frozen=True)
class CheckResult:
    """What a check found; ``critical`` ones forbid a build."""

    results: list[SuiteResult]
    critical: list[Finding]
    warnings: list[Finding]
    docs_path: Path
    #: Rows of loads that had not been checked before, and how long it all took.
    new_rows: int
    seconds: float
    #: False when nothing had changed, so that Great Expectations was not asked again.
    judged: bool

    def to_json(self) -> dict[str, Any]:
        """Stable keys for ``ace check --json``."""
        return {
            "passed": not self.critical,
            "critical": [asdict(finding) for finding in self.critical],
            "warnings": [asdict(finding) for finding in self.warnings],
            "suites": [asdict(result) for result in self.results],
            "docs": str(self.docs_path),
            "new_rows": self.new_rows,
            "seconds": round(self.seconds, 2),
        }


@dataclass
class _Looked:
    """The landing, its tables and what follows from them."""

    survey: Survey
    state: State
    files: Any
    loads: Any
    freshness: list[Freshness]
    findings: list[Finding] = field(default_factory=list)


def _look(landing: Landing, out_dir: Path, state: State, since: datetime | None) -> _Looked:
    found = take_survey(landing, state.profiles, state.files, since=since)
    now = datetime.now(UTC)
    looked = _Looked(
        found,
        state,
        file_table(found),
        load_table(found, landing, accepted_loads(out_dir)),
        of_landing(found.loads, found.heartbeats, now),
    )
    ahead = [one for one in clock.ahead(landing, now) if one.load_id not in accepted_loads(out_dir)]
    looked.findings = find_all(found, looked.files, looked.loads, looked.freshness, ahead)
    return looked


def critical_findings(landing: Landing, out_dir: Path) -> list[Finding]:
    """What forbids a build, without Great Expectations: fast enough to ask every time.

    The same rules over the same tables as :func:`run_checks`, so both agree.
    """
    looked = _look(landing, out_dir, load_state(out_dir), None)
    return [finding for finding in looked.findings if finding.severity == "critical"]


def run_checks(
    landing: Landing, out_dir: Path, *, since: datetime | None = None, everything: bool = False
) -> CheckResult:
    """Judge every load not judged before and the landing as a whole.

    ``since`` leaves the rows of loads landed earlier alone; ``everything`` forgets
    earlier checks first. Raises AceError when ``out_dir`` cannot be written. The
    findings are those of all loads, whenever they were judged.
    """
    begun = time.monotonic()
    with check_lock(out_dir, say=note):
        return _run_checks(landing, out_dir, since, everything, begun)


def _run_checks(
    landing: Landing, out_dir: Path, since: datetime | None, everything: bool, begun: float
) -> CheckResult:
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AceError(
            f"The folder {out_dir} for the quality pages cannot be made: {error.strerror}.",
            "Free it or set ACE_HOME to a folder you may write.",
        ) from None
    state = State() if everything else load_state(out_dir)
    looked = _look(landing, out_dir, state, since)
    docs = out_dir / "index.html"
    signature = _signature(looked)
    judged = signature != state.signature or not docs.is_file()
    findings = looked.findings
    if judged:
        findings = findings + _judge(looked, out_dir)
    if judged:
        write_index(out_dir, state.suites, findings, landing.url)
    found = looked.survey
    state.files = {file.name: file.stamp for file in found.files if file.problem is None}
    state.profiles = found.profiles
    state.signature = signature
    save_state(out_dir, state)
    return CheckResult(
        results=[SuiteResult(suite, **values) for suite, values in sorted(state.suites.items())],
        critical=[finding for finding in findings if finding.severity == "critical"],
        warnings=[finding for finding in findings if finding.severity == "warning"],
        docs_path=docs,
        new_rows=sum(found.profiles[load_id].rows for load_id in found.new),
        seconds=time.monotonic() - begun,
        judged=judged,
    )


def _signature(looked: _Looked) -> str:
    """Equal for equal landings. Heartbeats and the clock count where they change a verdict."""
    import hashlib

    files = sorted((f.name, f.stamp, f.problem or "") for f in looked.survey.files)
    stale = sorted((x.source, x.resource) for x in looked.freshness if x.state == "stale")
    known = sorted(looked.survey.profiles)
    accepted = sorted(f.message for f in looked.findings if f.severity == "critical")
    return hashlib.sha256(repr((files, stale, known, accepted)).encode()).hexdigest()


def _judge(looked: _Looked, out_dir: Path) -> list[Finding]:
    """Ask Great Expectations; returns what it alone complains about."""
    from warehouse.quality.findings import only_expectations
    from warehouse.quality.judge import Table, judge

    found, count = looked.survey, len(looked.survey.loads)
    tables = [
        Table("landing.files", looked.files, FILE_RULES, f"{len(found.files)} landed files"),
        Table("landing.loads", looked.loads, load_rules(), f"{count} loads"),
        Table(
            "landing.freshness",
            freshness_table(looked.freshness),
            freshness_rules(),
            "sources and resources",
        ),
    ]
    loads_of: dict[tuple[str, str], list[str]] = {}
    for load in found.loads:
        if load.load_id in found.new:
            loads_of.setdefault((load.source, load.resource), []).append(load.load_id)
    for (source, resource), frame in sorted(found.rows.items()):
        load_ids = loads_of.get((source, resource), [])
        if frame.is_empty():
            continue
        total = sum(found.profiles[load_id].rows for load_id in load_ids)
        about = f"{total} rows of {len(load_ids)} new load{'s' if len(load_ids) != 1 else ''}"
        stride = found.strides[source, resource]
        if stride > 1:
            about += f" (1 key in {stride} sampled, and rows that break a rule)"
        tables.append(Table(f"{source}.{resource}", frame, row_rules(resource), about))
    newest = found.loads[-1].landed_at if found.loads else datetime.now(UTC)
    verdicts = judge(tables, out_dir, f"landed-until-{newest:%Y%m%dT%H%M%SZ}")
    for table in tables:
        own = [verdict for verdict in verdicts if verdict.suite == table.suite]
        looked.state.suites[table.suite] = {
            "expectations": len(own),
            "failed": sum(not verdict.success for verdict in own),
            "about": table.about,
            "judged": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        }
    return only_expectations(verdicts, looked.findings)
