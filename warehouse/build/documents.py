"""What the project says of its tables and columns, as releases carry it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import yaml

from warehouse.release import runs
from warehouse.release.model import PUBLIC_SCHEMAS, TableDocument
from warehouse.settings import PROJECT_ROOT

#: A description's example, which runs as it stands.
_EXAMPLE = re.compile(r"```sql\n(.*?)\n\s*```", re.DOTALL)
#: Ends every description; it is a field of its own, too.
_GRAIN = re.compile(r"^Grain: .*$", re.MULTILINE)
#: Marts read the rows of canonical tables where these are told apart by when they counted.
_ROWS_OF = re.compile(r"^(?:accepted|valid|int)_(.+)$")

#: Of the table that releases write themselves.
RUNS = TableDocument(
    schema="meta",
    table="runs",
    description=(
        "The last builds of this warehouse, how each ended, and what it had to do. "
        f"At most {runs.KEPT:,}, up to the one that made this release; a build that failed or was "
        "killed is in the next release. A warehouse built as of a time has none."
    ),
    grain="a build that ended",
    used_by="ace status, operators",
    example=(
        "select began_at, seconds, kind, outcome, new_rows, tests_warned, problem\n"
        "from meta.runs order by began_at desc limit 20"
    ),
)


@cache
def thresholds() -> dict[str, str]:
    """Numbers that the project sets (``vars``) as texts, by their names."""
    found = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text("utf-8"))["vars"]
    return {
        name: f"{value:,}" if type(value) is int else str(value)
        for name, value in found.items()
        if type(value) in (int, float)
    }


def _with_values(manifest: Any) -> Callable[[str], str]:
    """What puts the value of a threshold behind its first mention in a text, where none stands:
    whoever reads a release does not have the project. A name that a column has, too, is left."""
    columns = {name for node in _tables(manifest) for name in node.columns}
    values = {name: value for name, value in thresholds().items() if name not in columns}
    mention = re.compile(rf"\b({'|'.join(values)})\b(?! \()")

    def told(text: str) -> str:
        seen: set[str] = set()

        def valued(found: re.Match[str]) -> str:
            name = found[0]
            first = name not in seen
            seen.add(name)
            return f"{name} ({values[name]})" if first else name

        return mention.sub(valued, text)

    return told


def column_descriptions(manifest: Any) -> dict[tuple[str, str, str], str]:
    """(schema, table, column) to description, in public schema names."""
    told = _with_values(manifest)
    found = {}
    for node in _tables(manifest):
        for name, column in node.columns.items():
            if column.description:
                found[(*_public_name(node), name)] = told(_one_line(column.description))
    return found


def column_types(manifest: Any) -> dict[tuple[str, str, str], str]:
    """(schema, table, column) to the type that its contract promises, in public schema names."""
    return {
        (*_public_name(node), name): column.data_type
        for node in _tables(manifest)
        for name, column in node.columns.items()
        if column.data_type
    }


def table_documents(manifest: Any) -> list[TableDocument]:
    """One entry for each public table, in the order of their names."""
    public = {
        node.unique_id: _public_name(node)
        for node in _tables(manifest)
        if _public_name(node)[0] in PUBLIC_SCHEMAS
    }
    told = _with_values(manifest)
    found = []
    for key, (schema, table) in sorted(public.items(), key=lambda item: item[1]):
        node = manifest.nodes[key]
        example = _EXAMPLE.search(node.description)
        prose = _GRAIN.sub("", _EXAMPLE.sub("", node.description))
        meta = node.config.meta
        found.append(
            TableDocument(
                schema=schema,
                table=table,
                description=told(_one_line(prose)),
                grain=meta.get("grain"),
                area=getattr(node, "group", None),
                used_by=meta.get("used_by"),
                example=example[1].strip() if example else None,
                made_from=", ".join(_made_from(manifest, key, public)) or None,
            )
        )
    return found


def _made_from(manifest: Any, key: str, public: dict[str, tuple[str, str]]) -> list[str]:
    """The nearest public tables that a table reads, through private steps."""
    found, seen = set(), {key}
    ahead = _parents(manifest.nodes[key])
    while ahead:
        parent = ahead.pop()
        if parent in seen:
            continue
        seen.add(parent)
        if parent in public:
            found.add(".".join(public[parent]))
        elif parent in manifest.nodes:
            node = manifest.nodes[parent]
            rows_of = _ROWS_OF.match(node.name)
            if rows_of and (schema_table := ("canonical", rows_of[1])) in public.values():
                found.add(".".join(schema_table))
            else:
                ahead += _parents(node)
    return sorted(found - {".".join(public[key])})


def _parents(node: Any) -> list[str]:
    """Ids of what a node reads; seeds read nothing."""
    return list(getattr(node.depends_on, "nodes", ()))


def _tables(manifest: Any) -> Iterable[Any]:
    return (n for n in manifest.nodes.values() if n.resource_type in ("model", "seed"))


def _public_name(node: Any) -> tuple[str, str]:
    return node.schema.removeprefix("build_"), node.alias or node.name


def _one_line(text: str) -> str:
    return " ".join(text.split())
