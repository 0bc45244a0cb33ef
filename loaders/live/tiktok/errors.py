"""What TikTok's answers mean: one envelope for both APIs, and a flat one for tokens."""

from __future__ import annotations

from collections.abc import Callable

from common.errors import AceError
from loaders.live.asks import Answer
from loaders.live.client import retry_after
from loaders.live.outcomes import Again, Expired, Paused, Refused

BASE = "https://open.tiktokapis.com"
#: Seconds after which clients try again where TikTok names none.
_BUSY = 10.0
#: ... and where it does not know a search yet that it has just begun.
_UNKNOWN_SEARCH = 5.0
SEARCH = "search_id"


def judge(answer: Answer, scope: str) -> None:
    """Raises what an answer of the API means (``loaders.live.outcomes``); nothing if it is good.

    ``scope`` is the permission that the question needs, for the message.
    """
    error = answer.error
    if error is None:
        if answer.status == 401:
            raise Expired
        return  # no JSON, or no envelope: its HTTP status is what there is
    code, message = str(error.get("code") or ""), str(error.get("message") or "")
    said = f"TikTok says {code}" + (f": {message}" if message else "")
    if code in ("ok", ""):
        return
    if code == "access_token_invalid":
        raise Expired
    if code in ("scope_not_authorized", "scope_permission_missed"):
        raise AceError(
            f"{said.rstrip('.')}.", f"Give the app the scope {scope}, and authorise it again."
        )
    if code == "daily_quota_limit_exceeded":
        raise Paused("TikTok's quota of the day is used up")
    if code == "rate_limit_exceeded":
        raise Again(said, retry_after(answer) or _BUSY)
    if code == "internal_error" or answer.status >= 500:
        raise Again(said, retry_after(answer))
    if "search id" in message.casefold():
        raise Again(said, _UNKNOWN_SEARCH, last=Refused(said, answer, SEARCH))
    raise Refused(said, answer, code)


def judge_page(answer: Answer, moves: Callable[[int], bool], *needs: str) -> None:
    """Raises Again for a page from which a walk cannot go on: read as its end, it would leave
    out all that follows. ``moves`` says whether a cursor leads on; ``needs`` is what else a page
    with more behind it must have.
    """
    document = answer.document
    if answer.status >= 400 or document is None:
        return
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise Again("its answer has no data")
    if not isinstance(data.get("videos") or [], list):
        raise Again("its answer has no list of videos")
    if data.get("has_more"):
        cursor = data.get("cursor")
        if not isinstance(cursor, int) or not all(data.get(name) for name in needs):
            raise Again("its answer does not say where the next page begins")
        if not moves(cursor):
            raise Again("its answer leads to the same page again")


def has_videos(answer: Answer) -> bool:
    """Whether there is anything to read: an empty list may be left out."""
    document = answer.document
    data = document.get("data") if isinstance(document, dict) else None
    return isinstance(data, dict) and bool(data.get("videos"))
