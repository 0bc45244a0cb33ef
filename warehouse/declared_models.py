"""The Pydantic model of each canonical table, written from the contract that dbt enforces."""

from __future__ import annotations

from functools import cache
from textwrap import wrap
from typing import Any

from common.settings import PROJECT_ROOT
from loaders.schema import SOURCE_KEY

FOLDER = "repositories/models"
#: Types of contracts as Python has them; ids are text, as everywhere outside the engines.
TYPES = {
    "uuid": "str",
    "text": "str",
    "text[]": "tuple[str, ...]",
    "bigint": "int",
    "double precision": "float",
    "timestamptz": "datetime",
}
_NAMES = {"datetime": "from datetime import datetime", "Any": "from typing import Any"}


def model_of(table: str) -> tuple[str, str]:
    """Path below the project and text of the module with a table's model."""
    contract = _contract(table)
    required = _required(contract)
    fields = [line for column in contract["columns"] for line in _field(column, required)]
    text = "\n".join(fields)
    imports = [line for name, line in _NAMES.items() if name in text]
    grain = contract["config"]["meta"]["grain"]
    about = contract["description"].partition("```")[0].split()
    lines = [
        f'"""Rows of canonical.{table}. Written by `make schema` from models/canonical."""',
        "",
        *([*imports, ""] if imports else []),
        "from repositories.row import Row",
        "",
        "",
        f"class {class_name(table)}(Row):",
        *_doc([" ".join(about), f"Grain: {grain}."]),
        "",
        f'    TABLE = "{table}"',
        f'    KEY = "{SOURCE_KEY[table]}"',
        "",
        *fields,
    ]
    return f"{FOLDER}/{table}.py", "\n".join(lines) + "\n"


def class_name(table: str) -> str:
    """``PublishedPost`` of ``published_posts``."""
    return "".join(part.capitalize() for part in table.removesuffix("s").split("_"))


def _field(column: dict[str, Any], required: set[str]) -> list[str]:
    kind = TYPES.get(column["data_type"], "Any")
    if "json" in column["data_type"]:
        kind = "Any"
    name = column["name"]
    if name not in required:
        kind = "Any = None" if kind == "Any" else f"{kind} | None = None"
    about = wrap(" ".join(column["description"].split()), 92)
    return [*(f"    #: {line}" for line in about), f"    {name}: {kind}"]


def _doc(parts: list[str]) -> list[str]:
    lines = [line for part in parts for line in [*wrap(part, 92), ""]][:-1]
    lines[0] = f'"""{lines[0]}'
    return [*(f"    {line}".rstrip() for line in lines), '    """']


def _required(contract: dict[str, Any]) -> set[str]:
    for test in contract["data_tests"]:
        if "row_rules" in test:
            return set(test["row_rules"]["arguments"]["required"])
    raise ValueError(f"{contract['name']} has no row_rules")


@cache
def _contract(table: str) -> dict[str, Any]:
    import yaml

    text = (PROJECT_ROOT / "models" / "canonical" / f"{table}.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["models"][0]
    return found
