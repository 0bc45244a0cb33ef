"""The parsed project, kept between builds: dbt takes seconds to find out that nothing changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.settings import PROJECT_ROOT

#: What another home begins with: the project is the same for all of them.
OF_ALL_HOMES = PROJECT_ROOT / ".parsed"
#: So many are kept there: of engines, and of databases whose names relations begin with.
OF_ALL_HOMES_AT_MOST = 4


class Kept:
    """A file beside dbt's own that holds the project as it was last parsed, and a copy ``beside``
    the project, where that can be written."""

    def __init__(
        self,
        folder: Path,
        fingerprint: str,
        environment: Mapping[str, str],
        beside: Path | None = OF_ALL_HOMES,
    ) -> None:
        # What the names of relations begin with. Where the build file lies is not among it: that
        # may be reached by a link which is called otherwise every time.
        database = environment.get("ACE_PG_DATABASE") or Path(environment["ACE_WAREHOUSE"]).stem
        told = "\0".join([fingerprint, str(PROJECT_ROOT), database])
        self._folder, self._beside = folder, beside
        self._name = f"parsed-{hashlib.sha256(told.encode()).hexdigest()[:32]}.msgpack"

    def read(self) -> Any | None:
        """The manifest, for one run of dbt (which changes it); None where it was not kept."""
        from dbt.contracts.graph.manifest import Manifest

        for folder in (self._folder, self._beside):
            # Cut short or of another version: the project is parsed anew.
            with contextlib.suppress(Exception):
                if folder:
                    return Manifest.from_msgpack((folder / self._name).read_bytes())
        return None

    def write(self, manifest: Any) -> None:
        """Keep a manifest that no run has changed yet, instead of those of other projects."""
        content = manifest.to_msgpack()
        self._keep(self._folder, content, at_most=1)
        if self._beside:
            # Where the project can only be read, each home parses it.
            with contextlib.suppress(OSError):
                self._keep(self._beside, content, OF_ALL_HOMES_AT_MOST)

    def _keep(self, folder: Path, content: bytes, at_most: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{self._name}.{os.getpid()}"
        temporary.write_bytes(content)
        temporary.replace(folder / self._name)
        ages = {}
        for file in folder.glob("parsed-*"):
            # Another build may have removed it.
            with contextlib.suppress(FileNotFoundError):
                ages[file] = file.stat().st_mtime_ns
        for old in sorted(ages, key=ages.__getitem__)[:-at_most]:
            old.unlink(missing_ok=True)
