"""The rules of a model (``row_rules`` in its yml) as SQL conditions, without starting dbt."""

from __future__ import annotations

from functools import cache

import yaml
from jinja2 import Environment

from tests.support.macros import VARIABLES, rendered
from warehouse.settings import PROJECT_ROOT

#: What compares computed doubles (`macros/engine/rounding.sql`).
ROUNDING = ("at_most", "at_least", "less_than", "more_than", "within", "is_finite")


@cache
def rules(model: str) -> dict[str, str]:
    """A model's rules as they are written, by name."""
    [path] = (PROJECT_ROOT / "models").rglob(f"{model}.yml")
    [table] = yaml.load(path.read_text(), yaml.CSafeLoader)["models"]
    [test] = [test for test in table["data_tests"] if "row_rules" in test]
    return dict(test["row_rules"]["arguments"]["rules"])


def condition(model: str, rule: str) -> str:
    """One rule as SQL over a row of the model; null where it does not apply."""
    environment = Environment()
    environment.globals["var"] = VARIABLES.__getitem__
    for name in ROUNDING:
        environment.globals[name] = lambda *given, name=name, **more: rendered(name, *given, **more)
    return environment.from_string(rules(model)[rule]).render()
