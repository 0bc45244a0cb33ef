"""What a table promises of its columns is asked of a new project, and not of every increment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.landing import Landing
from tests.support import builds
from tests.support.builds import Warehouse
from tests.support.parsed import parsed_project

MART = "model.ace_warehouse.row_ledger"


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def warehouse(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Warehouse:
    """One whose mart gives a column in another type than its contract promises."""

    def changed(*arguments: Any) -> Any:
        manifest = parsed_project(*arguments)
        mart = manifest.nodes[MART]
        types = {name: column.data_type for name, column in mart.columns.items()}
        types["balance"] = "double precision"
        nothing = (f"cast(null as {told}) as {name}" for name, told in types.items())
        mart.raw_code = f"select {', '.join(nothing)} where 1 = 0"
        return manifest

    monkeypatch.setattr(builds, "parsed_project", changed)
    landing = Landing(str(tmp_path / "landing"))
    landing.prepare()
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return Warehouse(tmp_path, landing, target=request.param, postgres_url=url)


def test_a_contract_is_asked_for_where_the_project_has_not_held_it_yet(
    warehouse: Warehouse,
) -> None:
    only = ("--select", "row_ledger", "--exclude-resource-type", "test", "unit_test")
    assert not warehouse.dbt("build", *only)
    [failed] = warehouse.failures
    assert failed.startswith(MART)
    assert "contract" in failed
    assert "balance" in failed
    # The engine puts what comes into the type promised.
    assert warehouse.dbt("build", *only, "--vars", "{contracts_held: true}"), warehouse.failures
