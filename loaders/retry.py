"""Parse rejected records again with today's loader, as loads of their own.

What can be typed now lands in a load that names the records it recovers; what still
cannot stays where it is. A second run finds nothing left to recover.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import Any

import polars as pl

from common.errors import AceError
from loaders.adoption import Adoption
from loaders.files import idforms
from loaders.files.csvfiles import csv_values
from loaders.files.encodings import mended
from loaders.files.envelopes import opened
from loaders.files.mapping import SameColumn
from loaders.files.plan import Plan
from loaders.inbox import SOURCE as INBOX
from loaders.inbox.line import Line, NoLine
from loaders.jsontext import parse_json
from loaders.landing import Landing, Load, RejectedRecord
from loaders.landing.metadata import parse_iso
from loaders.notices import Notices
from loaders.records import Record, type_records
from loaders.schema import DEFAULT_OWN_TIME, OWN_TIME
from loaders.supabase.keys import keyed
from loaders.values import NotTyped, Typing
from loaders.zones import zone_named

#: What retries say they read.
INPUT = "retry of rejected records"


def retry_rejected(
    landing: Landing,
    source: str | None = None,
    resource: str | None = None,
    *,
    loaded_at: datetime | None = None,
) -> list[Load]:
    """Try every open rejected record again; returns the loads of those recovered.

    Raises AceError for an unreadable landing zone or when another retry is running.
    """
    loads = []
    # Two retries at once would recover a record twice.
    with landing.retry_lock() as free:
        if not free:
            raise AceError("Another retry is running.", "Wait until it has finished.")
        groups = {
            (load.source, load.resource, load.account)
            for load in landing.loads(source, resource)
            if load.rejected
        }
        for one, kind, account in sorted(groups, key=lambda g: (g[0], g[1], g[2] or "")):
            waiting = (r for r in landing.each_rejected(one, kind) if r.account == account)
            load = _retry_group(landing, one, kind, account, waiting, loaded_at)
            if load is not None:
                loads.append(load)
    return loads


def _retry_group(
    landing: Landing,
    source: str,
    resource: str,
    account: str | None,
    records: Iterable[RejectedRecord],
    loaded_at: datetime | None,
) -> Load | None:
    recovers: dict[str, list[int]] = {}
    adoptions: dict[str, Adoption] = {}
    with (
        ExitStack() as stack,
        landing.open_load(
            source,
            resource,
            account=account,
            input=INPUT,
            loaded_at=loaded_at,
        ) as load,
    ):
        for record in records:
            plan = _plan(record.context)
            typing = _typing(plan, record.context or {})
            frame = _parsed(resource, record, plan, typing)
            if frame is None:
                continue
            load.null_characters += typing.null_characters
            if plan is not None:
                load.taken = tuple(sorted({*load.taken, *plan.taken}))
            if plan is not None and plan.adopt and resource == "published_posts":
                if plan.adopt not in adoptions:
                    adoption = Adoption(landing, plan.adopt, input=INPUT)
                    adoptions[plan.adopt] = stack.enter_context(adoption)
                frame = adoptions[plan.adopt].take(frame)
            load.write(frame.drop("_position"))
            recovers.setdefault(record.load_id, []).append(record.position)
        if not recovers:
            return None
        load.recovers = tuple(
            {"load_id": one, "positions": sorted(places)}
            for one, places in sorted(recovers.items())
        )
        # As in a load of files: what posts hang on comes before them.
        for adoption in adoptions.values():
            adoption.commit()
        return load.commit()


def _plan(context: dict[str, Any] | None) -> Plan | None:
    """The options that the record was read with, where it came from a file."""
    if not context or context.get("loader") != "files":
        return None
    return Plan.from_stored(context["options"])


def _typing(plan: Plan | None, context: dict[str, Any]) -> Typing:
    if plan is not None:
        return plan.typing(from_csv=bool(context.get("csv")))
    options = context.get("options") or {}
    return Typing(time_zone=zone_named(options.get("time_zone")))


def _parsed(
    resource: str, record: RejectedRecord, plan: Plan | None, typing: Typing
) -> pl.DataFrame | None:
    """The one row of a record; None while it still cannot be typed."""
    context = record.context or {}
    document = _document(record.raw, context)
    if not isinstance(document, dict):
        return None
    if record.reason.endswith(idforms.REASON):
        return None  # that is told by the other ids of its file
    if plan is not None and plan.increments:
        return None  # growth is added up with the rest of its file: that is loaded again
    envelope = opened(document) if plan is not None else None
    if envelope is not None:
        document = envelope.document
        if not isinstance(document, dict):
            return None
    known_at = (envelope and envelope.known_at) or _file_known_at(context)
    try:
        path = context.get("path", "")
        if context.get("loader") == INBOX:
            line = Line.decode(record.raw)
            found = [Record(line.row, line.extra, extracted_at=line.at)]
        else:
            found = list(_records(plan, resource, document, known_at, path))
    except (SameColumn, NoLine):
        return None
    if len(found) != 1:
        return None
    if envelope is not None:
        found[0].extracted_at = found[0].extracted_at or envelope.known_at
    frame, rejected = type_records(resource, found, typing=typing)
    if rejected or frame.is_empty():
        return None
    known = _known_at(resource, context)
    if not context.get("known_at_given"):
        known = pl.coalesce(pl.col("_extracted_at"), known)
    return frame.with_columns(known.alias("_extracted_at"))


def _document(raw: bytes, context: dict[str, Any]) -> Any:
    header = context.get("header")
    try:
        text = mended(raw)
        if header is not None and not text.startswith("{"):
            return csv_values(text, header, context.get("csv"))
        return parse_json(text)
    except ValueError:
        return None


def _records(
    plan: Plan | None, resource: str, document: dict[str, Any], known_at: datetime | None, path: str
) -> Iterable[Record]:
    if plan is None:
        yield Record(*keyed(resource, document))
        return
    if not plan.preset:
        yield Record(*plan.values(document, Notices()))
        return
    for found in plan.preset_records(document, known_at, path):
        if found.resource == resource:
            with suppress(NotTyped):
                yield plan.record(found)


def _known_at(resource: str, context: dict[str, Any]) -> pl.Expr:
    """What the record's known-at was: the retry does not make it younger."""
    options = context.get("options") or {}
    if options.get("backfill"):
        return pl.coalesce(OWN_TIME.get(resource, DEFAULT_OWN_TIME))
    return pl.lit(_file_known_at(context)).cast(pl.Datetime("us", "UTC"))


def _file_known_at(context: dict[str, Any]) -> datetime | None:
    try:
        return parse_iso(context.get("known_at"))
    except ValueError:
        return None
