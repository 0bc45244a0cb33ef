"""What pipelines put around a record: Airbyte's raw tables and messages, Singer's messages, and
the columns in which flattened ones say when a record was read from its source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loaders.jsontext import parse_json
from loaders.values import NotTyped, Typing, to_timestamp

AIRBYTE_DATA = "_airbyte_data"
#: When a pipeline read a record from its source.
_CLOCKS = ("_airbyte_emitted_at", "_airbyte_extracted_at", "_sdc_extracted_at", "_fivetran_synced")
#: Messages that hold no record, and the field in which each holds something else.
_MESSAGES = {
    "SCHEMA": "schema", "STATE": "value", "ACTIVATE_VERSION": "stream", "BATCH": "manifest",
    "LOG": "log", "TRACE": "trace", "CATALOG": "catalog", "CONTROL": "control", "SPEC": "spec",
    "CONNECTION_STATUS": "connectionStatus",
}  # fmt: skip


def _unchanged(inner: Any) -> Any:
    return inner


@dataclass(frozen=True)
class Opened:
    """What was inside, when it was read from its source (None: not said), and the envelope that
    can be put around the record again. ``reason`` says why there is nothing to land.
    """

    document: Any
    known_at: datetime | None = None
    around: Callable[[Any], Any] = _unchanged
    reason: str = ""


NO_ENVELOPE = Opened(None)


def opened(document: dict[str, Any]) -> Opened | None:
    """What is inside an envelope; None for a document without one."""
    if AIRBYTE_DATA in document:
        inner = document[AIRBYTE_DATA]
        if isinstance(inner, str):
            try:
                inner = parse_json(inner)
            except ValueError:
                return Opened(None, reason=f"{AIRBYTE_DATA} is not valid JSON")
        return _known(
            document, inner, _clock(document), lambda one: {**document, AIRBYTE_DATA: one}
        )
    kind = document.get("type")
    if type(kind) is str and kind.isupper():
        record = document.get("record")
        if kind == "RECORD" and isinstance(record, dict):
            if "stream" in record and "data" in record:
                return _known(
                    record, record["data"], "emitted_at",
                    lambda one: {**document, "record": {**record, "data": one}},
                )  # fmt: skip
            if "stream" in document:
                return _known(
                    document, record, "time_extracted", lambda one: {**document, "record": one}
                )
        elif _MESSAGES.get(kind) in document or (kind == "STATE" and "state" in document):
            return Opened(None, reason=f"it is a {kind} message of a pipeline, not a record")
    clock = _clock(document)
    return None if clock is None else _known(document, document, clock, _unchanged)


def _clock(document: dict[str, Any]) -> str | None:
    for name in _CLOCKS:
        if name in document:
            return name
    return None


def _known(
    holder: dict[str, Any], inner: Any, clock: str | None, around: Callable[[Any], Any]
) -> Opened:
    try:
        known_at = to_timestamp(holder.get(clock), Typing()) if clock else None
    except NotTyped as problem:
        return Opened(None, reason=f"{clock}: {problem}")
    return Opened(inner, known_at, around)
