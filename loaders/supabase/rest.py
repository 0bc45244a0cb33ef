"""The same tables over HTTP: PostgREST, as every Supabase project has it.

HTTP tells no row versions, so every row is read each time and those that differ from what was
landed last are landed: late commits, rows without ``updated_at`` and references set to null are
seen like any other. Pages go along the table's key: the server cuts an answer at so many rows
without a word (1000, unless it is set otherwise), so that only an empty page is the end. Answers
are kept until the run has ended: killed anywhere, the next one goes on with them.
"""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from common.errors import AceError
from loaders.jsontext import canonical_json, parse_json
from loaders.landing import Landing
from loaders.landing.metadata import iso, new_load_id, parse_iso, utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.client import Client, judge_status
from loaders.live.outcomes import Again, Refused
from loaders.live.pace import Budget
from loaders.live.source import Platform, Sending
from loaders.live.spool import ENDING, Spool, keep, opened
from loaders.schema import ALL_RESOURCES, SOURCE_KEY, uuid_columns
from loaders.supabase.catalog import DbColumn, DbTable
from loaders.supabase.keys import SOURCE
from loaders.supabase.load import Run, TableResult, TypedPages, result_of
from loaders.supabase.versions import Plan, Snapshot

#: Rows of a page; a page that takes the server too long is asked for again with fewer.
PAGE, SMALLEST = 1000, 60
#: A run that did not end is gone on with within this time; later all is read anew.
UNFINISHED = timedelta(hours=36)
_WHY = "HTTP tells no row versions"
_KEY = "ACE_SUPABASE_KEY"


class Rest(Platform):
    """PostgREST at ``base``, whose path is part of it, with one of the project's keys."""

    name, command = SOURCE, "supabase"
    per_second = 20.0

    def __init__(self, base: str, key: str, schema: str) -> None:
        self.base = base if urlsplit(base).path else f"{base}/rest/v1"
        self._key, self._schema = key, schema

    def headers(self, send: Sending) -> dict[str, str]:
        found = {"apikey": self._key}
        # The newer kind is no JSON Web Token and is refused as one.
        if not self._key.startswith("sb_"):
            found["Authorization"] = f"Bearer {self._key}"
        if self._schema != "public":
            found["Accept-Profile"] = self._schema
        return found

    def secrets(self) -> list[str]:
        return [self._key]

    def judge(self, ask: Ask, answer: Answer) -> None:
        if answer.status < 400:
            if not isinstance(answer.document, list):
                raise Again(f"its answer to {ask.path} is no list of rows")
            return
        document = answer.document if isinstance(answer.document, dict) else {}
        code, said = str(document.get("code") or ""), str(document.get("message") or "no reason")
        if answer.status == 401 and code != "42501":
            raise AceError(
                f"{urlsplit(self.base).hostname} does not take the key: {said.rstrip('.')}.",
                f"Set {_KEY} to the project's secret key (Project Settings, API Keys).",
            )
        if code == "57014" or (answer.status < 500 and answer.status != 429):
            raise Refused(said, answer, code or answer.status)


def load_rest(
    landing: Landing,
    home: Path,
    source: Rest,
    *,
    full: bool = False,
    backfill: bool = False,
    time_zone: str | None = None,
    schema: str = "public",
    progress: Callable[[str], None] | None = None,
) -> list[TableResult]:
    """What ``load_supabase`` does, over HTTP. Raises AceError when the server cannot be reached,
    does not take the key, or has none of the tables; loads committed before stay.
    """
    folder = home / "live" / SOURCE
    options = canonical_json([source.base, schema, full, backfill, time_zone])[0]
    name = hashlib.md5(options.encode(), usedforsecurity=False).hexdigest()[:16]
    budget = Budget(folder / "spent.json", {}, source.resets_at, utc_now)
    with Spool(folder / f"{name}{ENDING}") as spool, Client(source, budget) as client:
        if not spool.free:
            raise AceError(
                "Another 'ace load supabase' with the same options is running.",
                "Wait until it has finished.",
            )
        if not spool.is_empty and _is_outdated(spool, landing):
            spool.clear()
        if spool.is_empty:
            spool.append({"run": new_load_id(), "begun_at": iso(utc_now())})
        run = _RestRun(
            landing, _Kept(spool, client, source), source, schema, full, backfill, time_zone
        )
        results = []
        for resource in ALL_RESOURCES:
            if progress is not None:
                progress(resource)
            results.append(run.rest_table(resource))
        if all(result.mode == "missing" for result in results):
            spool.remove()
            raise AceError(
                f"{source.base} shows none of the twelve tables in schema '{schema}'.",
                "Name the right schema with --schema, and expose it (Project Settings, API).",
            )
        run.finish(results)
        spool.remove()
    return results


def _is_outdated(spool: Spool, landing: Landing) -> bool:
    """Whether the kept pages are too old to land, or another run has landed newer ones."""
    head = spool.heads[0][1]
    begun_at = parse_iso(head["begun_at"])
    assert begun_at is not None
    return utc_now() - begun_at > UNFINISHED or any(
        load.landed_at >= begun_at and not str(load.fingerprint).startswith(head["run"])
        for load in landing.loads(SOURCE)
    )


class _Kept:
    """Answers of a run that did not end out of its spool, all others from the server."""

    def __init__(self, spool: Spool, client: Client, source: Rest) -> None:
        self._spool, self._client, self._source = spool, client, source
        self.run = str(spool.heads[0][1]["run"])
        self._places: dict[str, deque[int]] = {}
        for place, entry in spool.heads:
            if "ask" in entry:
                self._places.setdefault(Ask(**entry["ask"]).identity, deque()).append(place)

    def get(self, ask: Ask) -> Answer:
        """As :meth:`Client.get`."""
        if places := self._places.get(ask.identity):
            _, answer = opened(*self._spool.entry(places.popleft()))
            self._source.judge(ask, answer)
            judge_status(answer)
            return answer
        try:
            answer = self._client.get(ask)
        except Refused as problem:
            if problem.answer.status not in (401, 403):  # which the next run may be granted
                keep(self._spool, ask, problem.answer)
            raise
        keep(self._spool, ask, answer)
        return answer


class _RestRun(Run):
    """One call: what its tables share."""

    def __init__(
        self,
        landing: Landing,
        client: _Kept,
        source: Rest,
        schema: str,
        full: bool,
        backfill: bool,
        time_zone: str | None,
    ) -> None:
        super().__init__(landing, None, {}, source.base, full, backfill, time_zone, None)
        self._client, self._schema = client, schema

    def rest_table(self, resource: str) -> TableResult:
        """Land one table; a refusal becomes the result's ``error``."""
        try:
            return self._land_rest(resource)
        except Refused as problem:
            if problem.code in ("PGRST205", "42P01", 404):
                return TableResult(resource, "missing")
            return TableResult(resource, "failed", error=_refusal(self._schema, resource, problem))

    def _land_rest(self, resource: str) -> TableResult:
        cursor = self._cursors.get(resource)
        zone = self._time_zone or (cursor or {}).get("time_zone")
        plan = Plan(full=True, compare=True, reason=_WHY)
        now = Snapshot(0, 0, utc_now())
        keys = [DbColumn(name, "text", "S") for name in uuid_columns(resource)]
        marks = [DbColumn(name, "text", "S") for name in ("deleted_at", "is_deleted", "deleted")]
        table = DbTable(resource, self._schema, "", False, False, (*keys, *marks), ())
        context = {
            "loader": SOURCE,
            "known_at": iso(now.at),
            "options": {"backfill": self._backfill, "time_zone": zone},
        }
        with self._landing.open_load(
            SOURCE,
            resource,
            input=f"{self._schema}.{resource}",
            fingerprint=f"{self._client.run}-{resource}",
            context=context,
        ) as load:
            pages = TypedPages(self._landing, table, plan, now, load, self._backfill, zone)
            seen = pages.land(_Walk(self._client, resource, pages))
            position: dict[str, Any] = {"server": self._server, "full": True, "rows": seen}
            if zone is not None:
                position["time_zone"] = zone
            notices = tuple(pages.sentences())
            error = self._all_rejected(table, plan, pages)
            emptied = not seen and self._had_rows(resource, cursor)
            if not load.accepted + load.rejected and not emptied:
                self._quiet[resource] = position
                return TableResult(resource, "full", seen, note=_WHY, error=error, notices=notices)
            done = load.commit(position)
        note = "it was empty, though rows of it were landed before" if emptied else _WHY
        return result_of(done, "full", seen, note, error=error, notices=notices)


class _Walk:
    """A table's rows along its key."""

    def __init__(self, client: _Kept, resource: str, pages: TypedPages) -> None:
        self._client, self._resource, self._typed = client, resource, pages
        self._size = PAGE

    def pages(self, *, few: bool) -> Iterator[list[dict[str, Any]]]:
        """Every page; raises Refused for what the server does not give."""
        last: Any = None
        key = SOURCE_KEY[self._resource]
        while True:
            query = {"select": "*", "order": f"{key}.asc"}
            if last is not None:
                query[key] = f"gt.{last}"
            answer = self._asked(query)
            rows = [row for row in answer.document if isinstance(row, dict)]
            if not rows:
                return
            # Known when the page had come: what changed while it was read is in it, or is not.
            self._typed.known_at(answer.at)
            yield rows
            found = [row[key] for row in rows if row.get(key) is not None]
            if not found or found[-1] == last:
                return
            last = found[-1]

    def _asked(self, query: dict[str, str]) -> Answer:
        while True:
            try:
                return self._client.get(
                    Ask(f"/{self._resource}", {**query, "limit": str(self._size)})
                )
            except Refused as problem:
                if problem.code != "57014" or self._size <= SMALLEST:
                    raise
                self._size //= 2


def sees_little(key: str) -> bool:
    """Whether row-level security hides rows from this key."""
    if key.startswith("sb_"):
        return not key.startswith("sb_secret_")
    try:
        part = key.split(".")[1]
        claims = parse_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode())
    except (IndexError, ValueError):
        return False
    return isinstance(claims, dict) and claims.get("role") in ("anon", "authenticated")


def _refusal(schema: str, resource: str, problem: Refused) -> str:
    name = f"{schema}.{resource}"
    if problem.code == "42501":
        return (
            f"The key may not read {name}. Use the project's secret key, or: "
            f"grant usage on schema {schema} to service_role; "
            f"grant select on {name} to service_role;"
        )
    if problem.code == "57014":
        return (
            f"The server stopped reading {name} (its statement timeout), also for {SMALLEST} rows "
            "at a time. Read it with ACE_SUPABASE_DSN."
        )
    if problem.code == "42703":
        return f"{name} has no column {SOURCE_KEY[resource]} to read it by."
    return f"{name} cannot be read: {problem} (code {problem.code})."
