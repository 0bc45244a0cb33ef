"""Which version of the project made the rows that the next build would add to.

Incremental tables hold rows of earlier builds. When the project changes they must be
built anew, and a rebuild that did not come to its end has not done that.
"""

from __future__ import annotations

from pathlib import Path

_UNFINISHED = "unfinished"


class BuiltWith:
    """A one-line file beside dbt's own: a project fingerprint, or ``unfinished``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "built_with"

    def is_other(self, fingerprint: str, released: str | None) -> bool:
        """Whether tables may hold rows that another version of the project made.

        ``released`` is the fingerprint of the current release, which decides where
        nothing has been built from this folder yet.
        """
        try:
            # Garbled, it is no fingerprint: what was built is not known.
            last: str | None = self._file.read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            last = released
        return last is not None and last != fingerprint

    def begin(self, fingerprint: str, *, anew: bool) -> None:
        """Note, before any table changes, what will be in them if this build is killed."""
        self._write(_UNFINISHED if anew else fingerprint)

    def finish(self, fingerprint: str) -> None:
        """Note that every table was built by this version of the project."""
        self._write(fingerprint)

    def _write(self, text: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(text + "\n", "utf-8")
        temporary.replace(self._file)
