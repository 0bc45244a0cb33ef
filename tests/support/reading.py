"""A process that reads a warehouse without pause, to be run beside builds and releases."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.settings import PROJECT_ROOT

#: Looks a video up, lists some, and opens the warehouse anew now and then, as agents do; says
#: what it saw when its standard input ends.
READER = """
import json, sys, threading, time
from repositories import Warehouse
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
seen = {"reads": 0, "slowest": 0.0, "failures": [], "releases": []}
kept = Warehouse.open()
[video] = kept.raw_videos.find(limit=1)
print("reading", flush=True)
while not ended.is_set():
    began = time.monotonic()
    try:
        fresh = Warehouse.open() if seen["reads"] % 10 == 0 else None
        for warehouse in filter(None, (kept, fresh)):
            assert warehouse.raw_videos.get(video.id) == video
            found = warehouse.marts.video_trends.find(platform=video.platform, limit=20)
            assert len(found) > 0, "no row of video_trends"
            number = warehouse.release.number
            if number not in seen["releases"]:
                seen["releases"].append(number)
        if fresh:
            fresh.close()
    except Exception as error:
        seen["failures"].append(f"{type(error).__name__}: {error}")
    seen["reads"] += 1
    seen["slowest"] = max(seen["slowest"], time.monotonic() - began)
    time.sleep(0.02)
print(json.dumps(seen), flush=True)
"""


@dataclass
class Seen:
    """What a reader saw, once it has ended; times in seconds."""

    reads: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)
    releases: list[int] = field(default_factory=list)


@contextlib.contextmanager
def reading(environment: Mapping[str, str]) -> Iterator[Seen]:
    """Read until the block ends; what is yielded is filled in then."""
    seen = Seen()
    with subprocess.Popen(
        [sys.executable, "-c", READER],
        env=dict(environment),
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        try:
            yield seen
        finally:
            said, _ = process.communicate(timeout=60)
        found: dict[str, Any] = json.loads(said)
        for name, value in found.items():
            setattr(seen, name, value)
