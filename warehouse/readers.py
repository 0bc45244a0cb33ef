"""The release the settings point at, opened read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.settings import settings

if TYPE_CHECKING:
    from repositories.connection import Reader


def open_current(release: str | None = None) -> Reader:
    """The current release, or the given number or file (see ``open_release``)."""
    from repositories.connection import open_release

    config = settings()
    return open_release(
        config.home, release, target=config.target, postgres_url=config.postgres_url
    )
