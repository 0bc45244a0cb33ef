"""What can happen to any command, as a sentence: the disk, permissions, memory, an engine.

Code that knows more about its own failures says so itself; this is for all the others.
"""

from __future__ import annotations

import errno
import os
import sys

from common.errors import AceError

#: Engines' words for a full disk; their exceptions carry no error number.
_FULL = ("No space left on device", "Disk quota exceeded", "disk full", "offload data block")


def as_sentence(error: BaseException) -> AceError | None:
    """The error as users see it; None for what only a mistake in the code can cause."""
    if isinstance(error, AceError):
        return error
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error)
    if isinstance(error, MemoryError):
        return AceError(
            "There is not enough memory.", "Close other programs, or work on less at a time."
        )
    kind = type(error).__module__.partition(".")[0].lstrip("_")
    text = _first_line(str(error))
    if any(words in str(error) for words in _FULL):
        return AceError("The disk is full.", f"Free some space and run it again. ({text})")
    if isinstance(error, OSError):
        return AceError(
            f"A file could not be read or written: {text}", "Look at it, and try again."
        )
    if kind == "duckdb":
        return AceError(
            f"DuckDB failed: {text}",
            "Run it again; if it comes back, 'ace --debug ...' shows where.",
        )
    if kind == "psycopg":
        return AceError(f"Postgres failed: {text}", "Check the server, and run it again.")
    return None


def _of_system(error: OSError) -> AceError:
    where = _where(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AceError(
            f"The disk that holds {where} is full.",
            "Free some space and run it again; nothing half-written was kept.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AceError(
            f"No permission for {where}: {error.strerror}.",
            "Change its owner or mode, or set ACE_HOME to a folder of your own.",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return AceError(
            "Too many files are open at once.", "Raise the limit (ulimit -n), and run it again."
        )
    return AceError(f"{where} failed: {error.strerror or error}.", "Look at it, and try again.")


def _where(error: OSError) -> str:
    """The file meant; for one that is only written on the way, its folder."""
    name = error.filename2 or error.filename
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if not isinstance(name, str):
        return "what is written or read"
    folder, base = os.path.split(os.path.abspath(name))
    return folder if base.startswith((".tmp-", ".")) else name


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    line = (lines or ["no reason given"])[0].partition(" Arguments: (")[0]
    return line[:300].rstrip(".") + "."


def quiet_output() -> None:
    """Nobody reads any more: what is still to be written goes nowhere, without a word."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
