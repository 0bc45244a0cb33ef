"""Charts: Vega-Lite specifications drawn by vl-convert, which needs neither browser nor network.

A specification is what Altair would write, as plain values: importing Altair takes longer than
drawing all charts of the report does. The tests have Altair judge every specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: A Vega-Lite specification.
Spec = Mapping[str, Any]

#: What all charts share. Fonts are those of the page or the machine.
CONFIG: dict[str, Any] = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
        "labelFontSize": 11,
        "labelSeparation": 8,
    },
}
_VERSION = "6.4"


def svg(spec: Spec, colours: Mapping[str, Any]) -> str:
    """The chart as SVG; ``colours`` is Vega-Lite's configuration of them."""
    import vl_convert

    return str(
        vl_convert.vegalite_to_svg(
            dict(spec), vl_version=_VERSION, config=_merged(colours), allowed_base_urls=[]
        )
    )


def png(spec: Spec, scale: float = 2) -> bytes:
    """The chart as PNG on white, ``scale`` pixels for each of the specification."""
    import vl_convert

    return bytes(
        vl_convert.vegalite_to_png(
            dict(spec),
            vl_version=_VERSION,
            config=_merged({"background": "white"}),
            scale=scale,
            allowed_base_urls=[],
        )
    )


def _merged(more: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(CONFIG)
    for name, value in more.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = merged[name] | value if both else value
    return merged
