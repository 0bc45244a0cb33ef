"""Tables of the page, and the colour of a platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from warehouse.report.text import escape


def platform_class(platform: str) -> str:
    return f"on-{platform}" if platform in ("tiktok", "youtube", "instagram") else "on-other"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: set[int],
    foot: Sequence[str] | None = None,
    empty: str = "Nothing to show.",
) -> str:
    """A table of cells that are HTML already; the first column heads its row."""
    rows = list(rows)
    if not rows:
        return f'<p class="none">{escape(empty)}</p>'

    def cells(row: Sequence[str]) -> str:
        out = []
        for place, cell in enumerate(row):
            kind = ' class="n"' if place in numbers else ""
            tag = 'th scope="row"' if place == 0 else "td"
            out.append(f"<{tag}{kind}>{cell}</{tag.split()[0]}>")
        return f"<tr>{''.join(out)}</tr>"

    head = "".join(
        f'<th scope="col"{" class=n" if place in numbers else ""}>{escape(name)}</th>'
        for place, name in enumerate(columns)
    )
    end = f"<tfoot>{cells(foot)}</tfoot>" if foot else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(map(cells, rows))}</tbody>{end}</table></div>"
    )
