"""Answers that fit: long texts are cut and rows that have no room wait for the next page."""

from __future__ import annotations

import json
from typing import Any

#: Characters of one text, and of all rows of an answer.
CELL = 1_200
ALL = 24_000


def fitting(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The first rows that have room (one at least), with long texts cut; and notes about it."""
    kept: list[dict[str, Any]] = []
    cut: set[str] = set()
    size = 0
    for row in rows:
        short = {name: _cut(name, value, cut) for name, value in row.items()}
        size += len(json.dumps(short, default=str, ensure_ascii=False))
        if kept and size > ALL:
            break
        kept.append(short)
    notes = []
    if cut:
        notes.append(
            f"Long texts of {', '.join(sorted(cut))} are cut (…); query gives parts of them with "
            "substr(column, start, length)."
        )
    if len(kept) < len(rows):
        notes.append(f"{len(kept)} rows have room in one answer; next_cursor gives the others.")
    return kept, notes


def _cut(name: str, value: Any, cut: set[str]) -> Any:
    text = value if isinstance(value, str) else None
    if isinstance(value, dict | list):
        text = json.dumps(value, default=str, ensure_ascii=False)
    if text is None or len(text) <= CELL:
        return value
    cut.add(name)
    return f"{text[:CELL]}…"
