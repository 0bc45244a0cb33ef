"""Releases: numbered, immutable states of the warehouse that passed every test."""

from warehouse.release.model import (
    Passed,
    ReleaseStore,
    ReleaseSummary,
    TestOutcome,
)
from warehouse.release.stores import open_store

__all__ = ["Passed", "ReleaseStore", "ReleaseSummary", "TestOutcome", "open_store"]
