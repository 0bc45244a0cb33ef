"""One rule of a checked table: what it demands, in Polars and for Great Expectations.

Great Expectations judges; the same rule as a Polars predicate says over *all* rows
which ones are meant, which Great Expectations can only do slowly and in memory.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf, isinf
from typing import Any, Literal

import polars as pl

from loaders.schema import NATURAL_KEYS, RESOURCES, SOURCE_KEY
from warehouse.settings import PROJECT_ROOT

RULES_FILE = PROJECT_ROOT / "expectations" / "rules.toml"

Severity = Literal["critical", "warning"]
Test = Literal["present", "absent", "between", "one_of", "matches", "unique"]

#: Timestamps that may lie ahead: a post can be planned (RULES, ``not_published_yet``).
MAY_BE_AHEAD = {"published_at", "posted_at"}
_COUNTS = {c.name for columns in RESOURCES.values() for c in columns if c.kind == "integer"}
MICROSECONDS_AN_HOUR = 3_600_000_000


@dataclass(frozen=True)
class Rule:
    """One expectation on one column of a checked table.

    ``column`` is the name the pages show, ``value`` how it is made from what landed.
    ``says`` completes "... in 3 rows of ...", ``hint`` is the next step, ``why`` the
    reason shown beside the expectation.
    """

    name: str
    column: str
    test: Test
    says: str
    hint: str
    value: pl.Expr
    uses: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    pattern: str = ""
    severity: Severity = "warning"
    why: str = ""

    def bad(self) -> pl.Expr:
        """True for rows of the checked table that break the rule, never null."""
        column = pl.col(self.column)
        if self.test == "present":
            return column.is_null()
        if self.test == "absent":
            return column.is_not_null()
        if self.test == "between":
            broken = pl.lit(False)
            if self.low is not None:
                broken = broken | (column < self.low)
            if self.high is not None:
                broken = broken | (column > self.high)
            return broken.fill_null(False)
        if self.test == "one_of":
            return (~column.is_in(list(self.values))).fill_null(False)
        if self.test == "matches":
            return (~column.str.contains(self.pattern)).fill_null(False)
        return (column.is_not_null() & (pl.len().over("_load_id", self.column) > 1)).fill_null(
            False
        )


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(RULES_FILE.read_text("utf-8"))


@cache
def limit(name: str) -> float:
    """A threshold of ``expectations/rules.toml``."""
    return float(_file()["limits"][name])


@cache
def seed_values(path: str) -> tuple[str, ...]:
    """The first column of a seed file."""
    with (PROJECT_ROOT / path).open(encoding="utf-8", newline="") as file:
        return tuple(row[0] for row in list(csv.reader(file))[1:] if row)


def rules_text() -> str:
    """The text of the rules: whoever remembers results compares it."""
    return RULES_FILE.read_text("utf-8")


def _first(columns: Sequence[str]) -> pl.Expr:
    return pl.coalesce(columns) if len(columns) > 1 else pl.col(columns[0])


def has_key(resource: str) -> pl.Expr:
    """Whether a landed row carries the source's key or a whole natural key."""
    found = pl.col(SOURCE_KEY[resource]).is_not_null()
    for columns in NATURAL_KEYS.get(resource, ()):
        found = found | pl.all_horizontal([pl.col(name).is_not_null() for name in columns])
    return found


def _required(entry: str, by_natural_key: bool) -> Rule:
    columns = tuple(part.strip() for part in entry.split("|"))
    name = " or ".join(columns)
    consequence = "The build quarantines such rows (missing_required)"
    if by_natural_key:
        consequence = "The build cannot tell what such rows belong to"
    elif all(name in _COUNTS for name in columns):
        consequence = "The build keeps such rows with an unknown count"
    return Rule(
        name=f"required: {name}",
        column=name,
        test="present",
        says=f"{name} is missing",
        hint=f"{consequence}; map the field with --map, or mend it at the source.",
        value=_first(columns),
        uses=columns,
        why="Needed by the canonical table.",
    )


def _times(name: str) -> list[Rule]:
    first, ahead = int(limit("first_year")), limit("hours_ahead")
    year = f"{name} (year)"
    found = [
        Rule(
            name=f"plausible: {name}",
            column=year,
            test="between",
            low=first,
            says=f"{name} is before {first}",
            hint="The build quarantines such rows (out_of_range); check the unit of the time.",
            value=pl.col(name).dt.year(),
            uses=(name,),
            why="No platform is older; an earlier time is a wrong unit or a default.",
        )
    ]
    if name not in MAY_BE_AHEAD:
        hours = f"{name} (hours after landing)"
        behind = pl.col(name).cast(pl.Int64) - pl.col("_loaded_at").cast(pl.Int64)
        found.append(
            Rule(
                name=f"not ahead: {name}",
                column=hours,
                test="between",
                high=ahead,
                says=f"{name} is more than {ahead:g} hours after the landing",
                hint="The build quarantines such rows (out_of_range); check unit and time zone.",
                value=behind / MICROSECONDS_AN_HOUR,
                uses=(name, "_loaded_at"),
                why="Nothing is observed after it was landed; a day allows for clocks.",
            )
        )
    return found


def _explicit(kind: str, name: str, spec: Any) -> Rule:
    column = pl.col(name)
    if kind == "range":
        low, high = (None if isinf(bound) else float(bound) for bound in spec)
        span = f"{spec[0]:g} to {spec[1]:g}" if spec[1] != inf else f"{spec[0]:g} or more"
        return Rule(
            f"range: {name}", name, "between", f"{name} is outside {span}",
            "Check the unit at the source.", column, (name,), low=low, high=high,
        )  # fmt: skip
    if kind == "one_of":
        return Rule(
            f"known: {name}", f"{name} (folded)", "one_of", f"{name} is a value nobody listed",
            f"The build accepts it; add it to {spec} if it is right.",
            column.str.strip_chars().str.to_lowercase(), (name,), values=seed_values(spec),
        )  # fmt: skip
    return Rule(
        f"form: {name}", name, "matches", f"{name} does not look as it should",
        f"The build accepts it; expected is the form {spec}.", column, (name,), pattern=str(spec),
    )  # fmt: skip


@cache
def row_rules(resource: str) -> tuple[Rule, ...]:
    """The rules for the rows of a resource: derived from the schema, then the file's."""
    spec = _file()["resource"].get(resource, {})
    rules: list[Rule] = []
    natural = {name for columns in NATURAL_KEYS.get(resource, ()) for name in columns}
    for entry in spec.get("required", ()):
        parts = {part.strip() for part in entry.split("|")}
        alternatives = len(parts) > 1 and bool(parts & natural)
        if entry == SOURCE_KEY[resource] and resource in NATURAL_KEYS:
            continue  # derived from the natural key where the source gives none
        rules.append(_required(entry, alternatives))
    for column in RESOURCES[resource]:
        if column.kind == "integer":
            rules.append(
                Rule(
                    f"count: {column.name}",
                    column.name,
                    "between",
                    f"{column.name} is below 0",
                    "The build quarantines such rows (out_of_range); see 'ace quarantine list'.",
                    pl.col(column.name),
                    (column.name,),
                    low=0,
                    why="A count is never negative.",
                )
            )
        elif column.kind == "timestamp":
            rules.extend(_times(column.name))
    for kind in ("range", "one_of", "matches"):
        rules.extend(_explicit(kind, name, value) for name, value in spec.get(kind, {}).items())
    key = SOURCE_KEY[resource]
    rules.append(
        Rule(
            f"unique: {key}",
            key,
            "unique",
            f"{key} appears more than once in one load",
            "The build keeps the latest version; check whether the export repeats records.",
            pl.col(key),
            (key,),
            why="A source reports a record once per load; overlaps between loads are normal.",
        )
    )
    return tuple(rules)
