"""What sqlfluff has to say about a template, or about the macros it calls."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sqlfluff.core import FluffConfig, Linter, SQLBaseError
from sqlfluff.core.linter import RenderedFile
from sqlfluff.core.types import ConfigMappingType

import linting.context
from linting.context import ROOT, Build, context
from linting.files import hash_of

#: Every way in which templates are rendered; a text that several ways give is linted once.
BUILDS = tuple(
    Build(engine, incremental) for engine in ("duckdb", "postgres") for incremental in (True, False)
)

_LOOP = re.compile(r"\{%-?\s*for\b")
_END_OF_LOOP = re.compile(r"\{%-?\s*endfor\b")


class Finding(NamedTuple):
    """One thing to mend; `place` is a file, or the macro that gave the line."""

    place: str
    line: int
    column: int
    code: str
    text: str
    engine: str


@dataclass
class Checked:
    """What was found in one text."""

    findings: list[Finding] = field(default_factory=list)
    #: Hashes of what was found clean.
    clean: set[str] = field(default_factory=set)
    #: (engine, macro) to the SQL the macro gave.
    macros: dict[tuple[str, str], str] = field(default_factory=dict)


@cache
def _linter(engine: str, without: str = "") -> Linter:
    """A linter of one engine, without one more group of rules."""
    settings: ConfigMappingType = {"dialect": engine}
    if without:
        left_out = FluffConfig.from_path(str(ROOT)).get("exclude_rules")
        settings["exclude_rules"] = f"{left_out},{without}"
    return Linter(config=FluffConfig.from_path(str(ROOT), overrides=settings))


def _findings(place: str, found: list[SQLBaseError], engine: str) -> list[Finding]:
    return [
        Finding(place, one.line_no, one.line_pos, one.rule_code(), one.desc(), engine)
        for one in found
    ]


def _lines_of_loops(template: str) -> set[int]:
    """The lines of a template's loops, and the one before each, whose end a loop can take."""
    lines: set[int] = set()
    depth = 0
    for number, line in enumerate(template.splitlines(), start=1):
        if depth or _LOOP.search(line):
            lines |= {number - 1, number}
        depth += len(_LOOP.findall(line)) - len(_END_OF_LOOP.findall(line))
    return lines


def _written(rendered: RenderedFile) -> set[tuple[int, int]]:
    """Where in the template the text stands that a build shows as it is written."""
    return {
        (part.source_slice.start, part.source_slice.stop)
        for variant in rendered.templated_variants
        for part in variant.sliced_file
        if part.slice_type == "literal"
        and rendered.source_str[part.source_slice].strip()
        and part.templated_slice.start < part.templated_slice.stop
    }


def _lint(linter: Linter, rendered: RenderedFile) -> list[SQLBaseError]:
    """What is wrong with a text: rules judge what the template says itself, not its macros."""
    parsed = linter.parse_rendered(rendered)
    own = any(
        part.slice_type == "literal" and part.raw.strip()
        for variant in rendered.templated_variants
        for part in variant.raw_sliced
    )
    if not own:
        return parsed.violations
    rules = linter.get_rulepack(config=linter.config)
    return linter.lint_parsed(parsed, rules).get_violations()


def check_template(file: Path, known: set[str]) -> Checked:
    """Lints a template as each engine and kind of build is given it, unless `known` to be clean."""
    place = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
    source = file.read_text("utf-8")
    checked = Checked()
    loops = _lines_of_loops(source)
    seen: set[tuple[str, ...]] = set()
    #: Layout is as written and takes most of the time to judge: of each part of a template it is
    #: judged in the first build that shows it.
    laid_out: set[tuple[int, int]] = set()
    for build in BUILDS:
        linting.context.current = build
        names = context(build)
        names.shortened.clear()
        linter = _linter(build.engine)
        rendered = linter.render_string(source, str(file), linter.config, "utf-8")
        checked.macros |= {(build.engine, macro): text for macro, text in names.shortened.items()}
        texts = [str(variant) for variant in rendered.templated_variants]
        if (build.engine, *texts) in seen:
            continue
        seen.add((build.engine, *texts))
        written = _written(rendered)
        has_layout = build is BUILDS[0] or not written <= laid_out
        laid_out |= written
        if not has_layout:
            linter = _linter(build.engine, without="layout")
        key = hash_of(build.engine, str(has_layout), source, *texts)
        found = [] if key in known else _lint(linter, rendered)
        # sqlfluff takes the indent of a turn of a loop from where the turn before ended.
        found = [one for one in found if one.rule_code() != "LT02" or one.line_no not in loops]
        checked.findings += _findings(place, found, build.engine)
        if not found:
            checked.clean.add(key)
    return checked


def check_macro(engine: str, macro: str, text: str, known: set[str]) -> Checked:
    """Lints the expression a macro gave. Its layout and its constants are those of a call."""
    checked = Checked()
    source = f"select\n    {text} as result\n"
    key = hash_of(engine, source)
    if key not in known:
        linter = _linter(engine, without="layout,structure.constant_expression")
        found = linter.lint_string(source).get_violations()
        checked.findings = _findings(f"macro {macro}", found, engine)
    if not checked.findings:
        checked.clean.add(key)
    return checked
