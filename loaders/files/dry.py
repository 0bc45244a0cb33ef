"""A landing zone that is only read: what a load would do, without doing it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loaders.landing import Landing, Load, LoadWriter


class DryLanding(Landing):
    """Lists what has landed; loads opened here leave nothing behind, not even folders."""

    def prepare(self) -> None:
        pass

    def open_load(self, *names: Any, **options: Any) -> LoadWriter:
        return _DryWriter(self.storage, *names, **options)


class _DryWriter(LoadWriter):
    """Counts and checks what a :class:`LoadWriter` would write."""

    def _flush(self) -> None:
        self._pending, self._pending_rows, self._pending_bytes = [], 0, 0

    def _flush_rejected(self) -> None:
        self._refused, self._refused_bytes = [], 0

    def commit(self, cursor: dict[str, Any] | None = None) -> Load:
        return replace(self._load(cursor), load_id="")
