"""Columns that only a file's folders have: ``platform=tiktok/dt=2024-07-01/part.parquet``."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import unquote

#: What Hive and Spark write for null.
_NULL = "__HIVE_DEFAULT_PARTITION__"


def in_path(path: PurePath) -> dict[str, str]:
    """Names and values of the folders on a path as it was given, those that are null left out."""
    found = {}
    for folder in path.parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals and name.strip() and value not in ("", _NULL):
            found[unquote(name).strip()] = unquote(value)
    return found
