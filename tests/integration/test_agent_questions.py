"""What agents ask, answered in one call (or two), with what the release itself holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import pytest

from agent_server.server import AgentServer
from tests.support.questions import KNOWN, QUESTIONS, Question


@pytest.fixture(scope="module")
def known(release: duckdb.DuckDBPyConnection) -> dict[str, str]:
    found = {}
    for name, sql in KNOWN.items():
        ((value,),) = release.execute(sql).fetchall()
        found[name] = str(value)
    return found


def filled(given: Any, known: dict[str, str]) -> Any:
    """With what is known in the place of its name."""
    if isinstance(given, dict):
        return {name: filled(one, known) for name, one in given.items()}
    if isinstance(given, list):
        return [filled(one, known) for one in given]
    if isinstance(given, str):
        for name, value in known.items():
            given = given.replace(f"{{{name}}}", value)
    return given


def at(answer: Any, path: str) -> Any:
    """What stands there; of every entry of a list behind ``*``."""
    part, _, rest = path.partition(".")
    if part == "*":
        return [at(one, rest) if rest else one for one in answer]
    found = answer[int(part)] if isinstance(answer, list) else answer[part]
    return at(found, rest) if rest else found


def test_there_are_ten_questions_of_every_kind_of_agent() -> None:
    assert {agent: len(asked) for agent, asked in QUESTIONS.items()} == dict.fromkeys(
        ("Scriptwriter", "Publisher", "Research", "Optimization", "Analyst", "TrendAnalysis",
         "Watchdog"), 10,
    )  # fmt: skip


@pytest.mark.parametrize("agent", QUESTIONS)
def test_what_agents_ask_is_answered(
    server: AgentServer, release: duckdb.DuckDBPyConnection, known: dict[str, str], agent: str
) -> None:
    empty = []
    for question in QUESTIONS[agent]:
        answer = answered(server, question, known)
        assert answer["staleness"]["tolerance_hours"] > 0
        for path, sql in question.holds.items():
            rows = [row[0] for row in release.execute(filled(sql, known)).fetchall()]
            found = at(answer, path)
            expected = rows if "*" in path else rows[0]
            assert same(found, expected), (question.asked, path, found, expected)
            empty += [question.asked] if rows == [] else []
    # Nothing is held of an empty answer: there may be few such.
    assert len(set(empty)) <= 1, empty


def answered(server: AgentServer, question: Question, known: dict[str, str]) -> dict[str, Any]:
    if question.first is not None:
        tool, given, path = question.first
        known = known | {"found": at(server.answer(tool, filled(given, known)), path)}
    return server.answer(question.tool, filled(question.given, known))


def same(found: Any, expected: Any) -> bool:
    """Numbers but for the digits that answers leave out."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, float):
        return bool(found == pytest.approx(expected, rel=1e-5))
    if isinstance(expected, datetime):
        return datetime.fromisoformat(found) == expected
    return bool(found == expected)
