"""Hashtags of a frame of typed rows: one spelling for each, and those in captions."""

from __future__ import annotations

import polars as pl

#: Columns of hashtags, which platforms compare by what they look like.
_HASHTAGS = ("hashtags", "caption_hashtags", "tiktok_trend_tags")
#: A hashtag as written: a letter, digit or underscore, then also the marks that
#: scripts like Devanagari and Thai need inside a word, and what shows nothing.
_HASHTAG = r"[#\x{FF03}]\p{Cf}*[\p{L}\p{Nd}_][\p{L}\p{Nd}_\p{M}\p{Cf}]*"
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
        _in_one_form(frame[name])
        for name in _HASHTAGS
        if name in frame.columns and frame.schema[name] == pl.List(pl.String)
    )
    if resource != "raw_videos" or "caption" not in frame.columns:
        return frame
    written = written_tags(frame["caption"])
    given = pl.col("caption_hashtags") if "caption_hashtags" in frame.columns else pl.lit(None)
    return frame.with_columns(pl.coalesce(given, written).alias("caption_hashtags"))


def written_tags(captions: pl.Series) -> pl.Series:
    """The hashtags written in each caption; null where there is no caption."""
    name = captions.name
    found = (
        pl.col(name)
        .str.extract_all(_HASHTAG)
        .list.eval(pl.element().str.slice(1).str.to_lowercase())
    )
    tags = _in_one_form(captions.to_frame().select(found)[name])
    return tags.list.unique(maintain_order=True)


def _in_one_form(tags: pl.Series) -> pl.Series:
    """Only spellings that have another form are replaced: few, if any, of a block's."""
    found = tags.explode().unique().drop_nulls()
    found = found.filter(found.str.contains(_NOT_ASCII))
    forms = found.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
    changed = found != forms
    if not changed.any():
        return tags
    form = pl.element().replace(found.filter(changed), forms.filter(changed))
    return tags.list.eval(form)
