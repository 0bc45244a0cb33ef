"""Settings as they may be shown: only what is known to be harmless is shown in full."""

from __future__ import annotations

import re
from collections.abc import Mapping

from common.errors import UsageError
from common.pgconnect import parse_dsn, place
from warehouse.sources import LIVE_SOURCES

HIDDEN = "***"
NOT_SHOWN = "set (not shown)"
#: Addresses of Postgres: host and port are shown.
ADDRESSES = ("ACE_POSTGRES_URL", "ACE_SUPABASE_DSN", "ACE_PUBLISH_URL")
#: Shown as they are, but for what stands before an ``@`` or behind a ``?`` or ``;``.
PLAIN = (
    *("ACE_HOME", "ACE_TARGET", "ACE_LANDING", "ACE_READERS", "ACE_THREADS", "ACE_DEBUG"),
    *("ACE_MEMORY_LIMIT", "ACE_READ_MEMORY_LIMIT", "ACE_KEEP_RELEASES", "ACE_SPARK_MASTER"),
    *(one.loads for one in LIVE_SOURCES),
    *(f"{one.loads.removesuffix('LOAD')}URL" for one in LIVE_SOURCES),
)


def masked(name: str, value: str) -> str:
    """A value as it may be shown: an address without its secrets, what may be one not at all."""
    if name in ADDRESSES:
        try:
            return place(parse_dsn(value, name))
        except UsageError:
            return f"{NOT_SHOWN[:-1]}: it cannot be read)"
    if name not in PLAIN:
        return NOT_SHOWN
    shown = re.sub(r"://\S*@", f"://{HIDDEN}@", value)
    return re.sub(r"(://[^\s?;]*)[?;]\S*", r"\g<1>", shown)


class Mask:
    """Hides every secret among the settings ``values``, wherever its text appears."""

    def __init__(self, values: Mapping[str, str]) -> None:
        found = {one for name, value in values.items() for one in _secrets(name, value)}
        self._secrets = sorted((one for one in found if len(one) > 3), key=len, reverse=True)

    def text(self, text: str) -> str:
        """``text`` without any of the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _secrets(name: str, value: str) -> list[str]:
    if name in ADDRESSES:
        try:
            password = parse_dsn(value, name).get("password")
        except UsageError:
            return [value]
        return [str(password)] if password else []
    return [] if name in PLAIN else [value]
