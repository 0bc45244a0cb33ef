"""The simulated world, landed and built once: what statistics and planted truths are tried on."""

from __future__ import annotations

import fcntl
from pathlib import Path

from loaders.landing import Landing
from tests.support.builds import Warehouse

#: Enough for every statistic to have its least number of posts on every platform.
POSTS = 600


def demo_warehouse(folder: Path, posts: int = POSTS) -> Warehouse:
    """The world in ``folder``, built on DuckDB unless another process has done so already."""
    from loaders.demo import load_demo

    folder.mkdir(parents=True, exist_ok=True)
    warehouse = Warehouse(folder, Landing(str(folder / "landing")))
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".built").exists():
            warehouse.landing.prepare()
            load_demo(warehouse.landing, posts=posts, truth_dir=folder / "demo_truth")
            warehouse.build()
            (folder / ".built").touch()
    return warehouse
