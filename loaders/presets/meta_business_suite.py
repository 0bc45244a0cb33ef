"""Meta Business Suite: the content export of an Instagram account, one row a post.

Each row is a poll of a post of one's own account, known when the file was written, and the
post. ``Date`` says "Lifetime" where the counts are those so far; an export by day is refused.
Times are written as month/day/year in the zone of the business account, which the file does
not state (UTC, or ``--time-zone``); a file whose days come first is refused (``--time-format``).
The kind of post stays in the extra. Exports of Facebook pages have
other columns and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from loaders.presets.account_export import COUNTS, OPTIONS, Export, plain
from loaders.presets.base import POLLS, POSTS, Preset, Unusable, WrongFile, identifier
from loaders.presets.told import as_it_is

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\Z")
_MONTHS = 12


def _post(value: Any) -> str:
    text = identifier(value, "Post ID", numeric=True)
    if not (text.isascii() and text.isdigit()):
        raise Unusable(f"The id {text[:40]!r} is not an Instagram post's, which has digits.")
    return text


def _moment(text: str) -> str | None:
    found = _SLASHED.match(text)
    if found is None:
        return None
    month, day, year, hour, minute, second = found.groups()
    if int(month) > _MONTHS:
        raise WrongFile(
            f"The publish time {text!r} has the day before the month; Meta's exports in English "
            "have the month first.",
            "Load the file with --time-format '%d/%m/%Y %H:%M'.",
        )
    clock = f"{int(hour or 0):02}:{minute or '00'}:{second or '00'}"
    return f"{year}-{int(month):02}-{int(day):02}T{clock}"


def _insist(row: Mapping[str, Any]) -> None:
    period = row.get("date")
    if isinstance(period, str) and plain(period) not in ("", "lifetime"):
        raise WrongFile(
            f"These are counts of a day ({period[:40]}), not the counts so far.",
            "Export with the period Lifetime and without a breakdown by day.",
        )
    if "facebook.com" in str(row.get("permalink")):
        raise Unusable("This is a post of a Facebook page, not one of Instagram.")


_EXPORT = Export(
    platform="instagram",
    post=_post,
    moment=_moment,
    insist=_insist,
    columns={
        "post": ("post id",),
        "views": ("views",),
        "likes": ("likes",),
        "comments": ("comments",),
        "shares": ("shares",),
        "caption": ("description",),
        "published_at": ("publish time",),
    },
    told={
        "impressions": (as_it_is, ("impressions",)),
        "reach": (as_it_is, ("reach",)),
        "saves": (as_it_is, ("saves",)),
        "followers_gained": (as_it_is, ("follows",)),
    },
)


def _misfit(names: Collection[str]) -> str:
    there = set(map(plain, names))
    if not there.isdisjoint({"page id", "page name"}):
        return (
            "lists posts of a Facebook page, and this preset reads those of Instagram. Export the "
            "Instagram account, or load it with --table performance_metrics "
            "--set platform=facebook --map external_post_id='Post ID'."
        )
    is_its = not there.isdisjoint({"permalink", "account username", "account id"})
    if is_its and _EXPORT.has("post", names) and any(_EXPORT.has(c, names) for c in COUNTS):
        return ""
    return (
        "has not the columns of Meta Business Suite's content export: Post ID, Account username, "
        "Description, Publish time, Permalink, Views, Likes, Comments, Shares. Export the "
        "content with the suite in English."
    )


META_BUSINESS_SUITE = Preset(
    name="meta-business-suite",
    source="files",
    lands=(POLLS, POSTS),
    rows=True,
    help="Meta Business Suite's content export of an Instagram account (performance_metrics, "
    "and with --adopt published_posts).",
    reader=_EXPORT.read,
    options=OPTIONS,
    misfit=_misfit,
)
