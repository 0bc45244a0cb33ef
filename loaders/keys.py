"""Keys for rows that a source numbers in a way of its own, where a uuid belongs.

The key is a function of the source, the resource and the source's own key, so the same row
has the same key in every load, and a reference to it is derived the same way without a look
at the row it means.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from loaders.jsontext import canonical_json
from loaders.values.base import EXACT_FLOAT, UNKNOWN_WORDS

#: The root of every derived key: changing it would give every row another key.
_ROOT = uuid.uuid5(uuid.NAMESPACE_OID, "ace warehouse: keys derived from a source's own")

#: A column that holds the key of another resource's row, and which resource that is. An
#: embedding's ``reference_id`` says so row by row.
REFERENCES: dict[str, str] = {
    "product_id": "products",
    "creative_pattern_id": "creative_patterns",
    "script_id": "scripts",
    "trend_reference": "trend_snapshots",
    "asset_id": "video_assets",
    "experiment_id": "experiments",
    "post_id": "published_posts",
}
#: What an embedding's ``reference_type`` means, as in seeds/reference_types.csv.
REFERENCE_TYPES: dict[str, str] = {
    "product": "products",
    "script": "scripts",
    "creative_pattern": "creative_patterns",
    "pattern": "creative_patterns",
    "raw_video": "raw_videos",
    "video": "raw_videos",
    "agent_note": "agent_notes",
    "note": "agent_notes",
    "experiment": "experiments",
    "published_post": "published_posts",
    "post": "published_posts",
    "video_asset": "video_assets",
    "asset": "video_assets",
    "trend_snapshot": "trend_snapshots",
}

#: A key as databases and programs write them: no blank, no quote, not too long.
_TOKEN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.:@/-]{0,199}\Z")
#: A whole number that went through a floating-point column.
_FLOAT = re.compile(r"(-?\d+)\.0+\Z", re.ASCII)
#: A number whose last digits are lost, unless it is one of the hexadecimal ids of MongoDB.
_ROUNDED = re.compile(r"-?\d+(\.\d+)?[eE]\+?\d+\Z", re.ASCII)
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}\Z")


def own_key(value: Any) -> str | None:
    """What a source calls a row, as text; None for what cannot be a key (a number that was
    rounded, a word for "unknown", text with blanks, a truth value).

    ``17``, ``"17"`` and ``17.0`` are one key; of MongoDB's ``{"$oid": "..."}`` it is the text.
    """
    if isinstance(value, Mapping) and len(value) == 1:
        value = value.get("$oid", value.get("$numberLong"))
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_FLOAT:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    if whole := _FLOAT.match(text):
        text = whole[1]
    if not _TOKEN.match(text) or text.casefold() in UNKNOWN_WORDS:
        return None
    if _ROUNDED.match(text) and not _OBJECT_ID.match(text):
        return None
    return text


@lru_cache(1 << 16)
def derived_key(source: str, resource: str, value: int | str) -> str:
    """The uuid of the row of ``resource`` that ``source`` itself calls ``value``.

    ``source`` says whose numbers these are: two that count by themselves need two names.
    A number and its digits as text are the same key; text counts without the blanks around
    it, otherwise as it is.
    """
    text, _ = canonical_json([source, resource, str(value).strip()])
    return str(uuid.uuid5(_ROOT, text))
