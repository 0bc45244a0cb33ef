"""Where things are and how to reach them: environment, ``.env``, ``ace.toml``.

Precedence: environment variable, then ``.env``, then ``ace.toml`` (keys without
the ``ACE_`` prefix, lower case), then the default. Read once per process.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from common.errors import UsageError

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

    @property
    def read_memory(self) -> str:
        """What a query on a release may use: ``ACE_READ_MEMORY_LIMIT``, or a share that leaves
        room for a build."""
        return self.extra.get("ACE_READ_MEMORY_LIMIT") or "25%"


#: What DuckDB takes for its memory.
_MEMORY = re.compile(r"\d+(\.\d+)?\s*([KMGT]i?B|%)", re.IGNORECASE)


def _text(path: Path) -> str | None:
    """A settings file's text; None when there is none."""
    if not path.exists():
        return None
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}.", "Mend or remove it.") from None


def _read_dotenv(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for number, line in enumerate((_text(path) or "").splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, found, value = text.partition("=")
        if not found:
            # The line may hold a secret: it is not shown.
            raise UsageError(
                f"{path}, line {number} is not NAME=value.", "Write one NAME=value per line."
            )
        values[name.strip()] = _dotenv_value(value.strip())
    return values


def _dotenv_value(text: str) -> str:
    """Without its quotes, and without a comment behind it."""
    quote = text[:1]
    if quote in ("'", '"') and (end := text.find(quote, 1)) > 0:
        rest = text[end + 1 :].strip()
        if not rest or rest.startswith("#"):
            return text[1:end]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip("'\"")


def _read_toml(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(_text(path) or "")
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", "Mend the line it names.") from None
    for name, value in content.items():
        if isinstance(value, dict | list):
            raise UsageError(
                f"{path}: '{name}' is a section or a list; every setting is one value.",
                'Write name = "value" at the top, as in: supabase_dsn = "postgresql://...".',
            )
    return {f"ACE_{name.upper()}": str(value) for name, value in content.items()}


def _checked(values: dict[str, str]) -> None:
    """UsageError for what only dbt would complain about, in its own words."""
    threads = values.get("ACE_THREADS") or "2"
    if not re.fullmatch(r"[0-9]{1,3}", threads) or int(threads) < 1:
        raise UsageError(f"ACE_THREADS is '{threads}'.", "It must be a whole number from 1.")
    for name in ("ACE_MEMORY_LIMIT", "ACE_READ_MEMORY_LIMIT"):
        memory = values.get(name)
        if memory and not _MEMORY.fullmatch(memory.strip()):
            raise UsageError(f"{name} is '{memory}'.", "Write it like 6GB or 75%.")


def sample_unfinished(home: Path) -> Path:
    """The mark that ``ace run`` has begun to land the sample."""
    return home / ".sample-unfinished"


def _folder(name: str, path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{name} is {path}, which is a file.", "It must name a folder.")
    return path


def check_duckdb_path(name: str, path: Path) -> None:
    """UsageError for a place where DuckDB cannot keep a file it writes to.

    It takes ``?`` for the end of a URL's path and puts its log there, and ``\\`` for ``/``.
    """
    for sign in ("?", "\\"):
        if sign in str(path):
            raise UsageError(
                f"{name} is {path}, and DuckDB cannot write below a name with '{sign}'.",
                "Rename that folder or file, or choose another.",
            )


@cache
def settings() -> Settings:
    """The effective settings; raises UsageError for a value nobody understands."""
    try:
        root = Path.cwd()
    except FileNotFoundError:
        raise UsageError(
            "The folder this command was started in is gone.", "Change to one that is there."
        ) from None
    values = _read_toml(root / "ace.toml") | _read_dotenv(root / ".env") | dict(os.environ)
    home = _folder("ACE_HOME", Path(values.get("ACE_HOME") or "data").absolute())
    target = values.get("ACE_TARGET") or "duckdb"
    if target not in TARGETS:
        raise UsageError(f"ACE_TARGET is '{target}'.", f"It must be one of: {', '.join(TARGETS)}.")
    landing = values.get("ACE_LANDING") or str(home / "landing")
    if "://" not in landing:
        _folder("ACE_LANDING", Path(landing))
        if "\\" in landing:
            check_duckdb_path("ACE_LANDING", Path(landing))
    _checked(values)
    return Settings(
        home=home,
        target=target,
        landing=landing,
        postgres_url=values.get("ACE_POSTGRES_URL"),
        supabase_dsn=values.get("ACE_SUPABASE_DSN"),
        extra={k: v for k, v in values.items() if k.startswith("ACE_")},
    )
