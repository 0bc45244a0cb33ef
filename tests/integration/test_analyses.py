"""Every analysis says what it answers, compiles, and runs on the built simulated world."""

from __future__ import annotations

import pytest

from tests.support.builds import Warehouse
from warehouse.settings import PROJECT_ROOT

ANALYSES = sorted(path.name for path in (PROJECT_ROOT / "analyses").glob("*.sql"))


@pytest.fixture(scope="module")
def compiled(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of each analysis; compiled in a folder of its own, the fixture is only read."""
    from dbt.cli.main import dbtRunner

    from tests.support.builds import _manifest
    from warehouse.build.dbt_run import _close_connections, _environment

    folder = tmp_path_factory.mktemp("analyses")
    with _environment(demo.environment()):
        common = (
            *("--project-dir", str(PROJECT_ROOT)),
            *("--profiles-dir", str(PROJECT_ROOT / "profiles")),
            *("--target", "duckdb", "--target-path", str(folder)),
            *("--log-path", str(folder), "--log-level", "none"),
        )
        # The session's parsed project where another test needed it: parsing takes seconds.
        done = dbtRunner(manifest=_manifest("duckdb ", common)).invoke(
            ["compile", "--select", "resource_type:analysis", "--no-populate-cache", *common]
        )
        _close_connections("duckdb")
    assert done.success, done.exception
    return {path.name: path.read_text() for path in folder.glob("compiled/**/analyses/*.sql")}


def test_there_are_some() -> None:
    assert {
        "forecast_quality.sql",
        "stalled_content.sql",
        "top_patterns.sql",
        "trending_for_product.sql",
    } <= set(ANALYSES)


@pytest.mark.parametrize("name", ANALYSES)
def test_analysis_runs_and_says_what_it_answers(
    demo: Warehouse, compiled: dict[str, str], name: str
) -> None:
    source = (PROJECT_ROOT / "analyses" / name).read_text()
    assert source.startswith("{#\n")
    assert source.split("\n")[1].rstrip().endswith(("?", ",", "?:")) or "?" in source[:400]
    assert demo.query(compiled[name])


def test_the_stalled_product_stands_first(demo: Warehouse, compiled: dict[str, str]) -> None:
    """The one product of the simulated world that has scripts and never a post."""
    import polars as pl

    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_products.parquet")
    stalled = truth.filter(pl.col("stalled"))["product_id"].to_list()
    first = demo.query(compiled["stalled_content.sql"])[0]
    assert [str(first["product_id"])] == stalled
    assert first["posts"] == 0
    assert first["scripts"] > 0
