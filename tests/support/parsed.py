"""The project as dbt parses it: once for all tests, because it takes as long as a small build."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from warehouse.build.dbt_run import _environment
from warehouse.build.fingerprint import project_fingerprint
from warehouse.build.parsed import Kept
from warehouse.settings import PROJECT_ROOT

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


def lend(home: Path, database: str = "warehouse", target: str = "duckdb") -> None:
    """Leave the project in a home as its first build would leave it there, having parsed it.

    For tests of what comes after: the tests of commands parse for themselves.
    """
    folder = home / "dbt" / target
    name = "ACE_PG_DATABASE" if target == "postgres" else "ACE_WAREHOUSE"
    with _environment({"ACE_HOME": str(home), name: database}):
        manifest = parsed_project(target, arguments(home, target))
    kept = Kept(folder, project_fingerprint(target), {name: database}, beside=None)
    kept.write(manifest)


def arguments(home: Path, target: str) -> list[str]:
    """What every command of dbt is told: which project, which engine, where to write."""
    return [
        *("--project-dir", str(PROJECT_ROOT)),
        *("--profiles-dir", str(PROJECT_ROOT / "profiles")),
        *("--target", target),
        *("--target-path", str(home / "target")),
        *("--log-path", str(home / "logs")),
        *("--log-level", "none"),
        *("--log-level-file", "none"),
        "--no-send-anonymous-usage-stats",
    ]


def _shared(target: str, arguments: Sequence[str]) -> Any:
    if shared is None:
        return _parse(arguments)
    folder = shared / target
    folder.mkdir(parents=True, exist_ok=True)
    kept = Kept(folder, "tests", {"ACE_WAREHOUSE": "tests"}, beside=None)
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
