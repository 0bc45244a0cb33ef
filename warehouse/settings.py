"""Where things are and how to reach them: environment, ``.env``, ``ace.toml``.

Precedence: environment variable, then ``.env``, then ``ace.toml`` (keys without
the ``ACE_`` prefix, lower case), then the default. Read once per process.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from loaders.errors import UsageError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("duckdb", "postgres", "spark")


@dataclass(frozen=True)
class Settings:
    """Effective configuration of one process."""

    home: Path
    target: str
    landing: str
    postgres_url: str | None
    supabase_dsn: str | None
    #: Every other ``ACE_*`` value found (credentials of sources).
    extra: dict[str, str]

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that builds work on; readers never open it."""
        return self.home / "warehouse.duckdb"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def current(self) -> Path:
        """Symbolic link to the newest release file."""
        return self.home / "current.duckdb"


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, found, value = text.partition("=")
        if not found:
            raise UsageError(
                f"{path}, line {number} is not NAME=value.", "Write one NAME=value per line."
            )
        values[name.strip()] = value.strip().strip("'\"")
    return values


def _read_toml(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", "Mend the line it names.") from None
    return {f"ACE_{name.upper()}": str(value) for name, value in content.items()}


@cache
def settings() -> Settings:
    """The effective settings; raises UsageError for a value nobody understands."""
    root = Path.cwd()
    values = _read_toml(root / "ace.toml") | _read_dotenv(root / ".env") | dict(os.environ)
    home = Path(values.get("ACE_HOME") or "data").absolute()
    target = values.get("ACE_TARGET") or "duckdb"
    if target not in TARGETS:
        raise UsageError(f"ACE_TARGET is '{target}'.", f"It must be one of: {', '.join(TARGETS)}.")
    return Settings(
        home=home,
        target=target,
        landing=values.get("ACE_LANDING") or str(home / "landing"),
        postgres_url=values.get("ACE_POSTGRES_URL"),
        supabase_dsn=values.get("ACE_SUPABASE_DSN"),
        extra={k: v for k, v in values.items() if k.startswith("ACE_")},
    )
