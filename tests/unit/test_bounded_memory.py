"""Whatever an input holds, memory is bounded and the records beside it land.

One process loads the inputs one after the other, under a limit of address space, and reports
the most memory that it held for each. Linux only, which tells it.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from loaders.files.limits import LONGEST_RECORD, TooLong, blocks

#: Address space of the process (bytes), and the most it may hold in memory (KiB).
ADDRESS_SPACE = 6 << 30
MOST_KIB = 1 << 20

GOOD = b'{"platform":"tiktok","external_post_id":"1","views":1}'
HEAD = b"platform,external_post_id,views\n"
ROW = b"tiktok,1,5\n"
BIG_ROW = b"tiktok," + b"1" * 1_000 + b",5\n"
MIB = 1 << 20


def gz(*parts: bytes) -> bytes:
    return gzip.compress(b"".join(parts), 1)


def zst(*parts: bytes) -> bytes:
    return zstandard.compress(b"".join(parts))


def lines(bad: bytes) -> bytes:
    return b"\n".join([GOOD, bad, GOOD]) + b"\n"


def elements(bad: bytes) -> bytes:
    return b"[" + b",".join([GOOD, bad, GOOD]) + b"]"


LONG = b'{"caption":"' + b"a" * (70 * MIB) + b'"}'
DEEP = b"[" * 100_000 + b"]" * 100_000
DIGITS = b'{"views":' + b"7" * 5_000 + b"}"
MANY = b'{"x":[' + b"[]," * (5 * MIB) + b"1]}"
WIDE = b",".join(b"c%d" % i for i in range(100_000))

#: Name to its content, how many records land and how many are rejected.
CASES: dict[str, tuple[Callable[[], bytes], int, int]] = {
    "long.ndjson": (lambda: lines(LONG), 2, 1),
    "long_unbroken.ndjson": (lambda: GOOD + b"\n" + b"a" * (3 * MIB), 1, 1),
    "long.json": (lambda: elements(LONG), 2, 1),
    "numbers.json": (lambda: elements(b'{"a":[' + b"1," * (10 * MIB) + b"1]}"), 2, 1),
    "lists.ndjson": (lambda: lines(MANY), 2, 1),
    "zeros.ndjson.gz": (lambda: gz(lines(bytes(100 * MIB))), 2, 1),
    "zeros.json.gz": (lambda: gz(elements(b'"' + b"0" * (100 * MIB) + b'"')), 2, 1),
    "blank.json.gz": (lambda: gz(b" " * (100 * MIB), elements(b"1")), 2, 1),
    "zeros.csv.gz": (lambda: gz(HEAD, ROW, bytes(100 * MIB), b"\n", ROW), 2, 1),
    "zeros.csv.zst": (lambda: zst(HEAD, ROW, bytes(100 * MIB), b"\n", ROW), 2, 1),
    "zeros.ndjson.zst": (lambda: zst(lines(bytes(100 * MIB))), 2, 1),
    "utf16.ndjson": (lambda: lines(b"a" * (70 * MIB)).decode().encode("utf-16"), 2, 1),
    "digits.ndjson": (lambda: lines(DIGITS), 2, 1),
    "digits.json": (lambda: elements(DIGITS), 2, 1),
    "deep.ndjson": (lambda: lines(b'{"a":' + DEEP + b"}"), 2, 1),
    "deep.json": (lambda: elements(DEEP), 2, 1),
    "deeper.json.gz": (lambda: gz(elements(b"[" * (40 * MIB) + b"]" * (40 * MIB))), 2, 1),
    "commas.csv": (lambda: HEAD + ROW + b"," * (30 * MIB) + b"\n" + ROW, 2, 1),
    "wide.csv": (lambda: WIDE + b",views\n" + (b"x," * 100_000 + b"5\n") * 40, 40, 0),
    "wide_bad.csv": (lambda: WIDE + b",views\n" + (b"x," * 100_000 + b"y\n") * 40, 0, 40),
    "field.csv": (lambda: HEAD + ROW + b'"' + b"x" * (70 * MIB) + b'",1,1\n' + ROW, 2, 1),
    "quote.csv": (lambda: HEAD + ROW + b'tiktok,"1,5\n' + BIG_ROW * 70_000, 70_001, 1),
    "bad.ndjson": (lambda: GOOD + b"\n" + b"x\n" * 20_000, 1, 20_000),
    "list.csv": (lambda: b"external_id,caption_hashtags\n1,\"[" + b"'a'," * (3 * MIB) + b']"\n',
                 0, 1),
}  # fmt: skip

SCRIPT = f"""
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE}, {ADDRESS_SPACE}))
from loaders.files import load_files
from loaders.landing import Landing

def most():
    # Not ru_maxrss: it begins with what the parent held.
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

for name in sys.argv[2:]:
    table = "raw_videos" if name.endswith("list.csv") else "performance_metrics"
    (done,) = load_files(Landing(sys.argv[1]), [name], table=table)
    print(json.dumps([done.accepted, done.rejected, most(), done.message]), flush=True)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
"""


def load(tmp_path: Path, names: list[str]) -> list[tuple[str, int, int, int, str]]:
    """Name, accepted, rejected, peak memory in KiB and message of each input."""
    files = []
    for name in names:
        files.append(tmp_path / name)
        files[-1].write_bytes(CASES[name][0]())
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "landing"), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(names), f"{names[len(found)]}: {done.stderr[-500:]}"
    return [(name, *values) for name, values in zip(names, found, strict=True)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_bounded_and_the_other_records_land(tmp_path: Path) -> None:
    for name, accepted, rejected, most, message in load(tmp_path, list(CASES)):
        assert (accepted, rejected) == CASES[name][1:], f"{name}: {message}"
        assert most < MOST_KIB, f"{name} took {most >> 10} MiB"


@pytest.mark.parametrize("size", [7, 1 << 10, 1 << 20])
def test_blocks_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("loaders.files.limits.LONGEST_RECORD", 50)
    content = b"".join(b"x" * (n * 37 % 120) + b"\n" for n in range(300)) + b"y" * 49
    path = tmp_path / "x"
    path.write_bytes(content)
    with path.open("rb") as file:
        found = list(blocks(file, size))
    kept = b"".join(block for block in found if isinstance(block, bytes)).splitlines()
    long = [block.size for block in found if isinstance(block, TooLong)]
    expected = content.splitlines()
    assert len(kept) + len(long) == len(expected)
    if size < 50:
        assert kept == [line for line in expected if len(line) < 50]
        assert long == [len(line) + 1 for line in expected if len(line) >= 50]
    assert LONGEST_RECORD == 64 << 20
