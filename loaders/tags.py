"""Hashtags of a frame of typed rows: one spelling for each, and those in captions."""

from __future__ import annotations

import polars as pl

#: Columns of hashtags, which platforms compare by what they look like.
_HASHTAGS = ("hashtags", "caption_hashtags", "tiktok_trend_tags")
#: A hashtag as written: a letter, digit or underscore, then also the marks that
#: scripts like Devanagari and Thai need inside a word.
_HASHTAG = r"#[\p{L}\p{Nd}_][\p{L}\p{Nd}_\p{M}]*"
#: Marks of direction, joiners and variation selectors: they show nothing by themselves.
_INVISIBLE = r"[\p{Cf}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]"
_NOT_ASCII = r"[^\x00-\x7F]"


def with_tags(resource: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its hashtags in Unicode's compatibility form (NFKC) without invisible
    characters, so that one that looks the same is the same. ``raw_videos`` also get the
    hashtags written in the caption: lower-cased, without ``#``, distinct, in order; null
    where there is no caption.
    """
    frame = frame.with_columns(
        pl.col(name).list.eval(_one_form(pl.element()))
        for name in _HASHTAGS
        if name in frame.columns and _is_foreign(frame[name].explode())
    )
    if resource != "raw_videos" or "caption" not in frame.columns:
        return frame
    written = written_tags(frame["caption"])
    given = pl.col("caption_hashtags") if "caption_hashtags" in frame.columns else pl.lit(None)
    return frame.with_columns(pl.coalesce(given, written).alias("caption_hashtags"))


def written_tags(captions: pl.Series) -> pl.Series:
    """The hashtags written in each caption; null where there is no caption."""
    caption = pl.col(captions.name)
    return captions.to_frame().select(
        (_one_form(caption) if _is_foreign(captions) else caption)
        .str.extract_all(_HASHTAG)
        .list.eval(pl.element().str.slice(1).str.to_lowercase())
        .list.unique(maintain_order=True)
    )[captions.name]


def _is_foreign(texts: pl.Series) -> bool:
    """Whether there is anything to do: most blocks have no such character."""
    return texts.dtype == pl.String and bool(texts.str.contains(_NOT_ASCII).any())


def _one_form(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
