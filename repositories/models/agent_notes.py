"""Rows of canonical.agent_notes. Written by `make schema` from models/canonical."""

from datetime import datetime

from repositories.row import Row


class AgentNote(Row):
    """What agents remember: observations and reflections in their own words.

    Grain: a note.
    """

    TABLE = "agent_notes"
    KEY = "note_id"

    #: Key of the note.
    note_id: str
    #: Agent that wrote it.
    agent_name: str
    #: What it is about.
    topic: str | None = None
    #: The note.
    content: str
    #: How much the agent thinks it matters, on its own scale.
    importance: float | None = None
    #: Vector of the content as text, `[0.1,0.2]`.
    embedding: str | None = None
    #: When it was written.
    created_at: datetime
