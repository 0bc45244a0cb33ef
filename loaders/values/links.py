"""Links of posts: which platform they lead to, and the id they carry."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from loaders.values.base import NotTyped, shown

#: A link with its scheme, or one that begins with a host: www.tiktok.com/@a/video/1.
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|(?:[a-z0-9-]+\.)+[a-z]{2,}/", re.IGNORECASE)

_DIGITS = r"(?P<id>\d{6,})(?:\.html)?"
_YOUTUBE_ID = r"(?P<id>[A-Za-z0-9_-]{11})"
_SHORTCODE = r"(?P<id>[A-Za-z0-9_-]+)"
_REST = r"(?:/.*)?\Z"
#: Hosts (without www., m. and the like) of each platform, and the paths of one post there.
_PATHS: dict[str, tuple[frozenset[str], re.Pattern[str]]] = {
    "tiktok": (
        frozenset({"tiktok.com", "tiktokv.com", "tiktokv.us", "tiktokv.eu"}),
        re.compile(
            rf"/(?:@[^/]*/(?:video|photo)|v|i18n/share/video|share/(?:video|item|photo)"
            rf"|embed(?:/v\d)?|player/v\d|video|tiktokstudio/(?:analytics|comment))/{_DIGITS}{_REST}"
        ),
    ),
    "youtube": (
        frozenset({"youtube.com", "youtube-nocookie.com", "youtubekids.com"}),
        re.compile(rf"/(?:shorts|embed|live|v|e|vi|video|watch)/{_YOUTUBE_ID}{_REST}"),
    ),
    "instagram": (
        frozenset({"instagram.com", "instagr.am", "ddinstagram.com"}),
        re.compile(rf"/(?:(?!p/|tv/|reels?/)[^/]+/)?(?:p|tv|reels?|share/(?:p|reel))/{_SHORTCODE}{_REST}"),
    ),
}  # fmt: skip
_SHORTENED = frozenset({"vm.tiktok.com", "vt.tiktok.com", "t.tiktok.com"})


def is_link(text: str) -> bool:
    """Whether a text is an address and no id."""
    return _LINK.match(text) is not None


def post_of(link: str) -> tuple[str, str]:
    """Platform and id of the post that a link leads to. NotTyped when it has none."""
    address = unquote(link)
    try:
        parts = urlsplit(address if "//" in address.partition("?")[0] else f"//{address}")
        host = (parts.hostname or "").lower()
    except ValueError:
        raise NotTyped(f"{shown(link)} is not a possible link") from None
    if host in _SHORTENED or (host.endswith("tiktok.com") and parts.path.startswith("/t/")):
        raise NotTyped(
            f"{shown(link)} is a short link without an id; open it and give the link it leads to"
        )
    query = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    path = re.sub(r"/{2,}", "/", parts.path)
    if host == "youtu.be":
        path = "/watch" + path
        host = "youtube.com"
    for platform, (hosts, paths) in _PATHS.items():
        if not any(host == one or host.endswith("." + one) for one in hosts):
            continue
        found = paths.match(path)
        if found is not None:
            return platform, found["id"]
        given = query.get("v") or query.get("vi") if platform == "youtube" else (
            query.get("item_id") or query.get("share_item_id") if platform == "tiktok" else None
        )  # fmt: skip
        wanted = _YOUTUBE_ID if platform == "youtube" else _DIGITS
        if given and (in_query := re.fullmatch(wanted, given)):
            return platform, in_query["id"]
        raise NotTyped(f"{shown(link)} is a link of {platform}, but not of one post: it has no id")
    raise NotTyped(f"{shown(link)} is a link from which no id is known; give the post's id")
