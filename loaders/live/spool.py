"""The answers of one run, on a local disk until they have landed.

Binary: each entry is its length (8 hexadecimal digits and a line break) and a zstd frame of a
line of JSON and a body. An entry that a crash cut off is cut away when the spool is opened again.
The first entry is the head: the options and what the program was given.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import zstandard

from loaders.jsontext import canonical_json, parse_json
from loaders.landing.metadata import iso, parse_iso
from loaders.landing.storage import explain
from loaders.live.asks import Answer, Ask

ENDING = ".spool"
_LENGTH = 9
#: Headers that are worth keeping with an answer.
_KEPT = ("content-range", "x-business-use-case-usage", "x-app-usage", "date")


class Spool:
    """One run's entries; a context manager that holds the run's lock.

    :attr:`free` is False where another process holds it: nothing else may be used then.
    Raises AceError when the disk cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.free = False
        self._file: BinaryIO | None = None
        self._end = 0
        self._heads: list[tuple[int, dict[str, Any]]] = []

    def __enter__(self) -> Spool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
                file = os.fdopen(os.open(self.path, flags, 0o600), "r+b")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    return self
                with contextlib.suppress(FileNotFoundError):
                    # Not one that its run has just removed.
                    if os.path.samestat(os.stat(self.path), os.fstat(file.fileno())):
                        break
                file.close()
        except OSError as error:
            raise explain(error, str(self.path)) from None
        self._file = file
        self._open()
        self.free = True
        return self

    def __exit__(self, *error: Any) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def is_empty(self) -> bool:
        return not self._heads

    @property
    def heads(self) -> list[tuple[int, dict[str, Any]]]:
        """The place of every entry and the entry without its body, the first of all first."""
        return self._heads

    def append(self, entry: dict[str, Any], body: str = "") -> None:
        """Write one entry; when it returns, a crash does not take it away."""
        assert self._file is not None
        head = _encoded(entry)
        packed = zstandard.ZstdCompressor(level=1).compress(head + b"\n" + body.encode())
        try:
            self._file.seek(self._end)
            self._file.write(b"%08x\n" % len(packed) + packed)
            self._file.flush()
            getattr(os, "fdatasync", os.fsync)(self._file.fileno())
        except OSError as error:
            raise explain(error, str(self.path)) from None
        # As it will be read after a crash: a program must not see a difference.
        self._heads.append((self._end, parse_json(head)))
        self._end += _LENGTH + len(packed)

    def entry(self, at: int) -> tuple[dict[str, Any], str]:
        """The entry and its body at a place of :attr:`heads`."""
        assert self._file is not None
        self._file.seek(at)
        length = int(self._file.read(_LENGTH), 16)
        return _unpacked(self._file.read(length))

    def remove(self) -> None:
        """Everything has landed and nothing is to be gone on with."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def clear(self) -> None:
        """Everything has landed; another run begins."""
        assert self._file is not None
        self._file.truncate(0)
        self._end, self._heads = 0, []

    def _open(self) -> None:
        """Look at every entry; what follows the last whole one is cut away. A crash of the
        machine may leave a length without its entry, too."""
        assert self._file is not None
        size = os.fstat(self._file.fileno()).st_size
        while self._end + _LENGTH <= size:
            self._file.seek(self._end)
            try:
                after = self._end + _LENGTH + int(self._file.read(_LENGTH), 16)
                if after > size:
                    break
                entry, _ = _unpacked(self._file.read(after - self._end - _LENGTH))
            except (ValueError, zstandard.ZstdError):
                break
            self._heads.append((self._end, entry))
            self._end = after
        self._file.truncate(self._end)


def _unpacked(packed: bytes) -> tuple[dict[str, Any], str]:
    text = zstandard.ZstdDecompressor().decompress(packed).decode()
    entry, _, body = text.partition("\n")
    return parse_json(entry), body


def _encoded(entry: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(entry)
    except (TypeError, ValueError):
        return canonical_json(entry)[0].encode()


def keep(spool: Spool, ask: Ask, answer: Answer) -> None:
    """Append one answer."""
    kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    entry = {"ask": asdict(ask), "status": answer.status, "at": iso(answer.at), "headers": kept}
    spool.append(entry, answer.text)


def opened(entry: dict[str, Any], body: str) -> tuple[Ask, Answer]:
    """What :func:`keep` kept."""
    at = parse_iso(entry["at"])
    assert isinstance(at, datetime)
    return Ask(**entry["ask"]), Answer(entry["status"], body, at, entry["headers"])
