"""The simulated world as a release: what readers and agents have before them."""

from __future__ import annotations

import fcntl
import json
import shutil
from types import SimpleNamespace
from typing import Any

import duckdb

from common.settings import Settings
from tests.support.builds import Warehouse
from warehouse.build.documents import column_descriptions, table_documents
from warehouse.release.duckdb import DuckStore
from warehouse.release.model import Passed


def released(demo: Warehouse) -> Settings:
    """Settings that find the release of a world that was built, made once for all workers."""
    home = demo.home / "released"
    home.mkdir(exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "current.duckdb").exists():
            file = home / "warehouse.duckdb"
            shutil.copyfile(demo.database, file)
            with duckdb.connect(str(file)) as connection:
                ((run,),) = connection.execute(
                    "select invocation_id from meta.builds order by build desc limit 1"
                ).fetchall()
            manifest = _manifest(demo)
            passed = Passed(
                *("this project", None, "", run),
                descriptions=column_descriptions(manifest),
                tables=table_documents(manifest),
            )
            store = DuckStore(home, file, 5)
            store.record_passed(passed)
            store.publish()
            file.unlink()
    return Settings(home, "duckdb", str(home / "landing"), None, None, {})


def _manifest(demo: Warehouse) -> Any:
    """What dbt wrote of the project that built it, as dbt has it in memory."""
    written = json.loads((demo.home / "target" / "manifest.json").read_text("utf-8"))
    nodes = {}
    for key, node in written["nodes"].items():
        columns = {name: SimpleNamespace(**one) for name, one in node["columns"].items()}
        nodes[key] = SimpleNamespace(
            **node
            | {
                "columns": columns,
                "config": SimpleNamespace(**node["config"]),
                "depends_on": SimpleNamespace(**node["depends_on"]),
            }
        )
    return SimpleNamespace(nodes=nodes)
