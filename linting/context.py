"""What a dbt template can name: the project's macros and variables, and an engine.

sqlfluff parses what a template renders to, and every rule walks all of it: with the macros written
out, a few lines of SQL become thousands of characters, nested in each other. A macro that gives a
long expression is therefore shown as a call of a function of that name with the same arguments;
what it gave is kept, to be linted once for all its callers.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import yaml
from jinja2.sandbox import SandboxedEnvironment
from sqlfluff.core.templaters.builtins.dbt import DBT_BUILTINS, DbtMacroWrapper

ROOT = Path(__file__).resolve().parent.parent
#: Expressions of up to so many characters are shown as they are.
LONG = 60

_MACRO = re.compile(r"\{%-?\s*macro\s+(\w+).*?\{%-?\s*endmacro\s*-?%\}", re.DOTALL)
_STRING_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NO_EXPRESSION = re.compile(
    r"\A\s*(?:and|or|in|is|over|filter|[-+*/|=<>])"
    r"|[,;()\[\]]|\b(?:as|from|select|with|where|union|join|on|group|order|limit|window)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Build:
    """A way in which templates are rendered."""

    engine: str
    incremental: bool

    def __str__(self) -> str:
        return f"{self.engine}, {'incremental' if self.incremental else 'first build'}"


@dataclass
class Context:
    """The names of one build."""

    build: Build
    #: Macro to what it gave where it was shown as a function.
    shortened: dict[str, str] = field(default_factory=dict)
    names: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        engine = self.build.engine
        variables = yaml.safe_load((ROOT / "dbt_project.yml").read_text("utf-8"))["vars"]
        self.names = {
            "target": SimpleNamespace(type=engine, name=engine, schema="main"),
            "is_incremental": lambda: self.build.incremental,
            "var": lambda name, default=None: variables.get(name, default),
            "env_var": lambda name, default="": default,
            "dbt": SimpleNamespace(type_string=lambda: "text"),
            "flags": SimpleNamespace(WHICH="compile", FULL_REFRESH=not self.build.incremental),
            "execute": False,
            # What a macro asks the database is a number.
            "run_query": lambda sql: SimpleNamespace(rows=[[1]]),
            # The columns of a contract are as good as all there are.
            "model": SimpleNamespace(columns={"*": None}),
        }
        definitions = {
            found[1]: found[0]
            for file in (ROOT / "macros").rglob("*.sql")
            for found in _MACRO.finditer(file.read_text("utf-8"))
        }
        written: dict[str, DbtMacroWrapper] = {}
        # Looked up when called: macros name each other.
        self.names |= {name: self._shown(name, written) for name in definitions}
        jinja = SandboxedEnvironment(extensions=["jinja2.ext.do"])
        # Each by itself: macros of one template would call each other past what is shown.
        for name, text in definitions.items():
            template = jinja.from_string(text, globals=DBT_BUILTINS | self.names)
            written[name] = DbtMacroWrapper(getattr(template.module, name))

    def _shown(self, name: str, written: dict[str, DbtMacroWrapper]) -> Callable[..., object]:
        """The macro as templates call it."""

        def call(*values: object, **named: object) -> object:
            text = written[name](*values, **named)
            if not isinstance(text, str) or len(text) <= LONG or not is_expression(text):
                return text
            self.shortened.setdefault(name, text)
            arguments = [
                # What the macro writes in quotes is a text.
                f"'{value}'" if f"'{value}'" in text else value
                for value in texts_in([*values, *named.values()])
                if is_expression(value)
            ]
            return f"{name}({', '.join(arguments)})"

        return call


def texts_in(given: object) -> Iterator[str]:
    """The single values of what a macro was given, out of lists and dictionaries too."""
    if isinstance(given, dict):
        yield from texts_in(list(given.values()))
    elif isinstance(given, list):
        for one in given:
            yield from texts_in(one)
    elif isinstance(given, str | int | float):
        yield str(given)


def is_expression(text: str) -> bool:
    """Whether a piece of SQL can stand where an argument of a function can."""
    outside = _STRING_OR_COMMENT.sub("x", text)
    while (without := _BRACKETS.sub(" x ", outside)) != outside:
        outside = without
    return bool(outside.strip()) and not _NO_EXPRESSION.search(outside)


@cache
def context(build: Build) -> Context:
    """The names of a build, read from the macros once."""
    return Context(build)


#: The build that templates are rendered for; sqlfluff by itself sees the incremental on DuckDB.
current = Build("duckdb", incremental=True)
