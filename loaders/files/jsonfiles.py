"""Records of JSON files: one a line, or in one document."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from common.errors import AceError
from loaders.files import fast
from loaders.files.documents import Documents
from loaders.files.encodings import NotText
from loaders.files.jsonstream import BrokenJson, JsonStream, Unusable
from loaders.files.limits import (
    BLOCK_BYTES,
    KEPT,
    TooLong,
    blocks,
    has_too_many_values,
    too_large,
)
from loaders.files.texts import ESCAPED, as_bytes, as_text, decoded
from loaders.jsontext import parse_json
from loaders.values import shown

#: A block that is not clean is tried again in pieces of this size, so that one bad
#: record does not slow its whole block down.
PIECE_BYTES = 1 << 19
#: Bytes kept of what lies behind a break in a document.
KEPT_BYTES = 64 << 20


def read_lines(to: Documents) -> None:
    """A document on each line; whole blocks at once while they are clean."""
    with to.survives_damage(), to.input.text() as file:
        for block in blocks(file, BLOCK_BYTES):
            if isinstance(block, TooLong):
                to.reject(block.start, block.reason)
                continue
            if to.plain and _clean_block(to, block):
                continue
            for piece in blocks(io.BytesIO(block), PIECE_BYTES):
                assert isinstance(piece, bytes)
                if not (to.plain and len(piece) < len(block) and _clean_block(to, piece)):
                    _slow_block(to, piece)


def _clean_block(to: Documents, block: bytes) -> bool:
    """Land whole lines in one go; False, and nothing done, when one is not clean."""
    typing = to.plan.typing(from_csv=False)
    constants = to.plan.constants[to.main]
    frame = fast.ndjson_block(to.fields, block, typing, constants)
    if frame is None:
        return False
    to.columns(frame.columns)
    if to.paths.open:
        to.paths.look_at_lines(block)
    to.frame(frame)
    return True


def _slow_block(to: Documents, block: bytes) -> None:
    for line in block.split(b"\n"):
        line = line.strip(b" \t\r")
        if line:
            _line(to, line)


def _line(to: Documents, line: bytes) -> None:
    if has_too_many_values(line, (b",", b"[", b"{")):
        to.reject(line[:KEPT], too_large("line"))
        return
    try:
        value = parse_json(line)
    except ValueError as error:
        try:
            value = parse_json(decoded(to.input, line))
        except NotText as problem:
            to.reject(line, str(problem))
            return
        except ValueError:
            to.reject(line, f"not valid JSON: {_problem(error)}")
            return
    to.document(value, line)


def _problem(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} (character {error.pos + 1})"
    return str(error)


def read_document(to: Documents) -> None:
    """Documents one behind the other; a list is read element by element."""
    with to.survives_damage(), to.input.text() as file, as_text(to.input, file) as text:
        stream = JsonStream(text)
        if not stream.peek():
            raise AceError(f"{to.input.name} holds no JSON.", "Export it again.")
        try:
            while stream.peek():
                _next(to, stream)
        except BrokenJson as error:
            if not to.sink.records:
                raise AceError(
                    f"{to.input.name} is not valid JSON: {error}.", "Export it again."
                ) from None
            rest = as_bytes(error.rest[:KEPT_BYTES])
            to.reject(rest, f"the document breaks off here: {error}")


def _next(to: Documents, stream: JsonStream) -> None:
    """One top-level value of the stream; arrays element by element."""
    if to.plan.records and stream.peek() == "{":
        if not stream.enter(to.plan.records.split(".")) or stream.peek() != "[":
            raise AceError(
                f"{to.input.name} has no list at '{to.plan.records}'.",
                "Look where its records are and give that path to --records.",
                exit_code=2,
            )
        for found in stream.elements():
            _element(to, found, to.record)
        # What follows the list belongs to the same object and holds no records.
        stream.skip_rest()
    elif stream.peek() == "[":
        for found in stream.elements():
            _element(to, found, to.document)
    else:
        found = stream.value()
        if isinstance(found, Unusable):
            if not to.sink.records and not stream.peek():
                raise AceError(
                    f"Nothing of {to.input.name} can be read: {found.reason}.",
                    "Write one record per line, or name the list in it with --records.",
                )
            _element(to, found, to.document)
            return
        value = found[0]
        if not isinstance(value, dict) and not to.sink.records:
            raise AceError(
                f"{to.input.name} holds {shown(value)}, not JSON objects.",
                "Check that it is the right file.",
            )
        _element(to, found, to.document)


def _element(
    to: Documents, found: tuple[Any, str] | Unusable, take: Callable[[Any, bytes], None]
) -> None:
    """Hand a value of a document on, or reject what cannot be made or is in no encoding."""
    if isinstance(found, Unusable):
        to.reject(as_bytes(found.start), found.reason)
        return
    value, text = found
    raw = as_bytes(text)
    try:
        if not text.isascii() and ESCAPED.search(text):
            value = parse_json(decoded(to.input, raw))
    except ValueError as problem:
        to.reject(raw, str(problem))
        return
    take(value, raw)
