"""Rows of canonical.system_events. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class SystemEvent(Row):
    """What agents and workflows did, in order.

    Grain: an event.
    """

    TABLE = "system_events"
    KEY = "event_id"

    #: Key of the event.
    event_id: str
    #: Agent that did it; `system` for events of the workflow engine.
    agent_name: str
    #: Dotted type, `category.subcategory.action` (seeds/event_taxonomy.csv).
    event_type: str
    #: Details: workflow_id, correlation_id, severity, message and the like; empty object when
    #: none.
    payload: Any
    #: When it happened.
    created_at: datetime
