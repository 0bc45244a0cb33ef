"""Growth curves drawn as inline SVG: no script, no library, no request."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.report.text import compact, escape

WIDTH, HEIGHT = 320, 112
LEFT, RIGHT, TOP, BOTTOM = 4, 4, 10, 18


def growth(points: Sequence[tuple[float, int]], label: str) -> str:
    """Views against age. Every post starts at age 0 with 0 views unless polled there."""
    if not points:
        return '<p class="none">No poll yet.</p>'
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
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>',
    ]
    for hours, name in _ticks(most_hours):
        at = f"{x(hours):.1f}"
        anchor = "start" if hours == 0 else "end" if x(hours) > WIDTH - 24 else "middle"
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP}" y2="{floor}"/>')
        parts.append(f'<text x="{at}" y="{HEIGHT - 5}" text-anchor="{anchor}">{name}</text>')
    parts.append(f'<polygon class="area" points="{area}"/>')
    parts.append(f'<polyline class="line" points="{line}"/>')
    parts += [
        f'<circle class="poll" cx="{x(hours):.1f}" cy="{y(views):.1f}" r="1.8">'
        f"<title>{compact(views)} views after {hours:,.1f} hours</title></circle>"
        for hours, views in points
    ]
    parts.append("</svg>")
    return "".join(parts)


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
