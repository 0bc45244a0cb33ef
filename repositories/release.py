"""What a reader knows of the release that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from repositories.marts import tolerance


@dataclass(frozen=True)
class Release:
    """The release that is open. ``number`` is None for a file made with ``--output``."""

    number: int | None
    #: Everything known by then is in it, nothing later; None where nothing had landed.
    as_of: datetime | None
    released_at: datetime | None
    engine: str
    git_revision: str | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Release:
        """From the row of ``meta.release``."""

        def time(name: str) -> datetime | None:
            return None if row[name] is None else datetime.fromisoformat(row[name])

        return cls(
            row["release"], time("as_of"), time("released_at"), row["engine"], row["git_revision"]
        )

    @property
    def age(self) -> timedelta | None:
        """How old the data is now, by this machine's clock; None where there is none."""
        return None if self.as_of is None else datetime.now(UTC) - self.as_of

    def is_stale(self, mart: str) -> bool:
        """Whether the data is older than the mart's decisions can bear (``MARTS``).

        UsageError for a name that is no mart.
        """
        limit = tolerance(mart)
        return self.age is None or self.age > limit
