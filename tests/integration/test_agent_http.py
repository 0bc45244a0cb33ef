"""The agent server over HTTP: who is let in, and that both versions of the protocol are spoken."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from agent_server import http
from agent_server.server import AgentServer
from common.errors import UsageError
from common.settings import Settings
from tests.support import small_warehouse
from tests.support.ports import free_port

TOKEN = "a-token-that-nobody-guesses"
MAIN = "from warehouse.cli import main; main()"
PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("agents")
    small_warehouse.release(home)
    return Settings(home, "duckdb", str(home / "landing"), None, None, {})


@pytest.fixture(scope="module")
def server(config: Settings) -> Iterator[AgentServer]:
    made = AgentServer(config)
    yield made
    made.close()


def statuses(server: AgentServer, asked: list[dict[str, str]], **how: Any) -> list[int]:
    """What each set of headers is answered with."""

    async def main() -> list[int]:
        application = http.app(server, **how)
        found = []
        async with (
            running(server),
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(application), base_url="http://127.0.0.1:8765"
            ) as client,
        ):
            for headers in asked:
                answer = await client.post("/mcp", json=PING, headers=JSON | headers)
                found.append(answer.status_code)
        return found

    return anyio.run(main)


@asynccontextmanager
async def running(server: AgentServer) -> Any:
    async with server.protocol.session_manager.run():
        yield


def test_pages_of_other_places_and_other_names_are_kept_out(server: AgentServer) -> None:
    fine, here, evil, near, other = statuses(
        server,
        [
            {},
            {"origin": "http://localhost:3000"},
            {"origin": "https://evil.example"},
            {"origin": "http://localhost.evil.example:3000"},
            {"host": "evil.example"},
        ],
    )
    assert (fine, here) == (200, 200)
    assert (evil, near) == (403, 403)
    assert other == 421


def test_beyond_this_machine_the_token_decides(server: AgentServer) -> None:
    found = statuses(
        server,
        [
            {},
            {"authorization": f"Bearer {TOKEN}"},
            {"authorization": f"bearer {TOKEN}"},
            {"authorization": f"Bearer {TOKEN}x"},
            {"authorization": f"Bearer {TOKEN[:-1]}"},
            {"authorization": f"Basic {TOKEN}"},
            {"authorization": TOKEN},
            {"authorization": "Bearer "},
            {"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"},
            {"authorization": f"Bearer {TOKEN}", "origin": "https://ace.example"},
        ],
        host="0.0.0.0",
        token=TOKEN,
        names=["ace.example", "127.0.0.1"],
    )
    assert found == [401, 200, 200, 401, 401, 401, 401, 401, 403, 200]


def test_origins_are_looked_at_where_names_are_not_known(server: AgentServer) -> None:
    given = {"authorization": f"Bearer {TOKEN}", "host": "ace.example"}
    asked = [given, given | {"origin": "https://evil.example"}]
    assert statuses(server, asked, host="0.0.0.0", token=TOKEN) == [200, 403]


def test_every_character_of_a_token_is_compared_in_the_same_time(
    server: AgentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert statuses(server, [{"authorization": f"Bearer {TOKEN}"}], token=TOKEN) == [401]
    assert compared == [(TOKEN.encode(), TOKEN.encode())]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "ace.example", ""])
def test_without_a_token_only_this_machine_is_served(server: AgentServer, host: str) -> None:
    with pytest.raises(UsageError, match="ACE_MCP_TOKEN"):
        http.app(server, host)
    with pytest.raises(UsageError, match="fewer than 16"):
        http.app(server, host, "short")


def test_the_command_serves_clients_of_both_versions(config: Settings) -> None:
    port = free_port()
    environment = {**os.environ, "ACE_HOME": str(config.home), "ACE_TARGET": "duckdb"}
    command = [sys.executable, "-c", MAIN, "mcp", "--http", "--port", str(port)]
    serving = subprocess.Popen(
        command, env=environment | {"ACE_MCP_TOKEN": TOKEN}, stderr=subprocess.PIPE, text=True
    )
    try:
        _wait(port, serving)
        url = f"http://127.0.0.1:{port}/mcp"

        async def main(mode: Any) -> str:
            async with httpx2.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}) as inner:
                transport = streamable_http_client(url, http_client=inner)
                async with Client(transport, mode=mode) as client:
                    found = await client.call_tool("query", {"sql": "select 41 + 1 as answer"})
                    assert found.structured_content["rows"] == [[42]]
                    return client.protocol_version

        with anyio.from_thread.start_blocking_portal() as portal:
            assert portal.call(main, "auto") == "2026-07-28"
            assert portal.call(main, "legacy") == "2025-11-25"
        assert httpx2.post(url, json=PING, headers=JSON).status_code == 401
        assert TOKEN not in Path(f"/proc/{serving.pid}/cmdline").read_text()
    finally:
        serving.terminate()
        _, said = serving.communicate(timeout=20)
    assert TOKEN not in said
    assert f"http://127.0.0.1:{port}/mcp" in said


def _wait(port: int, serving: subprocess.Popen[str]) -> None:
    for _ in range(300):
        assert serving.poll() is None
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("it does not listen")
