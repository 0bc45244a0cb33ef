"""The dbt side of ``loaders/schema.py``, and the models that programs read rows as:
``python -m warehouse.declared`` writes them anew.

dbt reads no Python, so what is declared there once is written out for it: a macro with the tables
and sources, a ``_<source>__sources.yml`` for each source, and a view for each landed table, which
names and casts by the table's macro in ``macros/staging/``. A test holds that the files are what
this writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill

from loaders.schema import (
    ABOUT_SOURCES,
    ASKED_SOURCES,
    BOOKKEEPING,
    DEFAULT_OWN_TIME,
    OPERATIONAL_SOURCES,
    OWN_TIME,
    RESOURCES,
    SOURCE_KEY,
    SOURCES,
    TITLES,
)
from warehouse.analyses import analyses
from warehouse.declared_models import model_of
from warehouse.freshness import limit_hours
from warehouse.settings import PROJECT_ROOT
from warehouse.terminal import echo

MACRO = "macros/rows/declared.sql"
STAGING = "models/staging"
#: How to know a file that is written here, and how to write it.
MADE = "Written by `make schema`"
HOW = f"{MADE} from loaders/schema.py"


def files() -> Iterator[tuple[str, str]]:
    """Path below the project and text of every file that is written."""
    yield MACRO, _macro()
    yield "analyses/_analyses.yml", _questions()
    yield f"{STAGING}/operational/_operational__sources.yml", _sources(OPERATIONAL_SOURCES)
    for table in RESOURCES:
        yield model_of(table)
        yield _view("operational", table, "operational_sources()")
    for source, tables in SOURCES.items():
        if source not in OPERATIONAL_SOURCES:
            yield f"{STAGING}/{source}/_{source}__sources.yml", _sources([source])
            for table in tables:
                yield _view(source, table, f"['{source}']")


def _view(folder: str, table: str, sources: str) -> tuple[str, str]:
    return (
        f"{STAGING}/{folder}/stg_{folder}__{table}.sql",
        f"{{# {MADE}; macros/staging/{table}.sql names and casts. #}}\n"
        f"{{{{ staged_{table}({sources}) }}}}\n",
    )


def _sources(sources: Iterable[str]) -> str:
    """The yml of a folder of staging, with the limits of ``seeds/stale_after.csv``.

    dbt has one limit for a source: that of the first table it lands.
    """
    lines = [
        f"# {HOW} and seeds/stale_after.csv.",
        "version: 2",
        "",
        "# Freshness as `dbt source freshness` judges it, by landing time; switched off where",
        "# nothing is expected to follow.",
        "sources:",
    ]
    for source in sources:
        hours = limit_hours(source, SOURCES[source][0])
        lines += [
            f"  - name: {source}",
            f"    description: {ABOUT_SOURCES[source]}",
            "    loader: ace load",
            "    schema: raw",
            "    meta:",
            "      kind: landing",
            "    config:",
            "      loaded_at_field: _loaded_at",
        ]
        if hours is None:
            lines += ["      freshness: null"]
        else:
            lines += ["      freshness:", f"        warn_after: {{count: {hours:g}, period: hour}}"]
        lines += ["    tables:"]
        for table in SOURCES[source]:
            about = f"{TITLES[table]} as landed from {source}; one row per record."
            lines += [
                f"      - name: {table}",
                f"        identifier: {source}__{table}",
                f"        description: {about}",
                "        columns:",
                *(
                    f"          - {{name: {one}, data_type: '{kind}'}}"
                    for one, kind in _landed(table)
                ),
            ]
    return "\n".join(lines) + "\n"


def _landed(table: str) -> Iterator[tuple[str, str]]:
    """The columns of a landed table, with their types as landed."""
    for column in RESOURCES[table]:
        yield column.name, column.kind
    yield from BOOKKEEPING.items()


def _questions() -> str:
    """The yml of the analyses: what each asks, and how to read its answer."""
    lines = [
        "# Written by `make schema` from the heads of the analyses.",
        "version: 2",
        "",
        "analyses:",
    ]
    for one in analyses():
        lines += [f"  - name: {one.name}", "    description: |"]
        for paragraph in (one.question, one.reading):
            lines += [f"      {line}".rstrip() for line in (*paragraph.splitlines(), "")]
        lines.pop()
    return "\n".join(lines) + "\n"


def _macro() -> str:
    """What models loop over: tables with their keys, clocks and staging models."""
    tables = []
    for table in RESOURCES:
        own = [
            source
            for source, lands in SOURCES.items()
            if table in lands and source not in OPERATIONAL_SOURCES
        ]
        tables.append(
            f"        '{table}': {{\n"
            f"            'key': '{SOURCE_KEY[table]}',\n"
            f"            'observed_at': '{OWN_TIME.get(table, DEFAULT_OWN_TIME)[0]}',\n"
            f"            'staging': [\n"
            f"{_listed([f'stg_{one}__{table}' for one in ('operational', *own)], 16)}\n"
            f"            ],\n"
            f"        }},\n"
        )
    documents = sorted(
        {
            column.name
            for columns in RESOURCES.values()
            for column in columns
            if column.kind == "json"
        }
    )
    return (
        f"{{# {HOW}. #}}\n\n"
        "{# Each table that lands: its key, the column with the time that a record's value was\n"
        "   observed, and the staging models that name and cast its columns. #}\n"
        f"{{% macro declared_tables() %}}\n    {{{{ return({{\n{''.join(tables)}    }}) }}}}\n"
        "{% endmacro %}\n\n\n"
        "{# Sources that land every table in one shape. #}\n"
        f"{{% macro operational_sources() %}}\n"
        f"    {{{{ return([{_quoted(OPERATIONAL_SOURCES)}]) }}}}\n{{% endmacro %}}\n\n\n"
        "{# Sources asked for all their tables at once: each is then known to be as it is. #}\n"
        f"{{% macro asked_sources() %}}\n"
        f"    {{{{ return([{_quoted(sorted(ASKED_SOURCES))}]) }}}}\n{{% endmacro %}}\n\n\n"
        "{# Columns that hold JSON documents, of all tables. #}\n"
        f"{{% macro document_columns() %}}\n"
        f"    {{{{ return([\n{_listed(documents, 8)}\n    ]) }}}}\n{{% endmacro %}}\n"
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _listed(names: Iterable[str], indent: int) -> str:
    space = " " * indent
    return fill(_quoted(names) + ",", 100, initial_indent=space, subsequent_indent=space)


def stray() -> list[Path]:
    """Files that were written here and that nothing declares any more."""
    declared = {PROJECT_ROOT / path for path, _ in files()}
    return sorted(
        path
        for path in (PROJECT_ROOT / STAGING).rglob("*.*")
        if path not in declared and MADE in path.read_text("utf-8")
    )


def main() -> None:
    """Write what changed and remove what nothing declares; name both."""
    for path, text in files():
        file = PROJECT_ROOT / path
        if not file.exists() or file.read_text("utf-8") != text:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
            echo(f"wrote {path}")
    for file in stray():
        file.unlink()
        echo(f"removed {file.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
