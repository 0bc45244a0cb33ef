"""Which files are linted, and which are known to be clean."""

import hashlib
from pathlib import Path

import sqlfluff

from linting.context import ROOT

FOLDERS = ("models", "tests/dbt", "analyses")
#: Hashes of what was found clean, one a line. Never needed: without it all is linted.
KNOWN = ROOT / ".sqlfluff_cache"


def sql_files() -> list[Path]:
    """Every SQL file dbt would compile, the largest first."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.sql")]
    return sorted(files, key=lambda file: (-file.stat().st_size, file))


def hash_of(*parts: str) -> str:
    """Stands for these texts under the present rules: configuration, linter, and this package."""
    rules = [sqlfluff.__version__, (ROOT / ".sqlfluff").read_text("utf-8")]
    rules += [file.read_text("utf-8") for file in sorted((ROOT / "linting").rglob("*.py"))]
    return hashlib.sha256("\0".join([*rules, *parts]).encode()).hexdigest()


def known_clean() -> set[str]:
    return set(KNOWN.read_text("utf-8").split()) if KNOWN.exists() else set()


def remember(clean: set[str]) -> None:
    """Replaces what is known: hashes of older texts go."""
    KNOWN.write_text("\n".join(sorted(clean)) + "\n", "utf-8")
