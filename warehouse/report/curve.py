"""Where the growth curve of a post runs, for the template that draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.report.text import compact

WIDTH, HEIGHT = 320, 112
LEFT, RIGHT, TOP, BOTTOM = 4, 4, 10, 18


@dataclass(frozen=True)
class Tick:
    x: str
    anchor: str
    name: str


@dataclass(frozen=True)
class Poll:
    x: str
    y: str
    title: str


@dataclass(frozen=True)
class Curve:
    """Coordinates of SVG, with one decimal."""

    floor: str
    line: str
    area: str
    ticks: list[Tick]
    polls: list[Poll]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP


def curve(points: Sequence[tuple[float, int]]) -> Curve:
    """Views against age. Every post starts at age 0 with 0 views unless polled there."""
    drawn = list(points) if points[0][0] == 0 else [(0.0, 0), *points]
    most_hours = max(24.0, drawn[-1][0])
    most_views = max(1, max(views for _, views in drawn))

    def x(hours: float) -> float:
        return LEFT + hours / most_hours * (WIDTH - LEFT - RIGHT)

    def y(views: float) -> str:
        return f"{TOP + (1 - views / most_views) * (HEIGHT - TOP - BOTTOM):.1f}"

    def anchor(hours: float) -> str:
        return "start" if hours == 0 else "end" if x(hours) > WIDTH - 24 else "middle"

    line = " ".join(f"{x(hours):.1f},{y(views)}" for hours, views in drawn)
    floor = y(0)
    return Curve(
        floor=floor,
        line=line,
        area=f"{x(0):.1f},{floor} {line} {x(drawn[-1][0]):.1f},{floor}",
        ticks=[Tick(f"{x(at):.1f}", anchor(at), name) for at, name in _ticks(most_hours)],
        polls=[
            Poll(f"{x(at):.1f}", y(views), f"{compact(views)} views after {at:,.1f} hours")
            for at, views in points
        ],
    )


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
