"""Land what agents wrote: all journals of a table in one load, then take the journals away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from loaders.inbox import SOURCE
from loaders.inbox.line import Line, NoLine
from loaders.inbox.place import JOURNALS, Place, landed_journals, process_of
from loaders.landing import Landing, Load, Rejected
from loaders.landing.locks import locked
from loaders.records import Record, type_records
from loaders.schema import RESOURCES, SOURCE_KEY

#: Lines that are typed at a time.
CHUNK = 20_000


@dataclass(frozen=True)
class InboxResult:
    """What became of the journals of one table: ``read = accepted + rejected``."""

    resource: str
    #: None where nothing was landed.
    load_id: str | None = None
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    #: Lines whose key had landed before: left out.
    repeated: int = 0
    journals: int = 0
    #: Processes that died in the middle of a line, which so was never acknowledged.
    torn: tuple[str, ...] = ()
    #: Processes that did not finish a write: their journal is left for the next load.
    busy: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def load_inbox(landing: Landing) -> list[InboxResult]:
    """Land all journals, a load for each table; one result for each with journals.

    Killed anywhere, the next call goes on: a load names the journals it holds in the same
    commit, and those are only removed. Raises AceError when the zone cannot be written.
    """
    landing.prepare()
    # Two at once would land the same journals; and files that are looked into for keys stay.
    with locked(landing.storage, exclusive=True, name=".inbox"), landing.shared_lock():
        place = Place(landing.storage)
        return [one for resource in RESOURCES if (one := _land(landing, place, resource))]


def _land(landing: Landing, place: Place, resource: str) -> InboxResult | None:
    sealed, busy = place.seal(resource)
    if not sealed and not busy:
        return None
    before = landing.loads(SOURCE, resource)
    done = landed_journals(before)
    names = [name for name in sealed if name not in done]
    lines = _Lines(place, resource, names)
    keys = lines.keys()
    lines.landed = keys & _landed_keys(landing, resource, before) if keys else set()
    load = None
    with landing.open_load(
        SOURCE, resource, input=_input(names), context={"loader": SOURCE}
    ) as writer:
        for chunk in _chunks(lines.records()):
            frame, rejected = type_records(resource, chunk)
            writer.write(frame)
            writer.reject(rejected)
            writer.reject(lines.take_rejected())
        writer.reject(lines.take_rejected())
        if writer.accepted or writer.rejected:
            load = writer.commit({JOURNALS: names})
    for name in sealed:
        place.remove(resource, name)
    if not (load or lines.repeated or lines.torn or busy):
        return None
    return InboxResult(
        resource,
        load.load_id if load else None,
        load.read if load else 0,
        load.accepted if load else 0,
        load.rejected if load else 0,
        lines.repeated,
        len(names),
        tuple(lines.torn),
        tuple(map(process_of, busy)),
    )


def _input(names: list[str]) -> str:
    return f"{len(names):,} journal{'' if len(names) == 1 else 's'}"


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    chunk: list[Record] = []
    for record in records:
        chunk.append(record)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _landed_keys(landing: Landing, resource: str, loads: Iterable[Load]) -> set[str]:
    """Keys of the rows that landed from here before."""
    import pyarrow.compute as pc

    column = SOURCE_KEY[resource]
    found: set[str] = set()
    for file in {load.file for load in loads}:
        name = landing.storage.relative(file)
        with landing.storage.reader(name) as parquet:
            for batch in parquet.iter_batches(columns=[column]):
                found.update(pc.unique(batch.column(0)).to_pylist())
    found.discard(None)  # type: ignore[arg-type]
    return found


class _Lines:
    """The lines of some journals, in order."""

    def __init__(self, place: Place, resource: str, names: list[str]) -> None:
        self._place, self._resource, self._names = place, resource, names
        self._own = SOURCE_KEY[resource]
        self._rejected: list[Rejected] = []
        #: Own keys of rows that landed before and land only once.
        self.landed: set[str] = set()
        self.repeated = 0
        self.torn: list[str] = []

    def keys(self) -> set[str]:
        """Own keys of the rows that their writers gave a key."""
        found = set()
        for name in self._names:
            for text in self._place.lines(self._resource, name):
                try:
                    line = Line.decode(text) if text.endswith(b"\n") else None
                except NoLine:
                    continue
                if line is not None and line.key is not None:
                    found.add(str(line.row.get(self._own)))
        return found

    def records(self) -> Iterator[Record]:
        """The rows to land; what is no line waits in :meth:`take_rejected`."""
        position = -1
        seen = set(self.landed)
        for name in self._names:
            for text in self._place.lines(self._resource, name):
                if not text.endswith(b"\n"):
                    self.torn.append(process_of(name))
                    continue
                raw = text[:-1]
                try:
                    line = Line.decode(raw)
                except NoLine as error:
                    position += 1
                    self._rejected.append(Rejected(position, raw, str(error)))
                    continue
                if line.key is not None:
                    own = str(line.row.get(self._own))
                    if own in seen:
                        self.repeated += 1
                        continue
                    seen.add(own)
                position += 1
                yield Record(line.row, line.extra, raw, position, line.at)

    def take_rejected(self) -> list[Rejected]:
        found, self._rejected = self._rejected, []
        return found
