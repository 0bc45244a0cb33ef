"""Which models and tests a build has to run to come to what running all of them would give.

Only where the last build ran to its end, passed its tests and was made by this very project:
then a model is as it has to be unless something it reads has moved since. Three things move:

- a source, when rows landed that its table does not hold yet (also those of an older load that
  the as-of time hid so far);
- the build itself: its as-of time, its number, the loads it sees. A model that reads them
  (`as_of()`, `meta()`) or asks the database while it is compiled (`run_query`) runs every time,
  but for what the macros in STEADY read, which moves nothing by itself;
- rows that wait for a time: a model that says so (`meta.due`, a condition up to its last
  comparison with the as-of time) is not stale until one of them is due.

What reads something that moved is stale, too. Views show what they read: they are never made
anew, except where making a table anew drops the views on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loaders.landing.metadata import Load, iso
from warehouse.build.consumed import Consumed
from warehouse.release.model import TestOutcome, Unreleased

#: Macros through which a model reads what no model or source of the project says.
MOVING = frozenset({"as_of", "meta", "run_query"})
#: Macros that call one of those without making their caller stale by it.
STEADY = frozenset(
    {
        # Rows that the as-of time hides are missing in their table, so that their source moved.
        "known_by_now",
        # The loads of one resource, and those not held yet: both move with the source.
        "landed",
        "unseen_loads",
        # Written beside rows that change anyway, compared with the numbers of others.
        "build_number",
        "consumed_build",
        "record_consumed",
        # Counts the posts that changed, in models which its caller reads anyway.
        "posts_changed_since",
        # Of the rows of a model that moves with them.
        "where_not_consumed",
        # What a test leaves out by it passed before, and has not moved since.
        "passed_build",
    }
)
#: Tests of macros bring their own rows; builds leave them out.
MACRO_TESTS = "macros"


@dataclass(frozen=True)
class Increment:
    """What there is to do since the last build, which passed."""

    #: Ids of the loads that it did not see.
    loads: frozenset[str]
    #: ``source__resource`` of what landed and is not held yet.
    moved: frozenset[str]
    #: The as-of time of the build from these loads.
    until: datetime
    #: Relations of the build database, ``schema.name`` in public schema names.
    relations: frozenset[str]
    #: The outcomes of the last build's tests.
    tests: list[TestOutcome]
    #: Whether a query on the build database finds a row.
    finds: Callable[[str], bool]

    def variables(self) -> dict[str, Any]:
        """What dbt is told: to pin what was looked at here and not what lands since.

        Contracts held when this project passed, and depend on nothing but it.
        """
        return {
            "only_loads": sorted(self.loads),
            "as_of_at_most": self.until.isoformat(),
            "contracts_held": True,
        }


@dataclass(frozen=True)
class Plan:
    """Unique ids of the nodes to run; None stands for all of them."""

    nodes: frozenset[str] | None = None
    #: What may not be as it was, ``schema.name`` in public schema names; also views.
    changed: frozenset[str] | None = None
    #: Outcomes of the tests that need not run, by the id of the test.
    kept: Mapping[str, TestOutcome] = field(default_factory=dict)

    def runs(self, key: str) -> bool:
        return self.nodes is None or key in self.nodes


def since(
    last: Unreleased | None,
    fingerprint: str,
    held: Consumed,
    landed: Iterable[Load],
    newest: datetime | None,
    finds: Callable[[str], bool],
) -> Increment | None:
    """What there is to do since ``last``; None when everything has to run."""
    if last is None or last.fingerprint != fingerprint or newest is None:
        return None
    landed = list(landed)
    return Increment(
        loads=frozenset(load.load_id for load in landed) - last.loads,
        moved=frozenset(
            f"{load.source}__{load.resource}"
            for load in landed
            if load.accepted > held.rows.get(load.load_id, 0)
        ),
        until=newest,
        relations=held.relations,
        tests=last.tests,
        finds=finds,
    )


def plan(manifest: Any, increment: Increment | None) -> Plan:
    """The nodes to run; all of them without an increment, or where a relation is missing."""
    if increment is None:
        return Plan()
    nodes = manifest.nodes
    made = {key: node for key, node in nodes.items() if node.resource_type in ("model", "seed")}
    if not {_public_name(node) for node in made.values()} <= increment.relations:
        return Plan()
    models = {key: node for key, node in made.items() if node.resource_type == "model"}
    moving = moving_names(manifest)
    changed = _changed(manifest, models, moving, increment)
    run = {key for key in changed & models.keys() if not _is_view(models[key])}
    if manifest.metadata.adapter_type == "postgres":
        run |= _dropped_views(models, run)
    tests, kept = _tests(manifest, changed, moving, increment.tests)
    names = frozenset(_public_name(models[key]) for key in changed & models.keys())
    return Plan(frozenset(run | tests), names, kept)


def _changed(
    manifest: Any, models: Mapping[str, Any], moving: set[str], increment: Increment
) -> set[str]:
    """Sources that moved and models that may not be what they would be, by their ids."""
    changed = {
        key for key, source in manifest.sources.items() if source.identifier in increment.moved
    }
    for key, model in models.items():
        if _calls(model.raw_code) & moving and _is_due(model, increment):
            changed.add(key)
    return _with_descendants(changed, models)


def _is_due(model: Any, increment: Increment) -> bool:
    """Whether the time that passed concerns a model that reads it."""
    due = model.config.meta.get("due")
    if due is None:
        return True
    return increment.finds(
        f"select 1 from {model.relation_name} where {due} timestamptz '{iso(increment.until)}'"
    )


def _with_descendants(found: Collection[str], models: Mapping[str, Any]) -> set[str]:
    children: dict[str, list[str]] = {}
    for key, model in models.items():
        for parent in model.depends_on.nodes:
            children.setdefault(parent, []).append(key)
    reached, ahead = set(found), list(found)
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child not in reached:
                reached.add(child)
                ahead.append(child)
    return reached


def _is_view(model: Any) -> bool:
    return bool(model.config.materialized == "view")


def _dropped_views(models: Mapping[str, Any], run: Collection[str]) -> set[str]:
    """Postgres drops the views on a table with it, and those on these views."""
    views = {key: model for key, model in models.items() if _is_view(model)}
    tables = {key for key in run if models[key].config.materialized == "table"}
    return _with_descendants(tables, views) - tables


def _tests(
    manifest: Any, changed: set[str], moving: set[str], known: Iterable[TestOutcome]
) -> tuple[set[str], dict[str, TestOutcome]]:
    """Tests of what changed, and those whose outcome is not known; the others keep theirs."""
    outcomes = {(outcome.name, outcome.model): outcome for outcome in known}
    run, kept = set(), {}
    for key, node in manifest.nodes.items():
        if node.resource_type != "test" or MACRO_TESTS in node.tags:
            continue
        outcome = outcomes.get((node.name, tested_model(node)))
        moved = not changed.isdisjoint(node.depends_on.nodes) or _calls(node.raw_code) & moving
        if moved or outcome is None:
            run.add(key)
        else:
            kept[key] = outcome
    return run, kept


def tested_model(node: Any) -> str | None:
    """Name of the model that a test is about."""
    attached = getattr(node, "attached_node", None)
    parents = [attached] if attached else list(node.depends_on.nodes)
    return str(parents[-1]).rpartition(".")[2] if parents else None


def moving_names(manifest: Any) -> set[str]:
    """Names of the macros whose callers run in every build."""
    macros = {
        macro.name: _calls(macro.macro_sql)
        for macro in manifest.macros.values()
        if macro.package_name == manifest.metadata.project_name
    }
    for name in list(macros):
        # What a name of an engine stands for is called by the name without it.
        if (called := name.partition("__")[2]) in macros:
            macros[called] |= {name}
    moving = set(MOVING)
    while more := {
        name
        for name, calls in macros.items()
        if name not in moving and name not in STEADY and calls & moving
    }:
        moving |= more
    return moving


def _calls(code: str) -> set[str]:
    """Names in a text that something in parentheses follows.

    What dbt notes down leaves out the branches it did not take while it parsed. A name that
    stands there for something else only makes for a model too many.
    """
    return set(re.findall(r"\b(\w+)\(", code))


def _public_name(node: Any) -> str:
    return f"{node.schema.removeprefix('build_')}.{node.alias or node.name}"
