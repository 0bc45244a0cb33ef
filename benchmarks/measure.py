"""Timing: medians of interleaved runs, because the machine's mood changes by the minute."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPEATS = 3


@dataclass
class Line:
    """One comparison. ``ratio`` is held to ``limit``; ``skipped`` says why there is none."""

    name: str
    ours: float | None = None
    peer: float | None = None
    unit: str = "s"
    ratio: float | None = None
    #: "<=" : the ratio may be at most the limit, ">=" : at least.
    sense: str = "<="
    limit: float | None = None
    note: str = ""
    skipped: str | None = None
    runs: dict[str, list[float]] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.ratio is None or self.limit is None:
            return None
        return self.ratio <= self.limit if self.sense == "<=" else self.ratio >= self.limit


class Skip(Exception):
    """A comparison that cannot be made here; the text says why."""


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def interleaved(
    works: Mapping[str, Callable[[], object]], repeats: int = REPEATS
) -> dict[str, list[float]]:
    """Seconds of each work, ``repeats`` times, taking turns so that noise hits all."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            found[name].append(seconds(work))
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(runs: Mapping[str, Sequence[float]]) -> str:
    """How far runs of the same work lay apart, in percent of the median."""
    worst = max((max(v) - min(v)) / median(v) for v in runs.values() if v)
    return f"runs differ by up to {worst:.0%}"


@dataclass(frozen=True)
class Ran:
    """A finished process: seconds on the clock, largest memory in bytes, processor seconds."""

    seconds: float
    peak: int
    processor: float
    #: What it wrote.
    said: str = ""


def run_process(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Ran:
    """Run a program to its end; Skip with its last words when it fails."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
        if process.returncode:
            words = said.strip().splitlines()
            shown = " ".join(command[1:4])
            raise Skip(f"'{shown}' ended with {process.returncode}: {' '.join(words[-2:])[:200]}")
    return Ran(took, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime, said)


class Spill:
    """The most that DuckDB's temporary folder held at once while something ran, in bytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self.most = 0

    def __enter__(self) -> Spill:
        self._watch.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._done.wait(0.5):
            held = 0
            for file in self._folder.glob("*"):
                try:
                    held += file.stat().st_blocks * 512
                except FileNotFoundError:
                    continue
            self.most = max(self.most, held)
