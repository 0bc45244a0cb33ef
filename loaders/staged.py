"""Texts as the models' staging reads them, for what is matched before a build."""

from __future__ import annotations

import polars as pl

#: What the macro ``trimmed`` takes off.
BLANK = " \t\n\r"


def trimmed(text: pl.Expr) -> pl.Expr:
    """The text without the blanks around it."""
    return text.str.strip_chars(BLANK)


def platform() -> pl.Expr:
    """The column ``platform``: trimmed, in lower case."""
    return trimmed(pl.col("platform")).str.to_lowercase()
