"""What is in the landing zone: every file, every load, and which rows break a rule.

Reads each new file once, row group by row group, so memory does not grow with the
landing. Knows nothing of Great Expectations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import AceError
from loaders.landing import Heartbeat, Landing, Load
from loaders.landing.writer import arrow_schema
from loaders.schema import BOOKKEEPING, RESOURCES, SOURCE_KEY, SOURCES, polars_schema
from warehouse.quality.rules import Rule, has_key, limit, row_rules

#: Positions named per rule and load: enough to look at, short enough to read.
POSITIONS_NAMED = 5
#: Records per row group whose unknown fields are counted.
EXTRA_ROWS = 2_000
#: Keys up to which an object within a record is fields of its own.
NESTED_FIELDS = 20


@dataclass
class Bad:
    """Rows of one load that break one rule."""

    rows: int = 0
    positions: list[int] = field(default_factory=list)


@dataclass
class Profile:
    """What one load holds, as found in its rows."""

    rows: int = 0
    keyed: int = 0
    filled: list[str] = field(default_factory=list)
    #: Path of an unknown field to how often it was seen (in a part of a big load).
    extra: dict[str, int] = field(default_factory=dict)
    bad: dict[str, Bad] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Profile:
        bad = {name: Bad(**entry) for name, entry in values["bad"].items()}
        return cls(values["rows"], values["keyed"], values["filled"], values["extra"], bad)


@dataclass(frozen=True)
class LandedFile:
    """One landed file; ``problem`` says why it cannot be used, null when it can."""

    name: str
    location: str
    source: str
    resource: str
    stamp: str
    loads: tuple[str, ...] = ()
    problem: str | None = None


@dataclass
class Survey:
    """The landing zone at one moment."""

    files: list[LandedFile] = field(default_factory=list)
    #: Each load once, oldest first.
    loads: list[Load] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    #: (source, resource) to the rows of new loads that Great Expectations will see.
    rows: dict[tuple[str, str], pl.DataFrame] = field(default_factory=dict)
    #: (source, resource) to n where only one key in n is among ``rows``.
    strides: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Loads whose rows were read this time.
    new: set[str] = field(default_factory=set)


def take_survey(
    landing: Landing,
    known: dict[str, Profile],
    read_before: dict[str, str],
    *,
    since: datetime | None = None,
) -> Survey:
    """Look at every file, and at the rows of loads that have no profile in ``known``.

    ``read_before`` maps a file's name to its stamp when it was last read without a
    problem: a file that changed since is read again. Rows of loads landed before
    ``since`` are not looked at.
    """
    with landing.shared_lock():  # compaction must not delete a file meanwhile
        found = Survey(heartbeats=landing.heartbeats())
        best: dict[str, tuple[int, str, Load]] = {}
        for source, resources in SOURCES.items():
            for resource in resources:
                for name in landing.storage.names(f"{source}/{resource}"):
                    file, held = _look(landing, name, source, resource)
                    found.files.append(file)
                    for load in held:
                        rank = (len(held), name, load)
                        if load.load_id not in best or rank[:2] > best[load.load_id][:2]:
                            best[load.load_id] = rank
        found.loads = sorted(
            (entry[2] for entry in best.values()), key=lambda load: (load.landed_at, load.load_id)
        )
        changed = {file.name for file in found.files if read_before.get(file.name) != file.stamp}
        new_by_file: dict[str, set[str]] = {}
        for _, name, load in best.values():
            if since is not None and load.landed_at < since:
                continue
            if load.load_id not in known or (name in read_before and name in changed):
                new_by_file.setdefault(name, set()).add(load.load_id)
            else:
                found.profiles[load.load_id] = known[load.load_id]
        _read_new(landing, found, new_by_file)
    return found


def _look(landing: Landing, name: str, source: str, resource: str) -> tuple[LandedFile, list[Load]]:
    """The file and the loads it holds, from its footer."""
    location = landing.storage.location(name)
    file = LandedFile(name, location, source, resource, _stamp(landing, name))
    try:
        held = landing.file_loads(name)
        with landing.storage.reader(name) as reader:
            problem = schema_problem(reader.schema_arrow, resource)
    except AceError as error:
        return _with(file, problem=_why(error, location)), []
    except (pa.ArrowException, OSError, ValueError) as error:
        return _with(file, problem=f"it cannot be read ({_short(error)})"), []
    ids = tuple(load.load_id for load in held)
    return _with(file, loads=ids, problem=problem), held


def _with(file: LandedFile, **changes: Any) -> LandedFile:
    return LandedFile(**(asdict(file) | changes))


def _why(error: AceError, location: str) -> str:
    """The landing zone's sentence about a file, as the end of ours."""
    text = error.message.replace(f"The landed file {location}", "it")
    return text.replace(location, "it").rstrip(".")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


def _stamp(landing: Landing, name: str) -> str:
    """Changes when a local file changes; objects in a store are immutable."""
    if not landing.storage.local:
        return "stored"
    try:
        return f"{landing.storage.size(name)}:{landing.storage.modified(name)}"
    except OSError:
        return "gone"


def schema_problem(schema: pa.Schema, resource: str) -> str | None:
    """Why a file's columns are not those of its resource; None when they fit.

    A column of the resource's own may be missing: the project gained it later, and
    readers fill it with nulls.
    """
    expected = _types(arrow_schema(resource))
    found = _types(schema)
    if len(found) < len(schema.names):
        return "it has two columns of one name"
    missing = [name for name in (*BOOKKEEPING, SOURCE_KEY[resource]) if name not in found]
    if missing:
        return f"it has no column {', '.join(missing)}"
    unknown = [name for name in found if name not in expected]
    if unknown:
        return f"it has unknown columns: {', '.join(unknown)}"
    for name, kind in found.items():
        if kind != expected[name]:
            return f"its column {name} is {kind} instead of {expected[name]}"
    return None


def _types(schema: pa.Schema) -> dict[str, str]:
    """Column to Arrow type; the long and the short layout of a text count as one."""
    return {
        name: re.sub(r"large_|list<\w+: | not null|>", "", str(kind))
        for name, kind in zip(schema.names, schema.types, strict=True)
    }


def _read_new(landing: Landing, found: Survey, new_by_file: dict[str, set[str]]) -> None:
    files = {file.name: index for index, file in enumerate(found.files)}
    pairs: dict[tuple[str, str], list[str]] = {}
    for name in new_by_file:
        file = found.files[files[name]]
        pairs.setdefault((file.source, file.resource), []).append(name)
    counts = {load.load_id: load.accepted for load in found.loads}
    for (source, resource), names in pairs.items():
        expected = sum(counts[load_id] for name in names for load_id in new_by_file[name])
        stride = max(1, -(-expected // int(limit("sample_rows"))))
        reading = _Reading(resource, stride)
        for name in sorted(names):
            index = files[name]
            if found.files[index].problem is not None:
                continue
            try:
                with landing.storage.reader(name) as reader:
                    reading.read(reader, new_by_file[name])
            except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
                problem = f"its rows cannot be read ({_short(error)})"
                found.files[index] = _with(found.files[index], problem=problem)
                reading.drop(new_by_file[name])
                continue
            found.new |= new_by_file[name]
        found.rows[source, resource] = reading.frame()
        found.strides[source, resource] = stride
        found.profiles |= reading.profiles


class _Reading:
    """Goes through the rows of one source's resource."""

    def __init__(self, resource: str, stride: int) -> None:
        self.resource = resource
        self.rules = row_rules(resource)
        self.stride = stride
        self.profiles: dict[str, Profile] = {}
        self._own = [column.name for column in RESOURCES[resource]]
        self._parts: list[pl.DataFrame] = []
        self._kept_bad: Counter[tuple[str, str]] = Counter()

    def read(self, reader: pq.ParquetFile, load_ids: set[str]) -> None:
        """Every row group of a file, keeping only the given loads."""
        for load_id in load_ids:
            self.profiles[load_id] = Profile()
        for group in range(reader.num_row_groups):
            frame = pl.DataFrame(pl.from_arrow(reader.read_row_group(group)))
            missing = [name for name in self._own if name not in frame.columns]
            types = polars_schema(self.resource)
            frame = frame.with_columns(pl.lit(None, types[name]).alias(name) for name in missing)
            for (load_id,), part in frame.group_by("_load_id", maintain_order=True):
                if load_id in load_ids:
                    self._part(str(load_id), part)

    def drop(self, load_ids: set[str]) -> None:
        """Forget loads of a file that broke off in the middle."""
        for load_id in load_ids:
            self.profiles.pop(load_id, None)
        self._parts = [
            part.filter(~pl.col("_load_id").is_in(list(load_ids))) for part in self._parts
        ]

    def _part(self, load_id: str, part: pl.DataFrame) -> None:
        profile = self.profiles[load_id]
        profile.rows += part.height
        keyed = part.select(has_key(self.resource).sum()).item()
        profile.keyed += int(keyed)
        filled = set(profile.filled)
        filled |= {name for name in self._own if part[name].null_count() < part.height}
        profile.filled = [name for name in self._own if name in filled]
        _count_extra(part["_extra"], profile.extra)

        checked = part.select(
            "_load_id",
            "_position",
            *(rule.value.alias(rule.column) for rule in _distinct(self.rules)),
            _sampled=_key_hash(self.resource) % self.stride == 0,
        )
        kept = pl.col("_sampled")
        for rule in self.rules:
            if rule.test == "unique":
                continue  # judged over the whole load, see frame()
            positions = checked.filter(rule.bad())["_position"]
            if not positions.is_empty():
                bad = profile.bad.setdefault(rule.name, Bad())
                bad.rows += positions.len()
                room = POSITIONS_NAMED - len(bad.positions)
                bad.positions += positions.head(max(0, room)).to_list()
                room = int(limit("bad_rows_kept")) - self._kept_bad[load_id, rule.name]
                some = positions.head(max(0, room))
                self._kept_bad[load_id, rule.name] += some.len()
                kept = kept | pl.col("_position").is_in(some.to_list())
        self._parts.append(checked.filter(kept).drop("_sampled"))

    def frame(self) -> pl.DataFrame:
        """The rows Great Expectations will see; finds repeated keys on the way."""
        if not self._parts:
            return pl.DataFrame()
        frame = pl.concat(self._parts)
        for rule in self.rules:
            if rule.test == "unique":
                for (load_id,), rows in frame.filter(rule.bad()).group_by("_load_id"):
                    positions = rows["_position"].sort().head(POSITIONS_NAMED).to_list()
                    self.profiles[str(load_id)].bad[rule.name] = Bad(rows.height, positions)
        return frame


def _key_hash(resource: str) -> pl.Expr:
    """Rows of one key share it, so that a sample by hash still shows repeated keys."""
    return pl.coalesce(SOURCE_KEY[resource], "_record_hash", pl.lit("")).hash(0)


def _distinct(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    seen: set[str] = set()
    for rule in rules:
        if rule.column not in seen:
            seen.add(rule.column)
            yield rule


def _count_extra(column: pl.Series, counts: dict[str, int]) -> None:
    for text in column.drop_nulls().head(EXTRA_ROWS):
        try:
            names = orjson.loads(text)
        except orjson.JSONDecodeError:
            names = {"(not JSON)": None}
        for name in _leaves(names) if isinstance(names, dict) else ():
            counts[name] = counts.get(name, 0) + 1


def _leaves(record: dict[str, Any], within: str = "") -> Iterator[str]:
    """Paths of a record's fields, down to what is no object; an object of many keys, which
    may as well be values, is a field as a whole."""
    for name, value in record.items():
        if isinstance(value, dict) and 0 < len(value) <= NESTED_FIELDS:
            yield from _leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}"
