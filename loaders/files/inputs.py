"""Which files a call means, and their bytes: globs, folders, .gz and .zst."""

from __future__ import annotations

import glob
import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from common.errors import AceError
from loaders.files import encodings
from loaders.jsontext import clean_text

Format = Literal["csv", "json", "lines", "parquet"]

#: Extensions picked up when a folder is given, and the format each stands for.
EXTENSIONS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".ndjson": "lines",
    ".jsonl": "lines",
    ".parquet": "parquet",
    ".pq": "parquet",
}
#: What tables of many files keep beside their data.
_KEPT_ASIDE = ("_delta_log", "_spark_metadata", "_temporary")
_COMPRESSED = (".gz", ".zst")
#: First bytes of files people mistake for data.
_FOREIGN = {
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF",
    b"SQLite format": "a SQLite database",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
}


@dataclass
class Found:
    """Files to load, and arguments that named none (message, hint)."""

    files: list[Path] = field(default_factory=list)
    missing: list[tuple[str, AceError]] = field(default_factory=list)


def find_files(paths: Iterable[str | os.PathLike[str]]) -> Found:
    """Expand globs and folders (recursively); each file once, in the order given."""
    found = Found()
    seen: set[str] = set()
    for given in paths:
        text = os.path.expanduser(os.fspath(given))
        matches = [text] if os.path.lexists(text) else sorted(glob.glob(text, recursive=True))
        if not matches:
            found.missing.append((text, _missing(text)))
        for match in matches:
            files = _inside(match) if os.path.isdir(match) else [match]
            if not files:
                found.missing.append(
                    (
                        match,
                        AceError(
                            f"The folder {match} holds no CSV, JSON, NDJSON or Parquet file.",
                            f"Files count when they end in {', '.join(EXTENSIONS)} "
                            "(also with .gz or .zst).",
                            exit_code=2,
                        ),
                    )
                )
            for file in files:
                real = os.path.realpath(file)
                if real not in seen:
                    seen.add(real)
                    found.files.append(Path(file))
    return found


def _missing(text: str) -> AceError:
    if not text.strip():
        return AceError("One of the paths is empty.", "Name a file or a folder.", exit_code=2)
    if glob.has_magic(text):
        return AceError(
            f"No file matches {text}.", "Check the pattern and the folder.", exit_code=2
        )
    near = [n for n in _siblings(text) if n.lower() == os.path.basename(text).lower()]
    hint = f"Did you mean {near[0]}?" if near else "Check the path."
    return AceError(f"There is no file {text}.", hint, exit_code=2)


def _siblings(text: str) -> list[str]:
    try:
        return os.listdir(os.path.dirname(text) or ".")
    except OSError:
        return []


def _inside(folder: str) -> list[str]:
    files = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _KEPT_ASIDE)
        files += [
            os.path.join(base, name)
            for name in sorted(names)
            if not name.startswith(".") and format_by_name(name) is not None
        ]
    return files


def format_by_name(name: str) -> Format | None:
    """The format an extension stands for; None for an unknown one."""
    stem, extension = os.path.splitext(name.lower())
    if extension in _COMPRESSED:
        extension = os.path.splitext(stem)[1]
    return EXTENSIONS.get(extension)


class Input:
    """One file: its bytes, decompressed, with progress, and as UTF-8.

    ``encoding`` is the one that was asked for (see :func:`encodings.checked`).
    """

    def __init__(
        self,
        path: Path,
        on_bytes: Callable[[int], None] | None = None,
        encoding: str | None = None,
    ) -> None:
        self.path = path
        self.name = clean_text(str(path))
        self._on_bytes = on_bytes
        self._asked = encoding
        self._encoding: str | None = None
        #: Bytes that are not UTF-8 are Windows-1252 throughout; set by :meth:`format`.
        self.windows_1252 = False
        try:
            if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
                raise AceError(
                    f"{self.name} is a pipe or a device, not a file.",
                    "Write its contents into a file first: it is read more than once.",
                    exit_code=2,
                )
            with open(path, "rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                self.modified = os.fstat(file.fileno()).st_mtime
                head = file.read(16)
        except OSError as error:
            raise unreadable(self.name, error) from None
        if not head:
            raise AceError(f"{self.name} is empty.", "Export it again, or leave it out.")
        self.compression = (
            "gz" if head.startswith(b"\x1f\x8b") else
            "zst" if head.startswith(b"\x28\xb5\x2f\xfd") else None
        )  # fmt: skip
        for magic, what in _FOREIGN.items():
            if head.startswith(magic):
                raise AceError(
                    f"{self.name} is {what}, not CSV, JSON or Parquet.",
                    "Unpack or export it to one of those first.",
                )
        if self.compression is None and path.suffix.lower() in _COMPRESSED:
            raise AceError(
                f"{self.name} is named {path.suffix} but is not compressed that way.",
                "Rename it or compress it again.",
            )

    def open(self) -> IO[bytes]:
        """The decompressed bytes from the start."""
        file = open(self.path, "rb", buffering=0)  # noqa: SIM115 (the caller closes it)
        raw: Any = _Counted(file, self._on_bytes)
        if self.compression == "gz":
            return io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20)
        if self.compression == "zst":
            return io.BufferedReader(_Zstd(raw), 1 << 20)
        return io.BufferedReader(raw, 1 << 20)

    def head(self, opened: Callable[[], IO[bytes]]) -> bytes:
        """The first bytes of what :meth:`open` or :meth:`text` give; AceError when even those
        cannot be read.
        """
        try:
            with opened() as file:
                return file.read(encodings.SAMPLE_BYTES)
        except DAMAGED as error:
            raise unreadable(self.name, error) from None

    def text(self) -> IO[bytes]:
        """The text from the start, without a byte order mark: in UTF-8 but for bytes that
        nobody expected there. Known after :meth:`format`.
        """
        file = self.open()
        if self._encoding is not None:
            return io.BufferedReader(encodings.Utf8(file, self._encoding, self.name), 1 << 20)
        mark = b"\xef\xbb\xbf"
        if isinstance(file, io.BufferedReader) and file.peek(3).startswith(mark):
            file.read(len(mark))
        return file

    def format(self) -> Format:
        """By content where that is certain, else by extension, else CSV; for text, also in which
        encoding it is. Raises AceError for one that cannot be told.
        """
        head = self.head(self.open)
        if not head:
            raise AceError(f"{self.name} is empty once unpacked.", "Export it again.")
        if head.startswith(b"PAR1"):
            if self._asked is not None:
                raise AceError(
                    f"--encoding is for CSV and JSON; {self.name} is PARQUET.",
                    "Leave it out for this file.",
                    exit_code=2,
                )
            return "parquet"
        named = format_by_name(self.path.name)
        if named == "parquet":
            raise AceError(
                f"{self.name} is named like Parquet but is not.", "Rename it to what it holds."
            )
        self._encoding = encodings.encoding_of(head, self._asked, self.name)
        if self._encoding is not None:
            head = self.head(self.text)
        kind = self._of_text(head.removeprefix(b"\xef\xbb\xbf"), named)
        self.windows_1252 = encodings.judge(head, self.name, kind)
        return kind

    def _of_text(self, head: bytes, named: Format | None) -> Format:
        if named in ("csv", "lines"):
            return named
        start = head.lstrip()
        if named is None and start[:1] not in (b"{", b"["):
            return "csv"
        return "lines" if _is_lines(start) else "json"


def _is_lines(start: bytes) -> bool:
    """Whether the first line is a whole JSON object with more behind it."""
    from loaders.jsontext import parse_json

    line, newline, rest = start.partition(b"\n")
    if not newline or not rest.strip() or not line.startswith(b"{"):
        return False
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False


#: What reading damaged or vanished bytes raises.
DAMAGED: tuple[type[BaseException], ...] = (OSError, EOFError, zlib.error)


def unreadable(name: str, error: BaseException) -> AceError:
    """The sentence for a file that cannot be read."""
    if isinstance(error, PermissionError):
        return AceError(f"No permission to read {name}.", "Change its owner or mode.")
    if isinstance(error, FileNotFoundError):
        return AceError(f"{name} is gone or is a broken link.", "Check the path.", exit_code=2)
    if isinstance(error, IsADirectoryError):
        return AceError(f"{name} is a folder.", "Name a file, or a folder with data files in it.")
    text = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
    return AceError(f"{name} cannot be read: {text}.", "Copy or export it again.")


class _Counted(io.RawIOBase):
    """A raw file that reports how many bytes were read from it."""

    def __init__(self, file: io.RawIOBase, on_bytes: Callable[[int], None] | None) -> None:
        self._file = file
        self._on_bytes = on_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._file.readinto(buffer)
        if self._on_bytes is not None and count:
            self._on_bytes(count)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


#: Compressed bytes given to the decompressor at a time; out come 16 MiB at most.
_ZSTD_BYTES = 512


class _Zstd(io.RawIOBase):
    """Zstandard frames as one stream; unlike the library's own reader it raises
    EOFError for a file that ends early."""

    def __init__(self, file: io.RawIOBase) -> None:
        import zstandard

        self._file = file
        self._new = zstandard.ZstdDecompressor
        self._error = zstandard.ZstdError
        self._object: Any = None
        self._waiting = memoryview(b"")
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._waiting or memoryview(self._file.read(1 << 18) or b"")
            # A few bytes can stand for 128 KiB: little goes in, so that little comes out.
            data, self._waiting = data[:_ZSTD_BYTES], data[_ZSTD_BYTES:]
            if not data:
                if self._object is not None:
                    raise EOFError("the compressed data ends early")
                return 0
            if self._object is None:
                self._object = self._new().decompressobj()
            try:
                self._ready = memoryview(self._object.decompress(data))
            except self._error as error:
                raise OSError(f"damaged zstd data ({error})") from None
            if self._object.eof:
                unused = len(self._object.unused_data)
                self._waiting = memoryview(bytes(data[len(data) - unused :]) + self._waiting)
                self._object = None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
