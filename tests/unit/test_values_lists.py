"""Tags as other people's programs write them."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.values import KINDS, NotTyped, Typing


def typed(value: Any, **how: Any) -> Any:
    return KINDS["text[]"](value, Typing(**how))


@pytest.mark.parametrize(
    "value",
    [
        ["a", "b c"], [{"name": "a"}, {"name": "b c"}], [{"id": "1", "title": "a"}, "b c"],
        [{"hashtagName": "a", "hashtagId": "7"}, {"hashtagName": "b c"}], [["a"], ["b c"]],
        '["a", "b c"]', '[{"name": "a"}, {"name": "b c"}]', "['a', 'b c']", "{a,\"b c\"}",
        "a, b c", "a|b c", "a;b c", "a\nb c\n",
        [{"title": "a"}, {"title": ""}, {"title": "b c"}, None],
        "#a #b c", "#a, #b c", "#a#b c", "\uff03a\u3000\uff03b c",
    ],
)  # fmt: skip
@pytest.mark.parametrize("from_csv", [True, False])
def test_tags_in_every_spelling(value: Any, from_csv: bool) -> None:
    assert typed(value, from_csv=from_csv) == ["a", "b c"]


def test_one_object_written_as_text() -> None:
    assert typed('{"name": "a"}') == ["a"]


@pytest.mark.parametrize("value", [[{"id": 7}], [True], '[{"x": 1}]', {"name": "a"}, 5, "[1,"])
def test_what_is_no_tag(value: Any) -> None:
    with pytest.raises(NotTyped):
        typed(value)
