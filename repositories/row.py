"""What rows of all canonical tables share."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Row(BaseModel):
    """A row of a release. It cannot be changed; ids are text, times are in UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The table, and its key among the fields.
    TABLE: ClassVar[str]
    KEY: ClassVar[str]
