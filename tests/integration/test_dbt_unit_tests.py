"""dbt's own tests on both engines: unit tests, macro tests, and whether the others can fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.landing import Landing
from tests.support.builds import Warehouse
from tests.support.parsed import parsed_project
from warehouse.build.dbt_run import _environment
from warehouse.settings import PROJECT_ROOT

#: Losing a unit test should be a decision.
AT_LEAST = 100


def empty_warehouse(folder: Path, target: str, url: str = "") -> Warehouse:
    """A build of an empty landing: what unit tests take their types from.

    Not ``--empty``: views built by that stay empty whatever is in their tables.
    """
    landing = Landing(str(folder / "landing"))
    landing.prepare()
    warehouse = Warehouse(folder, landing, target=target, postgres_url=url)
    warehouse.build()
    return warehouse


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return empty_warehouse(tmp_path_factory.mktemp("dbt"), "duckdb")


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        yield request.getfixturevalue("empty")
        return
    server = request.getfixturevalue("pg_server")
    url = server.create_database("units")
    yield empty_warehouse(tmp_path_factory.mktemp("dbt"), "postgres", url)
    server.drop_database(url)


def outcomes(warehouse: Warehouse, kind: str) -> dict[str, str]:
    """Status of every test of a kind in the last run by its id."""
    return {
        name: status for name, status in warehouse.outcomes.items() if name.startswith(f"{kind}.")
    }


def test_every_unit_test_passes(warehouse: Warehouse) -> None:
    passed = warehouse.dbt("test", "--select", "test_type:unit")
    assert warehouse.failures == []
    assert passed
    found = outcomes(warehouse, "unit_test")
    assert set(found.values()) == {"pass"}
    assert len(found) >= AT_LEAST


def test_macros_and_singular_tests_pass(warehouse: Warehouse) -> None:
    passed = warehouse.dbt("test", "--select", "test_type:singular")
    assert warehouse.failures == []
    assert passed
    written = {path.stem for path in (PROJECT_ROOT / "tests" / "dbt").glob("*_macros.sql")}
    assert len(written) >= 10
    assert written <= {name.split(".")[2] for name in outcomes(warehouse, "test")}


def test_every_column_is_described(warehouse: Warehouse) -> None:
    with _environment(warehouse.environment()):
        manifest = parsed_project(warehouse.target, warehouse.common_arguments())
    tables = {
        (schema, table): set(columns)
        for schema in {node.schema for node in manifest.nodes.values()}
        for table, columns in warehouse.tables(schema.removeprefix("build_")).items()
    }
    for node in manifest.nodes.values():
        if node.resource_type not in ("model", "seed"):
            continue
        columns = tables.get((node.schema, node.alias))
        assert columns, node.name
        described = {name for name, column in node.columns.items() if column.description}
        assert described == columns, node.name


@pytest.fixture(scope="module")
def broken(empty: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Outcomes of tests over a warehouse in which each has something to find."""
    warehouse = Warehouse(tmp_path_factory.mktemp("broken"), empty.landing)
    shutil.copy(empty.database, warehouse.database)
    key = "'00000000-0000-0000-0000-000000000001'"
    for statement in (
        "insert into intermediate.int_products"
        " (_load_id, _position, product_id, _verdict, _reasons, _is_latest, _valid_from)"
        f" select 'a', position, {key}, 'accepted', [], true, current_timestamp"
        " from range(2) as positions (position)",
        "insert into intermediate.int_published_posts"
        " (_load_id, _position, post_id, experiment_id, platform, _verdict, _reasons, _is_latest,"
        "  _effective_at)"
        f" values ('a', 0, {key}, {key}, 'myspace', 'accepted', [], true, current_timestamp)",
        "insert into intermediate.int_experiments"
        " (_load_id, _position, experiment_id, _verdict, _reasons, _is_latest, _effective_at)"
        f" select 'a', position, {key}, 'accepted', [], true, current_timestamp"
        " from range(2) as positions (position)",
        "insert into intermediate.int_embeddings"
        " (_load_id, _position, embedding_id, reference_type, reference_id, _verdict, _reasons,"
        "  _is_latest, _effective_at)"
        f" values ('a', 0, {key}, 'script', {key}, 'accepted', [], true, current_timestamp)",
        "insert into intermediate.int_post_lineage (post_id)"
        f" select {key} from range(2) as positions (position)",
        "insert into marts.creative_tag_effects"
        " (platform, kind, tag, posts_with, posts_without, products, scripts_with, scripts_without,"
        "  p_value, q_value, known_at)"
        " values ('all', 'hashtag', 'a', 0, 0, 0, 0, 0, 1e-300, 0.999999e-300, current_timestamp)",
    ):
        warehouse.execute(statement)
    assert not warehouse.dbt("test", "--select", "test_type:singular", "creative_tag_effects_rules")
    return {name.split(".")[2]: status for name, status in outcomes(warehouse, "test").items()}


@pytest.mark.parametrize(
    ("test", "status"),
    [
        ("verdicts_are_consistent", "fail"),
        ("names_lead_to_one_key", "fail"),
        ("embeddings_have_their_row", "fail"),
        ("unknown_names", "warn"),
        ("creative_tag_effects_rules", "fail"),
    ],
)
def test_tests_of_models_can_fail(broken: dict[str, str], test: str, status: str) -> None:
    assert broken[test] == status
