"""Files of the landing zone, on a local disk or behind an fsspec URL.

Both commit atomically: locally a finished, synced temporary file is renamed;
on an object store the finished file is uploaded, and the upload is the commit.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from common.errors import AceError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

#: How the name of a file begins that is still being written.
TEMPORARY = ".tmp-"
#: Nothing writes this long without a word: the file's writer was killed.
LEFT_OVER_SECONDS = 24 * 3600


def explain(error: BaseException, where: str) -> AceError:
    """The sentence for an operating-system error while writing ``where``."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return AceError(
            f"The disk that holds {where} is full.",
            "Nothing half-written was kept; free some space and run the command again.",
        )
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return AceError(
            f"No permission to write {where}.",
            "Change the folder's owner or point ACE_LANDING somewhere writable.",
        )
    if isinstance(error, NotADirectoryError | FileExistsError):
        return AceError(
            f"{where} cannot be written because a file stands where a folder belongs.",
            "Move that file away or point ACE_LANDING somewhere else.",
        )
    reason = getattr(error, "strerror", None) or str(error)
    text = " ".join(reason.split())[:200] or type(error).__name__
    return AceError(f"{where} cannot be written: {text}.", "Check the landing path (ACE_LANDING).")


class Storage:
    """Relative names (``files/products/x.parquet``) below one root."""

    def __init__(self, url: str | os.PathLike[str]) -> None:
        text = os.fspath(url)
        if text.startswith("file://"):
            text = text.removeprefix("file://")
        self.local = "://" not in text
        self._fs: Any = None
        if self.local:
            self.root = os.path.abspath(text)
            return
        import fsspec

        try:
            self._fs, self.root = fsspec.core.url_to_fs(text)
        except (ImportError, ValueError) as error:
            scheme = text.partition("://")[0]
            raise AceError(
                f"The landing URL {scheme}://... cannot be used: {error}.",
                "Install what it needs, for example: pip install 'ace-warehouse[s3]'.",
                exit_code=2,
            ) from None
        self._scheme = text.partition("://")[0]

    def location(self, name: str) -> str:
        """Full path or URL of a relative name."""
        if self.local:
            return os.path.join(self.root, name)
        return f"{self._scheme}://{str(PurePosixPath(self.root) / name).lstrip('/')}"

    def relative(self, location: str) -> str:
        """The name of a file of which :meth:`location` gave the full path or URL."""
        return location.removeprefix(self.location("").rstrip("/") + "/")

    def _path(self, name: str) -> str:
        return str(PurePosixPath(self.root) / name)

    def names(self, folder: str, endings: str | tuple[str, ...] = ".parquet") -> list[str]:
        """Committed files of a kind in a folder, Parquet as a rule, as relative names, sorted.

        Names that begin with ``.`` (unfinished) or ``_`` (schemas) do not count.
        """
        if self.local:
            try:
                found = os.listdir(os.path.join(self.root, folder))
            except (FileNotFoundError, NotADirectoryError):
                return []
            except OSError as error:
                raise AceError(
                    f"{self.location(folder)} cannot be read: {error.strerror}.",
                    "Check the folder's permissions.",
                ) from None
        else:
            self._fs.invalidate_cache()
            try:
                entries = self._fs.ls(self._path(folder), detail=False)
            except FileNotFoundError:
                return []
            found = [PurePosixPath(entry).name for entry in entries]
        kept = [n for n in found if n.endswith(endings) and n[0] not in "._"]
        return [f"{folder}/{n}" for n in sorted(kept)]

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders directly inside a folder, sorted."""
        if self.local:
            base = os.path.join(self.root, folder)
            try:
                return sorted(e.name for e in os.scandir(base) if e.is_dir())
            except (FileNotFoundError, NotADirectoryError):
                return []
        self._fs.invalidate_cache()
        try:
            entries = self._fs.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        found = [e["name"] for e in entries if e["type"] == "directory"]
        return sorted(PurePosixPath(name).name for name in found)

    def exists(self, name: str) -> bool:
        if self.local:
            return os.path.exists(os.path.join(self.root, name))
        return bool(self._fs.exists(self._path(name)))

    def modified(self, name: str) -> float:
        """Seconds since 1970 when the file was committed."""
        if self.local:
            return os.path.getmtime(os.path.join(self.root, name))
        return float(self._fs.modified(self._path(name)).timestamp())

    def size(self, name: str) -> int:
        if self.local:
            return os.path.getsize(os.path.join(self.root, name))
        return int(self._fs.size(self._path(name)))

    @contextlib.contextmanager
    def reader(self, name: str) -> Iterator[pq.ParquetFile]:
        """The file opened as Parquet; FileNotFoundError when it is gone."""
        import pyarrow.parquet as pq

        if self.local:
            with pq.ParquetFile(os.path.join(self.root, name)) as file:
                yield file
            return
        with self._fs.open(self._path(name), "rb") as raw, pq.ParquetFile(raw) as file:
            yield file

    def put(self, name: str, data: bytes) -> None:
        """Write a small object at once; on an object store."""
        self._fs.pipe_file(self._path(name), data)

    def get(self, name: str) -> bytes:
        """All of an object of an object store."""
        return bytes(self._fs.cat_file(self._path(name)))

    def temporary(self, name: str) -> Path:
        """Where to write a file that :meth:`commit` will put at ``name``."""
        if not self.local:
            handle, path = tempfile.mkstemp(prefix="ace-", suffix=".parquet")
            os.close(handle)
            return Path(path)
        target = Path(self.root, name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain(error, str(target.parent)) from None
        return target.with_name(f"{TEMPORARY}{os.getpid()}-{target.name}")

    def commit(self, temporary: Path, name: str, *, durable: bool = True) -> str:
        """Make a finished temporary file visible at ``name``; returns its location.

        What can be made again at any time need not be ``durable``.
        """
        if not self.local:
            self._fs.put_file(str(temporary), self._path(name))
            discard(temporary)
            return self.location(name)
        target = os.path.join(self.root, name)
        if durable:
            _sync(temporary)
        os.replace(temporary, target)
        if durable:
            _sync(os.path.dirname(target))
        return target

    def sweep(self, older_than: float = LEFT_OVER_SECONDS) -> int:
        """Delete temporary files that nobody has written to for so long (seconds): a
        killed process left them. Returns how many; object stores have none.
        """
        swept = 0
        limit = time.time() - older_than
        for folder, _, names in os.walk(self.root) if self.local else ():
            for name in names:
                if not name.startswith(TEMPORARY):
                    continue
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if os.path.getmtime(path) < limit:
                        os.unlink(path)
                        swept += 1
        return swept

    def move(self, name: str, target: str) -> None:
        """Give a file another name, in one step on a local disk."""
        if not self.local:
            self._fs.mv(self._path(name), self._path(target))
            return
        place = Path(self.root, target)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(os.path.join(self.root, name), place)
            for folder in (place.parent, os.path.dirname(os.path.join(self.root, name))):
                _sync(folder)
        except OSError as error:
            raise explain(error, str(place)) from None

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.local:
                os.unlink(os.path.join(self.root, name))
            else:
                self._fs.rm_file(self._path(name))

    def write_table(
        self, table: pa.Table, name: str, metadata: bytes | None = None, *, durable: bool = True
    ) -> str:
        """Write and commit a small table in one go."""
        import pyarrow.parquet as pq

        temporary = self.temporary(name)
        try:
            with pq.ParquetWriter(temporary, table.schema, compression="zstd") as writer:
                writer.write_table(table)
                if metadata is not None:
                    writer.add_key_value_metadata({b"ace": metadata})
            return self.commit(temporary, name, durable=durable)
        except OSError as error:
            discard(temporary)
            raise explain(error, self.location(name)) from None
        except BaseException:
            discard(temporary)
            raise


def discard(path: Path) -> None:
    """Remove a temporary file if possible; readers ignore it otherwise."""
    with contextlib.suppress(OSError):
        path.unlink()


def _sync(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
