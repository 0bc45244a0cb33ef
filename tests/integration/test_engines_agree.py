"""The whole simulated world gives the same rows on both engines.

Random histories (tests/property) find what is rare; only a world with enough posts,
tags and events fills every statistic of the marts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PgServer
from tests.support.builds import Warehouse, differences

#: Marts that the simulated world must not leave empty, or comparing them proves nothing.
MAY_BE_EMPTY: set[str] = set()


@pytest.mark.postgres
def test_both_engines_give_the_same_world(
    demo: Warehouse, pg_server: PgServer, tmp_path: Path
) -> None:
    url = pg_server.create_database("world")
    postgres = Warehouse(tmp_path, demo.landing, target="postgres", postgres_url=url)
    postgres.build()
    left, right = demo.result(), postgres.result()
    pg_server.drop_database(url)
    empty = {table for table, rows in left.items() if not rows}
    assert {table for table in empty if table.startswith("marts.")} <= MAY_BE_EMPTY
    assert differences(left, right) == []
