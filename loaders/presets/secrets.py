"""Takes access tokens out of records before they are kept anywhere.

Responses carry them in the addresses of their next page (Instagram writes the
caller's token there, YouTube its key) and in token responses saved by mistake.
"""

from __future__ import annotations

import re
from typing import Any

_NAMES = (
    "access_token|refresh_token|client_secret|client_key|fb_exchange_token|input_token"
    "|appsecret_proof|id_token"
)
_SECRET_KEYS = frozenset(_NAMES.split("|"))
_PARAMETER = re.compile(rf"\b({_NAMES})=[^&\s\"'<>]+|\b(key)=AIza[\w-]+", re.IGNORECASE)
_BEARER = re.compile(
    r"\b(?:EAA[A-Za-z0-9]{16,}|IG[A-Za-z0-9_-]{30,}|AIza[\w-]{20,}|ya29\.[\w-]{10,}"
    r"|(?:clt|act|rft)\.[\w!-]{16,}(?:\.[\w!-]+)*|apify_api_\w{10,})"
)
_MASK = "***"


def redact_text(text: str) -> str:
    """``text`` with tokens masked, also those that stand alone (for messages)."""
    return _BEARER.sub(_MASK, _redact_parameters(text))


def redact(value: Any, *, messages: bool = False) -> Any:
    """``value`` with tokens masked and paging objects left out.

    Returns the very same object when it holds no secret, which is the usual
    case; never changes its argument. Any depth is safe. With ``messages`` also
    tokens that stand alone in a text are masked: error bodies quote them.
    """
    if not messages and not _has_secret(value):
        return value
    mask = redact_text if messages else _redact_parameters
    root = [value]
    todo: list[tuple[Any, Any]] = [(root, 0)]
    while todo:
        container, key = todo.pop()
        found = container[key]
        if isinstance(found, str):
            container[key] = _MASK if key in _SECRET_KEYS else mask(found)
        elif isinstance(found, dict):
            kept = {name: inner for name, inner in found.items() if not _is_paging(name, inner)}
            container[key] = kept
            todo.extend((kept, name) for name in kept)
        elif isinstance(found, list):
            container[key] = list(found)
            todo.extend((container[key], place) for place in range(len(found)))
    return root[0]


def _redact_parameters(text: str) -> str:
    return _PARAMETER.sub(lambda found: f"{found[1] or found[2]}={_MASK}", text)


def _is_paging(name: Any, value: Any) -> bool:
    return (
        name == "paging"
        and isinstance(value, dict)
        and not value.keys().isdisjoint({"cursors", "next", "previous"})
    )


def _has_secret(value: Any) -> bool:
    todo = [value]
    while todo:
        found = todo.pop()
        if isinstance(found, str):
            if "=" in found and _PARAMETER.search(found):
                return True
        elif isinstance(found, dict):
            if any(key in _SECRET_KEYS or _is_paging(key, inner) for key, inner in found.items()):
                return True
            todo.extend(found.values())
        elif isinstance(found, list):
            todo.extend(found)
    return False
