"""The bundled real trending videos (see sample/README.md): landed as they are.

They go through the preset ``youtube-trending`` and the one typing path, so loading
the same rows from Kaggle's own file later gives equal rows.
"""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from importlib import resources

import polars as pl

from loaders.landing import Landing, Load
from loaders.presets.youtube_trending import YOUTUBE_TRENDING
from loaders.records import Record, type_records

FILE = "youtube_trending_us_2017.parquet"
ATTRIBUTION = "YouTube trending US 2017, Kaggle datasnaek/youtube, CC0"
SOURCE, RESOURCE = "youtube_trending", "raw_videos"
#: What fingerprints of the demo's loads begin with.
FINGERPRINT = "demo-"


def sample_bytes() -> bytes:
    """The bundled file."""
    return (resources.files("loaders.demo") / "sample" / FILE).read_bytes()


def real_videos() -> pl.DataFrame:
    """The sample as raw_videos rows: collected and known at their trending day."""
    rows = pl.read_parquet(io.BytesIO(sample_bytes())).to_dicts()
    records = []
    for row in rows:
        for record in YOUTUBE_TRENDING.records(row):
            extra = {**record.extra, "attribution": ATTRIBUTION}
            records.append(Record(record.values, extra=extra))
    frame, rejected = type_records(RESOURCE, records)
    if rejected:
        raise AssertionError(f"the bundled sample has bad rows: {rejected[0].reason}")
    return frame.with_columns(_extracted_at=pl.col("collected_at"))


def load_real(landing: Landing, loaded_at: datetime | None = None) -> Load | None:
    """Land the sample once; None when the landing zone has it already."""
    fingerprint = FINGERPRINT + hashlib.blake2b(sample_bytes(), digest_size=16).hexdigest()
    if any(load.fingerprint == fingerprint for load in landing.loads(SOURCE, RESOURCE)):
        return None
    with landing.open_load(
        SOURCE,
        RESOURCE,
        input=f"{FILE} ({ATTRIBUTION})",
        fingerprint=fingerprint,
        loaded_at=loaded_at or datetime.now(UTC),
    ) as load:
        load.write(real_videos())
        return load.commit()
