"""The simulated world as a release: what readers and agents have before them."""

from __future__ import annotations

import fcntl
import shutil

import duckdb

from common.settings import Settings
from tests.support.builds import Warehouse
from tests.support.parsed import parsed_project
from warehouse.build.dbt_run import _environment
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
            with _environment(demo.environment()):
                manifest = parsed_project(demo.target, demo.common_arguments())
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
