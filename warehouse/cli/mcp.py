"""``ace mcp``: the agent server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from warehouse.cli._show import target_option
from warehouse.terminal import note

if TYPE_CHECKING:
    from common.settings import Settings

EPILOG = """\b
Examples:
  ace mcp                          what a client starts, and speaks with over stdio
  ace mcp --http                   many clients, at http://127.0.0.1:8765/mcp
  ACE_MCP_TOKEN=... ace mcp --http --host 10.0.0.5
"""


@click.command(epilog=EPILOG)
@click.option("--http", is_flag=True, help="Serve over streamable HTTP instead of stdio.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="A name that clients reach it by; may be repeated.",
)
@click.option("--allow-writes", is_flag=True, help="Turn on the tools that write.")
@click.option(
    "--query-seconds",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 600),
    help="How long one query may take.",
)
@target_option
def command(
    http: bool,
    host: str,
    port: int,
    names: tuple[str, ...],
    allow_writes: bool,
    query_seconds: float,
    target: str | None,
) -> None:
    """Serve the warehouse to agents (Model Context Protocol).

    Tools read releases and nothing else; the engine itself refuses the rest. Beyond this machine
    it wants a token, which is taken from ACE_MCP_TOKEN.
    """
    from agent_server.queries.limits import Limits
    from agent_server.server import AgentServer

    config = _with_target(target)
    limits = Limits(seconds=query_seconds, memory=config.read_memory)
    server = AgentServer(config, allow_writes=allow_writes, limits=limits)
    try:
        server.prepare()
        if http:
            from agent_server import http as over_http

            token = config.extra.get(over_http.TOKEN) or None
            over_http.check_token(host, token)
            note(f"Serving at http://{host}:{port}{over_http.PATH}; Ctrl-C stops it.")
            over_http.serve(server, host, port, token, names)
        else:
            from agent_server import stdio

            stdio.serve(server)
    finally:
        server.close()


def _with_target(target: str | None) -> Settings:
    from dataclasses import replace

    from warehouse.settings import settings

    config = settings()
    return config if target is None else replace(config, target=target)
