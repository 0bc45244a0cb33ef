"""Semantic models rest on columns that are promised, and on no row that counts others again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from common.errors import AceError
from common.settings import Settings
from warehouse import metrics
from warehouse.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
#: What a semantic model has that rests on columns.
PARTS = ("entities", "dimensions", "measures")


def _read(key: str) -> list[dict[str, Any]]:
    return [
        one
        for file in sorted((MODELS / "metrics").glob("*.yml"))
        for one in yaml.safe_load(file.read_text("utf-8")).get(key, ())
    ]


SEMANTIC_MODELS = _read("semantic_models")
METRICS = _read("metrics")


@cache
def promised(model: str) -> dict[str, str]:
    """The columns that a model's contract has, with their types on DuckDB."""
    (file,) = [*MODELS.glob(f"canonical/{model}.yml"), *MODELS.glob(f"marts/*/{model}.yml")]
    (found,) = [
        one for one in yaml.safe_load(file.read_text("utf-8"))["models"] if one["name"] == model
    ]
    return {
        one["name"]: "json" if "jsonb" in one["data_type"] else one["data_type"]
        for one in found["columns"]
    }


def counts_again(semantic_model: dict[str, Any], columns: Iterable[str]) -> list[str]:
    """Measures that would add rows of all platforms to those of each."""
    if "is_total" not in columns:
        return []
    return [
        measure["name"]
        for measure in semantic_model.get("measures", ())
        if not re.search(r"\bnot is_total\b", str(measure.get("expr", "")))
    ]


def reads(semantic_model: dict[str, Any]) -> str:
    return str(re.fullmatch(r"ref\('(\w+)'\)", semantic_model["model"])[1])  # type: ignore[index]


@pytest.mark.parametrize("one", SEMANTIC_MODELS, ids=lambda one: one["name"])
def test_semantic_models_name_promised_columns(one: dict[str, Any]) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in promised(reads(one)).items())
    with duckdb.connect() as connection:
        connection.execute(f"create table promised ({columns})")
        for part in (part for kind in PARTS for part in one.get(kind, ())):
            connection.execute(f"select {part.get('expr', part['name'])} from promised")
            assert part["description"].endswith("."), part["name"]


@pytest.mark.parametrize("one", SEMANTIC_MODELS, ids=lambda one: one["name"])
def test_no_measure_adds_totals_to_their_parts(one: dict[str, Any]) -> None:
    assert counts_again(one, promised(reads(one))) == []


def test_a_measure_of_a_mart_with_totals_is_noticed() -> None:
    measures = [
        {"name": "wrong", "agg": "sum", "expr": "n_posts"},
        {"name": "right", "agg": "sum", "expr": "case when not is_total then n_posts end"},
    ]
    totals = promised("product_performance")
    assert counts_again({"measures": measures}, totals) == ["wrong"]


def test_times_are_cut_at_midnight_in_utc_on_every_engine() -> None:
    """A date or a timestamptz would be cut in the time zone of a Postgres session."""
    times = [d for one in SEMANTIC_MODELS for d in one.get("dimensions", ()) if d["type"] == "time"]
    assert len(times) >= 2
    for one in times:
        assert re.match(r"timezone\('UTC', \w+\)$|cast\(\w+ as timestamp\)$", one["expr"]), one


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one["name"])
def test_metrics_say_their_unit_and_how_they_add_up(metric: dict[str, Any]) -> None:
    text = metric["description"]
    assert text.startswith("Unit: "), text
    how = {"ratio": "The sum of ", "derived": "add(ed|ing) (.* )?up"}
    assert re.search(how.get(metric["type"], "Aggregated (by|as) "), text), text
    assert metric["label"]


def test_there_are_the_metrics_that_are_asked_for() -> None:
    names = {one["name"] for one in METRICS}
    assert {"views", "engagements", "engagement_rate", "performance_score"} <= names
    types = {one["name"]: one["type"] for one in METRICS}
    assert all(types[name] == "ratio" for name in names if name.endswith("_rate"))


def test_without_metricflow_the_next_step_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda name: None)
    with pytest.raises(AceError, match="not installed") as error:
        metrics.Metrics.of_project(Settings(tmp_path, "duckdb", "", None, None, {}), "duckdb")
    assert "sh requirements/install.sh metrics" in error.value.hint
