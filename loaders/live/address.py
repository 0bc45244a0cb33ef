"""Where a platform is: its own address, or another for tests and proxies."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from common.errors import UsageError


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
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise UsageError(
            f"{setting} is {parts.scheme}://{host}: credentials would be sent there unencrypted.",
            "Use https; http is for this machine only.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
