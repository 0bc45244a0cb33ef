"""Growth curves drawn as inline SVG: no script, no library, no request."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.markup import Markup, fill, joined
from warehouse.report.text import compact

WIDTH, HEIGHT = 320, 112
LEFT, RIGHT, TOP, BOTTOM = 4, 4, 10, 18


def growth(points: Sequence[tuple[float, int]], label: str) -> Markup:
    """Views against age. Every post starts at age 0 with 0 views unless polled there."""
    if not points:
        return Markup('<p class="none">No poll yet.</p>')
    drawn = list(points) if points[0][0] == 0 else [(0.0, 0), *points]
    most_hours = max(24.0, drawn[-1][0])
    most_views = max(1, max(views for _, views in drawn))

    def x(hours: float) -> float:
        return LEFT + hours / most_hours * (WIDTH - LEFT - RIGHT)

    def y(views: float) -> float:
        return TOP + (1 - views / most_views) * (HEIGHT - TOP - BOTTOM)

    line = " ".join(f"{x(hours):.1f},{y(views):.1f}" for hours, views in drawn)
    floor = f"{y(0):.1f}"
    area = f"{x(0):.1f},{floor} {line} {x(drawn[-1][0]):.1f},{floor}"
    parts = [
        fill(
            '<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">'
            '<line class="axis" x1="{left}" x2="{right}" y1="{floor}" y2="{floor}"/>',
            width=WIDTH, height=HEIGHT, label=label, left=LEFT, right=WIDTH - RIGHT, floor=floor,
        )
    ]  # fmt: skip
    for hours, name in _ticks(most_hours):
        parts.append(
            fill(
                '<line class="grid" x1="{at}" x2="{at}" y1="{top}" y2="{floor}"/>'
                '<text x="{at}" y="{low}" text-anchor="{anchor}">{name}</text>',
                at=f"{x(hours):.1f}",
                top=TOP,
                floor=floor,
                low=HEIGHT - 5,
                anchor="start" if hours == 0 else "end" if x(hours) > WIDTH - 24 else "middle",
                name=name,
            )
        )
    parts.append(fill('<polygon class="area" points="{area}"/>', area=area))
    parts.append(fill('<polyline class="line" points="{line}"/>', line=line))
    parts += [
        fill(
            '<circle class="poll" cx="{x:.1f}" cy="{y:.1f}" r="1.8">'
            "<title>{views} views after {hours:,.1f} hours</title></circle>",
            x=x(hours), y=y(views), views=compact(views), hours=hours,
        )
        for hours, views in points
    ]  # fmt: skip
    return joined([*parts, Markup("</svg>")])


def _ticks(most_hours: float) -> list[tuple[float, str]]:
    """At most six marks at whole days, or at hours in the first two days."""
    if most_hours <= 48:
        step, unit, size = (6 if most_hours <= 30 else 12), "h", 1
    else:
        days = most_hours / 24
        step = next(s for s in (1, 2, 5, 7, 14, 30, 60, 90, 180, 365, 3650, 10**5) if days / s <= 6)
        unit, size = "d", 24
    count = int(most_hours / size / step)
    return [(i * step * size, f"{i * step} {unit}" if i else "0") for i in range(count + 1)]
