"""What a release was built with: one hash over the project, cheap enough for every call."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from warehouse.settings import PROJECT_ROOT

#: Files whose content decides what a build makes.
PARTS = ("dbt_project.yml", "profiles", "models", "macros", "seeds", "tests/dbt")
SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md"}


def _files(root: Path) -> Iterator[Path]:
    for part in PARTS:
        path = root / part
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(
                file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file()
            )


def project_fingerprint(
    target: str, variables: Mapping[str, str] | None = None, root: Path | None = None
) -> str:
    """Hash of everything besides the landed data that decides the rows of a build."""
    root = root or PROJECT_ROOT
    digest = hashlib.sha256()
    for file in _files(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    tools = [f"{name} {version(name)}" for name in ("dbt-core", f"dbt-{target}", "duckdb")]
    settings = [f"{name}={value}" for name, value in sorted((variables or {}).items())]
    digest.update("\0".join([target, *tools, *settings]).encode())
    return digest.hexdigest()[:32]


def git_revision(root: Path = PROJECT_ROOT) -> str | None:
    """Commit of the project, with ``-dirty`` when files differ from it; None without git."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
