"""Lists of the Graph API, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from loaders.live.asks import Answer, Ask
from loaders.live.instagram import errors
from loaders.live.instagram.fields import without
from loaders.live.outcomes import Refused
from loaders.live.source import Asking

#: What the address of the next page says of its place; its token is left out.
_PLACE = frozenset({"after", "since", "until", "__paging_token", "offset"})
#: So many pages without an item that was not on a page before are the end of a list.
_EMPTY_PAGES = 20


def pages(ask: Asking, first: Ask, *, most: int | None = None) -> Iterator[Answer]:
    """Every page: to the one that names no next, whatever is on it, and ``most`` at most.

    A page may be short or empty with more to come, and a cursor may be the same on every
    page, so that neither ends a list. Fields that are refused are left out from there on.
    """
    question, idle, number = first, 0, 0
    seen: set[str] = set()
    while True:
        answer, question = asked_with_fewer(ask, question)
        yield answer
        number += 1
        fresh = {str(item.get("id")) for item in items(answer)} - seen
        seen |= fresh
        idle = 0 if fresh else idle + 1
        place = _place(answer)
        if place is None or number == most or idle >= _EMPTY_PAGES:
            return
        question = replace(question, query={**question.query, **place})


def items(answer: Answer) -> list[dict[str, Any]]:
    """The objects on a page."""
    data = answer.document.get("data") if isinstance(answer.document, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def of_edge(answer: Answer, edge: str) -> dict[str, Any]:
    """A page in the form by which the preset knows whose media they are, whatever their fields:
    the last page has no address that says it."""
    return {"data": answer.document.get("data"), "paging": {"next": f"/{edge}"}}


def asked_with_fewer(ask: Asking, question: Ask) -> tuple[Answer, Ask]:
    """The answer, and the question without the fields that were refused."""
    while True:
        try:
            return ask(question), question
        except Refused as problem:
            if problem.code != errors.PARAMETER or "fields" not in question.query:
                raise
            fields = tuple(question.query["fields"].split(","))
            fewer = without(fields, errors.message(problem.answer))
            if not fewer or "id" not in fewer:
                raise
            question = replace(question, query={**question.query, "fields": ",".join(fewer)})


def _place(answer: Answer) -> dict[str, str] | None:
    """Where the next page is; None on the last."""
    paging = answer.document.get("paging") if isinstance(answer.document, dict) else None
    following = paging.get("next") if isinstance(paging, dict) else None
    if not isinstance(following, str):
        return None
    named = dict(parse_qsl(urlsplit(following).query))
    return {name: value for name, value in named.items() if name in _PLACE}
