"""Pages of HTML, made by Jinja2 from the templates beside the code that fills them.

Every value is text and is escaped where it meets a page, so nothing has to remember to. HTML is
written in templates only: no code says of a value that it is HTML.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

#: Second line of defence: whatever got into a page, no script runs and nothing is fetched.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def templates(package: str) -> Environment:
    """The templates of a package. A name that a template misspells raises, instead of nothing."""
    found = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["policy"] = POLICY
    return found
