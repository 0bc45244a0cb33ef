"""What README and docs tell a reader to type: their fenced blocks, and the commands in them.

A block of ``sh``, ``console`` or ``python`` is run by tests/e2e/test_documents.py as it stands,
after those above it. Another way is said after the language, in the line that opens it:

- ``sh not run: REASON``: it cannot be run without what a reader has; REASONS are all there are.
- ``sh run by tests/...py``: a test with a world of its own takes the block out of the document.

``python -m tests.support.documented`` lists both.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.settings import PROJECT_ROOT

REASONS = {
    "fetches the project",
    "fetches packages",
    "asks a platform",
    "needs a database of yours",
    "serves until it is stopped",
    "is for three shells",
    "erases for good",
}
RUN = ("sh", "console", "python")
OUTPUT_ELIDED = "..."


@dataclass(frozen=True)
class Command:
    """One command of a block, and what the document shows that it prints (None: nothing shown)."""

    line: int
    text: str
    prints: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, and how it is run ('' : as it stands)."""

    document: str
    heading: str
    line: int
    language: str
    how: str
    lines: tuple[str, ...]

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def commands(self) -> Iterator[Command]:
        """Commands of ``sh`` and ``console``; one of several lines is told by its open quote."""
        typed: list[str] = []
        shown: list[str] = []
        begin = 0
        console = self.language == "console"
        for number, line in enumerate(self.lines, self.line + 1):
            if typed and not _whole(typed):
                typed.append(line)
            elif console and not line.startswith("$ "):
                shown.append(line)
            elif line.strip() and not line.startswith("#"):
                if typed:
                    yield Command(begin, "\n".join(typed), tuple(shown) if console else None)
                typed, shown, begin = [line.removeprefix("$ ")], [], number
        if typed:
            yield Command(begin, "\n".join(typed), tuple(shown) if console else None)


def _whole(typed: list[str]) -> bool:
    if typed[-1].endswith("\\"):
        return False
    try:
        shlex.split("\n".join(typed), comments=True)
    except ValueError:
        return False
    return True


def documents() -> list[Path]:
    """README and everything in docs/, in the order in which they are read."""
    return [PROJECT_ROOT / "README.md", *sorted((PROJECT_ROOT / "docs").glob("*.md"))]


def blocks(document: str) -> list[Block]:
    """The fenced blocks of a document, named from the project's folder (``docs/rows.md``)."""
    found: list[Block] = []
    heading = ""
    inside: list[str] | None = None
    begin, language, how = 0, "", ""
    for number, line in enumerate((PROJECT_ROOT / document).read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            if inside is None:
                begin, inside = number, []
                language, _, how = line[3:].strip().partition(" ")
            else:
                found.append(Block(document, heading, begin, language, how, tuple(inside)))
                inside = None
        elif inside is not None:
            inside.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def block(document: str, heading: str, language: str, number: int = 0) -> Block:
    """One block by where it stands: the first of its language under a heading, or a later one."""
    found = [b for b in blocks(document) if (b.heading, b.language) == (heading, language)]
    assert len(found) > number, f"{document} has no such block of {language} under {heading!r}."
    return found[number]


def shell_commands(document: str, heading: str, number: int = 0) -> list[list[str]]:
    """The words of each command of one block of ``sh``."""
    found = block(document, heading, "sh", number).commands()
    return [shlex.split(one.text, comments=True) for one in found]


def same_output(expected: tuple[str, ...], printed: str) -> bool:
    """Is what was printed what is shown, whatever it took, and whenever it was run?"""
    pattern = ""
    for line in _lines("\n".join(expected)):
        pattern += r"(?:.*\n)*" if line == OUTPUT_ELIDED else re.escape(line) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    """Lines without what a clock decides: ages, and the time that a release was made."""
    text = re.sub(r"\b\d[\d,]* (second|minute|hour|day)s?\b", "AGE", text)
    text = re.sub(r"(made AGE ago) \([^)]*\)", r"\1", text)
    return [line.rstrip() for line in text.strip().splitlines()]


if __name__ == "__main__":
    for path in documents():
        for one in blocks(str(path.relative_to(PROJECT_ROOT))):
            if one.how:
                print(f"{one.where:24} {one.how}")
