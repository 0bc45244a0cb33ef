"""Commands that touch no data do not import what reads data: that takes longer than they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from loaders.landing import Landing

HEAVY = (
    *("polars", "pyarrow", "pandas", "numpy", "dbt", "great_expectations", "jinja2"),
    *("mcp", "starlette"),
)
PROBE = """
import sys
from warehouse.cli import main
try:
    main(sys.argv[1:])
finally:
    print("imported:", *(name for name in {heavy} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["status", "--json"]])
def test_listing_commands_stay_light(tmp_path: Path, arguments: list[str]) -> None:
    with Landing(tmp_path / "landing").open_load("files", "agent_notes") as load:
        load.write(pl.DataFrame({"content": ["a"]}))
        load.commit()
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(heavy=HEAVY), *arguments],
        env=os.environ | {"ACE_HOME": str(tmp_path), "ACE_TARGET": "duckdb"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.splitlines()[-1] == "imported:"
    if "status" in arguments:
        assert '"landed_loads": 1' in done.stdout


def test_a_landing_zone_whose_name_is_a_pattern_is_read(tmp_path: Path) -> None:
    landing = Landing(tmp_path / "a[b]*c")
    with landing.open_load("files", "agent_notes") as load:
        load.write(pl.DataFrame({"content": ["a"]}))
        done = load.commit()
    beat = landing.heartbeat("files")
    again = Landing(landing.url)
    assert again.loads() == [done]
    assert again.heartbeats() == [beat]
