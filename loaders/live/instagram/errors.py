"""What the Graph API's errors mean: it throttles with HTTP 400 and a code, never with 429."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from common.errors import AceError
from loaders.jsontext import parse_json
from loaders.live.asks import Answer
from loaders.live.outcomes import Again, Expired, Paused, Refused

#: Too many calls: of the app, the user, the page, the business.
_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_PASSING = frozenset({1, 2})
_TOKEN = frozenset({102, 190})
_PERMISSIONS = frozenset({10, *range(200, 300)})
#: A parameter, an object or a metric that there is not.
PARAMETER = 100
#: Throttles that name no end are counted by the hour.
_QUOTA = timedelta(hours=1)
_USAGE = ("x-business-use-case-usage", "x-app-usage")


def judge(answer: Answer) -> None:
    """Raises what an error body means; says nothing of any other answer."""
    error = answer.error
    if error is None:
        return
    code, why = _number(error.get("code")), _said(error)
    if code in _TOKEN:
        raise Expired
    if code in _THROTTLED:
        pause = Paused(why, answer.at + _QUOTA)
        raise Again(why, seconds_to_wait(answer), pause)
    if code in _PASSING or error.get("is_transient") is True or answer.status >= 500:
        raise Again(why)
    if code == 368:
        raise AceError(
            f"Instagram has blocked this app or account for a time: {why}.",
            "See the app's dashboard on developers.facebook.com.",
        )
    raise Refused(why, answer, code)


def is_permission(problem: Refused) -> bool:
    """Whether the token may not do this at all; too few viewers of a story have the same code."""
    return problem.code in _PERMISSIONS and "viewer" not in str(problem).lower()


def lacks_permission(problem: Refused, what: str) -> AceError:
    return AceError(
        f"Instagram does not let this token do that: {str(problem).rstrip('.')}.",
        f"Give the app {what} on developers.facebook.com, then make a new token.",
    )


def seconds_to_wait(answer: Answer) -> float | None:
    """What the usage header says it takes to get access again; None where it says nothing."""
    minutes = 0.0
    for name in _USAGE:
        try:
            usage = parse_json(answer.headers.get(name, "null"))
        except ValueError:
            continue
        for entries in usage.values() if isinstance(usage, dict) else ():
            for entry in entries if isinstance(entries, list) else ():
                given = entry.get("estimated_time_to_regain_access") if _is_map(entry) else None
                minutes = max(minutes, float(given) if isinstance(given, int | float) else 0.0)
    return minutes * 60 or None


def subcode(answer: Answer) -> int | None:
    """The error's subcode, which says more than its code."""
    return _number((answer.error or {}).get("error_subcode"))


def message(answer: Answer) -> str:
    """The error's text; empty where there is none."""
    return str((answer.error or {}).get("message") or "")


def _said(error: dict[str, Any]) -> str:
    code, sub = _number(error.get("code")), _number(error.get("error_subcode"))
    text = " ".join(str(error.get("error_user_msg") or error.get("message") or "no reason").split())
    return f"{text[:300].rstrip(' .')} (code {code}{f'/{sub}' if sub else ''})"


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)
