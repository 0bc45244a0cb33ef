"""Lists of tags, in the many ways they are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from loaders.jsontext import parse_json
from loaders.values.base import NotTyped, Typing, is_blank, shown
from loaders.values.texts import to_text

#: Longest text read as a Python list (characters): a parsed one takes 500 times as much.
LONGEST_LITERAL = 1 << 19
#: Where an object in a list of tags has the tag's text, the surest first.
_NAMES = ("name", "title", "hashtagName", "hashtag_name", "hashtag", "tagName", "tag_name", "tag",
          "challengeName", "text", "label", "value")  # fmt: skip
_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}]*))\s*(?:,|\Z)', re.DOTALL)
_HASHES = re.compile(r"[#\uff03]")


def to_list(value: Any, typing: Typing) -> list[str] | None:
    """Texts of a list; null elements are dropped.

    A text is a JSON list, a Postgres array, a Python list as pandas writes it, hashtags
    (``#a #b``), or separated by ``|``, else by commas, semicolons or line ends. Objects give
    their name.
    """
    if value is None or is_blank(value, typing):
        return None
    if isinstance(value, str):
        value = _from_text(value.strip())
    if not isinstance(value, list | tuple | set):
        raise NotTyped(f"{shown(value)} is not a list")
    texts = (to_text(element, typing) for element in _elements(value))
    return [text for text in texts if text is not None]


def _elements(values: Any) -> Iterator[Any]:
    """The tags of a list, those of lists in it as well."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from _elements(value)
        elif isinstance(value, dict):
            yield _name(value)
        elif isinstance(value, bool):
            raise NotTyped(f"{shown(str(value).lower())} is not a tag")
        else:
            yield value


def _name(tag: dict[str, Any]) -> str | None:
    for name in _NAMES:
        text = tag.get(name)
        if isinstance(text, str):
            return text or None
    raise NotTyped(f"{shown(tag)} has no name ({', '.join(_NAMES[:3])} ...) and is not a tag")


def _from_text(text: str) -> list[Any]:
    if text.startswith("["):
        return _list_literal(text)
    if text.startswith("{") and text.endswith("}"):
        try:
            return _postgres_array(text)
        except NotTyped:
            return _list_literal(f"[{text}]")
    if text.startswith(("#", "\uff03")):
        parts = [part.strip().strip(",;|").strip() for part in _HASHES.split(text)]
    else:
        mark = next((mark for mark in "|,;\n" if mark in text), ",")
        cells = (part.strip() for part in text.split(mark))
        parts = [p[1:-1] if len(p) > 1 and p[0] == p[-1] == '"' else p for p in cells]
    return [part for part in parts if part]


def _list_literal(text: str) -> list[Any]:
    try:
        value = parse_json(text)
    except ValueError:
        if len(text) > LONGEST_LITERAL:
            raise NotTyped(f"{shown(text)} is not a list") from None
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise NotTyped(f"{shown(text)} is not a list") from None
    if not isinstance(value, list):
        raise NotTyped(f"{shown(text)} is not a list")
    return value


def _postgres_array(text: str) -> list[Any]:
    body, elements, at = text[1:-1], [], 0
    if not body.strip():
        return []
    while at <= len(body):
        found = _ELEMENT.match(body, at)
        if found is None:
            raise NotTyped(f"{shown(text)} is not a list")
        if found[1] is not None:
            elements.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL))
        elif (bare := found[2].strip()) and bare.upper() != "NULL":
            elements.append(bare)
        if found.end() == len(body) and not found[0].endswith(","):
            break
        at = found.end()
    return elements
