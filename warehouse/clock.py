"""Loads from a clock that was ahead.

Such a load fixes the as-of time in the future, and its values win over every correction
until then. Nothing in landing tells it apart but the time now, so this alone compares with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from loaders.landing import Heartbeat, Landing, Load

#: Clocks of machines that share a landing zone differ by less.
TOLERANCE = timedelta(hours=1)
#: The simulated world has a clock of its own.
_SIMULATED = "demo"


def ahead(landing: Landing, now: datetime) -> list[Load | Heartbeat]:
    """Loads and heartbeats that say they landed after ``now``, oldest first."""
    found: list[Load | Heartbeat] = [*landing.loads(), *landing.heartbeats()]
    found = [one for one in found if one.source != _SIMULATED and one.landed_at > now + TOLERANCE]
    return sorted(found, key=lambda one: (one.landed_at, one.load_id))


def sentence(one: Load | Heartbeat) -> str:
    """What is wrong with it."""
    what = f"load of {one.resource}" if isinstance(one, Load) else "heartbeat"
    return (
        f"The {what} from {one.source} says that it landed at {one.landed_at:%Y-%m-%d %H:%M} UTC, "
        "which lies ahead: the clock was wrong, and what it landed wins over every correction "
        f"until then (load {one.load_id})."
    )


def remedy(one: Load | Heartbeat) -> str:
    """What to do about it."""
    return f"Take it out with 'ace load --undo {one.load_id}', then load its input again."
