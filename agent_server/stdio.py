"""Serving one client over standard input and output."""

from __future__ import annotations

import anyio
from mcp.server.stdio import stdio_server

from agent_server.server import AgentServer


def serve(server: AgentServer) -> None:
    """Until the client closes its side."""
    anyio.run(_serve, server)


async def _serve(server: AgentServer) -> None:
    protocol = server.protocol
    async with stdio_server() as (reading, writing):
        await protocol.run(reading, writing, protocol.create_initialization_options())
