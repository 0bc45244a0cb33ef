"""What meets a page is text, unless it says that it is HTML."""

from __future__ import annotations

from warehouse.markup import Markup, fill, joined


def test_parts_are_text_unless_they_are_markup() -> None:
    assert joined(["<b>", Markup("<i>"), 1]) == "&lt;b&gt;<i>1"


def test_values_are_text_unless_they_are_markup() -> None:
    assert fill("<p>{one}{two}</p>", one="<b>", two=Markup("<i>")) == "<p>&lt;b&gt;<i></p>"
