"""The dbt project is described, its floors hold, and dbt has nothing to complain about."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from loaders.schema import RESOURCES, SOURCES
from warehouse import declared
from warehouse.settings import PROJECT_ROOT

#: Singular tests that state a key of the models they read.
KEY_TESTS = ("verdicts_are_consistent", "names_lead_to_one_key")

#: The floors, one above the other; a model reads its own and those below. Within an area a mart
#: and its steps are made of each other.
FLOORS = (
    ("staging",),
    ("versions",),
    ("accepted",),
    ("canonical", "quarantine"),
    ("marts/performance", "marts/trends"),
    ("marts/creative",),
    ("marts/operations",),
)

#: What marts read of the versions, and not of what counts of them.
READ_BELOW = {"row_ledger": {"int_verdict_counts"}}

#: Models whose key no test states, and why none is needed.
WITHOUT_KEY_TEST = {
    "int_performance_metrics_keys": "nothing joins it; one row for each name by construction",
    "int_published_posts_keys": "nothing joins it; one row for each name by construction",
    "int_raw_videos_keys": "nothing joins it; one row for each name by construction",
    "int_verdict_counts": "grouped by it, and read by row_ledger, whose key is tested",
    "post_changes": "a list of changes, read as a set",
    "embedding_changes": "a list of changes, read as a set",
    "int_lineage_changes": "a list of changes, read as a set",
    "accepted_references": "rows of int_references",
    "int_references": "a union of tables whose keys are tested",
    "int_agent_days": "one to one with agent_health, whose key is tested",
    "int_product_trends": "one to one with product_trends, whose key is tested",
    "int_videos": "one to one with video_trends, whose key is tested",
    "int_bandit_candidates": "grouped by it, and one to one with bandit_arms, whose key is tested",
    "int_bandit_chances": "grouped by it, and joined by bandit_arms, whose key is tested",
    "int_bandit_posteriors": "one to one with bandit_arms, whose key is tested",
    "int_brief_facts": "one to one with creative_briefs, whose key is tested",
    "int_experiment_arms": "one to one with experiment_results, whose key is tested",
    "int_experiment_comparison": "joined one to one by experiment_results, whose key is tested",
    "int_pattern_fatigue": "joined one to one by creative_pattern_performance, whose key is tested",
    "int_pattern_priors": "joined one to one by creative_pattern_performance, whose key is tested",
    "int_choice_tags": "distinct tags of distinct lists, seen in tag effects as well",
    "int_tagged_posts": "rows of int_post_outcomes, whose key is tested",
    "int_hashtag_tags": "distinct rows, of which a repeated one would be seen in tag effects",
    "int_script_hooks": "rows of accepted_scripts, whose key is tested",
    "int_repeated_hooks": "grouped by it; a repeated one would be seen in int_brief_items",
    "int_pattern_words": "rows of accepted_creative_patterns, whose key is tested",
    "int_telling_effects": "rows of creative_tag_effects, whose key is tested",
    **dict.fromkeys(
        (
            "int_brief_avoid",
            "int_brief_effects",
            "int_brief_posts",
            "int_brief_rising",
            "int_brief_times",
            "int_brief_try",
            "int_brief_usual",
            "int_brief_works",
        ),
        "united in int_brief_items, whose key is tested",
    ),
    "int_feature_identity": "joined one to one by post_features_as_of, whose key is tested",
    "int_feature_baselines": "joined one to one by post_features_as_of, whose key is tested",
    "int_feature_trends": "joined one to one by post_features_as_of, whose key is tested",
    "int_feature_earlier_posts": "joined one to one by post_features_as_of, whose key is tested",
}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The manifest and what dbt printed while parsing the whole project anew."""
    folder = tmp_path_factory.mktemp("parse")
    command = [
        *(
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            "parse",
            "--no-partial-parse",
        ),
        *("--show-all-deprecations", "--no-use-colors", "--no-send-anonymous-usage-stats"),
        *("--profiles-dir", "profiles", "--target-path", str(folder), "--log-path", str(folder)),
    ]
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env={**os.environ, "ACE_HOME": str(folder), "ACE_TARGET": "duckdb"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "manifest.json").read_text()), done.stdout + done.stderr


@pytest.fixture(scope="module")
def manifest(parsed: tuple[dict[str, Any], str]) -> dict[str, Any]:
    return parsed[0]


def nodes(manifest: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == kind]
    assert found
    return found


def test_dbt_warns_of_nothing(parsed: tuple[dict[str, Any], str]) -> None:
    assert not re.findall(r".*(?:deprecat|warn).*", parsed[1], flags=re.IGNORECASE)


@pytest.mark.parametrize("kind", ["model", "seed"])
def test_every_table_is_described_down_to_its_columns(manifest: dict[str, Any], kind: str) -> None:
    for node in nodes(manifest, kind):
        assert len(node["description"]) > 20, node["name"]
        assert node["columns"], node["name"]
        for name, column in node["columns"].items():
            assert len(column["description"]) > 3, f"{node['name']}.{name}"
            assert column["description"].endswith("."), f"{node['name']}.{name}"


@pytest.mark.parametrize("kind", ["model", "seed"])
def test_every_description_ends_with_the_grain(manifest: dict[str, Any], kind: str) -> None:
    for node in nodes(manifest, kind):
        meta = node["config"]["meta"]
        assert node["description"].splitlines()[-1] == f"Grain: {meta['grain']}.", node["name"]
        assert re.search(r"```sql\n(select .*)\n```\n", node["description"]), node["name"]


def test_one_yml_stands_beside_every_model(manifest: dict[str, Any]) -> None:
    """What stands below one canonical table is described in one yml, or each column would be
    written on every floor."""
    for node in nodes(manifest, "model"):
        patch = Path(node["patch_path"].partition("://")[2])
        below = re.fullmatch(r"stg_\w+?__(\w+)|(?:int|valid|accepted)_(\w+)", node["name"])
        if below and (below[1] or below[2]) in RESOURCES:
            assert patch == Path("models/_tables") / f"{below[1] or below[2]}.yml"
        else:
            assert patch == Path(node["original_file_path"]).with_suffix(".yml")


def test_what_dbt_reads_of_the_schema_is_what_is_declared() -> None:
    """`make schema` was run."""
    written = dict(declared.files())
    assert {path: (PROJECT_ROOT / path).read_text("utf-8") for path in written} == written
    assert declared.stray() == []


def test_what_the_schema_declares_is_all_that_is_staged(manifest: dict[str, Any]) -> None:
    landed = {(source, table) for source, tables in SOURCES.items() for table in tables}
    sources = {(one["source_name"], one["name"]) for one in manifest["sources"].values()}
    assert sources == landed
    read = {
        tuple(parent.split(".")[2:])
        for node in nodes(manifest, "model")
        for parent in node["depends_on"]["nodes"]
        if node["name"].startswith("stg_") and parent.startswith("source.")
    }
    assert read == landed
    parents = {
        node["name"]: {parent.split(".")[2] for parent in node["depends_on"]["nodes"]}
        for node in nodes(manifest, "model")
    }
    for table in RESOURCES:
        staged = {name for name in parents if re.fullmatch(rf"stg_\w+__{table}", name)}
        assert staged <= parents[f"int_{table}"], table


def test_readers_are_told_who_uses_a_table(manifest: dict[str, Any]) -> None:
    """Of public tables; who reads a private one is in the lineage, which is always true."""
    for node in nodes(manifest, "model"):
        is_public = node["access"] == "public"
        assert is_public == bool(node["config"]["meta"].get("used_by")), node["name"]


def test_every_promised_table_has_a_contract_with_types(manifest: dict[str, Any]) -> None:
    promised = [node for node in nodes(manifest, "model") if node["access"] == "public"]
    assert len(promised) >= 12
    for node in promised:
        assert node["config"]["contract"]["enforced"], node["name"]
        assert all(column["data_type"] for column in node["columns"].values()), node["name"]


def test_every_grain_has_a_test_of_its_key(manifest: dict[str, Any]) -> None:
    tested = set(WITHOUT_KEY_TEST)
    for test in nodes(manifest, "test"):
        generic = (test.get("test_metadata") or {}).get("name")
        given = (test.get("test_metadata") or {}).get("kwargs", {})
        states_key = generic in ("unique", "unique_together") or given.get("unique_key")
        if states_key or test["name"] in KEY_TESTS:
            tested |= {parent.split(".")[2] for parent in test["depends_on"]["nodes"]}
    for node in [*nodes(manifest, "model"), *nodes(manifest, "seed")]:
        # What was landed may repeat: the int tables decide about that.
        # Of accepted rows the canonical table is tested.
        name = node["name"].removeprefix("valid_").removeprefix("accepted_")
        if not node["name"].startswith("stg_"):
            assert {name, node["name"]} & tested, node["name"]


def test_every_macro_is_described_with_its_arguments(manifest: dict[str, Any]) -> None:
    own = [m for m in manifest["macros"].values() if m["package_name"] == "ace_warehouse"]
    assert len(own) > 40
    for macro in own:
        if macro["name"].startswith("materialization_"):
            continue  # described where they stand: dbt shows nothing of them
        assert len(macro["description"]) > 5, macro["name"]
        head = re.search(
            r"\{%-?\s*(?:macro|test)\s+\w+\s*\((.*?)\)\s*-?%\}", macro["macro_sql"], re.S
        )
        assert head, macro["name"]
        signature = re.sub(r"\[[^]]*\]|\{[^}]*\}|'[^']*'", "", head[1])
        names = {part.split("=")[0].strip() for part in signature.split(",") if part.strip()}
        described = {argument["name"] for argument in macro["arguments"] if argument["description"]}
        assert described == names, macro["name"]


def test_every_source_says_when_it_is_stale_or_that_it_never_is(manifest: dict[str, Any]) -> None:
    assert manifest["sources"]
    for source in manifest["sources"].values():
        assert source["description"], source["unique_id"]
        assert source["source_description"], source["unique_id"]
        assert source["loaded_at_field"] == "_loaded_at", source["unique_id"]
        if not (source["freshness"] or {}).get("warn_after", {}).get("count"):
            text = (PROJECT_ROOT / source["original_file_path"]).read_text()
            assert "switched off" in text, source["unique_id"]


def floor_of(node: dict[str, Any]) -> tuple[int, str]:
    """Height and name of the floor a model stands on."""
    folder = Path(node["original_file_path"]).parent.relative_to("models")
    for height, rooms in enumerate(FLOORS):
        for room in rooms:
            if folder.is_relative_to(room):
                return height, room
    raise AssertionError(f"{node['original_file_path']} stands on no floor")


def test_nothing_reads_upward(manifest: dict[str, Any]) -> None:
    models = {node["unique_id"]: node for node in nodes(manifest, "model")}
    for node in models.values():
        height, room = floor_of(node)
        for parent in node["depends_on"]["nodes"]:
            if parent in models:
                below, other = floor_of(models[parent])
                told = f"{node['name']} ({room}) reads {models[parent]['name']} ({other})"
                assert below < height or other == room, told


def test_no_mart_knows_a_verdict(manifest: dict[str, Any]) -> None:
    """The ledger is about verdicts, and reads them counted."""
    below = {"staging", "versions"}
    models = {node["unique_id"]: node for node in nodes(manifest, "model")}
    for node in models.values():
        if not floor_of(node)[1].startswith(("marts", "canonical")):
            continue
        assert "_verdict" not in node["raw_code"].replace("int_verdict_counts", ""), node["name"]
        read = {
            models[parent]["name"]
            for parent in node["depends_on"]["nodes"]
            if parent in models and floor_of(models[parent])[1] in below
        }
        assert {name for name in read if not name.startswith("stg_")} <= READ_BELOW.get(
            node["name"], set()
        ), node["name"]


def test_exposures_name_every_consumer_of_the_public_tables(manifest: dict[str, Any]) -> None:
    exposures = {one["label"]: one for one in manifest["exposures"].values()}
    for one in exposures.values():
        assert one["description"], one["name"]
        assert one["owner"]["email"], one["name"]
        assert one["maturity"], one["name"]
    for node in nodes(manifest, "model"):
        if node["access"] != "public":
            continue
        readers = {
            label
            for label, one in exposures.items()
            if node["unique_id"] in one["depends_on"]["nodes"]
        }
        stated = set(node["config"]["meta"]["used_by"].split(", "))
        if any(name.startswith("every agent") for name in stated):
            stated = set(exposures)
        assert readers == stated, node["name"]


def test_unit_tests_have_names_that_postgres_takes(manifest: dict[str, Any]) -> None:
    """dbt makes a relation of the name of each, and Postgres has room for 63 bytes."""
    names = [test["name"] for test in manifest["unit_tests"].values()]
    assert names
    assert [name for name in names if len(name.encode()) > 63] == []


def test_marts_with_totals_say_which_rows_they_are() -> None:
    """A mart whose platform may be 'all' promises is_total, and computes it in one way."""
    mixed = set()
    for file in (PROJECT_ROOT / "models" / "marts").glob("*/*.yml"):
        for model in yaml.safe_load(file.read_text("utf-8")).get("models", ()):
            columns = {one["name"]: one for one in model.get("columns", ())}
            said = columns.get("platform", {}).get("description", "")
            if re.search(r"\ball\b", said) and "no row of all" not in said:
                mixed.add(model["name"])
                assert "where not is_total" in columns["is_total"]["description"]
                assert "{{ is_total(" in file.with_suffix(".sql").read_text("utf-8")
    assert {"product_performance", "platform_benchmarks", "forecast_accuracy"} < mixed
