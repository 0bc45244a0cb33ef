"""The questions in ``analyses/`` as SQL that runs on a release."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import UsageError
from warehouse.settings import PROJECT_ROOT

#: How an analysis reads a parameter: a variable of dbt with a default.
_PARAMETER = re.compile(r"\bvar\(\s*['\"](\w+)['\"]\s*,\s*(?:['\"]([^'\"]*)['\"]|(-?[\d.]+))\s*\)")
#: Models whose public table has another name.
_RENAMED = {"quarantined_rows": "quarantine.rows"}


@dataclass(frozen=True)
class Analysis:
    """One question: its text, what it takes, and the template of its SQL."""

    name: str
    question: str
    #: How to read the answer.
    reading: str
    #: Parameter to its default, as text.
    parameters: Mapping[str, str]
    template: str
    #: What ``--png`` draws; see warehouse/pictures.py.
    chart: str

    def sql(self, tables: set[str], values: Mapping[str, str]) -> str:
        """The statement for a release with these tables.

        ``values`` are parameters that differ from their defaults: a number where the default
        is one, else any text. UsageError for a parameter or table that is not there.
        """
        from jinja2.sandbox import SandboxedEnvironment

        for name, value in values.items():
            self._check(name, value)

        def var(name: str, default: Any) -> str:
            return str(values.get(name, default)).replace("'", "''")

        def ref(name: str) -> str:
            return _public_name(name, tables)

        return SandboxedEnvironment().from_string(self.template).render(var=var, ref=ref).strip()

    def _check(self, name: str, value: str) -> None:
        if name not in self.parameters:
            takes = ", ".join(f"{one} ({default or 'none'})" for one, default in self._listed())
            raise UsageError(
                f"The analysis {self.name} has no parameter {name}.",
                f"It takes {takes}." if takes else "It takes none.",
            )
        if _is_number(self.parameters[name]) and not _is_number(value):
            raise UsageError(
                f"{name} of the analysis {self.name} is a number, not '{value}'.",
                f"For example: --set {name}={self.parameters[name]}",
            )

    def _listed(self) -> list[tuple[str, str]]:
        return sorted(self.parameters.items())


def analyses() -> list[Analysis]:
    """All there are, by name."""
    folder = PROJECT_ROOT / "analyses"
    return [_read(path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("*.sql"))]


def analysis(name: str) -> Analysis:
    """The one of this name; UsageError names near ones."""
    found = {one.name: one for one in analyses()}
    if name not in found:
        near = difflib.get_close_matches(name, list(found), 3, 0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "'ace analysis' lists them."
        raise UsageError(f"There is no analysis {name}.", hint)
    return found[name]


def _read(name: str, text: str) -> Analysis:
    header, _, _ = text.removeprefix("{#").partition("#}")
    question, _, reading = header.strip().partition("\n\n")
    reading, _, chart = reading.partition("\n\nChart: ")
    parameters = {one: text or number for one, text, number in _PARAMETER.findall(text)}
    return Analysis(
        name, " ".join(question.split()), reading.strip(), parameters, text, chart.strip()
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _public_name(model: str, tables: set[str]) -> str:
    if model in _RENAMED:
        return _RENAMED[model]
    for schema in ("marts", "canonical", "reference"):
        if f"{schema}.{model}" in tables:
            return f"{schema}.{model}"
    raise UsageError(
        f"This release has no table {model}.", "It is of another version: 'ace build' makes one."
    )
