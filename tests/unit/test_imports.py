"""Who imports whom: packages in one direction, modules never in a circle.

Read off the source, so that imports inside functions or for the type checker alone count like any
other: they change when a module is loaded, not what has to be understood with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What a package may import besides itself.
MAY_IMPORT = {
    "common": set(),
    "loaders": {"common"},
    "repositories": {"common", "loaders"},
    "agent_server": {"common", "loaders", "repositories"},
    "warehouse": {"agent_server", "common", "loaders", "repositories"},
}


def modules(root: Path, packages: Mapping[str, object]) -> dict[str, ast.Module]:
    """Every module of the packages by its dotted name."""
    found = {}
    for package in packages:
        for file in sorted((root / package).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(file.read_text("utf-8"))
    return found


def imports(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """(module, names taken from it) of every import; ``import a.b`` takes no names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{ast.unparse(node)}: imports are written in full"
            yield node.module or "", [alias.name for alias in node.names]


def graph(root: Path, packages: Mapping[str, object]) -> dict[str, set[str]]:
    """Module to the modules it imports, of the packages' own."""
    trees = modules(root, packages)
    edges: dict[str, set[str]] = {}
    for name, tree in trees.items():
        edges[name] = set()
        for module, names in imports(tree):
            for one in names or [""]:
                longer = f"{module}.{one}"
                target = longer if longer in trees else module
                if target.partition(".")[0] in packages:
                    assert target in trees, f"{name} imports {target}, which is not there"
                    edges[name].add(target)
    return edges


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    """One circle among the modules, or nothing."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def against(edges: Mapping[str, set[str]], allowed: Mapping[str, set[str]]) -> list[str]:
    """Imports of a package that may not be imported from there."""
    return [
        f"{name} imports {target}"
        for name, targets in edges.items()
        for target in sorted(targets)
        if (here := name.partition(".")[0]) != (there := target.partition(".")[0])
        and there not in allowed[here]
    ]


def test_packages_import_each_other_in_one_direction() -> None:
    edges = graph(ROOT, MAY_IMPORT)
    assert set(MAY_IMPORT) < set(edges)
    assert against(edges, MAY_IMPORT) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(graph(ROOT, MAY_IMPORT)) == []


@pytest.mark.parametrize(
    ("imported", "seen"),
    [
        ("from low.b import x", True),
        ("from low import b", True),
        ("import low.b", True),
        ("def f():\n    from low.b import x", True),
        ("try:\n    import low.b\nexcept ImportError:\n    pass", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import low.b", True),
        ("from low import x", False),
        ("import high.a", True),
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, imported: str, seen: bool) -> None:
    for name, text in {
        "low/__init__": "",
        "low/a": imported,
        "low/b": "from low import a",
        "high/__init__": "",
        "high/a": "import low.a",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).with_suffix(".py").write_text(text)
    allowed: dict[str, set[str]] = {"low": set(), "high": {"low"}}
    edges = graph(tmp_path, allowed)
    assert bool(circle(edges)) == seen
    assert bool(against(edges, allowed)) == ("high" in imported)
