"""Where a platform is: its own address, or another for tests and proxies."""

from __future__ import annotations

from urllib.parse import urlsplit

from common.errors import UsageError
from common.hosts import is_loopback


def base_address(given: str | None, own: str, setting: str) -> str:
    """``given`` without a path at its end, ``own`` where there is none.

    Credentials go there, so it must be ``https``, or this machine. Raises UsageError, which
    names ``setting``, for anything else.
    """
    if not given:
        return own
    try:
        parts = urlsplit(given.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.username or parts.query or parts.fragment:
        raise UsageError(
            f"{setting} is not an address like https://host.",
            "Give scheme and host, without a user, a password or parameters.",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UsageError(
            f"{setting} is {parts.scheme}://{host}: credentials would be sent there unencrypted.",
            "Use https; http is for this machine only.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
