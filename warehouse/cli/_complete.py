"""What shells complete besides commands and options: tables, presets, releases, analyses.

A shell asks while somebody types: whatever goes wrong, nothing is proposed and nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable

import click

Names = Callable[[click.Context, click.Parameter, str], list[str]]


def _those(names: Callable[[click.Context], list[str]]) -> Names:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            return [name for name in names(ctx) if name.startswith(incomplete)]
        except Exception:
            return []

    return complete


def _landed(ctx: click.Context) -> list[str]:
    from loaders.schema import ALL_RESOURCES

    return list(ALL_RESOURCES)


def _presets(ctx: click.Context) -> list[str]:
    from loaders.presets import PRESETS

    return list(PRESETS)


def _analyses(ctx: click.Context) -> list[str]:
    from warehouse.analyses import analyses

    return [one.name for one in analyses()]


def _tables(ctx: click.Context) -> list[str]:
    """Of the release that is meant: with their schema, and without it."""
    from warehouse.readers import open_current

    with open_current(ctx.params.get("release"), ctx.params.get("target")) as reader:
        found = sorted(one for one in reader.tables() if not one.startswith("meta."))
    return list(dict.fromkeys([one.partition(".")[2] for one in found] + found))


def _releases(ctx: click.Context) -> list[str]:
    from warehouse.readers import release_store

    return [str(one.release) for one in release_store(ctx.params.get("target")).releases()]


canonical_tables = _those(_landed)
presets = _those(_presets)
analyses = _those(_analyses)
tables = _those(_tables)
releases = _those(_releases)
