"""DuckDB release files: which there are, which is current, and opening one that may be damaged."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError

if TYPE_CHECKING:
    import duckdb

#: How a DuckDB file begins, after a checksum.
_MAGIC = slice(8, 12), b"DUCK"
#: Columns of ``meta.release``, in order.
MANIFEST = (
    "release, released_at, as_of, git_revision, dbt_version, engine, "
    "project_fingerprint, invocation_id"
)
#: A file's own pages before its blocks.
_HEADER_BYTES = 3 * 4096
#: Longer names are none of ours: a release's number has 64 bits.
_MOST_DIGITS = 15


_shutting = threading.Lock()


class UnreadableError(AceError):
    """A file that should be a release cannot be read."""

    path: Path
    #: Why, without the file's name: "is damaged: ...".
    what: str

    @classmethod
    def of(cls, path: Path, what: str, hint: str = "") -> UnreadableError:
        error = cls(f"{path} {what}.", hint)
        error.path, error.what = path, what
        return error


def _number(name: str) -> int | None:
    stem, ending, rest = name.partition(".duckdb")
    plain = stem.isascii() and stem.isdecimal() and not stem.startswith("0")
    return int(stem) if plain and ending and not rest and len(stem) <= _MOST_DIGITS else None


def release_paths(home: Path) -> dict[int, Path]:
    """Number to path of everything under ``home`` with a release's name, ascending.

    Also of what is no file: its number is taken.
    """
    folder = home / "releases"
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = os.listdir(folder)
    found = {number: folder / name for name in names if (number := _number(name)) is not None}
    return dict(sorted(found.items()))


def release_files(home: Path) -> dict[int, Path]:
    """Number to file of every DuckDB release under ``home``, readable or not, ascending."""
    return {number: path for number, path in release_paths(home).items() if path.is_file()}


def current_release(home: Path) -> int | None:
    """Number of the release ``current.duckdb`` points to (there or not), or None."""
    try:
        target = os.readlink(home / "current.duckdb")
    except OSError:
        return None
    return _number(Path(target).name)


def open_file(path: Path, number: int | None = None) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file so that it can only be read; UnreadableError says what is wrong.

    With a ``number`` it must hold that release. Queries reach no other file, here and in all
    that this process opens of it: DuckDB has a file open once.
    """
    import duckdb

    what = _no_file(path)
    if what:
        raise UnreadableError.of(path, what)
    try:
        # Without settings: DuckDB opens a file again only in the way it was opened before, and
        # programs open it by its name alone. Absolute: "sqlite:x" would ask for an extension.
        connection = duckdb.connect(str(path.absolute()), read_only=True)
    except duckdb.Error as error:
        raise UnreadableError.of(path, explain(path, error)) from None
    try:
        _shut(connection, path)
        _check(connection, path, number)
    except UnreadableError:
        connection.close()
        raise
    return connection


def can_be_read(path: Path, number: int) -> bool:
    """Whether a file opens and holds release ``number``."""
    try:
        open_file(path, number).close()
    except UnreadableError:
        return False
    return True


def _shut(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Turn access to other files off, which cannot be turned on again while the file is open."""
    import duckdb

    try:
        with _shutting:
            setting = "current_setting('enable_external_access')"
            if connection.execute(f"select {setting}").fetchall() == [(True,)]:
                connection.execute("set enable_external_access = false")
    except duckdb.InvalidInputException:
        raise UnreadableError.of(
            path, "is open in this process with settings that are locked and let queries read files"
        ) from None


def _check(connection: duckdb.DuckDBPyConnection, path: Path, number: int | None) -> None:
    import duckdb

    try:
        [(block, blocks, free)] = connection.execute(
            "select block_size, total_blocks, free_blocks from pragma_database_size()"
        ).fetchall()
        missing = blocks * block + _HEADER_BYTES - path.stat().st_size
        # Free blocks at the end may be counted and not there: whole ones, after large builds.
        if missing > 0 and (missing % block or missing > free * block):
            raise UnreadableError.of(path, f"is damaged: its last {missing:,} bytes are missing")
        if number is not None:
            held = connection.execute(f"select {MANIFEST} from meta.release").fetchall()
            which = held[0][0] if len(held) == 1 else None
            if which != number:
                other = "no release" if which is None else f"release {which}, not {number}"
                raise UnreadableError.of(path, f"holds {other}")
    except (duckdb.Error, OSError) as error:
        raise UnreadableError.of(path, explain(path, error)) from None


def is_damage(error: Exception) -> bool:
    """Whether a query failed because of the file, not because of its words."""
    import duckdb

    signs = ("corrupt database file", "could not read", "checksum", "has been invalidated")
    text = str(error).lower()
    broken = (duckdb.InternalException, duckdb.SerializationException, duckdb.FatalException)
    return isinstance(error, broken) or any(sign in text for sign in signs)


def _no_file(path: Path) -> str:
    """What stands where the file should be; nothing when it is a file with something in it."""
    if path.is_file():
        with contextlib.suppress(OSError), path.open("rb") as file:
            head = file.read(_MAGIC[0].stop)
            if not head:
                return "is empty"
            # Of what it does not know, DuckDB would look for an extension.
            if head[_MAGIC[0]] != _MAGIC[1]:
                return "is not a readable DuckDB file"
        return ""
    if path.is_dir():
        return "is a folder"
    if path.exists():
        return "is not a file"
    return "is a link that leads to nothing" if path.is_symlink() else "is missing"


def explain(path: Path, error: Exception) -> str:
    """What an error says about the file, without the file's name."""
    import duckdb

    text = " ".join(str(error).split()) or type(error).__name__
    if "Could not set lock" in text:
        process = re.search(r"PID (\d+)", text)
        return f"is held open by {f'process {process[1]}' if process else 'another program'}"
    if "different configuration" in text:
        return "is open in this process otherwise than read-only and without settings"
    if "storage version" in text or "version number" in text:
        return "was written by another version of DuckDB"
    if isinstance(error, (duckdb.CatalogException, duckdb.BinderException)):
        return "holds no release"
    if isinstance(error, duckdb.PermissionException) or "not a valid DuckDB" in text:
        return "is not a readable DuckDB file"
    if "Permission denied" in text:
        return "may not be read by this user"
    told = re.sub(r"^(IO|Serialization|INTERNAL|FATAL|Fatal|Internal) Error: ", "", text)
    told = told.replace(f'file "{path.absolute()}"', "file").rstrip(".")
    return f"is damaged: {told[:1].lower()}{told[1:200]}"
