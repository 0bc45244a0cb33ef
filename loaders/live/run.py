"""One call of a live source: go on where a killed run stopped, ask, land what was answered."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from common.errors import AceError
from loaders.files.plan import Plan
from loaders.files.sink import Sink
from loaders.jsontext import canonical_json
from loaders.landing import Landing, Load
from loaders.landing.metadata import iso, new_load_id, parse_iso, utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.client import Client
from loaders.live.outcomes import Again, Paused, Refused
from loaders.live.pace import Budget
from loaders.live.source import Source
from loaders.live.spool import ENDING, Spool, keep, opened
from loaders.presets import PresetRecord
from loaders.values import NotTyped, raw_bytes


@dataclass(frozen=True)
class Progress:
    """How far a run is: new pages, those ``kept`` from before, requests, and seconds so far."""

    pages: int
    kept: int
    asked: int
    seconds: float


@dataclass(frozen=True)
class ResourceResult:
    """What became of one resource: ``read = accepted + rejected``."""

    resource: str
    load_id: str
    read: int
    accepted: int
    rejected: int
    notices: tuple[str, ...] = ()
    #: Its rows were made for adopted posts: none of them came from the platform.
    made: bool = False


@dataclass(frozen=True)
class LiveResult:
    """One call of a source.

    ``paused`` says why the run stopped before its end, ``until`` when it can go on (None: not
    known); ``error`` and ``hint`` what went wrong after some of it had landed.
    """

    source: str
    resources: tuple[ResourceResult, ...]
    asked: int
    kept: int
    retried: int
    paused: str = ""
    until: datetime | None = None
    error: str = ""
    hint: str = ""
    exit_code: int = 0
    #: What the source has to say besides, a sentence each.
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "until": iso(self.until)}


def load_live(
    landing: Landing,
    home: Path,
    source: Source,
    *,
    adopt: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> LiveResult:
    """Ask the source for what is wanted and land it, going on where a stopped run was.

    ``home`` is where spools and spent quotas are kept; losing them loses no landed row, only
    the knowledge of what need not be asked again. ``adopt`` makes products, scripts and
    experiments for posts that have none. A quota that is used up is no error. Raises AceError
    for missing credentials, another run of the same options, and a landing zone or disk that
    cannot be written; what the platform does wrong comes back in the result, with what landed.
    """
    landing.prepare()
    folder = home / "live" / source.name
    options = canonical_json([source.command, source.base, dict(source.options), adopt])[0]
    name = hashlib.md5(options.encode(), usedforsecurity=False).hexdigest()[:16]
    with Spool(folder / f"{name}{ENDING}") as spool:
        if not spool.free:
            raise AceError(
                f"Another 'ace load {source.command}' with the same options is running.",
                "Wait until it has finished.",
            )
        run = _Run(landing, source, source.plan(adopt), spool, progress)
        if not spool.is_empty and run.is_outdated():
            run.land()
            spool.clear()
        if spool.is_empty:
            run.begin(name)
        budget = Budget(folder / "spent.json", source.daily, source.resets_at, utc_now)
        with Client(source, budget, say=say) as client:
            return run.go(client, name)


class _Run:
    """A program, the answers that are kept of it, and the loads they become.

    The spool holds the head, then pages; ``{"part": n}`` ends the pages that become the
    n-th loads, ``{"landed": n}`` says that they have. A kill between the two lands the part
    again, less the resources whose load is there.
    """

    def __init__(
        self,
        landing: Landing,
        source: Source,
        plan: Plan,
        spool: Spool,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._landing, self._source, self._plan = landing, source, plan
        self._spool, self._progress = spool, progress
        self._began = time.monotonic()
        self._kept = self._new = 0
        self._refused: list[tuple[Ask, Answer]] = []

    def begin(self, name: str) -> None:
        """Write the head: what the run is to know from here on, whenever it goes on."""
        given = self._source.given(self._landing.cursor(self._source.name, name))
        self._spool.append({"run": new_load_id(), "begun_at": iso(utc_now()), "given": given})

    @property
    def _head(self) -> dict[str, Any]:
        return self._spool.heads[0][1]

    @property
    def _begun_at(self) -> datetime:
        begun_at = parse_iso(self._head["begun_at"])
        assert begun_at is not None
        return begun_at

    def is_outdated(self) -> bool:
        return utc_now() - self._begun_at > self._source.unfinished

    def go(self, client: Client, name: str) -> LiveResult:
        """Run the program to its end or to what stops it, and land what it has been told."""
        paused: Paused | None = None
        failed: AceError | None = None
        cursor = None
        try:
            cursor = self._source.program(self._asking(client), self._head["given"], self._begun_at)
            self._keep_refused()
        except Paused as stop:
            paused = stop
        except Refused as problem:
            failed = AceError(f"{self._source.command}: {client.clean(str(problem)).rstrip('.')}.")
        except AceError as problem:
            failed = problem
        resources = self.land()
        if paused is None and failed is None:
            # Before the spool goes: killed in between, the run ends once more.
            failed = self._told(client)
            if cursor is not None or not (resources or failed):
                self._landing.heartbeat(self._source.name, {name: cursor} if cursor else None)
            self._spool.remove()
        return LiveResult(
            self._source.name,
            tuple(resources),
            client.asked,
            self._kept,
            client.retried,
            paused=str(paused or ""),
            until=paused.until if paused else None,
            error=failed.message if failed else "",
            hint=failed.hint if failed else "",
            exit_code=failed.exit_code if failed else 0,
            notes=tuple(self._source.notes),
        )

    def _told(self, client: Client) -> AceError | None:
        """What the source could not be told, where it was told all else."""
        failures = [client.clean(one) for one in self._source.failures]
        if not failures:
            return None
        return AceError(f"{self._source.command}: not loaded in full: {'; '.join(failures)}.")

    def _asking(self, client: Client) -> Callable[[Ask], Answer]:
        """Answers to what was asked before out of the spool, to all else from the platform."""
        known: dict[bytes, deque[int]] = {}
        for place, entry in self._spool.heads:
            if "ask" in entry:
                known.setdefault(_digest(Ask(**entry["ask"])), deque()).append(place)

        def ask(question: Ask) -> Answer:
            self._keep_refused()
            places = known.get(_digest(question))
            if places:
                _, answer = opened(*self._spool.entry(places.popleft()))
                self._kept += 1
                try:
                    self._source.judge(question, answer)
                except Again as problem:
                    if problem.last is None:
                        raise
                    raise problem.last from None  # as it ended when it was asked
                return answer
            try:
                answer = client.get(question)
            except Refused as problem:
                self._refused.append((question, problem.answer))
                raise
            keep(self._spool, question, answer)
            self._new += 1
            if self._progress is not None:
                seconds = time.monotonic() - self._began
                self._progress(Progress(self._new, self._kept, client.asked, seconds))
            return answer

        return ask

    def _keep_refused(self) -> None:
        """Keep refusals once the program has gone on after them: one that ended the run is
        asked again by the next, which may have the permission that was missing."""
        for one in self._refused:
            keep(self._spool, *one)
        self._refused.clear()

    def land(self) -> list[ResourceResult]:
        """Land the pages that have not landed; what became of them."""
        part = landed = 0
        open_pages = False
        for _, entry in self._spool.heads:
            if "ask" in entry:
                open_pages = True
            elif "part" in entry:
                part, open_pages = entry["part"], False
            elif "landed" in entry:
                landed = entry["landed"]
        if open_pages:
            part += 1
            self._spool.append({"part": part})
        results: list[ResourceResult] = []
        for number in range(landed + 1, part + 1):
            results += self._land_part(number)
            self._spool.append({"landed": number})
        return results

    def _pages(self, number: int) -> Iterator[tuple[Ask, Answer]]:
        part = 1
        for place, entry in self._spool.heads:
            if "part" in entry:
                part = entry["part"] + 1
            elif "ask" in entry and part == number:
                yield opened(*self._spool.entry(place))

    def _land_part(self, number: int) -> list[ResourceResult]:
        run = self._head["run"]
        before = {load.fingerprint for load in self._landing.loads(self._source.name)}
        context = {
            "loader": "files",
            "options": self._plan.stored(),
            "csv": False,
            "known_at": iso(self._begun_at),
            "known_at_given": False,
        }
        label = f"ace load {self._source.command}"
        with Sink(
            self._landing,
            self._source.name,
            typing=lambda: self._plan.typing(from_csv=False),
            known_at=self._begun_at,
            skip=lambda resource: f"{run}-{number}-{resource}" in before,
            context=context,
            open_options={"input": label},
            adoption=self._plan.adoption(self._landing, label),
            increments=self._plan.growth(self._landing, self._source.name),
        ) as sink:
            for question, answer in self._pages(number):
                for found in self._source.records(question, answer, self._plan):
                    self._add(sink, found, answer.at)
            sink.finish()
            sink.fingerprint(lambda resource: f"{run}-{number}-{resource}")
            loads = sink.commit()
            return [_result(load, sink) for load in loads]

    def _add(self, sink: Sink, found: PresetRecord, at: datetime) -> None:
        raw = raw_bytes(found.raw)
        if found.resource is None:
            resource = found.meant or self._plan.resources[0]
            sink.reject(resource, raw, found.reason.rstrip("."))
            return
        try:
            record = self._plan.record(found, raw)
        except NotTyped as problem:
            sink.reject(found.resource, raw, f"the time it was collected: {problem}")
            return
        record.extracted_at = record.extracted_at or at
        sink.add(found.resource, record)


def _digest(question: Ask) -> bytes:
    return hashlib.md5(question.identity.encode(), usedforsecurity=False).digest()


def _result(load: Load, sink: Sink) -> ResourceResult:
    return ResourceResult(
        load.resource,
        load.load_id,
        load.read,
        load.accepted,
        load.rejected,
        sink.notices(load.resource),
        made=load.resource not in sink.parts,
    )
