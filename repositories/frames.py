"""Answers as Polars frames: the same columns, types and values from either engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loaders.jsontext import canonical_json, parse_json
from repositories.columns import Kind

if TYPE_CHECKING:
    import polars as pl


def schema_of(columns: Mapping[str, Kind]) -> dict[str, Any]:
    """Polars type of each column: ids are text, and so are documents (canonical JSON)."""
    import polars as pl

    types: dict[Kind, Any] = {
        "text[]": pl.List(pl.String),
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
        "timestamp": pl.Datetime("us", "UTC"),
        "date": pl.Date,
    }
    return {name: types.get(kind, pl.String) for name, kind in columns.items()}


def canonical(frame: pl.DataFrame, columns: Mapping[str, Kind]) -> pl.DataFrame:
    """Documents in one spelling: engines differ in blanks and in the order of keys."""
    import polars as pl

    documents = [name for name in frame.columns if columns[name] == "json"]
    return frame.with_columns(
        pl.Series(name, [_one_spelling(text) for text in frame[name]], pl.String)
        for name in documents
    )


def _one_spelling(text: str | None) -> str | None:
    return None if text is None else canonical_json(parse_json(text))[0]
