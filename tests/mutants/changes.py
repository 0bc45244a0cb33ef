"""The changes that tests must notice, and how one is made in a text."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from warehouse.settings import PROJECT_ROOT

FOLDER = Path(__file__).parent

#: What a change does to the code; the first seven are what mutation testing of SQL commonly uses,
#: the others are the mistakes this project must not make.
CLASSES = (
    "flipped comparison",
    "dropped filter",
    "swapped join",
    "dropped CASE branch",
    "numerator and denominator swapped",
    "shifted window frame",
    "swapped aggregate",
    "as-of clock removed",
    "cumulative counter summed",
    "horizon shifted",
    "null guard removed",
    "safety removed",
    "change overlooked",
)


@dataclass(frozen=True)
class Change:
    """One defect: ``old`` becomes ``new`` in ``file``, and one of ``tests`` must fail.

    White space does not count where ``old`` is looked for, so that a change of layout does not
    matter. A test with a ``/`` is pytest's (``tests/unit/test_x.py::test_y``), any other is a
    unit test or a singular test of dbt, by its name. A change of a model that names none must be
    noticed by the model's own unit tests.
    """

    kind: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    #: Which of several places, from 0; None: there must be one only.
    place: int | None = None

    @property
    def title(self) -> str:
        where = self.file if self.place is None else f"{self.file} [{self.place}]"
        return f"{where}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"

    @property
    def is_sql(self) -> bool:
        return not any("/" in test for test in self.tests)

    def made_in(self, text: str) -> str | None:
        """``text`` with the change; None unless ``old`` is there, and once only."""
        pattern = r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", self.old)))
        found = list(re.finditer(pattern, text))
        if self.place is None and len(found) != 1:
            return None
        start, end = found[self.place or 0].span()
        return text[:start] + self.new + text[end:]


@cache
def changes() -> tuple[Change, ...]:
    """Those that are written down, and every filter of verdicts there is, left out."""
    return (*_written(), *_filters_of_verdicts())


def _written() -> list[Change]:
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        for entry in tomllib.loads(path.read_text())["change"]:
            found.append(
                Change(
                    kind=entry["class"],
                    file=entry["file"],
                    old=entry["old"],
                    new=entry["new"],
                    tests=tuple(
                        entry.get("tests")
                        or unit_tests((PROJECT_ROOT / entry["file"]).with_suffix(".yml"))
                    ),
                )
            )
    return found


#: Tests of models that have no unit tests of dbt.
VERDICTS = "tests/unit/test_accepted.py"
PARENTS = "tests/unit/test_parents.py::test_only_the_accepted_row_of_a_parent_is_joined"
TESTS_OF_FLOORS = {
    "accepted": "test_only_accepted_rows_are_shown",
    "valid": "test_what_once_counted_is_told_from_what_counts",
}

#: What stands in for a filter: every row, and every row but the worst.
FILTERS = {
    "_verdict = 'accepted'": ("_verdict is not null", "_verdict <> 'quarantined'"),
    "_verdict in ('accepted', 'superseded')": ("_verdict is not null",),
    "_effective_at is not null": ("true",),
    "where is_accepted": ("",),
}


def _filters_of_verdicts() -> list[Change]:
    """Each filter of each model, whose own unit tests must notice that it is gone."""
    found = []
    for path in sorted((PROJECT_ROOT / "models").rglob("*.sql")):
        tests = unit_tests(path.with_suffix(".yml"))
        floor, _, table = path.stem.partition("_")
        if path.parent.name == "accepted" and floor in TESTS_OF_FLOORS:
            tests = (f"{VERDICTS}::{TESTS_OF_FLOORS[floor]}[{table}]",)
        elif path.stem == "int_references":
            tests = (f"{VERDICTS}::test_only_accepted_rows_can_be_referred_to",)
        text = path.read_text()
        if path.parent.name == "versions" and "\nfound as (" in text:
            tests = (f"{PARENTS}[{table}]",)
        file = str(path.relative_to(PROJECT_ROOT))
        for old, wider in FILTERS.items():
            for place in range(text.count(old)):
                for new in wider:
                    found.append(Change("dropped filter", file, old, new, tests, place))
    return found


@cache
def unit_tests(properties: Path) -> tuple[str, ...]:
    """Names of the unit tests of dbt that a file declares, if it is there."""
    if not properties.exists():
        return ()
    _, _, declared = properties.read_text().partition("\nunit_tests:")
    return tuple(re.findall(r"^  - name: (\w+)$", declared, re.MULTILINE))
