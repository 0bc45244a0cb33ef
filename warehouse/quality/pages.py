"""Makes the Data Docs readable without a network, and writes their first page.

Great Expectations' pages take styles, scripts and a logo from a dozen servers; without
them its own index is blank, and with them every reader is reported to those servers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from warehouse.templates import POLICY, templates

if TYPE_CHECKING:
    from warehouse.quality.findings import Finding

#: Scripts, anything fetched from elsewhere, and what is useless without them.
_REMOTE = (
    re.compile(r"<link[^>]*>"),
    re.compile(r"<script.*?</script>", re.S),
    re.compile(r"<img[^>]*>", re.S),
    re.compile(r" onclick=\"[^\"]*\""),
    re.compile(r"background: url\('https?://[^;]*;"),
    re.compile(r"<footer.*?</footer>", re.S),
    re.compile(r"<p>Stay current on everything GX.*?</p>", re.S),
)


def self_contained(page: str) -> str:
    """One of their pages without scripts and without anything that is fetched."""
    for pattern in _REMOTE:
        page = pattern.sub("", page)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    style = templates("warehouse.quality").get_template("style.html").render()
    return page.replace("<head>", f"<head>{policy}", 1).replace("</head>", f"{style}</head>", 1)


def write_index(
    folder: Path, suites: Mapping[str, Mapping[str, Any]], findings: Sequence[Finding]
) -> None:
    """``index.html``: what was found, and one line per suite with its page."""
    results = [
        dict(suite, name=name, page=_page(folder, name)) for name, suite in sorted(suites.items())
    ]
    page = (
        templates("warehouse.quality")
        .get_template("index.html")
        .render(
            critical=[finding for finding in findings if finding.severity == "critical"],
            warnings=[finding for finding in findings if finding.severity != "critical"],
            whole=[result for result in results if result["name"].startswith("landing.")],
            rows=[result for result in results if not result["name"].startswith("landing.")],
        )
    )
    # A file's name may hold bytes that are no text; they are shown as such.
    (folder / "index.html").write_text(page, "utf-8", "backslashreplace")


def _page(folder: Path, suite: str) -> str | None:
    """The address of the page of a suite's newest result."""
    source, _, resource = suite.partition(".")
    pages = sorted((folder / "validations" / source / resource).rglob("*.html"))
    return quote(pages[-1].relative_to(folder).as_posix()) if pages else None
