"""Answers of analyses as charts: which column is where stands in the analysis' head.

``Chart: bar x=views y=product+platform colour=platform`` draws bars, a row each, named by what is
joined with ``+``; ``interval`` draws a point between ``lo`` and ``hi``; ``line`` draws y against x;
``facet`` puts charts beside each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import AceError
from warehouse.charts import Spec

#: Rows that are drawn as bars or intervals (of each facet), and points of a line: the first.
MOST_ROWS, MOST_POINTS = 40, 5000
#: Colours that people with any eyes tell apart (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
KINDS = ("bar", "interval", "line")
_PLACES = {"x", "y", "lo", "hi", "colour", "facet"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """What is drawn, and the columns that are where."""

    kind: str
    places: Mapping[str, str]

    @property
    def columns(self) -> set[str]:
        """Every column it asks for."""
        return {name for place in self.places.values() for name in place.split("+")}


def layout(line: str) -> Layout:
    """What a head says after ``Chart:``. ValueError where it says something else."""
    kind, *pairs = line.split()
    places = dict(pair.split("=", 1) for pair in pairs)
    wanted = {"x", "y", "lo", "hi"} if kind == "interval" else {"x", "y"}
    if kind not in KINDS or not wanted <= places.keys() <= _PLACES:
        raise ValueError(f"no chart is made of '{line}'")
    return Layout(kind, places)


def picture(asked: Layout, rows: Sequence[Row], title: str, note: str) -> Spec:
    """The chart of an answer. AceError where it holds nothing that could be drawn."""
    x, y = asked.places["x"], asked.places["y"]
    drawn = [row for row in rows if row[x] is not None]
    if asked.kind == "line":
        drawn = [row for row in drawn if row[y] is not None]
    kept = _first(drawn, asked)
    if not kept:
        raise AceError(
            "The answer has nothing to draw.", "Ask without --png what it holds, if anything."
        )
    if len(kept) < len(drawn):
        note += f"; the first {len(kept):,} of {len(drawn):,}"
    spec = _line(asked, kept) if asked.kind == "line" else _rows(asked, kept)
    return {
        "title": {
            "text": _wrapped(title), "subtitle": note, "anchor": "start", "frame": "group",
            "offset": 14, "subtitleColor": "#555555",
        },
        "padding": 16,
        "data": {"values": [_values(asked, place, row) for place, row in enumerate(kept)]},
        **spec,
    }  # fmt: skip


def _first(rows: Sequence[Row], asked: Layout) -> list[Row]:
    most = MOST_POINTS if asked.kind == "line" else MOST_ROWS
    facet = asked.places.get("facet")
    seen: dict[Any, int] = {}
    kept = []
    for row in rows:
        of = row[facet] if facet else None
        seen[of] = seen.get(of, 0) + 1
        if seen[of] <= most:
            kept.append(row)
    return kept


def _values(asked: Layout, place: int, row: Row) -> dict[str, Any]:
    """A row as the specification names it, whatever its columns are called."""
    found: dict[str, Any] = {"place": place}
    for name, column in asked.places.items():
        found[name] = row[column] if "+" not in column else None
    for name in ("colour", "facet"):
        if name in asked.places:
            found[name] = _text(row[asked.places[name]])
    if asked.kind != "line":
        found["y"] = None
        found["label"] = " · ".join(_text(row[part]) for part in asked.places["y"].split("+"))
    return found


def _text(value: Any) -> str:
    text = " ".join(str("unknown" if value is None else value).split())
    return text if len(text) <= 48 else text[:47] + "\N{HORIZONTAL ELLIPSIS}"


def _kind_of(values: Sequence[Any]) -> dict[str, Any]:
    """How Vega-Lite takes a column: numbers, times of UTC, or names in their order."""
    known = [value for value in values if value is not None]
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in known):
        return {"type": "quantitative"}
    if all(isinstance(value, str) and _TIME.fullmatch(value) for value in known):
        axis = {"format": "%-d %b %Y", "tickCount": 6}
        return {"type": "temporal", "scale": {"type": "utc"}, "axis": axis}
    return {"type": "ordinal", "sort": None}


def _colour(asked: Layout) -> dict[str, Any]:
    if "colour" not in asked.places:
        return {"value": COLOURS[0]}
    title = _named(asked.places["colour"])
    return {
        "field": "colour", "type": "nominal", "title": title, "scale": {"range": list(COLOURS)}
    }  # fmt: skip


def _named(column: str) -> str:
    return column.replace("+", ", ").replace("_", " ")


def _line(asked: Layout, rows: Sequence[Row]) -> dict[str, Any]:
    x, y = asked.places["x"], asked.places["y"]
    encoding = {
        "x": {"field": "x", "title": _named(x), **_kind_of([row[x] for row in rows])},
        "y": {"field": "y", "title": _named(y), "type": "quantitative"},
        "color": _colour(asked),
    }
    return _placed(asked, {"mark": {"type": "line", "point": True}, "encoding": encoding}, 600, 340)


def _rows(asked: Layout, rows: Sequence[Row]) -> dict[str, Any]:
    axis = {"title": None, "labelExpr": "datum.label", "labelLimit": 420, "ticks": False}
    names = {f"{place}": _values(asked, place, row)["label"] for place, row in enumerate(rows)}
    axis["labelExpr"] = f"({_json(names)})[toString(datum.value)]"
    y = {"field": "place", "type": "ordinal", "sort": None, "axis": axis}
    x = {"field": "x", "type": "quantitative", "title": _named(asked.places["x"])}
    base = {"y": y, "color": _colour(asked)}
    if asked.kind == "bar":
        part = {"mark": {"type": "bar"}, "encoding": base | {"x": x}}
        return _placed(asked, part, 480, {"step": 20})
    span = {"field": "lo", "type": "quantitative", "title": _named(asked.places["x"])}
    part = {
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.45},
                "encoding": base | {"x": span, "x2": {"field": "hi"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": base | {"x": x},
            },
        ]
    }
    return _placed(asked, part, 480, {"step": 20})


def _placed(asked: Layout, part: dict[str, Any], width: int, height: Any) -> dict[str, Any]:
    sized = part | {"width": width, "height": height}
    if "facet" not in asked.places:
        return sized
    return {
        "facet": {"field": "facet", "type": "nominal", "title": None, "sort": None},
        "columns": 2,
        "spec": sized | {"width": round(width * 0.7)},
        "resolve": {"scale": {"y": "independent"}},
    }


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 72)
