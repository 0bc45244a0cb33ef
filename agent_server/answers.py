"""What every answer carries: which release it is of, and whether that is too old."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ReleaseInfo(BaseModel):
    """The release that was read."""

    number: int | None = Field(
        description="Give it as `release` in later calls: they then see the very same data."
    )
    as_of: datetime | None = Field(description="Everything known by then is in it, nothing later.")
    is_current: bool = Field(description="False when a newer release is there.")
    is_simulated: bool = Field(description="True when made-up demo data is in it: say so.")


class Staleness(BaseModel):
    """Whether the data is too old to decide by, by the clock of the server."""

    is_stale: bool = Field(description="True: older than decisions on these tables can bear.")
    age_hours: float | None = Field(description="Hours from as_of until now.")
    tolerance_hours: float = Field(description="Hours of age that can be borne.")


class Answer(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(extra="forbid")

    release: ReleaseInfo
    staleness: Staleness
    notes: list[str] = Field(
        default_factory=list, description="What to know before using the answer."
    )


class Arguments(BaseModel):
    """The base of all arguments: what is not declared is an error."""

    model_config = ConfigDict(extra="forbid")

    release: int | None = Field(
        default=None,
        ge=1,
        description="Number of the release to read, from an earlier answer, so that several calls "
        "see the same data. Default: the current release.",
    )


#: A row, its values by column. Null is unknown, never 0.
Row = dict[str, Any]
