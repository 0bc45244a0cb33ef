"""System events, which agents log in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repositories.models.system_events import SystemEvent
from repositories.table import Table


class SystemEvents(Table[SystemEvent]):
    """Events of agents and workflows."""

    def log(
        self,
        agent: str,
        event: str,
        payload: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
    ) -> str:
        """Write an event that happens now; as durable as :meth:`create`. Returns its key."""
        return self.create(
            key=key,
            agent_name=agent,
            event_type=event,
            payload=payload if payload is not None else {},
        )
