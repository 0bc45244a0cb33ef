"""The access token: one of Instagram Login lives for 60 days and is renewed long before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loaders.live.asks import Ask
from loaders.live.source import Sending
from loaders.live.tokens import Tokens

#: Seconds to the next renewal: of one that was renewed, and of one that could not be (it must
#: be a day old).
_RENEWED, _NOT_YET = 7 * 86_400, 86_400


class Token:
    """The configured token, or what became of it. Those of Facebook Login stay as they are:
    renewing them takes the app's secret.

    ``file`` holds the newest one, readable by its owner alone. Raises AceError where it
    cannot be read or written.
    """

    def __init__(self, given: str, file: Path, *, renewed: bool) -> None:
        self._given = given
        self._tokens = Tokens(file, given) if renewed else None

    def access(self, send: Sending) -> str:
        if self._tokens is None:
            return self._given
        return self._tokens.access(lambda token: _renewed(token, send))

    def secrets(self) -> list[str]:
        return [self._given, *(self._tokens.secrets() if self._tokens else [])]


def _renewed(token: str, send: Sending) -> dict[str, Any]:
    answer = send(
        Ask(
            "/refresh_access_token",
            {"grant_type": "ig_refresh_token"},
            headers={"Authorization": f"Bearer {token}"},
        )
    )
    found = answer.document if isinstance(answer.document, dict) else {}
    new = found.get("access_token")
    if answer.status >= 400 or not isinstance(new, str) or not new:
        return {"access_token": token, "expires_in": _NOT_YET}
    # What the next renewal begins with is the newest one, too.
    return {"access_token": new, "refresh_token": new, "expires_in": _RENEWED}
