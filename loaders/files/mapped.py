"""Whether the paths of ``--map`` are in a file at all: a misspelt one would land as null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from common.errors import AceError
from loaders.files.mapping import found_at, near, paths_in
from loaders.jsontext import parse_json

#: Records whose paths are remembered, to name the nearest.
_RECORDS = 300
_PATHS = 5_000


class MappedPaths:
    """Looks for the mapped paths in records until each was met once."""

    def __init__(self, maps: Mapping[str, str]) -> None:
        self._columns = {path: column for column, path in maps.items()}
        #: Paths not met yet.
        self.open = set(self._columns)
        #: Those that a record had no place for.
        self._missed: set[str] = set()
        self._known: dict[str, None] = {}
        self._looked = 0

    def look(self, record: dict[str, Any]) -> None:
        for path in tuple(self.open):
            has = found_at(record, path)[1]
            if has:
                self.open.discard(path)
            elif has is False:
                self._missed.add(path)
        if self.open and self._looked < _RECORDS and len(self._known) < _PATHS:
            self._looked += 1
            # Suggestions name places of lists as the user did.
            for place in dict.fromkeys(("*" if "*" in path else "0") for path in self.open):
                self._known.update(dict.fromkeys(paths_in(record, place)))

    def look_at_lines(self, block: bytes) -> None:
        """The same for clean lines of JSON, in which every path is a field's name."""
        for path in tuple(self.open):
            if json.dumps(path, ensure_ascii=False).encode() in block:
                self.open.discard(path)
        if self.open:
            # Escapes can hide a name: what is left is looked for record by record.
            for line in block.split(b"\n"):
                if not self.open or self._looked >= _RECORDS:
                    break
                if line.strip():
                    self.look(parse_json(line))

    def check(self, name: str) -> None:
        """AceError when a path was in no record of the file of that name."""
        for path, column in self._columns.items():
            if path in self.open and path in self._missed:
                raise AceError(
                    f"--map {column}={path}: no record of {name} has '{path}'.",
                    near(path, self._known),
                    exit_code=2,
                )
