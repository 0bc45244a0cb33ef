"""Erase a post, a video or all videos of an author from the landing zone.

Every landed file that holds a row of it is written again without that row, also what ``ace load
--undo`` kept aside, and the records that could not be read. A load keeps its id, its clocks and the
places of its other rows; its counts are those of what is left, so that read = accepted + rejected
and every sum that rests on it still hold. Killed at any moment, the zone is one that a build can
read, and erasing again finishes what is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import md5
from typing import Any
from uuid import UUID

import polars as pl
import pyarrow as pa

from common.errors import AceError
from loaders.keys import derived_key
from loaders.landing import forgotten
from loaders.landing.compaction import DamagedRows, replaced_files, write_loads
from loaders.landing.forget_rejected import damaged, without_words
from loaders.landing.forgotten import AUTHOR, IDS, KEYS, digest, spelled_author
from loaders.landing.metadata import Load, new_load_id
from loaders.landing.undo import FOLDER as UNDONE
from loaders.landing.undo import nobody_else
from loaders.landing.zone import Landing
from loaders.schema import ADOPTED, SOURCES, polars_schema
from loaders.staged import BLANK, platform

_BATCH = 50_000
#: Tables whose rows have both the platform's id and a key, and their key.
NAMING = {"published_posts": "post_id", "raw_videos": "id"}
#: Bookkeeping that no source wrote.
_OWN = {"_load_id", "_source", "_record_hash"}


@dataclass(frozen=True)
class Subject:
    """What is to be forgotten: posts or videos by the platform's ids, all videos of an author."""

    platform: str
    external_ids: frozenset[str] = frozenset()
    author: str | None = None


@dataclass
class Erased:
    """What erasing takes out, or took out."""

    #: Rows by table, with those of loads that were undone.
    rows: Counter[str] = field(default_factory=Counter)
    #: Records that could not be read and contain one of the names.
    rejected: int = 0
    #: Rows of other things that contain one of the names in a text, by table.
    mentions: Counter[str] = field(default_factory=Counter)
    #: Ids of the loads that they are in.
    loads: set[str] = field(default_factory=set)
    files: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.rows or self.rejected or self.mentions)


@dataclass(frozen=True)
class _Names:
    """Everything that a row of the subject can be known by."""

    platform: str
    ids: frozenset[str]
    author: str | None
    keys: frozenset[str]

    @property
    def words(self) -> list[str]:
        return sorted({*self.ids, *self.keys, *([self.author] if self.author else [])})

    def digests(self) -> set[str]:
        found = {digest("id", self.platform, one) for one in self.ids}
        found |= {digest("key", one) for one in self.keys}
        if self.author:
            found.add(digest("author", self.platform, self.author))
        return found


def erase(
    landing: Landing, subject: Subject, *, mentions: bool = False, dry: bool = False
) -> Erased:
    """Take every landed row of the subject out, and keep a digest so that none lands again.

    ``mentions`` also takes out rows of other things, such as notes and events, whose texts contain
    an id, key or name of it. ``dry`` only counts. Raises AceError for files that cannot be read,
    of which nobody can say what they hold, and while a build reads landed files.
    """
    zones = [Landing(landing.url), Landing(f"{landing.url}/{UNDONE}")]
    if dry:
        return _erase(zones, subject, mentions, dry=True)
    with nobody_else(landing, "the rows to forget were"):
        return _erase(zones, subject, mentions, dry=False)


def _erase(zones: list[Landing], subject: Subject, mentions: bool, *, dry: bool) -> Erased:
    for zone in zones:
        if left_out := zone.left_out():
            raise AceError(
                f"{left_out[0].location} cannot be read, so nobody can say whether it holds what "
                "is to be forgotten; nothing was changed.",
                left_out[0].error.hint,
            )
    names = _names(zones, subject)
    if not dry:
        # First: from now on nothing of it lands, and a run that is killed is known as such.
        forgotten.keep(zones[0].storage, names.digests(), done=False)
    done = Erased()
    erasers = [
        _Eraser(zone, names, mentions, done, dry=dry, in_place=zone is not zones[0])
        for zone in zones
    ]
    for eraser in erasers:
        eraser.rejected()
    # What has the keys goes last: killed before, the next run knows them still.
    for naming in (False, True):
        for eraser in erasers:
            eraser.landed(naming=naming)
    return done


def _folders(zone: Landing) -> Iterator[tuple[str, str]]:
    for source, resources in SOURCES.items():
        for resource in resources:
            yield f"{source}/{resource}", resource


def _names(zones: list[Landing], subject: Subject) -> _Names:
    """The names given, those of an author's videos, and the keys of all rows that have them."""
    wanted = subject.platform.strip(BLANK).lower()
    author = spelled_author(subject.author) if subject.author else None
    ids = {one.strip(BLANK) for one in subject.external_ids}
    if author:
        of_author = _Names(wanted, frozenset(), author, frozenset())
        for frame in _matching(zones, "raw_videos", of_author):
            ids |= set(frame["external_id"].drop_nulls().str.strip_chars(BLANK))
    named = _Names(wanted, frozenset(ids), author, frozenset())
    keys: set[str] = set()
    for resource, column in NAMING.items():
        for frame in _matching(zones, resource, named):
            keys |= set(frame[column].drop_nulls())
    for one in ids:
        escaped = "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in (wanted, one))
        for table in ("published_posts", "raw_videos"):
            keys.add(str(UUID(md5(f"{table}|{escaped}".encode()).hexdigest())))
        # As loaders.adoption names what it makes for a post.
        keys |= {derived_key(f"{ADOPTED} {wanted}", t, one) for t in ("scripts", "experiments")}
    keys |= _keys_asked_for(zones)
    return replace(named, keys=frozenset(keys))


def _keys_asked_for(zones: list[Landing]) -> set[str]:
    """Keys of earlier requests that rows still have: whoever was killed has begun with them."""
    asked = [one for one in forgotten.requests(zones[0].storage) if not one.done]
    digests = frozenset().union(*(one.digests for one in asked))
    found: set[str] = set()
    for zone in zones if digests else ():
        for folder, resource in _folders(zone):
            for name in zone.storage.names(folder) if resource in KEYS else ():
                for frame in _frames(zone, name, resource):
                    for column in KEYS[resource]:
                        there = frame[column].drop_nulls().unique()
                        found |= {key for key in there if digest("key", key) in digests}
    return found


def _matching(zones: list[Landing], resource: str, names: _Names) -> Iterator[pl.DataFrame]:
    for zone in zones:
        for folder, kind in _folders(zone):
            for name in zone.storage.names(folder) if kind == resource else ():
                for frame in _frames(zone, name, resource):
                    yield frame.filter(_is_named(resource, names))


def _frames(zone: Landing, name: str, resource: str) -> Iterator[pl.DataFrame]:
    empty = pl.DataFrame(schema=polars_schema(resource))
    try:
        with zone.storage.reader(name) as file:
            for batch in file.iter_batches(_BATCH):
                frame = pl.DataFrame(pa.Table.from_batches([batch]))
                yield pl.concat([empty, frame], how="diagonal")
    except (OSError, pa.ArrowException):
        raise damaged(zone, name) from None


def _is_named(resource: str, names: _Names) -> pl.Expr:
    """Whether a landed row is one of the subject."""
    here = platform() == names.platform
    parts = [
        here & pl.col(column).str.strip_chars(BLANK).is_in(list(names.ids))
        for column in IDS.get(resource, ())
    ]
    parts += [pl.col(column).is_in(list(names.keys)) for column in KEYS.get(resource, ())]
    if names.author and AUTHOR in polars_schema(resource):
        spelled = pl.col(AUTHOR).map_elements(spelled_author, pl.String)
        parts.append(here & (spelled == names.author))
    return pl.any_horizontal(*parts, pl.lit(False)).fill_null(False)


@dataclass
class _Change:
    """What a load has less after erasing."""

    rows: int = 0
    known: tuple[datetime, datetime] | None = None


class _Eraser:
    """Erases from one zone; of one that keeps undone loads the files keep their names."""

    def __init__(
        self,
        zone: Landing,
        names: _Names,
        mentions: bool,
        done: Erased,
        *,
        dry: bool,
        in_place: bool,
    ) -> None:
        self._zone, self._names, self._mentions = zone, names, mentions
        self._done, self._dry, self._in_place = done, dry, in_place
        words = "|".join(re.escape(word) for word in names.words)
        self._word = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
        self._raw_word = re.compile(self._word.pattern.encode(), re.IGNORECASE)
        #: Load id to the places of its records that are still kept as rejected.
        self._rejected: dict[str, list[int]] = {}

    def rejected(self) -> None:
        """Erase from the records that could not be read."""
        for folder, _ in _folders(self._zone):
            for name in self._zone.storage.names(f"_rejected/{folder}"):
                removed, left = without_words(self._zone, name, self._raw_word, dry=self._dry)
                load = name.rsplit("/", 1)[-1].removesuffix(".parquet")
                self._rejected[load] = left
                self._done.rejected += removed
                if removed:
                    self._done.loads.add(load)

    def landed(self, *, naming: bool) -> None:
        """Erase from the tables whose rows name posts and videos, or from all others."""
        storage = self._zone.storage
        for folder, resource in _folders(self._zone):
            if (resource in NAMING) is not naming:
                continue
            if not self._dry and not self._in_place:
                # What an erasing or a compaction that was killed had replaced already.
                for name in replaced_files(self._zone, folder):
                    storage.remove(name)
            for name in storage.names(folder):
                self._clean(name, folder, resource)

    def _clean(self, name: str, folder: str, resource: str) -> None:
        loads = self._zone.file_loads(name)
        changes = {load.load_id: _Change() for load in loads}
        for frame in _frames(self._zone, name, resource):
            lost = self._lost(frame, resource, count=True)
            for (load,), rows in frame.filter(lost).group_by("_load_id"):
                changes[str(load)].rows += rows.height
            for load, low, high in (
                frame.filter(~lost)
                .group_by("_load_id")
                .agg(low=pl.min("_extracted_at"), high=pl.max("_extracted_at"))
                .iter_rows()
            ):
                before = changes[load].known or (low, high)
                changes[load].known = (min(before[0], low), max(before[1], high))
        left = [self._left(load, changes[load.load_id]) for load in loads]
        if left == loads:
            return
        self._done.files += 1
        self._done.loads |= {load for load, change in changes.items() if change.rows}
        if self._dry:
            return
        target = name if self._in_place else f"{folder}/{new_load_id()}.parquet"
        every = {load.load_id for load in loads}
        try:
            write_loads(self._zone, target, [(name, every)], left, keep=self._keep(resource))
        except DamagedRows:
            raise damaged(self._zone, name) from None
        if target != name:
            self._zone.storage.remove(name)

    def _keep(self, resource: str) -> Callable[[pa.Table], pa.Table]:
        def kept(table: pa.Table) -> pa.Table:
            lost = self._lost(pl.DataFrame(table), resource, count=False)
            return table.filter((~lost).to_arrow())

        return kept

    def _lost(self, frame: pl.DataFrame, resource: str, *, count: bool) -> pl.Series:
        named = frame.select(lost=_is_named(resource, self._names))["lost"]
        if not (count or self._mentions):
            return named
        mention = self._mentioning(frame, resource) & ~named
        if count:
            for counter, rows in ((self._done.rows, named), (self._done.mentions, mention)):
                if rows.any():
                    counter[resource] += int(rows.sum())
        return named | mention if self._mentions else named

    def _mentioning(self, frame: pl.DataFrame, resource: str) -> pl.Series:
        """Whether any text of a row contains one of the names as a word of its own."""
        # An id in its own column is the one of the row, perhaps on another platform.
        left_out = {*_OWN, *IDS.get(resource, ())}
        kinds = {n: kind for n, kind in polars_schema(resource).items() if n not in left_out}
        texts = [pl.col(name) for name, kind in kinds.items() if kind == pl.String]
        texts += [
            pl.col(name).list.join(" ", ignore_nulls=True)
            for name, kind in kinds.items()
            if kind == pl.List(pl.String)
        ]
        text = frame.select(text=pl.concat_str(texts, separator=" ", ignore_nulls=True))["text"]
        near = text.str.contains_any(self._names.words, ascii_case_insensitive=True)
        found = [
            bool(one) and self._word.search(words) is not None
            for one, words in zip(near.fill_null(False), text, strict=True)
        ]
        return pl.Series(found, dtype=pl.Boolean)

    def _left(self, load: Load, change: _Change) -> Load:
        """The load with the counts of what is left of it."""
        rejected = len(self._rejected.get(load.load_id, ())) if load.rejected else 0
        if load.load_id not in self._rejected:
            rejected = load.rejected  # its file is lost, and says nothing
        recovers = tuple(
            one | {"positions": left}
            for one in load.recovers
            if (left := self._positions(one["load_id"], one["positions"]))
        )
        accepted = load.accepted - change.rows
        recovered = min(accepted, sum(len(one["positions"]) for one in recovers))
        if change.rows == 0 and rejected == load.rejected and recovers == load.recovers:
            return load
        return replace(
            load,
            read=accepted + rejected - recovered,
            accepted=accepted,
            rejected=rejected,
            recovered=recovered,
            recovers=recovers,
            known_at_min=change.known[0] if change.known else None,
            known_at_max=change.known[1] if change.known else None,
            forgotten=load.forgotten + change.rows + load.rejected - rejected,
        )

    def _positions(self, load_id: str, positions: list[Any]) -> list[Any]:
        if load_id not in self._rejected:
            return positions
        there = set(self._rejected[load_id])
        return [one for one in positions if one in there]
