"""What resembles an item, or a vector."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call, rounded
from common.errors import UsageError

#: A text of each kind of item, to know it by: its table, its key and the column.
_TEXTS = {
    "products": ("product_id", "name"),
    "scripts": ("script_id", "script_text"),
    "creative_patterns": ("pattern_id", "hook_text"),
    "raw_videos": ("video_id", "caption"),
    "agent_notes": ("note_id", "content"),
}


class Similar(Arguments):
    reference_type: str = Field(
        description="Kind of the items: script, product, creative_pattern, raw_video, agent_note."
    )
    reference_id: str | None = Field(
        default=None, description="Key of the item. Give this or vector."
    )
    vector: list[float] | None = Field(
        default=None,
        min_length=1,
        max_length=8192,
        description="An embedding of the same model as the stored ones. Give this or reference_id.",
    )
    model: str | None = Field(
        default=None, description="Which model made vector, where several did."
    )
    k: int = Field(default=5, ge=1, le=50, description="How many to give; of an item at most 10.")


class Resembling(Answer):
    reference_type: str
    items: list[Row] = Field(
        description="Nearest first: reference_id, cosine (1 is the same direction, 0 nothing in "
        "common), model, and the item's text where it has one. With reference_id also "
        "is_near_duplicate and is_exact."
    )


def similar(call: Call, asked: Similar) -> Resembling:
    """Which items resemble an item (by reference_id) or a vector most: to find duplicates, or
    what was said before.
    """
    if (asked.reference_id is None) == (asked.vector is None):
        raise UsageError("similar takes reference_id or vector.", "Give one of the two.")
    if asked.reference_id is not None:
        items = _of_item(call, asked, asked.reference_id)
    else:
        found = call.warehouse.embeddings.nearest(
            asked.vector or [], asked.reference_type, asked.k, model=asked.model
        )
        items = [
            {"reference_id": one.reference_id, "cosine": one.cosine, "model": one.model}
            for one in found
        ]
    texts = _texts(call, asked.reference_type, [item["reference_id"] for item in items])
    return Resembling(
        **call.about("similar_items"),
        notes=[] if items else ["Nothing that can be compared; see marts.embedding_coverage."],
        reference_type=asked.reference_type,
        items=[rounded(item | texts.get(item["reference_id"], {})) for item in items],
    )


def _of_item(call: Call, asked: Similar, key: str) -> list[Row]:
    rows = call.rows(
        "marts.similar_items",
        ("neighbour_id", "cosine", "model", "is_near_duplicate", "is_exact"),
        "rank",
        min(asked.k, 10),
        {"reference_type": asked.reference_type, "reference_id": key},
    )
    if not rows:
        kinds = call.warehouse.query(
            "select distinct reference_type from canonical.embeddings order by 1"
        )
        known = ", ".join(row["reference_type"] for row in kinds) or "none"
        raise UsageError(
            f"There is no {asked.reference_type} {key} with an embedding that can be compared.",
            f"Kinds with embeddings: {known}. Give a vector to search by what is not stored.",
        )
    return [{"reference_id": row.pop("neighbour_id"), **row} for row in rows]


def _texts(call: Call, reference_type: str, keys: list[Any]) -> dict[str, Row]:
    kinds = call.rows("reference.reference_types", ("reference_type", "table_name"))
    tables = {row["reference_type"]: row["table_name"] for row in kinds}
    key, column = _TEXTS.get(tables.get(reference_type, ""), ("", ""))
    if not key or not keys:
        return {}
    rows = call.rows(
        f"canonical.{tables[reference_type]}", (key, column), where={f"{key}__in": keys}
    )
    return {row[key]: {"text": (row[column] or "")[:300]} for row in rows}
