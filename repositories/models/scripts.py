"""Rows of canonical.scripts. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class Script(Row):
    """Scripts written for a product.

    Grain: a script.
    """

    TABLE = "scripts"
    KEY = "script_id"

    #: Key of the script.
    script_id: str
    #: Product it sells.
    product_id: str
    #: The words.
    script_text: str
    #: Choices behind it: hook, title, cta, outline, creativePatternId, trendReference and others.
    creative_variables: Any = None
    #: When it was written.
    created_at: datetime
