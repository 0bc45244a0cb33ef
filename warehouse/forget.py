"""Forget a post, a video or an author everywhere, and whatever was made of them.

1. The landing zone is written again without the rows (:mod:`loaders.landing.forget`), and the
   build database, copies and pages that hold them are deleted, while no build can run.
2. Everything is built anew and released.
3. Older releases are deleted.

Killed anywhere, running it again does what is missing: until the last step the request is kept as
not done.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from common.errors import AceError
from loaders.landing import Landing
from loaders.landing.forget import Erased, Subject, erase
from loaders.landing.forgotten import finish, unfinished
from loaders.live.spool import ENDING
from repositories.release_files import release_paths
from warehouse.build import build
from warehouse.build.lock import engine_lock
from warehouse.quality.state import ACCEPTED_FILE
from warehouse.release.pg_tables import exists
from warehouse.release.session import connect
from warehouse.release.stores import open_store
from warehouse.settings import Settings

Say = Callable[[str], None]


@dataclass
class Forgotten:
    """What was, or would be, forgotten: ``releases`` that are deleted, by engine."""

    erased: Erased
    #: Whether an earlier request was not finished, so that releases may hold what it is of.
    unfinished: bool = False
    releases: dict[str, list[int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": dict(self.erased.rows),
            "rejected": self.erased.rejected,
            "mentions": dict(self.erased.mentions),
            "loads": sorted(self.erased.loads),
            "files": self.erased.files,
            "unfinished": self.unfinished,
            "releases": self.releases,
        }


def look(config: Settings, subject: Subject, *, mentions: bool) -> Forgotten:
    """What :func:`forget` would take out; changes nothing."""
    landing = Landing(config.landing)
    found = Forgotten(
        erase(landing, subject, mentions=mentions, dry=True), unfinished(landing.storage)
    )
    found.releases = {engine: _numbers(config, engine) for engine in _engines(config)}
    return found


def forget(
    config: Settings, subject: Subject, *, mentions: bool, say: Say, wait: float = 600
) -> Forgotten:
    """Forget it. Raises AceError where something may still hold it: the request then stays open,
    and the same call goes on.
    """
    from loaders.inbox.load import load_inbox

    _no_spools(config)
    landing = Landing(config.landing)
    # What agents wrote and has not landed could hold it, too.
    load_inbox(landing)
    engines = _engines(config)
    with contextlib.ExitStack() as stack:
        for engine in ("duckdb", "postgres") if config.postgres_url else ("duckdb",):
            stack.enter_context(engine_lock(config, engine, wait, say))
        done = Forgotten(Erased(), unfinished(landing.storage))
        done.erased = erase(landing, subject, mentions=mentions)
        if not _takes(done.erased, mentions) and not done.unfinished:
            finish(landing.storage)
            return done
        _delete_copies(config)
        if config.postgres_url:
            _empty_raw(config.postgres_url)
    for engine in engines:
        say(f"Building on {engine} without what was forgotten.")
        build(engine, full_refresh=True, force=True, say=say, wait=wait, config=config)
        done.releases[engine] = open_store(config, engine).only_current()
    if (report := config.home / "report.html").is_file() and config.target in engines:
        from warehouse.report import write_report

        write_report(report, config.target)
    finish(landing.storage)
    return done


def _takes(erased: Erased, mentions: bool) -> bool:
    return bool(erased.rows or erased.rejected or (mentions and erased.mentions))


def _engines(config: Settings) -> list[str]:
    """Engines with a build or a release of this warehouse. What Spark builds and DuckDB builds
    are releases of one row: the one that is used makes the next."""
    files = "spark" if config.target == "spark" else "duckdb"
    found = [files] if config.warehouse.exists() or release_paths(config.home) else []
    if config.postgres_url:
        with contextlib.closing(connect(config.postgres_url, autocommit=True)) as connection:
            if exists(connection, "build_meta.builds") or exists(connection, "release.releases"):
                found.append("postgres")
    return found


def _numbers(config: Settings, engine: str) -> list[int]:
    if engine != "postgres":
        return sorted(release_paths(config.home))
    return sorted(one.release for one in open_store(config, engine).releases())


def _no_spools(config: Settings) -> None:
    """AceError while answers of a platform wait to land: nobody has looked into them yet."""
    waiting = next((config.home / "live").glob(f"**/*{ENDING}"), None)
    if waiting is not None:
        raise AceError(
            f"A load from a platform has not ended; what it was answered waits in {waiting}.",
            "Run that 'ace load' again until it ends, or delete the file; then forget.",
        )


def _delete_copies(config: Settings) -> None:
    """Delete what was made of landed rows and is made again: the build database with its free
    blocks, copies of landed files, vectors, and pages that show examples."""
    for folder in ("landing-mirror", "vectors", "spark"):
        shutil.rmtree(config.home / folder, ignore_errors=True)
    for page in (config.home / "quality").glob("**/*"):
        # The rest of that folder says which findings somebody accepted.
        if page.is_file() and page.name not in (ACCEPTED_FILE, ".lock"):
            page.unlink()
    for file in (config.warehouse, config.warehouse.with_name(f"{config.warehouse.name}.wal")):
        file.unlink(missing_ok=True)


def _empty_raw(url: str) -> None:
    """Empty the copy of landed files on Postgres: the next build copies what is left."""
    from psycopg import sql

    with contextlib.closing(connect(url, autocommit=True)) as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = to_regnamespace('raw') "
            "and relkind = 'r'"
        ).fetchall()
        if tables:
            names = sql.SQL(", ").join(sql.Identifier("raw", name) for (name,) in tables)
            connection.execute(sql.SQL("truncate {}").format(names))
