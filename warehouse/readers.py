"""The release the settings point at, opened read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.settings import settings

if TYPE_CHECKING:
    from repositories.reader import Reader
    from warehouse.release.model import ReleaseStore


def open_current(release: str | None = None, target: str | None = None) -> Reader:
    """The current release, or the given number or file (see ``open_release``)."""
    from repositories.connection import open_release

    config = settings()
    return open_release(
        config.home,
        release,
        target=target or config.target,
        postgres_url=config.postgres_url,
        memory=config.read_memory,
    )


def current_or_none(target: str | None = None) -> Reader | None:
    """The current release, or None before the first one."""
    from repositories.connection import NoReleaseError

    try:
        return open_current(None, target)
    except NoReleaseError:
        return None


def release_store(target: str | None = None) -> ReleaseStore:
    from warehouse.release.stores import open_store

    config = settings()
    return open_store(config, target or config.target)
