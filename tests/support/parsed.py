"""The project as dbt parses it: once for all tests, because it takes as long as a small build."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from warehouse.build.parsed import Kept

#: Where the processes of a test run share it; without a folder each parses for itself.
shared: Path | None = None

_manifests: dict[str, Any] = {}


def parsed_project(target: str, arguments: Sequence[str]) -> Any:
    """The manifest for one run of dbt, which changes it, in the database of the environment."""
    if target not in _manifests:
        _manifests[target] = _shared(target, arguments)
    manifest = _manifests[target].deepcopy()
    if target == "postgres":
        _move(manifest, os.environ["ACE_PG_DATABASE"])
    return manifest


def _shared(target: str, arguments: Sequence[str]) -> Any:
    if shared is None:
        return _parse(arguments)
    folder = shared / target
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder, "tests", {})
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = kept.read()
        if manifest is None:
            manifest = _parse(arguments)
            kept.write(manifest)
    return manifest


def _parse(arguments: Sequence[str]) -> Any:
    from dbt.cli.main import dbtRunner

    parsed = dbtRunner().invoke(["parse", *arguments])
    assert parsed.success, parsed.exception
    return parsed.result


def _move(manifest: Any, database: str) -> None:
    """Give the relations of a manifest the name of another database."""
    for node in (*manifest.nodes.values(), *manifest.sources.values()):
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"')
        node.database = database
