"""TikTok Studio: the list of posts as it exports it (``Content.csv``), one row a post.

Each row is a poll of a post of one's own account, known when the file was written, and the
post: its id is in the link. The post's time has no zone (UTC, or ``--time-zone``); some
exports give the day alone (its beginning), some without a year ("October 30": the last such
day before the file was written). Watch times and rates are read where the cell states its unit
("11.5s", "0:11", "34.2%"); else they stay in the extra.

The other files of the export (overview, viewers, followers) have figures of the account by
day and no posts: they are refused.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from loaders.presets.account_export import COUNTS, OPTIONS, Export, plain
from loaders.presets.base import POLLS, POSTS, Preset, Unusable, identifier
from loaders.presets.told import as_it_is, seconds_of, share_of_signed_percent


def _post(value: Any) -> str:
    """The id in a post's link; a bare id is one, too."""
    post = identifier(value, "Video link", numeric=True, platform="tiktok")
    if not (post.isascii() and post.isdigit()):
        raise Unusable(
            f"The link {post[:80]!r} has no id of a TikTok post in it, which has digits."
        )
    return post


_EXPORT = Export(
    platform="tiktok",
    post=_post,
    columns={
        "post": ("video link", "post link", "video url", "link"),
        "views": ("total views", "total video views", "video views", "views"),
        "likes": ("total likes", "likes"),
        "comments": ("total comments", "comments"),
        "shares": ("total shares", "shares"),
        "caption": ("video title", "post title", "title", "caption", "video description"),
        "published_at": ("post time", "publish time", "posted on", "posted"),
    },
    told={
        "average_watch_seconds": (seconds_of, ("average watch time", "average time watched")),
        "completion_rate": (
            share_of_signed_percent,
            ("watched full video", "full video watched rate", "finished watching rate"),
        ),
        "reach": (as_it_is, ("reached audience", "total reached audience", "total reach", "reach")),
        "saves": (as_it_is, ("total saves", "saves", "total favorites", "favorites")),
        "followers_gained": (as_it_is, ("new followers", "total new followers")),
    },
)


def _misfit(names: Collection[str]) -> str:
    if _EXPORT.has("post", names) and any(_EXPORT.has(count, names) for count in COUNTS):
        return ""
    if "date" in map(plain, names):
        return (
            "has figures of the account by day and no posts (TikTok Studio's overview, viewers "
            "or followers). Export the list of posts, Content, and load that."
        )
    return (
        "has not the columns of TikTok Studio's list of posts: Video link, Post time, Total "
        "views, Total likes, Total comments, Total shares. Export Content with TikTok Studio "
        "in English, or name the columns with --table performance_metrics and --map."
    )


TIKTOK_STUDIO = Preset(
    name="tiktok-studio",
    source="files",
    lands=(POLLS, POSTS),
    rows=True,
    help="TikTok Studio's list of posts, Content.csv (performance_metrics, and with --adopt "
    "published_posts).",
    reader=_EXPORT.read,
    options=OPTIONS,
    misfit=_misfit,
    remarks={
        POSTS: "Where the export gives a post's day alone, the post counts from its beginning.",
    },
)
