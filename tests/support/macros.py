"""A macro of the project as plain SQL, without starting dbt: for trying it on many inputs."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2 import Environment

from warehouse.settings import PROJECT_ROOT

#: The project's own values of its vars.
VARIABLES: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text())["vars"]


@cache
def macro_source() -> str:
    """All of `macros/engine`, `macros/marts` and `macros/rows` but how tables are written."""
    texts = [
        path.read_text()
        for folder in ("engine", "marts", "rows")
        for path in sorted((PROJECT_ROOT / "macros" / folder).glob("*.sql"))
    ]
    # A tag of dbt's own, which Jinja does not know.
    return "\n".join(text for text in texts if "{% materialization" not in text)


def environment(engine: str) -> Environment:
    """Jinja with what those macros take from dbt."""
    made = Environment(extensions=["jinja2.ext.do"])
    made.globals.update(
        target=SimpleNamespace(type=engine),
        var=VARIABLES.__getitem__,
        **{"return": lambda value: value},
    )
    return made


@cache
def _module(engine: str) -> Any:
    return environment(engine).from_string(macro_source()).module


def rendered(macro: str, *arguments: Any, engine: str = "duckdb", **named: Any) -> str:
    """The SQL of one macro that calls nothing of dbt's."""
    return str(getattr(_module(engine), macro)(*arguments, **named))
