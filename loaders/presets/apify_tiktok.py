"""TikTok scrapers: Apify's data sets and drawrowfly's ``{"collector": [...]}``.

Both as nested JSON items and as flattened CSV rows (``authorMeta.name`` or
``authorMeta/name``). Counts are rounded by the platform when large. A hashtag's
name is landed; its other fields (id, cover) stay in the extra. ``scrapedAt``, where there is
one, is when the counts were seen and known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from loaders.presets.base import (
    Fields,
    Preset,
    PresetRecord,
    Unusable,
    attempt,
    each_of,
    identifier,
    landed,
    names_in,
)

_FLAT_HASHTAG = re.compile(r"^hashtags[./](\d+)(?:[./]name)?$")


def _read(document: dict[str, Any], options: Mapping[str, Any]) -> Iterator[PresetRecord]:
    if "collector" not in document:
        yield attempt(_video, document)
        return
    yield from each_of(document, _video, "collector")


def _video(record: dict[str, Any]) -> PresetRecord:
    problem = record.get("error") or record.get("errorCode")
    if problem:
        raise Unusable(f"The scraper reports a failed input: {str(problem)[:200]}.")
    fields = Fields(_without_empty_cells(record))
    external_id = identifier(fields.take("id"), "id", numeric=True, platform="tiktok")
    collected_at = fields.take("scrapedAt")
    video = landed(
        "raw_videos",
        record,
        fields,
        {
            "external_id": external_id,
            "platform": "tiktok",
            "caption": fields.take("text"),
            "hashtags": _hashtags(fields),
            "author": fields.take("authorMeta.name"),
            "view_count": fields.take("playCount"),
            "like_count": fields.take("diggCount"),
            "share_count": fields.take("shareCount"),
            "comment_count": fields.take("commentCount"),
            "collected_at": collected_at,
        },
    )
    return replace(video, extracted_at=collected_at)


def _without_empty_cells(record: dict[str, Any]) -> dict[str, Any]:
    """A row of a CSV file has '' where an item of JSON has no such field."""
    if any(isinstance(value, (dict, list, int, float)) for value in record.values()):
        return record
    return {name: value for name, value in record.items() if value not in (None, "")}


def _hashtags(fields: Fields) -> Any:
    flat = {
        int(match[1]): name
        for name in fields.rest()
        if isinstance(name, str) and (match := _FLAT_HASHTAG.match(name))
    }
    if flat:
        return [fields.take(flat[place]) for place in sorted(flat)]
    value = fields.take("hashtags")
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, list):
        detailed = [tag for tag in value if isinstance(tag, dict) and tag.keys() - {"name"}]
        if detailed:
            fields.put("hashtags", value)
    return names_in(value, "name")


APIFY_TIKTOK = Preset(
    name="apify-tiktok",
    source="apify_tiktok",
    rows=False,
    help="Apify TikTok scraper items, JSON or CSV, and drawrowfly's collector (raw_videos).",
    reader=_read,
)
