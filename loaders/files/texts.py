"""Text of files that are not UTF-8 throughout: each record is judged by itself."""

from __future__ import annotations

import io
import re
from typing import IO

from loaders.files.encodings import WINDOWS_1252, mended
from loaders.files.inputs import Input

#: Bytes that are not UTF-8, as they stand in text.
ESCAPED = re.compile("[\udc80-\udcff]")


def as_text(source: Input, file: IO[bytes]) -> io.TextIOWrapper:
    """The file as text; bytes that nobody expected stay in it as escapes, for each record
    to be judged by itself. Line ends are kept as they are.
    """
    errors = WINDOWS_1252 if source.windows_1252 else "surrogateescape"
    return io.TextIOWrapper(file, "utf-8", errors, newline="")


def as_bytes(text: str) -> bytes:
    """The bytes that a text was read from."""
    return text.encode("utf-8", "surrogateescape")


def decoded(source: Input, raw: bytes) -> str:
    """The text of a record that may not be UTF-8. Raises NotText."""
    return raw.decode("utf-8", WINDOWS_1252) if source.windows_1252 else mended(raw)
