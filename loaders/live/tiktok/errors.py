"""What TikTok's answers mean: one envelope for both APIs, and a flat one for tokens."""

from __future__ import annotations

from typing import Any

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
    document = answer.document
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
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


def token_of(answer: Answer, settings: str) -> dict[str, Any]:
    """The body of a token answer. Raises AceError, which names ``settings``, for a refusal."""
    document = answer.document
    if isinstance(document, dict) and isinstance(document.get("access_token"), str):
        return document
    why = f"HTTP {answer.status}"
    if isinstance(document, dict) and document.get("error"):
        error = document["error"]
        code = error.get("code") if isinstance(error, dict) else error
        told = document.get("error_description") or ""
        why = f"{code}{f': {told}' if told else ''}"
    raise AceError(f"TikTok gives no access token ({why.rstrip('.')}).", f"Check {settings}.")
