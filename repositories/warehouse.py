"""The warehouse as programs have it: one release to read, and a durable way to write."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from common.settings import Settings, settings
from loaders.inbox import SOURCE
from loaders.inbox.place import Place, landed_journals
from loaders.landing import Landing
from repositories.catalog import Catalog
from repositories.connection import NoReleaseError, open_release
from repositories.embeddings import Embeddings
from repositories.events import SystemEvents
from repositories.marts import Marts
from repositories.models.agent_notes import AgentNote
from repositories.models.creative_patterns import CreativePattern
from repositories.models.embeddings import Embedding
from repositories.models.experiments import Experiment
from repositories.models.performance_metrics import PerformanceMetric
from repositories.models.products import Product
from repositories.models.published_posts import PublishedPost
from repositories.models.raw_videos import RawVideo
from repositories.models.scripts import Script
from repositories.models.system_events import SystemEvent
from repositories.models.trend_snapshots import TrendSnapshot
from repositories.models.video_assets import VideoAsset
from repositories.postgres_reader import PostgresReader
from repositories.reader import Reader
from repositories.relation import Rows
from repositories.release import Release
from repositories.row import Row
from repositories.session import Session
from repositories.table import Table

R = TypeVar("R", bound=Row)

#: The rows of the twelve tables.
MODELS: tuple[type[Row], ...] = (
    Product,
    CreativePattern,
    AgentNote,
    Embedding,
    RawVideo,
    TrendSnapshot,
    Script,
    VideoAsset,
    Experiment,
    PublishedPost,
    PerformanceMetric,
    SystemEvent,
)


@dataclass(frozen=True)
class Pending:
    """Rows that were written and are in no release yet, by table.

    ``journaled`` wait for ``ace load inbox``, ``landed`` for ``ace build``.
    """

    journaled: dict[str, int]
    landed: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.journaled.values()) + sum(self.landed.values())


class Warehouse:
    """An open release, and the tables to read and write.

    Reads stay on the release that was current when it was opened, whatever is built
    meanwhile; open another for a newer one. Threads may share it. Close it, or use it as a
    context manager.
    """

    def __init__(self, session: Session, landing: Landing, home: Path) -> None:
        self._session = session
        self._landing = landing
        self._home = home
        self._place = Place(landing.storage)

    @classmethod
    def open(
        cls,
        release: int | str | Path | None = None,
        *,
        target: str | None = None,
        config: Settings | None = None,
    ) -> Warehouse:
        """Open the current release, or one by number or file, with the settings of ``ace``.

        Before the first release only writing is possible: reading says so. Raises AceError
        with the next step, for a release that is not there or an address that is missing.
        """
        config = config or settings()
        engine = target or config.target
        chosen = release

        def opened() -> Reader:
            nonlocal chosen
            reader = open_release(
                config.home,
                chosen,
                target=engine,
                postgres_url=config.postgres_url,
                memory=config.read_memory,
            )
            if chosen is None:
                # Whoever opens it again, after a fork, has the same one.
                chosen = int(reader.query("select release from meta.release").rows[0][0])
                if isinstance(reader, PostgresReader):
                    reader.pin(chosen)
            reader.settle()
            return reader

        is_file = release is not None and not str(release).isdecimal()
        session = Session("postgres" if engine == "postgres" and not is_file else "duckdb", opened)
        with contextlib.suppress(NoReleaseError):
            session.opened()
        return cls(session, Landing(config.landing), config.home)

    @cached_property
    def release(self) -> Release:
        """The release that is read; NoReleaseError before the first one."""
        (row,) = self._session.query("select * from meta.release").dicts()
        return Release.of(row)

    @cached_property
    def is_simulated(self) -> bool:
        """Whether any of the release's data comes from the simulator."""
        found = self._session.query("select 1 from meta.loads where source = 'demo' limit 1")
        return bool(found.rows)

    @cached_property
    def marts(self) -> Marts:
        return Marts(self._session)

    @cached_property
    def products(self) -> Table[Product]:
        return self._table(Product)

    @cached_property
    def creative_patterns(self) -> Table[CreativePattern]:
        return self._table(CreativePattern)

    @cached_property
    def agent_notes(self) -> Table[AgentNote]:
        return self._table(AgentNote)

    @cached_property
    def embeddings(self) -> Embeddings:
        return Embeddings(self._session, self._place, self._home)

    @cached_property
    def raw_videos(self) -> Table[RawVideo]:
        return self._table(RawVideo)

    @cached_property
    def trend_snapshots(self) -> Table[TrendSnapshot]:
        return self._table(TrendSnapshot)

    @cached_property
    def scripts(self) -> Table[Script]:
        return self._table(Script)

    @cached_property
    def video_assets(self) -> Table[VideoAsset]:
        return self._table(VideoAsset)

    @cached_property
    def experiments(self) -> Table[Experiment]:
        return self._table(Experiment)

    @cached_property
    def published_posts(self) -> Table[PublishedPost]:
        return self._table(PublishedPost)

    @cached_property
    def performance_metrics(self) -> Table[PerformanceMetric]:
        return self._table(PerformanceMetric)

    @cached_property
    def system_events(self) -> SystemEvents:
        return SystemEvents(self._session, self._place, SystemEvent)

    def _table(self, model: type[R]) -> Table[R]:
        return Table(self._session, self._place, model)

    @cached_property
    def catalog(self) -> Catalog:
        """Every table that the release shows, what it is for, and its columns."""
        return Catalog(self._session)

    def rows(self, table: str) -> Rows:
        """The rows of any public table, by its name or as ``schema.name``."""
        about = self.catalog.table(table)
        return Rows(self._session, about.schema, about.name, about.key)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a SELECT of your own; ``?`` in it stands for a parameter, on either engine."""
        return self._session.query(sql, parameters).dicts()

    def pending(self) -> Pending:
        """What was written, by anybody, and is not in this release yet."""
        loads = self._landing.loads(SOURCE)
        done = landed_journals(loads)
        built: set[str] = set()
        with contextlib.suppress(NoReleaseError):
            answer = self._session.query(
                "select load_id from meta.loads where source = ?", [SOURCE]
            )
            built = {row[0] for row in answer.rows}
        landed: dict[str, int] = {}
        for load in loads:
            if load.accepted and load.load_id not in built:
                landed[load.resource] = landed.get(load.resource, 0) + load.accepted
        return Pending(self._place.count(done), landed)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
