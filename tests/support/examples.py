"""How many random histories a property is tried on: few in `make test`, more in `make soak`."""

from __future__ import annotations

import os


def examples(usual: int) -> int:
    """``usual`` times TEST_EXAMPLES, where that is set: the first of them are the usual ones."""
    return usual * int(os.environ.get("TEST_EXAMPLES") or 1)
