"""The semantic manifest of the project, from what dbt parsed once for all tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.parsed import arguments, parsed_project
from warehouse.build.dbt_run import _environment


def semantic_manifest() -> str:
    """As JSON, with tables in a DuckDB database called ``warehouse``."""
    from dbt.contracts.graph.semantic_manifest import SemanticManifest

    with tempfile.TemporaryDirectory() as folder:
        environment = {"ACE_HOME": folder, "ACE_WAREHOUSE": f"{folder}/warehouse.duckdb"}
        with _environment(environment):
            manifest = parsed_project("duckdb", arguments(Path(folder), "duckdb"))
        file = Path(folder) / "semantic_manifest.json"
        SemanticManifest(manifest).write_json_to_file(str(file))
        return file.read_text("utf-8")
