"""The changes that tests must notice, and how one is made in a text."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import yaml

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
)


@dataclass(frozen=True)
class Change:
    """One defect: ``old`` becomes ``new`` in ``file``, and one of ``tests`` must fail.

    White space in ``old`` stands for white space of any length, so that a change of layout does
    not matter. A test with a ``/`` is pytest's (``tests/unit/test_x.py::test_y``), any other is a
    unit test or a singular test of dbt, by its name.
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
        pattern = r"\s+".join(re.escape(word) for word in self.old.split())
        found = list(re.finditer(pattern, text))
        if self.place is None and len(found) != 1:
            return None
        start, end = found[self.place or 0].span()
        return text[:start] + self.new + text[end:]


def changes() -> list[Change]:
    """Those that are written down, and every filter of verdicts there is, left out."""
    return [*_written(), *_filters_of_verdicts()]


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
                    tests=tuple(entry["tests"]),
                )
            )
    return found


#: What stands in for a filter: every row, and every row but the worst.
FILTERS = {
    "_verdict = 'accepted'": ("_verdict is not null", "_verdict <> 'quarantined'"),
    "_verdict in ('accepted', 'superseded')": ("_verdict is not null",),
}


def _filters_of_verdicts() -> list[Change]:
    """Each filter of each model, whose own unit tests must notice that it is gone."""
    found = []
    for path in sorted((PROJECT_ROOT / "models").rglob("*.sql")):
        tests = unit_tests(path.with_suffix(".yml")) or ("tests/unit/test_verdict_filters.py",)
        text = path.read_text()
        file = str(path.relative_to(PROJECT_ROOT))
        for old, wider in FILTERS.items():
            for place in range(text.count(old)):
                for new in wider:
                    found.append(Change("dropped filter", file, old, new, tests, place))
    return found


def unit_tests(properties: Path) -> tuple[str, ...]:
    """Names of the unit tests of dbt that a file declares."""
    declared = yaml.safe_load(properties.read_text()).get("unit_tests") or []
    return tuple(test["name"] for test in declared)
