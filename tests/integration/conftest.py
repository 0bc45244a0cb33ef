"""What several files ask: the simulated world as a release, with the agent server before it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from agent_server.server import AgentServer
from common.settings import Settings
from tests.support.builds import Warehouse
from tests.support.released_demo import released


@pytest.fixture(scope="session")
def demo_release(demo: Warehouse) -> Settings:
    """Settings that find the release of the simulated world; tests only read it."""
    return released(demo)


@pytest.fixture(scope="module")
def server(demo_release: Settings) -> Iterator[AgentServer]:
    made = AgentServer(demo_release)
    yield made
    made.close()


@pytest.fixture(scope="module")
def release(demo_release: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release, read without the server."""
    path = demo_release.home / "releases" / "1.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection
