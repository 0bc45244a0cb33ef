"""The tokens of one user of a platform: the newest, which may change with every use, kept.

A file beside the spools, readable by its owner alone, holds the newest pair. It is written
and synced before the new access token is used, so that a rotated refresh token is not lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common.errors import AceError
from loaders.inbox.journal import sync_folder
from loaders.landing.storage import explain
from loaders.live.asks import Answer

#: Seconds before its end at which an access token is renewed.
EARLY = 120
#: Bytes that are written before a pair is asked for: more than any pair has.
_ROOM = 8192


def seconds_of(found: dict[str, Any], default: float) -> float:
    """How long a token is good; ``default`` where the answer does not say."""
    try:
        return float(found.get("expires_in") or default)
    except (TypeError, ValueError):
        return default


def token_of(answer: Answer, platform: str, client: str, refresh: str = "") -> dict[str, Any]:
    """The body of a token answer. Raises AceError for a refusal, which names the settings of
    the ``client``, or the one of the ``refresh`` token where that is what is refused."""
    document = answer.document
    if isinstance(document, dict) and document.get("access_token"):
        return document
    why, code = f"HTTP {answer.status}", None
    if isinstance(document, dict) and document.get("error"):
        error = document["error"]
        code = error.get("code") if isinstance(error, dict) else error
        told = document.get("error_description") or ""
        why = f"{code}{f': {told}' if told else ''}"
    hint = f"Check {client}."
    if code == "invalid_grant" and refresh:
        hint = f"Authorise the app again, and set {refresh} to what it gives then."
    raise AceError(f"{platform} gives no access token ({why.rstrip('.')}).", hint)


class Tokens:
    """The pair that began with ``given``, the refresh token that was configured.

    Another configured token begins another pair. Raises AceError when the file cannot be
    read or written.
    """

    def __init__(self, path: Path, given: str) -> None:
        self._path = path
        self._origin = hashlib.sha256(given.encode()).hexdigest()[:16]
        self._kept: dict[str, Any] = {"refresh": given}
        self._refused = ""

    def access(self, refreshed: Callable[[str], dict[str, Any]]) -> str:
        """An access token that is good; ``refreshed`` asks for a pair with a refresh token.

        One process at a time: two that refresh at once could each spoil the other's token.
        """
        if self._is_good(self._kept):
            return str(self._kept["access"])
        with self._locked():
            stored = self._stored()
            if stored:
                self._kept = stored
            if not self._is_good(self._kept):
                # A pair that has been given out and cannot be kept is lost: try that first.
                self._write_beside(" " * _ROOM)
                found = refreshed(str(self._kept["refresh"]))
                self._kept = {
                    "origin": self._origin,
                    "access": found["access_token"],
                    "refresh": found.get("refresh_token") or self._kept["refresh"],
                    "until": time.time() + seconds_of(found, 86_400),
                }
                self._write()
        return str(self._kept["access"])

    def refuse(self) -> None:
        """The access token is refused, however long it should be good."""
        self._refused = str(self._kept.get("access") or "")

    def secrets(self) -> list[str]:
        return [str(self._kept[name]) for name in ("access", "refresh") if self._kept.get(name)]

    def _is_good(self, pair: dict[str, Any]) -> bool:
        access = pair.get("access")
        return (
            bool(access)
            and access != self._refused
            and time.time() < float(pair.get("until") or 0) - EARLY
        )

    def _stored(self) -> dict[str, Any] | None:
        # One that a kill left beside its place is newer than what is there.
        if self._read(self._beside):
            self._place()
        return self._read(self._path)

    def _read(self, path: Path) -> dict[str, Any] | None:
        try:
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise explain(error, str(path)) from None
        except ValueError:
            return None
        known = isinstance(found, dict) and found.get("origin") == self._origin
        return found if known and found.get("refresh") else None

    @property
    def _beside(self) -> Path:
        return self._path.with_suffix(".new")

    def _write_beside(self, text: str) -> None:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(self._beside, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise explain(error, str(self._beside)) from None

    def _write(self) -> None:
        self._write_beside(json.dumps(self._kept))
        self._place()

    def _place(self) -> None:
        try:
            os.replace(self._beside, self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise explain(error, str(self._path)) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = os.open(
                self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise explain(error, str(self._path.parent)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
