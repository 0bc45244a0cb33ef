"""Tries of a live source without the waits between them, and few of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """For a test module that imports it: three attempts, one right after the other."""
    with stamina.set_testing(True, attempts=3):
        yield
