"""Makes the Data Docs readable without a network, and writes their first page.

Great Expectations' pages take styles, scripts and a logo from a dozen servers; without
them its own index is blank, and with them every reader is reported to those servers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from warehouse.quality.findings import Finding

#: Anything fetched from elsewhere, and what is useless without it.
_REMOTE = (
    re.compile(r"<link[^>]*https?://[^>]*>"),
    re.compile(r"<script[^>]*src=\"https?://.*?</script>", re.S),
    re.compile(r"<script[^>]*src=\"https?://[^>]*>"),
    re.compile(r"<img[^>]*https?://[^>]*>", re.S),
    re.compile(r"background: url\('https?://[^;]*;"),
    re.compile(r"<footer.*?</footer>", re.S),
    re.compile(r"<p>Stay current on everything GX.*?</p>", re.S),
)
STYLE = """<style id="ace-style">
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c62828; --warn: #b26a00 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1150px; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.5rem }
h2, h4, h5 { font-size: 1.1rem; margin-top: 1.6rem } h6 { margin: 1rem 0 0 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; padding: .35rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word }
td:first-child { white-space: nowrap }
a { color: #2a6fdb } ol.breadcrumb, .ge-breadcrumbs ol { list-style: none; padding: 0 }
.good, .text-success { color: var(--good) } .bad, .text-danger { color: var(--bad) }
.warn, .text-warning { color: var(--warn) } .dim { opacity: .7 }
.fa-check-circle::before { content: "\\2714" }
.fa-times::before, .fa-times-circle::before { content: "\\2718" }
.fa-exclamation-triangle::before, .fa-exclamation-circle::before { content: "\\26A0" }
.badge { border: 1px solid var(--line); border-radius: .3rem; padding: 0 .35rem }
.sticky, .navbar-brand, [data-toggle=collapse], .cta-footer { display: none }
i { font-style: normal }
</style>"""


def make_self_contained(folder: Path) -> None:
    """Rewrite every page that still points elsewhere; doing it twice changes nothing."""
    for page in folder.rglob("*.html"):
        text = page.read_text("utf-8")
        if "ace-style" in text:
            continue
        for pattern in _REMOTE:
            text = pattern.sub("", text)
        page.write_text(text.replace("</head>", f"{STYLE}</head>", 1), "utf-8")


def write_index(
    folder: Path, suites: Mapping[str, Mapping[str, Any]], findings: Sequence[Finding]
) -> None:
    """``index.html``: what was found, and one line per suite with its page."""
    critical = [finding for finding in findings if finding.severity == "critical"]
    others = [finding for finding in findings if finding.severity != "critical"]
    verdict = (
        f'<p class="bad"><b>{len(critical)} critical: no build until they are mended.</b></p>'
        if critical
        else '<p class="good"><b>Nothing critical: builds may run.</b></p>'
    )
    body = [
        "<h1>Quality of landed data</h1>",
        verdict,
        _list("Critical", "bad", critical),
        "<h2>The landing as a whole</h2>",
        _suites(folder, {k: v for k, v in suites.items() if k.startswith("landing.")}),
        "<h2>Rows, by source and resource</h2>",
        _suites(folder, {k: v for k, v in suites.items() if not k.startswith("landing.")}),
        _list("Warnings", "warn", others),
        '<p class="dim">Thresholds and their reasons: expectations/rules.toml. The pages show '
        "what was new when a suite was last judged; the lists here cover all loads.</p>",
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Quality of landed data</title>{STYLE}</head>"
    )
    (folder / "index.html").write_text(f"{head}<body>{''.join(body)}</body></html>", "utf-8")


def _list(title: str, kind: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows = "".join(
        f"<tr><td><b>{html.escape(f.source)}<br>{html.escape(f.resource)}</b></td>"
        f'<td class="{kind}">{html.escape(f.check)}</td>'
        f'<td>{html.escape(f.message)}<br><span class="dim">{html.escape(f.hint)}</span></td></tr>'
        for f in findings
    )
    return f"<h2>{title}</h2><table><tr><th>Data<th>Check<th>What</tr>{rows}</table>"


def _suites(folder: Path, suites: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, suite in sorted(suites.items()):
        failed = suite["failed"]
        mark = f'<span class="warn">{failed} not met</span>' if failed else "all met"
        kind = "" if failed else ' class="good"'
        rows.append(
            f"<tr><td>{_link(folder, name)}</td><td{kind}>{mark}</td>"
            f"<td>{suite['expectations']}</td><td>{html.escape(suite['about'])}</td>"
            f"<td>{suite['judged']}</td></tr>"
        )
    head = "<tr><th>Suite<th>Result<th>Expectations<th>Looked at<th>Judged</tr>"
    return f"<table>{head}{''.join(rows)}</table>" if rows else "<p>None yet.</p>"


def _link(folder: Path, suite: str) -> str:
    """The suite's name, linked to the page of its newest result."""
    source, _, resource = suite.partition(".")
    pages = sorted((folder / "validations" / source / resource).rglob("*.html"))
    if not pages:
        return html.escape(suite)
    target = html.escape(pages[-1].relative_to(folder).as_posix().replace(" ", "%20"))
    return f'<a href="{target}">{html.escape(suite)}</a>'
