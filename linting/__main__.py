"""Usage: python -m linting [FILE...]

Lints the project's SQL, or the files named, as DuckDB and as Postgres are given it. What was clean
the last time and renders to the same is not linted again. Exits with 1 when there are findings.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

from linting.check import Checked, Finding, check_macro, check_template
from linting.files import known_clean, remember, sql_files


def check(files: list[Path], known: set[str]) -> Iterator[Checked]:
    """Lints templates, then each expression of a macro that they call, once."""
    macros: dict[tuple[str, str], str] = {}
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for checked in pool.map(check_template, files, repeat(known)):
            for call, text in checked.macros.items():
                macros[call] = min(text, macros.get(call, text))
            yield checked
        calls = sorted(macros)
        yield from pool.map(
            check_macro,
            (engine for engine, _ in calls),
            (macro for _, macro in calls),
            (macros[call] for call in calls),
            repeat(known),
        )


def told(findings: list[Finding]) -> list[str]:
    """A line for each thing to mend, with the engines it was found on."""
    engines = defaultdict(set)
    for one in findings:
        engines[one[:5]].add(one.engine)
    return [
        f"{place}:{line}:{column}: {code} {text} ({', '.join(sorted(on))})"
        for (place, line, column, code, text), on in sorted(engines.items())
    ]


def main(arguments: list[str]) -> int:
    known = known_clean()
    files = [Path(name).resolve() for name in arguments] or sql_files()
    clean: set[str] = set()
    found = 0
    for checked in check(files, known):
        clean |= checked.clean
        lines = told(checked.findings)
        found += len(lines)
        for line in lines:
            print(line, flush=True)
    remember(clean | known if arguments else clean)
    print(
        f"SQL: {found} findings in {len(files)} files, as DuckDB and as Postgres are given them "
        f"({len(clean & known)} of {len(clean)} clean texts known from before)"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
