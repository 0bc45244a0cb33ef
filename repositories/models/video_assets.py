"""Rows of canonical.video_assets. Written by `make schema` from models/canonical."""

from datetime import datetime
from typing import Any

from repositories.row import Row


class VideoAsset(Row):
    """Videos rendered from scripts.

    Grain: a rendered video.
    """

    TABLE = "video_assets"
    KEY = "asset_id"

    #: Key of the video.
    asset_id: str
    #: Script it was made from; null when unknown.
    script_id: str | None = None
    #: Product it shows: as given, else that of its script, else that of the experiment that uses
    #: it.
    product_id: str
    #: Where the file lies.
    storage_url: str
    #: File format; from the metadata or the file name where not given, else `unknown`.
    format: str
    #: Duration, layout, tone and the like; empty object when nothing is known.
    metadata: Any
    #: When it was rendered.
    created_at: datetime
