"""A JSON document of any size, element by element, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

_SPACE = " \t\r\n"
_CHUNK = 1 << 20
#: An element longer than this (characters) is taken for a broken one.
_LONGEST = 1 << 28


class BrokenJson(ValueError):
    """The document breaks off or is no JSON; ``rest`` is what was not understood."""

    def __init__(self, problem: str, rest: str) -> None:
        super().__init__(problem)
        self.rest = rest


class JsonStream:
    """Reads values from a text file that holds one or more JSON documents."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._buffer = ""
        self._at = 0
        self._end = False
        self._line = 1
        self._decoder = json.JSONDecoder()

    def _fill(self) -> None:
        self._line += self._buffer.count("\n", 0, self._at)
        rest = self._buffer[self._at :]
        more = self._file.read(max(_CHUNK, len(rest)))
        self._end = not more
        self._buffer, self._at = rest + more, 0

    def peek(self) -> str:
        """The next character that is no white space; '' at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _SPACE:
                    return character
                self._at += 1
            if self._end:
                return ""
            self._fill()

    def _take(self, expected: str) -> None:
        if self.peek() != expected:
            raise self._broken(f"'{expected}' was expected")
        self._at += 1

    def value(self) -> tuple[Any, str]:
        """The next value and its text. Raises BrokenJson."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
                if end < len(self._buffer) or self._end:
                    text = self._buffer[self._at : end]
                    self._at = end
                    return value, text
            except RecursionError:
                raise self._broken("it is nested too deeply") from None
            except json.JSONDecodeError as error:
                inside = "Unterminated string" in error.msg
                size = len(self._buffer) - self._at
                if (
                    self._end
                    or size > _LONGEST
                    or not (inside or len(self._buffer) - error.pos < 64)
                ):
                    line = self._line + self._buffer.count("\n", 0, error.pos)
                    problem = "the text ends early" if self._end and (
                        inside or error.pos >= len(self._buffer.rstrip())
                    ) else error.msg[:1].lower() + error.msg[1:]  # fmt: skip
                    raise BrokenJson(f"{problem} (line {line})", self._rest()) from None
            self._fill()

    def _rest(self) -> str:
        return self._buffer[self._at :]

    def _broken(self, problem: str) -> BrokenJson:
        line = self._line + self._buffer.count("\n", 0, self._at)
        problem = problem if self.peek() else f"the text ends early, {problem}"
        return BrokenJson(f"{problem} (line {line})", self._rest())

    def elements(self) -> Iterator[tuple[Any, str]]:
        """The elements of the array that comes next. Raises BrokenJson."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self._at += 1
                return
            self._take(",")

    def enter(self, path: list[str]) -> bool:
        """Move to the value at a path of object keys; False when it is not there."""
        for key in path:
            if self.peek() != "{":
                return False
            self._at += 1
            if not self._find(key):
                return False
        return True

    def _find(self, key: str) -> bool:
        while self.peek() == '"':
            name, _ = self.value()
            self._take(":")
            if name == key:
                return True
            self.value()
            if self.peek() == ",":
                self._at += 1
        return False

    def skip_rest(self) -> None:
        """Skip to the end of the text: the object that was entered is done with."""
        while not self._end:
            self._at = len(self._buffer)
            self._fill()
        self._at = len(self._buffer)
