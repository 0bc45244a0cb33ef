"""Makes the pages of the Data Docs readable without a network.

Great Expectations' pages take styles, scripts and a logo from a dozen servers; without
them its own index is blank, and with them every reader is reported to those servers.
"""

from __future__ import annotations

import re

from warehouse.templates import POLICY, templates

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
