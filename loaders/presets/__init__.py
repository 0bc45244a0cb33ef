"""Presets: known exports, each mapped onto the landed columns by one module."""

from __future__ import annotations

from collections.abc import Collection

from loaders.presets.apify_tiktok import APIFY_TIKTOK
from loaders.presets.base import Preset, PresetRecord
from loaders.presets.instagram_graph import INSTAGRAM_GRAPH
from loaders.presets.meta_business_suite import META_BUSINESS_SUITE
from loaders.presets.tiktok_display import TIKTOK_DISPLAY
from loaders.presets.tiktok_research import TIKTOK_RESEARCH
from loaders.presets.tiktok_studio import TIKTOK_STUDIO
from loaders.presets.youtube_api import YOUTUBE_API
from loaders.presets.youtube_studio import YOUTUBE_STUDIO
from loaders.presets.youtube_trending import YOUTUBE_TRENDING
from loaders.presets.yt_dlp import YT_DLP
from loaders.presets.zeeschuimer_tiktok import ZEESCHUIMER_TIKTOK

#: Every preset by the name given to ``ace load files --preset``.
PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        TIKTOK_RESEARCH,
        TIKTOK_DISPLAY,
        APIFY_TIKTOK,
        YOUTUBE_API,
        YOUTUBE_TRENDING,
        INSTAGRAM_GRAPH,
        YT_DLP,
        ZEESCHUIMER_TIKTOK,
        TIKTOK_STUDIO,
        YOUTUBE_STUDIO,
        META_BUSINESS_SUITE,
    )
}


def likely(names: Collection[str]) -> str | None:
    """The preset whose columns these are; None when there is none that can be told by them."""
    for preset in PRESETS.values():
        if preset.misfit is not None and not preset.misfit(names):
            return preset.name
    return None


__all__ = ["PRESETS", "Preset", "PresetRecord", "likely"]
