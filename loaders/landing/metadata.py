"""What a landed file says about itself: its loads, in the Parquet key ``ace``."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson

#: Key of the JSON text in a landed file's key-value metadata.
METADATA_KEY = b"ace"
FORMAT = 1

_last_tick = 0
_tick_lock = threading.Lock()


def new_load_id() -> str:
    """A UUIDv7 as text: sorts by creation time, strictly within one process."""
    global _last_tick
    with _tick_lock:
        # 48 bits of milliseconds and 12 bits of their fraction make one counter.
        now = time.time_ns()
        tick = (now // 1_000_000) << 12 | (now % 1_000_000) * 4096 // 1_000_000
        _last_tick = tick = max(tick, _last_tick + 1)
    value = (tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64
    return str(uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62)))


def utc_now() -> datetime:
    return datetime.now(UTC)


def iso(moment: datetime | None) -> str | None:
    """``2026-11-22T17:02:09.123456Z``, always with microseconds."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


@dataclass(frozen=True)
class Load:
    """One committed load of one resource.

    ``read + recovered = accepted + rejected`` always. ``recovered`` and
    ``recovers`` belong to retries of rejected records and are 0 and empty
    elsewhere. ``file`` is the path or URL that holds the load's rows now.
    """

    load_id: str
    source: str
    resource: str
    account: str | None
    loader: str
    landed_at: datetime
    read: int
    accepted: int
    rejected: int
    recovered: int
    cursor: dict[str, Any] | None
    fingerprint: str | None
    input: str | None
    known_at_min: datetime | None
    known_at_max: datetime | None
    recovers: tuple[dict[str, Any], ...] = ()
    #: How many U+0000 characters were replaced by U+FFFD.
    null_characters: int = 0
    file: str = ""

    def located(self, file: str) -> Load:
        return replace(self, file=file)

    def to_json(self) -> dict[str, Any]:
        """The stored form: all fields but ``file``, times as ISO 8601 with ``Z``."""
        values = asdict(self)
        del values["file"]
        for name in ("landed_at", "known_at_min", "known_at_max"):
            values[name] = iso(values[name])
        values["recovers"] = list(self.recovers)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any], file: str = "") -> Load:
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        for name in ("landed_at", "known_at_min", "known_at_max"):
            kept[name] = parse_iso(kept.get(name))
        kept["recovers"] = tuple(kept.get("recovers") or ())
        kept["file"] = file
        return cls(**kept)


@dataclass(frozen=True)
class Heartbeat:
    """A run of a source that found nothing new: it moves as-of on."""

    load_id: str
    source: str
    landed_at: datetime
    cursors: dict[str, Any]
    file: str = ""


@dataclass(frozen=True)
class Rejected:
    """A record that could not be typed: its bytes as received and the reason."""

    position: int
    raw: bytes
    reason: str
    field: str | None = None


@dataclass(frozen=True)
class RejectedRecord(Rejected):
    """A landed rejected record, with the load it came in and how to parse it again."""

    load_id: str = ""
    source: str = ""
    resource: str = ""
    account: str | None = None
    input: str | None = None
    landed_at: datetime | None = None
    #: What the loader needs to parse the bytes again (options, preset, clock).
    context: dict[str, Any] | None = None


def encode(loads: list[Load]) -> bytes:
    """The value of the file's ``ace`` key."""
    return orjson.dumps({"format": FORMAT, "loads": [load.to_json() for load in loads]})


def decode(text: bytes, file: str) -> list[Load]:
    """The loads in a file's ``ace`` value; ValueError when it is not ours."""
    values = orjson.loads(text)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError("unknown metadata format")
    return [Load.from_json(entry, file) for entry in values["loads"]]
