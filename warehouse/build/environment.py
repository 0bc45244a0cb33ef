"""What the dbt profile reads of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from warehouse.settings import Settings

if TYPE_CHECKING:
    from loaders.landing import Landing


def build_environment(config: Settings, landing: Landing) -> dict[str, str]:
    """Variables for a build in the home of ``config``; a connection to Postgres adds its own."""
    # The profile reads these itself; they may stand in .env or ace.toml.
    told = {name: config.extra.get(name) for name in ("ACE_THREADS", "ACE_MEMORY_LIMIT")}
    return {
        "ACE_HOME": str(config.home),
        "ACE_LANDING": landing.url,
        "ACE_WAREHOUSE": str(config.warehouse),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        **{name: value for name, value in told.items() if value},
    }
