"""Tables of the page, and the colour of a platform."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from warehouse.markup import Markup, fill, joined


def platform_class(platform: str) -> str:
    return f"on-{platform}" if platform in ("tiktok", "youtube", "instagram") else "on-other"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numbers: set[int],
    foot: Sequence[Any] | None = None,
    empty: str = "Nothing to show.",
) -> Markup:
    """A table of cells, text or HTML; the first column heads its row."""
    rows = list(rows)
    if not rows:
        return fill('<p class="none">{empty}</p>', empty=empty)

    def cells(row: Sequence[Any]) -> Markup:
        inside = joined(_cell(cell, at, numbers) for at, cell in enumerate(row))
        return fill("<tr>{cells}</tr>", cells=inside)

    head = joined(
        fill('<th scope="col"{kind}>{name}</th>', kind=_kind(at, numbers), name=name)
        for at, name in enumerate(columns)
    )
    return fill(
        '<div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        "<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        "<tbody>{body}</tbody>{end}</table></div>",
        caption=caption,
        head=head,
        body=joined(map(cells, rows)),
        end=fill("<tfoot>{row}</tfoot>", row=cells(foot)) if foot else "",
    )


def _cell(cell: Any, at: int, numbers: set[int]) -> Markup:
    kind = _kind(at, numbers)
    if at == 0:
        return fill('<th scope="row"{kind}>{cell}</th>', kind=kind, cell=cell)
    return fill("<td{kind}>{cell}</td>", kind=kind, cell=cell)


def _kind(at: int, numbers: set[int]) -> Markup:
    return Markup(' class="n"') if at in numbers else Markup("")
