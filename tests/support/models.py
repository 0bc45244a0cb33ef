"""A model of the project as plain SQL over tables of a test, without starting dbt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2 import Environment

from warehouse.settings import PROJECT_ROOT


def model_sql(path: str, engine: str = "duckdb") -> str:
    """The SQL of ``models/<path>.sql``, where a reference is the bare name of a table."""
    macros = "\n".join(
        source.read_text()
        for folder in ("engine", "marts")
        for source in sorted((PROJECT_ROOT / "macros" / folder).glob("*.sql"))
    )
    variables = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text())["vars"]
    environment = Environment(extensions=["jinja2.ext.do"])
    environment.globals.update(
        target=SimpleNamespace(type=engine),
        var=variables.__getitem__,
        ref=lambda name: name,
        config=lambda **_: "",
        **{"return": lambda value: value},
    )
    model = (PROJECT_ROOT / "models" / f"{path}.sql").read_text()
    return environment.from_string(macros + "\n" + model).render()


def table_sql(
    name: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, list[list[Any]]]:
    """The statement that makes a table, and its rows in the order of its columns."""
    definition = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return (
        f"create temporary table {name} ({definition})",
        [[row.get(column) for column in columns] for row in rows],
    )
