"""The process that runs queries: one line of JSON in, one out.

It is started with ``python -P -m agent_server.queries.worker``; the first line says where the
releases are, as no command line should. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from agent_server.queries.bounded import bound_memory, shortened
from agent_server.queries.limits import Limits
from agent_server.queries.postgres_user import check_user
from common.errors import AceError
from repositories.connection import open_release
from repositories.reader import Reader


class Worker:
    """Keeps the last release file open; a session on Postgres serves one query only."""

    def __init__(self, place: dict[str, Any], limits: Limits) -> None:
        self._place, self._limits = place, limits
        self._open: tuple[int | None, Reader] | None = None
        self._is_bound = False

    def reader(self, release: int | None) -> Reader:
        if self._open is not None:
            number, reader = self._open
            if number == release:
                return reader
            self.close()
        reader = open_release(
            Path(self._place["home"]),
            release,
            target=self._place["target"],
            postgres_url=self._place["postgres_url"],
            memory=self._limits.memory,
            seconds=self._limits.seconds,
        )
        try:
            if reader.engine == "postgres":
                check_user(reader)
            if release is None:
                release = int(reader.query("select release from meta.release").rows[0][0])
            if not self._is_bound:
                bound_memory(reader, self._limits.memory_beside)
                self._is_bound = True
            reader.settle()
        except BaseException:
            reader.close()
            raise
        self._open = (release, reader)
        return reader

    def done(self) -> None:
        """End a session on Postgres, and with it what its query set or locked.

        Locks are given back first: a server notices that a session ended a little later.
        """
        if self._open is not None and self._open[1].engine == "postgres":
            with contextlib.suppress(AceError):
                self._open[1].query("select pg_catalog.pg_advisory_unlock_all()")
            self.close()

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def answer(self, reader: Reader, sql: str, most: int) -> dict[str, Any]:
        found = reader.select(sql, most + 1)
        rows, cut = shortened(found.rows[:most], self._limits)
        return {
            "columns": found.columns,
            "rows": rows,
            "more": len(found.rows) > most or len(rows) < min(len(found.rows), most),
            "cut": cut,
        }


def main() -> None:
    place = json.loads(sys.stdin.readline() or "{}")
    if not place:
        return
    worker = Worker(place, Limits(**place.pop("limits")))
    # Ready before it is asked: to open a release takes longer than most queries.
    with contextlib.suppress(AceError):
        worker.reader(None)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            reader = worker.reader(asked["release"])
            _say(_text({"began": True}))
            found = _text(worker.answer(reader, asked["sql"], asked["most"]))
        except AceError as error:
            found = _text({"error": error.message, "hint": error.hint})
        except MemoryError:
            found = _text({"memory": True})
        finally:
            worker.done()
        _say(found)


def _text(what: dict[str, Any]) -> str:
    return json.dumps(what, ensure_ascii=True, default=str)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
