"""Operations marts over the simulated world: each planted failure shows, and nothing else."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from typing import Any

import numpy as np
import polars as pl

from tests.support.builds import Warehouse


def planted(demo: Warehouse, kind: str, column: str) -> set[str]:
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_operations.parquet")
    return set(truth.filter(pl.col("kind") == kind)[column].cast(pl.String))


def keys(demo: Warehouse, sql: str) -> set[str]:
    return {str(next(iter(row.values()))) for row in demo.query(sql)}


def events(demo: Warehouse) -> list[dict[str, Any]]:
    rows = demo.query("select * from canonical.system_events order by created_at")
    for row in rows:
        payload = row["payload"]
        row["payload"] = json.loads(payload) if isinstance(payload, str) else payload
    return rows


def test_planted_workflows_show_and_no_other(demo: Warehouse) -> None:
    runs = "select workflow_id from marts.workflow_runs where "
    stuck = planted(demo, "stuck_workflow", "workflow_id")
    storm = planted(demo, "retry_storm", "workflow_id")
    failed = planted(demo, "failed_workflow", "workflow_id") | storm
    assert keys(demo, runs + "status = 'stuck'") == stuck
    assert keys(demo, runs + "start_without_outcome") == stuck
    assert keys(demo, runs + "is_retry_storm") == storm
    assert keys(demo, runs + "status = 'failed' and id_kind = 'workflow_id'") == failed
    assert keys(demo, runs + "success_without_start") == planted(
        demo, "success_without_start", "workflow_id"
    )
    assert not keys(demo, runs + "status = 'running'")


def test_the_silent_agent_and_the_storm_show_and_no_other(demo: Warehouse) -> None:
    silent = keys(demo, "select agent_name from marts.agent_health where is_silent")
    assert silent == planted(demo, "silent_agent", "agent_name")
    assert keys(demo, "select agent_name from marts.agent_health where is_retry_storm") == {
        "PublisherAgent"
    }


def test_the_stalled_product_shows_and_no_other(demo: Warehouse) -> None:
    stalled = "select product_id from marts.content_funnel where is_stalled"
    assert keys(demo, stalled) == planted(demo, "stalled_product", "product_id")
    assert keys(demo, stalled.replace("product_id", "stalled_at", 1)) == {"asset"}


def test_runs_last_from_their_first_to_their_closing_event(demo: Warehouse) -> None:
    by_run: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events(demo):
        if event["payload"].get("workflow_id"):
            by_run[event["payload"]["workflow_id"]].append(event)
    gaps = []
    for log in by_run.values():
        times = [event["created_at"] for event in log]
        if log[-1]["event_type"] in ("workflow.end", "workflow.abort"):
            pairs = itertools.pairwise(times)
            gaps.append(max((b - a).total_seconds() for a, b in pairs))
    allowed = 3 * float(np.quantile(gaps, 0.95))
    runs = demo.query("select * from marts.workflow_runs where id_kind = 'workflow_id'")
    assert {run["workflow_id"] for run in runs} == set(by_run)
    for run in runs:
        log = by_run[run["workflow_id"]]
        assert run["events"] == len(log)
        assert run["retries"] == sum(
            event["event_type"].endswith(("retry", "rate_limited")) for event in log
        )
        assert np.isclose(run["stuck_after_seconds"], allowed, rtol=1e-9)
        if run["status"] != "stuck":
            lasted = (log[-1]["created_at"] - log[0]["created_at"]).total_seconds()
            assert np.isclose(run["duration_seconds"], lasted, rtol=1e-9)


def test_durations_of_an_agents_day_are_numpys(demo: Warehouse) -> None:
    started: dict[str, Any] = {}
    found: dict[tuple[str, Any], list[float]] = defaultdict(list)
    for event in events(demo):
        # Agents of which every task but agent.start to agent.success has no other name.
        if event["agent_name"] != "WatchdogAgent":
            continue
        run = event["payload"]["correlation_id"]
        if event["event_type"] == "agent.start":
            started[run] = event["created_at"]
        else:
            seconds = (event["created_at"] - started[run]).total_seconds()
            found[event["agent_name"], event["created_at"].date()].append(seconds)
    assert found
    for row in demo.query("select * from marts.agent_health where agent_name = 'WatchdogAgent'"):
        if not row["successes"] + row["errors"]:
            assert row["p50_duration_seconds"] is None
            continue
        seconds_of_day = found[row["agent_name"], row["day"]]
        assert row["successes"] + row["errors"] == len(seconds_of_day)
        expected = np.quantile(seconds_of_day, [0.5, 0.95])
        got = [row["p50_duration_seconds"], row["p95_duration_seconds"]]
        assert np.allclose(got, expected, rtol=1e-9)


def test_repeated_notes_are_superseded_by_the_ones_that_repeat_them(demo: Warehouse) -> None:
    newest: dict[tuple[str, str], str] = {}
    notes = demo.query("select * from canonical.agent_notes order by created_at, note_id")
    for note in notes:
        newest[note["agent_name"], note["content"]] = str(note["note_id"])
    expected = {
        (str(note["note_id"]), last)
        for note in notes
        if (last := newest[note["agent_name"], note["content"]]) != str(note["note_id"])
    }
    assert expected
    rows = demo.query("select note_id, superseded_by from marts.agent_memory where is_superseded")
    assert {(str(row["note_id"]), str(row["superseded_by"])) for row in rows} == expected
