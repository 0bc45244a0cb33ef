"""What agents and workflows logged, with five planted failures a Watchdog should see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS, SECOND
from loaders.demo.frames import DUPLICATE, json_object, pick, simulated, times
from loaders.demo.growth import Flags, outage
from loaders.demo.keys import Ints, stream, uuid_or_null, uuids
from loaders.demo.trends import collected_days
from loaders.demo.world import World

AGENTS = (
    "ScriptwriterAgent",
    "EditorAgent",
    "PublisherAgent",
    "ResearchAgent",
    "OptimizationAgent",
    "AnalystAgent",
    "TrendAnalysisAgent",
    "WatchdogAgent",
)
SILENT_AGENT = "OptimizationAgent"
#: Experiments that have a logged workflow: all of them up to this many.
MAX_WORKFLOWS = 20_000
STORM_RETRIES = 25
AGENT_RUN_HOURS = 2
TWICE = 0.003


@dataclass(frozen=True)
class Planted:
    """One planted failure: what, who or which, and since when (microseconds)."""

    kind: str
    at: int
    agent_name: str | None = None
    #: Number of the workflow (see :func:`workflow_keys`), -1 for none.
    workflow: int = -1
    #: Number of the product, -1 for none.
    product: int = -1


def planted_failures(world: World) -> list[Planted]:
    """Everything that goes wrong on purpose, ordinary failed workflows included."""
    clock, catalogue = world.clock, world.catalogue
    span = clock.end - clock.start
    beyond = catalogue.experiments
    stalled = catalogue.stalled_product
    first_script = int(catalogue.script_created[catalogue.script_product == stalled].min())
    failed = max(2, min(beyond, MAX_WORKFLOWS) // 100)
    return [
        Planted("stuck_workflow", clock.start + span * 2 // 5, workflow=beyond),
        Planted("retry_storm", clock.start + span // 2, workflow=beyond + 1),
        Planted("success_without_start", clock.start + span * 3 // 10, workflow=beyond + 2),
        Planted("silent_agent", clock.start + span * 3 // 5, agent_name=SILENT_AGENT),
        Planted("stalled_product", first_script, product=stalled),
        *(
            Planted("failed_workflow", clock.start + span * (k + 1) // (failed + 2), workflow=w)
            for k, w in enumerate(range(beyond + 3, beyond + 3 + failed))
        ),
    ]


def workflow_keys(world: World, number: Ints) -> pl.Series:
    """Workflow ids by number: the experiment's number, higher ones are planted."""
    return uuid_or_null(world.clock.seed, "workflow", number)


class _Log:
    """Collects events as columns; ``at`` may be an array or one time."""

    def __init__(self) -> None:
        self.parts: list[pl.DataFrame] = []

    def add(
        self,
        event: str,
        agent: str | None,
        at: Ints | int,
        *,
        workflow: Ints | int = -1,
        run: Ints | int = -1,
        stage: str | None = None,
        message: str | None = None,
        when: Flags | None = None,
    ) -> None:
        moments = np.atleast_1d(np.asarray(at, dtype=np.int64))
        columns = {"at": moments}
        for name, value in (("workflow", workflow), ("run", run)):
            columns[name] = np.broadcast_to(np.asarray(value, dtype=np.int64), moments.shape)
        frame = pl.DataFrame({n: np.ascontiguousarray(c) for n, c in columns.items()})
        if when is not None:
            frame = frame.filter(pl.Series(when))
        self.parts.append(
            frame.with_columns(
                pl.lit(event).alias("event_type"),
                pl.lit(agent, dtype=pl.String).alias("agent_name"),
                pl.lit(stage, dtype=pl.String).alias("stage"),
                pl.lit(message, dtype=pl.String).alias("message"),
            )
        )


def _workflows(world: World, log: _Log) -> None:
    """The ordinary run of each experiment: script, video, experiment, publishing."""
    catalogue, experiments = world.catalogue, world.catalogue.experiments
    number = np.unique(
        np.linspace(0, experiments - 1, min(experiments, MAX_WORKFLOWS)).astype(np.int64)
    )
    # A trial goes on for weeks after the workflow that began it.
    order = np.argsort(catalogue.post_experiment, kind="stable")
    grouped = catalogue.post_experiment[order]
    is_first = np.concatenate(([True], np.diff(grouped) > 0))
    kept = is_first | (catalogue.experiment_trial[grouped] < 0)
    order, grouped = order[kept], grouped[kept]
    number = number[np.isin(number, grouped)]
    script = catalogue.experiment_script[number]
    # The first experiment of a script is the one that had it written.
    first = np.concatenate(([True], np.diff(catalogue.experiment_script) > 0))[number]
    written = catalogue.script_created[script]
    rendered, created = catalogue.asset_created[number], catalogue.experiment_created[number]
    kind = stream(world.clock.seed, "workflows").random(len(number))
    slow, limited = kind < 0.06, kind > 0.96
    ids: dict[str, Any] = {"workflow": number}
    log.add(
        "workflow.start", None, np.where(first, written - 6 * MINUTE, rendered - 15 * MINUTE), **ids
    )
    for event, agent, offset in (
        ("workflow.stage.start", None, -5 * MINUTE),
        ("script.generate.start", "ScriptwriterAgent", -4 * MINUTE),
        ("script.patterns.referenced", "ScriptwriterAgent", -3 * MINUTE),
        ("script.variables.inferred", "ScriptwriterAgent", -2 * MINUTE),
        ("script.generate.success", "ScriptwriterAgent", 0),
        ("workflow.stage.success", None, 10 * SECOND),
    ):
        log.add(event, agent, written + offset, stage="script", when=first, **ids)
    for event, agent, offset, when in (
        ("workflow.stage.start", None, -12 * MINUTE, None),
        ("video.render.start", "EditorAgent", -10 * MINUTE, None),
        ("video.render.error", "EditorAgent", -8 * MINUTE, slow),
        ("workflow.retry", None, -7 * MINUTE, slow),
        ("video.render.start", "EditorAgent", -6 * MINUTE, slow),
        ("video.render.success", "EditorAgent", 0, None),
        ("video.assets.created", "EditorAgent", 5 * SECOND, None),
        ("workflow.stage.success", None, 10 * SECOND, None),
    ):
        message = "simulated: renderer ran out of memory" if event.endswith("error") else None
        log.add(event, agent, rendered + offset, stage="video", message=message, when=when, **ids)
    log.add("experiment.create.start", "PublisherAgent", created - 30 * SECOND, **ids)
    log.add("experiment.create.success", "PublisherAgent", created, **ids)
    begin = np.searchsorted(grouped, number)
    count = np.searchsorted(grouped, number, side="right") - begin
    place = (
        np.repeat(begin, count) + np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    )
    post = order[place]
    published = catalogue.post_published[post]
    held = np.repeat(limited, count)
    each: dict[str, Any] = {"workflow": np.repeat(number, count)}
    starts = count.cumsum() - count
    opening = np.minimum.reduceat(published, starts)
    closing = np.maximum.reduceat(published, starts)
    log.add("workflow.stage.start", None, opening - 2 * MINUTE, stage="publish", **ids)
    for event, offset, when in (
        ("publish.start", -60 * SECOND, None),
        ("publish.rate_limited", -50 * SECOND, held),
        ("publish.retry", -30 * SECOND, held),
        ("publish.success", 5 * SECOND, None),
    ):
        log.add(event, "PublisherAgent", published + offset, stage="publish", when=when, **each)
    log.add("workflow.stage.success", None, closing + 10 * SECOND, stage="publish", **ids)
    log.add("workflow.end", None, closing + MINUTE, **ids)


def _agents(world: World, log: _Log) -> None:
    """Every agent runs every two hours, to the end; one of them stops before."""
    clock = world.clock
    random = stream(clock.seed, "agents")
    rounds = clock.days * 24 // AGENT_RUN_HOURS
    back = np.arange(rounds, dtype=np.int64)[::-1] * AGENT_RUN_HOURS * HOUR
    silent = next(p.at for p in planted_failures(world) if p.kind == "silent_agent")
    for number, agent in enumerate(AGENTS):
        begin = clock.end - 10 * MINUTE - back - random.integers(0, 4 * MINUTE, rounds)
        took = random.integers(40 * SECOND, 180 * SECOND, rounds)
        failed = random.random(rounds) < 0.01
        run = np.arange(rounds, dtype=np.int64) + number * 1_000_000
        alive = begin < (silent if agent == SILENT_AGENT else clock.end)
        log.add("agent.start", agent, begin, run=run, when=alive)
        log.add("agent.success", agent, begin + took, run=run, when=alive & ~failed)
        log.add(
            "agent.error",
            agent,
            begin + took,
            run=run,
            when=alive & failed,
            message="simulated: the model did not answer",
        )


def _routines(world: World, log: _Log) -> None:
    """Collection, evaluation and the engine's own events."""
    clock = world.clock
    day = clock.start + np.arange(clock.days, dtype=np.int64) * DAY
    run = np.arange(clock.days, dtype=np.int64) + 50_000_000
    opened = np.array(collected_days(clock))
    for number, platform in enumerate(PLATFORMS):
        at = day + 14 * HOUR + (number * 30 + 25) * MINUTE
        log.add("trends.raw.ingest", "ResearchAgent", at, stage=platform, when=opened[number])
        log.add(
            "trends.raw.ingest.error",
            "ResearchAgent",
            at,
            stage=platform,
            message="simulated: the collector was down",
            when=~opened[number],
        )
    some = opened[0]
    for event, agent, offset, when in (
        ("trends.refresh.start", "TrendAnalysisAgent", 16 * HOUR, some),
        ("trends.refresh.success", "TrendAnalysisAgent", 17 * HOUR + MINUTE, some),
        ("analytics.ingest.start", "AnalystAgent", 6 * HOUR, None),
        ("analytics.ingest.success", "AnalystAgent", 6 * HOUR + 4 * MINUTE, None),
        ("analytics.evaluate.start", "AnalystAgent", 7 * HOUR, None),
        ("analytics.evaluate.success", "AnalystAgent", 7 * HOUR + 9 * MINUTE, None),
    ):
        # One correlation per task and day, or the three tasks would look like one.
        task = run + 1_000_000 * ("trends.refresh", "analytics.ingest", "analytics.evaluate").index(
            event.rsplit(".", 1)[0]
        )
        log.add(event, agent, day + offset, run=task, when=when)
    hours = clock.start + np.arange(clock.days * 24 - 1, dtype=np.int64) * HOUR
    log.add("engine.heartbeat", None, hours)
    down, up = outage(clock)
    log.add("engine.error", None, down, message="simulated: metrics collector stopped")
    log.add("engine.recovered", None, up, message="simulated: metrics collector back")
    log.add("moderation.review.start", "EditorAgent", clock.start + DAY + MINUTE)


def _failures(world: World, log: _Log) -> None:
    """The planted failures that are made of events."""
    for planted in planted_failures(world):
        at = planted.at
        ids: dict[str, Any] = {"workflow": planted.workflow}
        if planted.workflow < 0:
            continue
        log.add("workflow.start", None, at - 5 * MINUTE, **ids)
        if planted.kind == "stuck_workflow":
            log.add("workflow.stage.start", None, at - 2 * MINUTE, stage="video", **ids)
            log.add("video.render.start", "EditorAgent", at, stage="video", **ids)
        elif planted.kind == "retry_storm":
            log.add("publish.start", "PublisherAgent", at, stage="publish", **ids)
            steps = at + np.arange(STORM_RETRIES, dtype=np.int64) * 90 * SECOND
            message = "simulated: the platform refused the upload"
            log.add(
                "publish.error",
                "PublisherAgent",
                steps + 30 * SECOND,
                stage="publish",
                message=message,
                **ids,
            )
            log.add("publish.retry", "PublisherAgent", steps + 60 * SECOND, stage="publish", **ids)
            log.add("workflow.abort", None, int(steps[-1]) + 2 * MINUTE, stage="publish", **ids)
        elif planted.kind == "success_without_start":
            log.add("video.render.success", "EditorAgent", at, stage="video", **ids)
            log.add("workflow.end", None, at + MINUTE, **ids)
        else:
            log.add("script.generate.start", "ScriptwriterAgent", at, stage="script", **ids)
            log.add(
                "script.generate.error",
                "ScriptwriterAgent",
                at + MINUTE,
                stage="script",
                message="simulated: the script was refused",
                **ids,
            )
            log.add("workflow.abort", None, at + 2 * MINUTE, stage="script", **ids)


def events(world: World) -> Iterator[pl.DataFrame]:
    """All events; a few land twice, and late ones carry a field nobody declared."""
    clock, seed = world.clock, world.clock.seed
    log = _Log()
    for part in (_workflows, _agents, _routines, _failures):
        part(world, log)
    frame = pl.concat(log.parts).sort("at", maintain_order=True)
    count = frame.height
    at, workflow, run = (frame[name].to_numpy() for name in ("at", "workflow", "run"))
    number = np.arange(count, dtype=np.int64)
    kind = stream(seed, "events").random(count)
    experiment = np.where(workflow < world.catalogue.experiments, workflow, -1)
    payload = json_object(
        count, experimentId=uuid_or_null(seed, "experiment", experiment), stage=frame["stage"]
    )
    correlation = pl.DataFrame(
        {
            "a": uuid_or_null(seed, "correlation", workflow),
            "b": uuid_or_null(seed, "run", run),
        }
    ).select(pl.coalesce("a", "b").alias("x"))["x"]
    event = frame["event_type"]
    bad = event.str.ends_with("error") | event.str.ends_with("abort")
    category = event.str.split(".").list.first()
    drifted = pl.Series(at > clock.start + clock.days * DAY * 2 // 3) & pl.Series(number % 7 == 0)
    rows = simulated(
        at + 2 * SECOND,
        event_id=uuids(seed, "event", number),
        agent_name=frame["agent_name"],
        event_type=event,
        payload=payload,
        created_at=times(at),
        correlation_id=correlation,
        workflow_id=workflow_keys(world, workflow),
        event_category=category,
        severity=pick(("info", "error"), bad.cast(pl.Int8).to_numpy()),
        message=frame["message"],
    ).with_columns(_extra=pl.when(drifted).then(pl.lit('{"region":"eu-west-1"}')))
    yield rows
    again = pl.Series(kind < TWICE) & pl.Series(at + HOUR <= clock.end)
    yield rows.filter(again).with_columns(
        _extracted_at=pl.col("_extracted_at") + pl.duration(minutes=30),
        _fate=pl.lit(DUPLICATE),
        _reason=pl.lit("landed twice"),
    )
