"""Rows of canonical.creative_patterns. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class CreativePattern(Row):
    """A way of making a video that did well: a hook, a structure, a style.

    Grain: a pattern.
    """

    TABLE = "creative_patterns"
    KEY = "pattern_id"

    #: Key of the pattern.
    pattern_id: str
    #: Product it was seen on; null for a general pattern.
    product_id: str | None = None
    #: The opening line.
    hook_text: str | None = None
    #: How the video is put together.
    structure: str | None = None
    #: Tags for how it looks; empty when none.
    style_tags: tuple[str, ...]
    #: Tags for what it makes people feel; empty when none.
    emotion_tags: tuple[str, ...]
    #: Free remarks.
    notes: str | None = None
    #: What was measured when the pattern was written down; later results are in the marts.
    observed_performance: Any = None
    #: When it was written down.
    created_at: datetime
