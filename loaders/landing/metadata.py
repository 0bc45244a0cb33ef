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
    # Not strftime: it writes the year 1 as "1", which nothing reads.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_iso(text: str | None) -> datetime | None:
    """The time of a text that :func:`iso` wrote; also one with a year of fewer digits than
    four, as older versions wrote it. ValueError for anything else.
    """
    if text is None:
        return None
    year, dash, rest = text.partition("-")
    return datetime.fromisoformat(f"{year:0>4}{dash}{rest}").astimezone(UTC)


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
    #: Paths of fields that columns were mapped to; what they lead through stays in ``_extra``.
    taken: tuple[str, ...] = ()
    #: Rows and records that were forgotten on request: no other count has them.
    forgotten: int = 0
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
        values["taken"] = list(self.taken)
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any], file: str = "") -> Load:
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        for name in ("landed_at", "known_at_min", "known_at_max"):
            kept[name] = parse_iso(kept.get(name))
        for name in ("recovers", "taken"):
            kept[name] = tuple(kept.get(name) or ())
        kept["file"] = file
        load = cls(**kept)
        load.check()
        return load

    def check(self) -> None:
        """ValueError where a footer of somebody else says what no load can be."""
        texts = (self.load_id, self.source, self.resource, self.loader)
        perhaps = (self.account, self.fingerprint, self.input)
        counts = (
            self.read,
            self.accepted,
            self.rejected,
            self.recovered,
            self.null_characters,
            self.forgotten,
        )
        if not (
            all(isinstance(text, str) for text in (*texts, *self.taken))
            and all(text is None or isinstance(text, str) for text in perhaps)
            and all(type(count) is int and 0 <= count < 2**63 for count in counts)
            and isinstance(self.landed_at, datetime)
            and (self.cursor is None or isinstance(self.cursor, dict))
        ):
            raise ValueError("no load can be what the footer says")
        for entry in self.recovers:
            if not isinstance(entry["load_id"], str) or not isinstance(entry["positions"], list):
                raise ValueError("no retry can be what the footer says")


@dataclass(frozen=True)
class Heartbeat:
    """A run of a source that found nothing new: it moves as-of on."""

    load_id: str
    source: str
    landed_at: datetime
    cursors: dict[str, Any]
    file: str = ""

    def encode(self) -> bytes:
        """The value of the file's ``ace`` key."""
        return orjson.dumps(
            {
                "format": FORMAT,
                "loads": [],
                "heartbeat": {
                    "load_id": self.load_id,
                    "source": self.source,
                    "landed_at": iso(self.landed_at),
                    "cursors": self.cursors,
                },
            }
        )

    @classmethod
    def decode(cls, text: bytes, file: str) -> Heartbeat:
        """The heartbeat in a file's ``ace`` value; ValueError when there is none."""
        values = orjson.loads(text)
        try:
            beat = values["heartbeat"]
            at = parse_iso(beat["landed_at"])
            found = cls(beat["load_id"], beat["source"], at, beat["cursors"], file)  # type: ignore[arg-type]
        except (KeyError, TypeError, AttributeError):
            raise ValueError("no heartbeat") from None
        ids = (found.load_id, found.source)
        if at is None or not all(isinstance(one, str) for one in ids):
            raise ValueError("no heartbeat")
        if not isinstance(found.cursors, dict):
            raise ValueError("no heartbeat")
        return found


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
    try:
        return [Load.from_json(entry, file) for entry in values["loads"]]
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no load can be what the footer says") from None
