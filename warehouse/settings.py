"""The settings, as the commands know them; readers and writers have them from ``common``."""

from common.settings import (
    PROJECT_ROOT,
    TARGETS,
    Settings,
    check_duckdb_path,
    sample_unfinished,
    settings,
)

__all__ = [
    "PROJECT_ROOT",
    "TARGETS",
    "Settings",
    "check_duckdb_path",
    "sample_unfinished",
    "settings",
]
