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

from warehouse.markup import POLICY, Markup, fill, joined

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
STYLE = Markup("""<style id="ace-style">
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
[data-toggle=buttons], .sticky, .navbar-brand, [data-toggle=collapse], .cta-footer { display: none }
i { font-style: normal }
</style>""")


def self_contained(page: str) -> str:
    """One of their pages without scripts and without anything that is fetched."""
    for pattern in _REMOTE:
        page = pattern.sub("", page)
    return page.replace("<head>", f"<head>{POLICY}", 1).replace("</head>", f"{STYLE}</head>", 1)


def write_index(
    folder: Path, suites: Mapping[str, Mapping[str, Any]], findings: Sequence[Finding]
) -> None:
    """``index.html``: what was found, and one line per suite with its page."""
    critical = [finding for finding in findings if finding.severity == "critical"]
    others = [finding for finding in findings if finding.severity != "critical"]
    verdict = (
        fill(
            '<p class="bad"><b>{count} critical: no build until they are mended.</b></p>',
            count=len(critical),
        )
        if critical
        else Markup('<p class="good"><b>Nothing critical: builds may run.</b></p>')
    )
    page = fill(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">{policy}'
        '<meta name="viewport" content="width=device-width">'
        "<title>Quality of landed data</title>{style}</head><body>"
        "<h1>Quality of landed data</h1>{verdict}{critical}"
        "<h2>The landing as a whole</h2>{whole}<h2>Rows, by source and resource</h2>{rows}"
        '{warnings}<p class="dim">Thresholds and their reasons: expectations/rules.toml. The '
        "pages show what was new when a suite was last judged; the lists here cover all "
        "loads.</p></body></html>",
        policy=POLICY,
        style=STYLE,
        verdict=verdict,
        critical=_list("Critical", "bad", critical),
        whole=_suites(folder, {k: v for k, v in suites.items() if k.startswith("landing.")}),
        rows=_suites(folder, {k: v for k, v in suites.items() if not k.startswith("landing.")}),
        warnings=_list("Warnings", "warn", others),
    )
    # A file's name may hold bytes that are no text; they are shown as such.
    (folder / "index.html").write_text(page, "utf-8", "backslashreplace")


def _list(title: str, kind: str, findings: Sequence[Finding]) -> Markup:
    if not findings:
        return Markup("")
    rows = joined(
        fill(
            '<tr><td><b>{source}<br>{resource}</b></td><td class="{kind}">{check}</td>'
            '<td>{message}<br><span class="dim">{hint}</span></td></tr>',
            kind=kind,
            **{
                name: getattr(f, name)
                for name in ("source", "resource", "check", "message", "hint")
            },
        )
        for f in findings
    )
    return fill(
        "<h2>{title}</h2><table><tr><th>Data<th>Check<th>What</tr>{rows}</table>",
        title=title,
        rows=rows,
    )


def _suites(folder: Path, suites: Mapping[str, Mapping[str, Any]]) -> Markup:
    rows = [
        fill(
            '<tr><td>{link}</td><td class="{kind}">{mark}</td><td>{expectations}</td>'
            "<td>{about}</td><td>{judged}</td></tr>",
            link=_link(folder, name),
            kind="warn" if suite["failed"] else "good",
            mark=f"{suite['failed']} not met" if suite["failed"] else "all met",
            **{key: suite[key] for key in ("expectations", "about", "judged")},
        )
        for name, suite in sorted(suites.items())
    ]
    if not rows:
        return Markup("<p>None yet.</p>")
    head = Markup("<tr><th>Suite<th>Result<th>Expectations<th>Looked at<th>Judged</tr>")
    return fill("<table>{head}{rows}</table>", head=head, rows=joined(rows))


def _link(folder: Path, suite: str) -> Markup:
    """The suite's name, linked to the page of its newest result."""
    source, _, resource = suite.partition(".")
    pages = sorted((folder / "validations" / source / resource).rglob("*.html"))
    if not pages:
        return Markup.escape(suite)
    target = quote(pages[-1].relative_to(folder).as_posix())
    return fill('<a href="{target}">{suite}</a>', target=target, suite=suite)
