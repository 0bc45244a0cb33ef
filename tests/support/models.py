"""A model of the project as plain SQL over tables of a test, without starting dbt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import yaml

from tests.support.macros import environment, macro_source
from warehouse.settings import PROJECT_ROOT


@cache
def model_sql(path: str, engine: str = "duckdb") -> str:
    """The SQL of ``models/<path>.sql``, where a reference is the bare name of a table."""
    jinja = environment(engine)
    jinja.globals.update(ref=lambda name: name, config=lambda **_: "", is_incremental=lambda: False)
    file = PROJECT_ROOT / "models" / f"{path}.sql"
    beside = file.with_suffix(".yml")
    described = yaml.safe_load(beside.read_text()).get("models") if beside.exists() else None
    columns = [column["name"] for column in described[0]["columns"]] if described else []
    jinja.globals["model"] = SimpleNamespace(columns=columns)
    return jinja.from_string(macro_source() + "\n" + file.read_text()).render()


def step_sql(path: str, step: str, engine: str = "duckdb") -> str:
    """The SQL of one step, ``<step> as (...)``, of a model, with references as bare names."""
    model = (PROJECT_ROOT / "models" / f"{path}.sql").read_text()
    found = re.search(rf"^{step} as (?:{{{{.*?}}}} )?\(\n(.*?)^\)", model, re.MULTILINE | re.DOTALL)
    assert found, f"{path} has no step {step}"
    jinja = environment(engine)
    jinja.globals.update(ref=lambda name: name)
    return jinja.from_string(macro_source() + "\n" + found[1]).render()


#: The steps of creative_pattern_performance, in the order in which they are built.
PATTERN_STEPS = ("int_pattern_posts", "int_pattern_priors", "int_pattern_fatigue")


def steps_sql(folder: str, names: Sequence[str]) -> str:
    """The statements that make tables of models in ``models/<folder>``, under their names."""
    return "".join(f"create table {name} as {model_sql(f'{folder}/{name}')};\n" for name in names)


def table_sql(
    name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, list[list[Any]]]:
    """The statement that makes a table, and its rows in the order of its columns."""
    definition = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return (
        f"create temporary table {name} ({definition})",
        [[row.get(column) for column in columns] for row in rows],
    )
