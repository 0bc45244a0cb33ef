"""What the project promises of the tables that can be published, read from the models' files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from common.settings import PROJECT_ROOT
from loaders.schema import SOURCE_KEY
from repositories.marts import MARTS
from repositories.warehouse import MODELS


@dataclass(frozen=True)
class Contract:
    """A table's promise: what it is about, its grain, and the columns that are never null."""

    about: str
    grain: str
    required: frozenset[str]


def keys() -> dict[tuple[str, str], tuple[str, ...]]:
    """(schema, table) of everything that can be published, and the columns that name a row."""
    marts = {("marts", name): kept.key for name, kept in MARTS.items()}
    canonical = {("canonical", one.TABLE): (SOURCE_KEY[one.TABLE],) for one in MODELS}
    return marts | canonical


@cache
def contracts() -> Mapping[str, Contract]:
    """The contract of each canonical table and mart, by its name."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    wanted = {table for _, table in keys()}
    found = {}
    for folder in ("canonical", "marts"):
        for path in sorted((PROJECT_ROOT / "models" / folder).rglob("*.yml")):
            document: dict[str, Any] = yaml.load(path.read_text("utf-8"), loader)
            for model in document.get("models", []):
                if model["name"] in wanted:
                    found[model["name"]] = _contract(model)
    return found


def _contract(model: dict[str, Any]) -> Contract:
    required = {
        column
        for test in model.get("data_tests", [])
        if "row_rules" in test
        for column in test["row_rules"]["arguments"].get("required", [])
    }
    about = " ".join(model["description"].partition("```")[0].split())
    return Contract(about, model["config"]["meta"]["grain"], frozenset(required))
