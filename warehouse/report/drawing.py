"""A chart as elements that the template writes: no library says what is HTML on our page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

#: What a chart may consist of; anything else is left out with what is in it.
TAGS = {"svg", "g", "path", "line", "rect", "circle", "text", "tspan", "title"}
ATTRIBUTES = {
    *("viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "r"),
    *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"),
    *("stroke-linecap", "stroke-linejoin", "opacity", "font-size", "font-weight", "text-anchor"),
}
#: Written by Vega for what has no size.
_NOTHING = "M0,0h0v0h0Z"


@dataclass
class Element:
    """An element of SVG: its name, attributes in order, text, and what is in it."""

    tag: str
    attributes: list[tuple[str, str]]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """This one and everything in it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_svg(text: str) -> Element:
    """What a chart's SVG shows. A mark with a description of its own gets it as a title."""
    # It is our own chart's, not a stranger's file.
    whole = _element(ElementTree.fromstring(text))
    assert whole is not None, "an svg is an element that a chart may have"
    # The page sets how wide it is.
    kept = [(name, value) for name, value in whole.attributes if name == "viewBox"]
    return Element("svg", kept, whole.text, whole.children)


def _element(node: ElementTree.Element) -> Element | None:
    tag = node.tag.rpartition("}")[2]
    given = node.attrib
    if tag not in TAGS or given.get("display") == "none" or given.get("d") == _NOTHING:
        return None
    attributes = [(name, value) for name, value in given.items() if name in ATTRIBUTES]
    children = [one for one in (_element(child) for child in node) if one is not None]
    described = given.get("aria-label")
    if described and tag != "g":
        children.append(Element("title", [], described))
    if tag == "g" and not children:
        return None
    if tag == "g" and not attributes and len(children) == 1:
        return children[0]
    return Element(tag, attributes, (node.text or "").strip(), children)
