"""The parsed project, kept between builds: dbt takes seconds to find out that nothing changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.settings import PROJECT_ROOT


class Kept:
    """A file beside dbt's own that holds the project as it was last parsed."""

    def __init__(self, folder: Path, fingerprint: str, environment: Mapping[str, str]) -> None:
        # What the names of relations begin with. Where the build file lies is not among it: that
        # may be reached by a link which is called otherwise every time.
        database = environment.get("ACE_PG_DATABASE") or Path(environment["ACE_WAREHOUSE"]).stem
        told = "\0".join([fingerprint, str(PROJECT_ROOT), database])
        self._folder = folder
        self._file = folder / f"parsed-{hashlib.sha256(told.encode()).hexdigest()[:32]}.msgpack"

    def read(self) -> Any | None:
        """The manifest, for one run of dbt (which changes it); None where it was not kept."""
        from dbt.contracts.graph.manifest import Manifest

        # Cut short or of another version: the project is parsed anew.
        with contextlib.suppress(Exception):
            return Manifest.from_msgpack(self._file.read_bytes())
        return None

    def write(self, manifest: Any) -> None:
        """Keep a manifest that no run has changed yet, instead of those of other projects."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("parsed-*"):
            old.unlink(missing_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(manifest.to_msgpack())
        temporary.replace(self._file)
