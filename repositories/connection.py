"""Read-only opening of a release: by number, by file, or the current one.

Read-only is enforced by the engine, not by looking at the text of a query.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from common.errors import AceError, UsageError
from repositories.duckdb_reader import DuckReader
from repositories.postgres_reader import PostgresReader
from repositories.reader import Reader
from repositories.release_files import (
    UnreadableError,
    can_be_read,
    current_release,
    release_files,
    release_paths,
)

NO_RELEASE_HINT = "Make one: 'ace run' loads, builds and releases."


class NoReleaseError(AceError):
    """There is no release yet; the message says how to make one."""


def open_release(
    home: Path,
    release: str | int | Path | None = None,
    *,
    target: str = "duckdb",
    postgres_url: str | None = None,
    memory: str | None = None,
    seconds: float | None = None,
) -> Reader:
    """Open a release read-only.

    ``release`` is a number, a DuckDB file, or None for the current one. A file needs
    neither a current release nor a server; ``memory`` bounds a query on one, and ``seconds``
    a query on any. Raises
    AceError when there is none (with the next step) and UsageError for something that is
    neither.
    """
    number = _number(release)
    if release is not None and number is None:
        path = Path(release)  # type: ignore[arg-type]
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise UsageError(
                f"Release '{release}' is no number, and as a file it {what}.",
                "'ace releases' lists what is kept.",
            )
        return DuckReader(path, memory=memory, seconds=seconds)
    if target == "postgres":
        return _open_postgres(postgres_url, number, seconds)
    return _open_duckdb(home, number, memory, seconds)


def _number(release: str | int | Path | None) -> int | None:
    if isinstance(release, int):
        return release
    is_number = isinstance(release, str) and release.isascii() and release.isdecimal()
    return int(str(release)) if is_number else None


def _open_duckdb(
    home: Path, number: int | None, memory: str | None, seconds: float | None
) -> DuckReader:
    if number is not None:
        path = home / "releases" / f"{number}.duckdb"
        if number not in release_paths(home):
            raise _unknown_release(number, list(release_files(home)))
        is_current = number == current_release(home)
        hint = (lambda: rollback_hint(home)) if is_current else None
        return DuckReader(path, number, hint, memory, seconds)
    for last in (False, False, True):
        # Open the file itself, not the link: a release stays the same while it is read.
        current = current_release(home)
        if current is None:
            break
        path = home / "releases" / f"{current}.duckdb"
        try:
            return DuckReader(path, current, lambda: rollback_hint(home), memory, seconds)
        except UnreadableError:
            # A build may have moved on meanwhile, and deleted it.
            if last:
                raise
    if release_files(home):
        raise AceError(
            f"{home / 'current.duckdb'} does not point to a release.", rollback_hint(home)
        )
    raise NoReleaseError(f"There is no release in {home} yet.", NO_RELEASE_HINT)


def rollback_hint(home: Path) -> str:
    """The way out when the current release cannot be read: the newest one that can."""
    for number, path in reversed(release_files(home).items()):
        if number != current_release(home) and can_be_read(path, number):
            return (
                f"'ace releases rollback {number}' makes release {number} current, "
                "'ace build' makes a new one."
            )
    return "'ace build' makes a new one."


def _unknown_release(number: int, kept: list[int]) -> AceError:
    known = ", ".join(str(one) for one in kept) or "none"
    return UsageError(
        f"Release {number} is not kept (kept: {known}).",
        "'ace releases' lists them." if kept else NO_RELEASE_HINT,
    )


def _open_postgres(url: str | None, number: int | None, seconds: float | None) -> PostgresReader:
    if not url:
        raise UsageError(
            "The target is postgres, but ACE_POSTGRES_URL is not set.",
            "Set it to the warehouse's address, for example postgresql:///ace.",
        )
    reader = PostgresReader(url, number, seconds)
    try:
        kept = _kept_in_postgres(reader)
        if not kept:
            raise NoReleaseError(
                "There is no release in the Postgres warehouse yet.", NO_RELEASE_HINT
            )
        if number is not None and number not in kept:
            raise _unknown_release(number, list(kept))
        if number is None and not any(kept.values()):
            raise AceError(
                "No release in the Postgres warehouse is the current one.",
                f"'ace releases rollback {max(kept)}' makes release {max(kept)} current, "
                "'ace build' makes a new one.",
            )
        _check_manifest(reader)
    except AceError:
        reader.close()
        raise
    return reader


def _check_manifest(reader: PostgresReader) -> None:
    try:
        found = reader.query("select release from meta.release").rows
    except UsageError:
        found = []
    if not found:
        raise AceError(
            "The releases in the Postgres warehouse are damaged: meta.release is missing.",
            "'ace build' makes a new one.",
        )


def _kept_in_postgres(reader: PostgresReader) -> dict[int, bool]:
    """Kept releases and whether each is the current one; empty before the first."""
    before = (
        "select release, release in (select release from release.current) as current "
        "from release.releases where kept"
    )
    for query in ("select release, current from meta.releases", before):
        # The view came later than the first releases.
        with contextlib.suppress(UsageError):
            return dict(sorted(reader.query(query).rows))
    return {}
