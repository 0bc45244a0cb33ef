"""Serving many clients over streamable HTTP: on this machine, or elsewhere with a token."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import JSONResponse

from agent_server.server import AgentServer
from common.errors import UsageError
from common.hosts import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"
#: Where the token is taken from: command lines are seen by everybody on a machine.
TOKEN = "ACE_MCP_TOKEN"
#: Addresses that stand for all of a machine.
EVERYWHERE = ("0.0.0.0", "::")
#: Shorter ones can be guessed.
LEAST_TOKEN = 16
#: Bytes of a request; the longest are vectors.
MOST_BODY = 1 << 20


def check_token(host: str, token: str | None) -> None:
    """UsageError for a place that others reach without a token, or with a short one."""
    if token is not None and (len(token) < LEAST_TOKEN or not token.isascii()):
        raise UsageError(
            f"{TOKEN} has fewer than {LEAST_TOKEN} characters, or others than ASCII's.",
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'.",
        )
    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host} is reached from other machines, and there is no {TOKEN}.",
            f"Set {TOKEN} to a secret, which clients give as 'Authorization: Bearer ...'.",
        )


def app(
    server: AgentServer,
    host: str = "127.0.0.1",
    token: str | None = None,
    names: Sequence[str] = (),
) -> ASGIApp:
    """The application; ``names`` are hosts, besides ``host``, that it is reached by."""
    check_token(host, token)
    hosts = _hosts(host, names)
    origins = [f"{scheme}://{one}" for one in hosts for scheme in ("http", "https")]
    inner = server.protocol.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=MOST_BODY,
        transport_security=TransportSecuritySettings(
            # At all addresses of a machine its names are not known, and a token is needed.
            enable_dns_rebinding_protection=bool(names) or host not in EVERYWHERE,
            allowed_hosts=hosts,
            allowed_origins=origins,
        ),
        host=host,
    )
    return Guard(inner, token, origins)


def _hosts(host: str, names: Sequence[str]) -> list[str]:
    """What Host may be: a page that a browser shows may not lead it here by a name of its own."""
    known = ["127.0.0.1", "localhost", "[::1]", *names]
    if host not in EVERYWHERE:
        known.append(f"[{host}]" if ":" in host else host)
    return [one for name in known for one in (name, f"{name}:*")]


class Guard:
    """Lets in whoever gives the token, and no page of another place that a browser shows."""

    def __init__(self, inner: ASGIApp, token: str | None, origins: Sequence[str]) -> None:
        self._inner = inner
        self._token = None if token is None else token.encode()
        self._origins = [one.encode() for one in origins]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refused(scope) if scope["type"] == "http" else None
        await (refused or self._inner)(scope, receive, send)

    def _refused(self, scope: Scope) -> JSONResponse | None:
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        if any(not self._is_known(origin) for origin in headers.get(b"origin", ())):
            return JSONResponse({"error": "Pages of this origin may not ask."}, status_code=403)
        if self._token is None or self._is_right(headers.get(b"authorization", [])):
            return None
        return JSONResponse(
            {"error": "Give the token of this server as 'Authorization: Bearer ...'."},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _is_known(self, origin: bytes) -> bool:
        """Those of any port end in ``:*``."""
        place = origin.rpartition(b":")[0] + b":*" if origin.count(b":") > 1 else origin
        return origin in self._origins or place in self._origins

    def _is_right(self, given: list[bytes]) -> bool:
        scheme, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        # In the same time, however much of it is right.
        same = hmac.compare_digest(token.strip(), self._token or b"")
        return same and scheme.lower() == b"bearer"


def serve(
    server: AgentServer, host: str, port: int, token: str | None, names: Sequence[str] = ()
) -> None:
    """Until it is told to stop."""
    import uvicorn

    application = app(server, host, token, names)
    uvicorn.run(application, host=host, port=port, log_level="warning", access_log=False)
