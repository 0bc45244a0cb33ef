"""What meets a page is text, and a template that misspells a name is noticed."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from warehouse.templates import templates


def test_values_are_text_in_pages_and_in_what_is_put_together_for_them() -> None:
    page = templates("warehouse.report").from_string(
        "{% macro part(value) %}<i title='{{ value }}'>{% endmacro %}"
        "{% set whole %}<p>{{ part(value) }}{{ value }}</p>{% endset %}{{ whole }}"
    )
    assert page.render(value="'<b>") == "<p><i title='&#39;&lt;b&gt;'>&#39;&lt;b&gt;</p>"


def test_a_name_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'misspelt' is undefined"):
        templates("warehouse.report").from_string("{{ misspelt }}").render()
