"""A JSON document of any size, element by element, in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from loaders.files.limits import (
    KEPT,
    LONGEST_RECORD,
    has_too_many_values,
    too_large,
)
from loaders.jsontext import TOO_DEEP, TOO_MANY_DIGITS, without_halves

_CHUNK = 1 << 20
_SPACES = re.compile(r"[ \t\r\n]*")
#: What a number, true, false or null, or something broken in their place, consists of.
_SCALAR = re.compile(r"[^ \t\r\n,:\[\]{}\"]+")
_STRING_STOP = re.compile(r'["\\]')


@dataclass(frozen=True)
class Unusable:
    """A value that cannot be held or made, though what follows can: why, and its begin."""

    reason: str
    start: str


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
            found = _SPACES.match(self._buffer, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if self._end:
                return ""
            self._fill()

    def _take(self, expected: str) -> None:
        if self.peek() != expected:
            raise self._broken(f"'{expected}' was expected")
        self._at += 1

    def value(self) -> tuple[Any, str] | Unusable:
        """The next value and its text. One that is too large (see :mod:`.limits`), nested
        too deeply, or has a number of too many digits is passed over. Raises BrokenJson.
        """
        self.peek()
        while True:
            size = len(self._buffer) - self._at
            if has_too_many_values(self._buffer, ",[{", self._at):
                return self._passed_over(too_large("record"))
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
                if end - self._at > LONGEST_RECORD:
                    return self._passed_over(too_large("record"))
                if end < len(self._buffer) or self._end:
                    text = self._buffer[self._at : end]
                    whole = without_halves(value, text)
                    self._at = end
                    return whole, text
            except RecursionError:
                return self._passed_over(TOO_DEEP)
            except json.JSONDecodeError as error:
                if size > LONGEST_RECORD:
                    return self._passed_over(too_large("record"))
                inside = "Unterminated string" in error.msg
                if self._end or not (inside or len(self._buffer) - error.pos < 64):
                    line = self._line + self._buffer.count("\n", 0, error.pos)
                    problem = "the text ends early" if self._end and (
                        inside or error.pos >= len(self._buffer.rstrip())
                    ) else error.msg[:1].lower() + error.msg[1:]  # fmt: skip
                    raise BrokenJson(f"{problem} (line {line})", self._rest()) from None
            except ValueError:
                # The one other thing that json says: an integer has too many digits.
                return self._passed_over(TOO_MANY_DIGITS)
            self._fill()

    def _passed_over(self, reason: str) -> Unusable:
        start = self._buffer[self._at : self._at + KEPT]
        self.skip()
        return Unusable(reason, start)

    def skip(self) -> None:
        """Pass over the next value without making or keeping it. Raises BrokenJson."""
        depth = 0
        while True:
            character = self.peek()
            if not character:
                raise self._broken("the value goes on")
            if character == '"':
                self._skip_string()
            elif character in "[{":
                depth += 1
                self._at += 1
            elif character in "]}":
                depth -= 1
                self._at += 1
            elif character in ",:":
                self._at += 1
            else:
                self._skip_scalar()
            if depth < 0 or (depth == 0 and character in ",:"):
                raise self._broken("a value was expected")
            if depth == 0:
                return
            # As long as brackets cannot all be closed in it, a part is passed over at once.
            part = self._buffer[self._at : self._at + KEPT]
            closed = part.count("]") + part.count("}")
            if closed < depth and '"' not in part:
                depth += part.count("[") + part.count("{") - closed
                self._at += len(part)

    def _skip_string(self) -> None:
        self._at += 1
        while True:
            found = _STRING_STOP.search(self._buffer, self._at)
            if found is not None and found[0] == '"':
                self._at = found.end()
                return
            # A backslash takes the next character with it, wherever the buffer ends.
            wanted = found.end() + 1 if found is not None else len(self._buffer)
            while wanted > len(self._buffer) and not self._end:
                wanted -= self._at
                self._fill()
            self._at = min(wanted, len(self._buffer))
            if self._at == len(self._buffer):
                if self._end:
                    raise self._broken("the string goes on")
                self._fill()

    def _skip_scalar(self) -> None:
        while True:
            found = _SCALAR.match(self._buffer, self._at)
            if found is None:
                return
            self._at = found.end()
            if self._at < len(self._buffer) or self._end:
                return
            self._fill()

    def _rest(self) -> str:
        return self._buffer[self._at :]

    def _broken(self, problem: str) -> BrokenJson:
        line = self._line + self._buffer.count("\n", 0, self._at)
        problem = problem if self.peek() else f"the text ends early, {problem}"
        return BrokenJson(f"{problem} (line {line})", self._rest())

    def elements(self) -> Iterator[tuple[Any, str] | Unusable]:
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
            found = self.value()
            self._take(":")
            if not isinstance(found, Unusable) and found[0] == key:
                return True
            self.skip()
            if self.peek() == ",":
                self._at += 1
        return False

    def skip_rest(self) -> None:
        """Skip to the end of the text: the object that was entered is done with."""
        while not self._end:
            self._at = len(self._buffer)
            self._fill()
        self._at = len(self._buffer)
