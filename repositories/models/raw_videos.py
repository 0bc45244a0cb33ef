"""Rows of canonical.raw_videos. Written by `make schema` from models/canonical."""

from datetime import datetime

from repositories.row import Row


class RawVideo(Row):
    """Videos of others that were trending, as seen at a time. The same video has a row for every
    time it was seen.

    Grain: one observation of a trending video: platform, external_id, collected_at.
    """

    TABLE = "raw_videos"
    KEY = "id"

    #: Key of the observation.
    id: str
    #: The platform's id of the video; text, as some exceed 2^63.
    external_id: str
    #: Platform in lower case.
    platform: str
    #: Caption, or title where the platform has titles.
    caption: str | None = None
    #: Tags as listed by the source; where it lists none, those written in the caption.
    hashtags: tuple[str, ...]
    #: Who posted it, as the platform names them.
    author: str | None = None
    #: Views so far; null when not shown.
    view_count: int | None = None
    #: Likes so far; null when hidden.
    like_count: int | None = None
    #: Shares so far; null when not shown.
    share_count: int | None = None
    #: Comments so far; null when closed or not shown.
    comment_count: int | None = None
    #: When the platform said so.
    collected_at: datetime
    #: When the row was first recorded.
    created_at: datetime
