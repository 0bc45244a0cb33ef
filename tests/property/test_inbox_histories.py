"""Any order of writes, deaths and landings: what was acknowledged lands once, nothing else twice.

Processes and their journals are played in one process: a write may die anywhere in its line, a
landing after any of its steps, and both go on with somebody else.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from loaders.inbox.contract import checked
from loaders.inbox.journal import Journal
from loaders.inbox.load import load_inbox
from loaders.inbox.place import Place
from loaders.landing import Landing
from loaders.landing.compaction import compact
from tests.support.examples import examples

TABLES = {
    "agent_notes": {"agent_name": "A"},
    "system_events": {"event_type": "a.b.c"},
}
#: Where a text is kept in a row of each.
TEXT = {"agent_notes": "content", "system_events": "message"}
#: What a landing does, in order: where it may die.
STEPS = {
    "sealed one": "loaders.inbox.place.sync_folder",
    "read": "loaders.inbox.load.type_records",
    "about to commit": "loaders.landing.writer.verify",
    "committed": "loaders.inbox.place.Place.remove",
}


class Died(BaseException):
    """Nothing that a program catches by mistake."""


class Inbox(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.url = str(Path(self.folder.name, "landing"))
        self.writers: dict[tuple[int, str], Journal] = {}
        self.number = 0
        #: Texts that were acknowledged, and all that were begun, by table.
        self.told: dict[str, set[str]] = {table: set() for table in TABLES}
        self.begun: dict[str, set[str]] = {table: set() for table in TABLES}
        #: Texts of each key that was given: one of them lands.
        self.keyed: dict[tuple[str, str], set[str]] = {}
        self.bad = 0

    def teardown(self) -> None:
        for one in self.writers.values():
            one.forget()
        self.folder.cleanup()

    def writer(self, who: int, table: str) -> Journal:
        folder = Path(self.url, "inbox/_journal", table)
        return self.writers.setdefault((who, table), Journal(folder))

    def lines(self, table: str, keys: list[str | None]) -> tuple[list[str], bytes]:
        texts, found = [], b""
        for key in keys:
            self.number += 1
            text = f"text {self.number}"
            values = TABLES[table] | {TEXT[table]: text}
            found += checked(table, values, datetime.now(UTC), key).encode()
            texts.append(text)
            self.begun[table].add(text)
            if key is not None:
                self.keyed.setdefault((table, key), set()).add(text)
        return texts, found

    KEYS = st.lists(st.none() | st.sampled_from("abc"), min_size=1, max_size=4)

    @rule(who=st.integers(0, 2), table=st.sampled_from(list(TABLES)), keys=KEYS)
    def write(self, who: int, table: str, keys: list[str | None]) -> None:
        texts, lines = self.lines(table, keys)
        self.writer(who, table).append(lines)
        self.told[table].update(texts)

    @rule(who=st.integers(0, 2), table=st.sampled_from(list(TABLES)), keys=KEYS,
          part=st.floats(0, 1))  # fmt: skip
    def die_writing(self, who: int, table: str, keys: list[str | None], part: float) -> None:
        """The process is gone: its bytes as far as they came, and its locks."""
        _, lines = self.lines(table, keys)
        one = self.writer(who, table)
        file = one._locked()
        os.write(file, lines[: int(part * len(lines))])
        one.forget()
        for pair in [pair for pair in self.writers if pair[0] == who]:
            self.writers.pop(pair).forget()

    @rule(who=st.integers(0, 2), table=st.sampled_from(list(TABLES)),
          text=st.sampled_from([b"{", b"", b'{"row": 1}', b"\xff\0"]))  # fmt: skip
    def write_what_is_no_line(self, who: int, table: str, text: bytes) -> None:
        self.writer(who, table).append(text + b"\n")
        self.bad += 1

    @rule()
    def land(self) -> None:
        load_inbox(Landing(self.url))

    @rule(step=st.sampled_from(list(STEPS)), table=st.integers(1, 2))
    def die_landing(self, step: str, table: int) -> None:
        """It dies at the step for the first or the second time that it comes there."""
        times = 0
        where = STEPS[step]

        def dying(*arguments: Any, **named: Any) -> Any:
            nonlocal times
            times += 1
            if times >= table:
                raise Died
            return really(*arguments, **named)

        module, _, name = where.rpartition(".")
        holder: Any = Place if name == "remove" else __import__(module, fromlist=["_"])
        really = getattr(holder, name)
        with patch.object(holder, name, dying), contextlib.suppress(Died):
            load_inbox(Landing(self.url))

    @rule()
    def merge(self) -> None:
        compact(Landing(self.url), min_files=2)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        for table in TABLES:
            found = self.landed(table)
            assert len(found) == len(set(found))
            assert set(found) <= self.begun[table]
            for (of, _), texts in self.keyed.items():
                assert of != table or len(texts & set(found)) <= 1

    @rule()
    def nothing_is_lost(self) -> None:
        load_inbox(Landing(self.url))
        landing = Landing(self.url)
        for table in TABLES:
            found = set(self.landed(table))
            given = {text for (of, _), texts in self.keyed.items() if of == table for text in texts}
            assert self.told[table] - given <= found
            for (of, _), texts in self.keyed.items():
                assert of != table or not texts & self.told[table] or texts & found
        assert len(landing.rejected("inbox")) == self.bad
        for load in landing.loads("inbox"):
            assert load.read == load.accepted + load.rejected
        assert Place(landing.storage).count(set()) == {}

    def landed(self, table: str) -> list[str]:
        files = {load.file for load in Landing(self.url).loads("inbox", table)}
        return [text for file in sorted(files) for text in pl.read_parquet(file)[TEXT[table]]]


Inbox.TestCase.settings = settings(max_examples=examples(8), stateful_step_count=25, deadline=None)
TestInbox = Inbox.TestCase
