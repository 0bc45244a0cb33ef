"""Others' media of hashtags, of which 30 may be asked for in any seven days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from loaders.live.asks import Ask
from loaders.live.instagram import errors
from loaders.live.instagram.fields import FOUND
from loaders.live.instagram.pages import items, pages
from loaders.live.outcomes import Refused
from loaders.live.source import Asking

#: Different hashtags in any seven days.
MOST = 30
_PAGE = 50
#: How many pages of a hashtag are read: popular ones do not end.
_PAGES = 20
_TOO_MANY = 18


def hashtags(
    ask: Asking,
    wanted: Iterable[str],
    known: Mapping[str, str],
    *,
    path: Callable[..., str],
    account: str,
    edges: tuple[str, ...],
    notes: list[str],
) -> dict[str, str]:
    """Ask for the media of each hashtag; returns their ids by name, as far as they are known.

    Those asked for in the last seven days, which cost nothing, come first. ``known`` are ids
    of earlier runs. What is left out is said in ``notes``.
    """
    ids, left, missing = dict(known), [], []
    tags = list(wanted)
    if not tags:
        return ids
    recent = _recent(ask, path(account, "recently_searched_hashtags"))
    for tag in sorted(tags, key=lambda tag: ids.get(tag) not in recent):
        if ids.get(tag) not in recent and len(recent) >= MOST:
            left.append(tag)
            continue
        try:
            if tag not in ids:
                query = {"user_id": account, "q": tag}
                found = items(ask(Ask(path("ig_hashtag_search"), query, kind="way")))
                if not found:
                    missing.append(tag)
                    continue
                ids[tag] = str(found[0]["id"])
            recent.add(ids[tag])
            for edge in edges:
                query = {"user_id": account, "fields": ",".join(FOUND), "limit": str(_PAGE)}
                first = Ask(path(ids[tag], edge), query, kind="hashtag", about={"hashtag": tag})
                for _ in pages(ask, first, most=_PAGES):
                    pass
        except Refused as problem:
            if errors.is_permission(problem):
                raise errors.lacks_permission(
                    problem, "instagram_basic and Instagram Public Content Access"
                ) from None
            (left if problem.code == _TOO_MANY else missing).append(tag)
    if left:
        notes.append(
            f"Left out, since Instagram allows {MOST} different hashtags in seven days: "
            f"{', '.join(left)}."
        )
    if missing:
        notes.append(f"Instagram gives nothing for these hashtags: {', '.join(missing)}.")
    return ids


def _recent(ask: Asking, place: str) -> set[str]:
    """Ids of the hashtags that were asked for in the last seven days, by whatever program."""
    try:
        found = [
            str(item.get("id"))
            for page in pages(ask, Ask(place, {"limit": str(MOST)}, kind="way"), most=2)
            for item in items(page)
        ]
    except Refused:
        # Then Instagram itself says when it is too much.
        return set()
    return set(found)
