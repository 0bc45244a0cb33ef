"""The first page of the Data Docs: what was found, and every suite with its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from warehouse.quality.findings import Finding
from warehouse.templates import templates


def write_index(
    folder: Path,
    suites: Mapping[str, Mapping[str, Any]],
    findings: Sequence[Finding],
    landing: str = "",
) -> None:
    """``index.html``: what was found, and one line per suite with its page. Files are named
    within ``landing``, so that the page may be shown to others.
    """
    root = f"{landing.rstrip('/')}/"
    findings = [
        replace(one, message=one.message.replace(root, "") if landing else one.message)
        for one in findings
    ]
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
