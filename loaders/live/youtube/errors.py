"""What YouTube's answers mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from common.errors import AceError
from loaders.live.asks import Answer
from loaders.live.client import retry_after
from loaders.live.outcomes import Again, Expired, Paused, Refused

BASE = "https://www.googleapis.com"
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_BUSY = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "backendError"})
#: A console's settings, by the reason that is given for them.
_MEND = {
    "accessNotConfigured": "Enable the YouTube Data API v3 for the project of the key.",
    "keyInvalid": "Check ACE_YOUTUBE_KEY.",
    "keyExpired": "Make a new key and set ACE_YOUTUBE_KEY.",
    "ipRefererBlocked": "Allow this machine in the restrictions of the key.",
}


def judge(answer: Answer, mend: Mapping[str, str] = _MEND) -> None:
    """Raises what an answer means (``loaders.live.outcomes``); nothing if it is good. ``mend``
    says for which reasons nothing more can be asked, and what to do then."""
    error = answer.error
    if error is None:
        return  # its HTTP status is what there is
    reason, message = _reason(error), _words(error)
    said = f"YouTube says {reason or answer.status}" + (f": {message}" if message else "")
    if reason in _QUOTA:
        raise Paused("YouTube's quota of the day is used up")
    if reason in _BUSY or answer.status == 429 or answer.status >= 500:
        raise Again(said, retry_after(answer))
    if answer.status == 401:
        raise Expired
    if "API key not valid" in message:
        reason = "keyInvalid"
    if reason in mend:
        raise AceError(f"{said.rstrip('.')}.", mend[reason])
    raise Refused(said, answer, reason)


def _reason(error: dict[str, Any]) -> str:
    details = error.get("errors")
    first = details[0] if isinstance(details, list) and details else {}
    return str(first.get("reason") or error.get("status") or "") if isinstance(first, dict) else ""


def _words(error: dict[str, Any]) -> str:
    """The message, which may be HTML."""
    return re.sub(r"<[^>]*>", "", str(error.get("message") or ""))[:200]
