"""What is expected of the landing as a whole: its files, its loads, its freshness.

Each is a small table with one row per file, load, or source and resource, so that
Great Expectations judges and shows them like any other data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from loaders.landing import Landing, Load
from warehouse.freshness import Freshness
from warehouse.quality.rules import Rule, limit
from warehouse.quality.survey import Profile, Survey


def _rule(name: str, column: str, test: Any, says: str, hint: str, **more: Any) -> Rule:
    return Rule(name, column, test, says, hint, pl.col(column), (column,), **more)


FILE_RULES = (
    _rule(
        "usable file", "problem", "absent", "cannot be used",
        "Move the file out of the landing zone and load its input again.",
        severity="critical", why="Every build reads every landed file.",
    ),
)  # fmt: skip


def load_rules() -> tuple[Rule, ...]:
    """What each load is held to."""
    return (
        _rule(
            "rows as counted", "rows missing", "between", "does not hold the rows it counted",
            "Move the file out of the landing zone and load its input again.",
            low=0, high=0, severity="critical", why="A load's file holds what it accepted.",
        ),
        _rule(
            "some key", "rows with a key", "between",
            "has no record with a source key or a natural key",
            "Move its file out of the landing zone and load the input again with --map; or keep "
            "it with 'ace check --accept {load_id}'.",
            low=1, severity="critical", why="Rows without any key belong to nothing.",
        ),
        _rule(
            "full read not emptied", "rows of the full read before", "absent",
            "is a full read with no rows, though the one before had {value}",
            "Check access to the source; if it is meant to be empty, run "
            "'ace check --accept {load_id}'.",
            severity="critical", why="A source seldom empties; its permissions often change.",
        ),
        _rule(
            "volume of full reads", "share of the full read before", "between",
            "is a full read with only {value:.0%} of the rows of the one before",
            "Check whether the source was cut off; then load again with --full.",
            low=limit("full_read_share"), why="Below half a read was usually cut off.",
        ),
        _rule(
            "volume", "records in the input", "between", "found no record in its input",
            "Check that the input is the right file.",
            low=1, why="An empty export is usually a failed one.",
        ),
        _rule(
            "rejected share", "rejected share", "between", "rejected {value:.1%} of its records",
            "See why with 'ace quarantine list', mend the options and load again with --again.",
            high=limit("rejected_share"), why="More means that the format changed.",
        ),
        _rule(
            "rejected kept", "rejected file", "one_of", "has lost the file of its rejected records",
            "Restore it from a copy, or load the input again with --again.",
            values=("there", "none needed"), why="Rejected records are kept as received.",
        ),
        _rule(
            "drift: new fields", "new unknown fields", "absent", "has fields never seen: {value}",
            "They are kept in _extra; map those you need with --map.",
            why="The source changed: a renamed field leaves its column empty.",
        ),
        _rule(
            "drift: lost fields", "columns gone empty", "absent",
            "no longer fills columns that every earlier load filled: {value}",
            "Compare the source's fields with those of an earlier load; map a renamed one.",
            why="The source changed.",
        ),
    )  # fmt: skip


def freshness_rules() -> tuple[Rule, ...]:
    """How long a source may be without news (``seeds/stale_after.csv``)."""
    return (
        _rule(
            "freshness", "state", "one_of", "is stale",
            "Look at the schedule of its 'ace load', or write into seeds/stale_after.csv that it "
            "is expected later or not at all.",
            values=("fresh", "ahead", "unlimited"),
            why="A source that stopped is stale, whatever the others do.",
        ),
    )  # fmt: skip


def file_table(found: Survey) -> pl.DataFrame:
    """One row per landed file."""
    return pl.DataFrame(
        [
            {
                "file": file.location,
                "source": file.source,
                "resource": file.resource,
                "loads": len(file.loads),
                "problem": file.problem,
            }
            for file in found.files
        ],
        schema={
            "file": pl.String,
            "source": pl.String,
            "resource": pl.String,
            "loads": pl.Int64,
            "problem": pl.String,
        },
    )


LOAD_COLUMNS: dict[str, Any] = {
    "load": pl.String,
    "source": pl.String,
    "resource": pl.String,
    "input": pl.String,
    "landed": pl.String,
    "read": pl.Int64,
    "rejected": pl.Int64,
    "rows missing": pl.Int64,
    "rows with a key": pl.Int64,
    "rows of the full read before": pl.Int64,
    "share of the full read before": pl.Float64,
    "records in the input": pl.Int64,
    "rejected share": pl.Float64,
    "rejected file": pl.String,
    "new unknown fields": pl.String,
    "columns gone empty": pl.String,
}


def load_table(found: Survey, landing: Landing, accepted: set[str]) -> pl.DataFrame:
    """One row per load; a value that does not apply to a load is null.

    ``accepted`` are loads a person has looked at: nothing critical is said of them.
    """
    usable = {file.location for file in found.files if file.problem is None}
    before = _full_reads(found.loads, accepted)
    fields: dict[tuple[str, str], set[str]] = {}
    filled: dict[tuple[str, str], set[str]] = {}
    rows = []
    for load in found.loads:
        profile = found.profiles.get(load.load_id) if load.file in usable else None
        row: dict[str, Any] = {
            "load": load.load_id,
            "source": load.source,
            "resource": load.resource,
            "input": load.input,
            "landed": load.landed_at.isoformat(),
            "read": load.read,
            "rejected": load.rejected,
            "rejected share": load.rejected / load.read if load.read else None,
            "rejected file": _rejected_file(landing, load),
        }
        if load.cursor is None and not load.recovered:
            row["records in the input"] = load.read
        if load.load_id in before:
            earlier = before[load.load_id]
            if seen_rows(load) == 0:
                row["rows of the full read before"] = earlier
            else:
                row["share of the full read before"] = seen_rows(load) / earlier
        if profile is not None:
            row["rows missing"] = load.accepted - profile.rows
            if profile.rows and load.load_id not in accepted:
                row["rows with a key"] = profile.keyed
            row |= _drift(load, profile, fields, filled)
        rows.append(row)
    return pl.DataFrame(rows, schema=LOAD_COLUMNS)


def _drift(
    load: Load,
    profile: Profile,
    fields: dict[tuple[str, str], set[str]],
    filled: dict[tuple[str, str], set[str]],
) -> dict[str, str]:
    """Changes against the earlier loads of the pair; remembers this load's fields."""
    found = {}
    pair, rows, now_filled = (load.source, load.resource), profile.rows, profile.filled
    unmapped = {path for path in profile.extra if not _is_taken(path, load.taken)}
    if pair in fields:
        new = sorted(path for path in unmapped if fields[pair].isdisjoint(_with_parents(path)))
        if new:
            found["new unknown fields"] = ", ".join(new)
        gone = sorted(filled[pair] - set(now_filled))
        if gone and rows >= limit("gone_after_rows"):
            found["columns gone empty"] = ", ".join(gone)
    if rows:
        fields.setdefault(pair, set()).update(unmapped, load.taken)
        if rows >= limit("gone_after_rows") or pair not in filled:
            filled[pair] = filled.get(pair, set(now_filled)) & set(now_filled)
    return found


def _is_taken(path: str, taken: Iterable[str]) -> bool:
    """A column is mapped to the field, to what it is in, or to something in it (of a list, say)."""
    return any(
        f"{one}.".startswith(f"{path}.") or f"{path}.".startswith(f"{one}.") for one in taken
    )


def _with_parents(path: str) -> Iterator[str]:
    """The path and those it is within: earlier loads may have seen an object as a whole."""
    parts = path.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def seen_rows(load: Load) -> int:
    """Rows a full read saw, landed or not: where it lands only changes its cursor says so."""
    rows = (load.cursor or {}).get("rows")
    return rows if isinstance(rows, int) else load.read


def _full_reads(loads: Iterable[Load], accepted: set[str]) -> dict[str, int]:
    """The newest full read of each source, resource and account, with the rows of the
    last one before it that had any (an accepted empty one counts as the new normal)."""
    history: dict[tuple[str, str, str | None], list[Load]] = {}
    for load in loads:
        if (load.cursor or {}).get("full") is True:
            history.setdefault((load.source, load.resource, load.account), []).append(load)
    found = {}
    for reads in history.values():
        newest, earlier = reads[-1], reads[:-1]
        if newest.load_id in accepted:
            continue
        for load in reversed(earlier):
            if seen_rows(load):
                found[newest.load_id] = seen_rows(load)
            if seen_rows(load) or load.load_id in accepted:
                break
    return found


def _rejected_file(landing: Landing, load: Load) -> str:
    if not load.rejected:
        return "none needed"
    return "there" if landing.storage.exists(landing.rejected_file(load)) else "lost"


def freshness_table(found: Iterable[Freshness]) -> pl.DataFrame:
    """One row per source and resource, judged against the wall clock as ``ace status`` does."""
    return pl.DataFrame(
        [
            {
                "source": one.source,
                "resource": one.resource,
                "last known": one.last_known_at and one.last_known_at.isoformat(),
                "state": one.state,
                "hours old": one.hours and round(one.hours, 1),
                "limit in hours": one.limit_hours,
            }
            for one in found
        ],
        schema={
            "source": pl.String,
            "resource": pl.String,
            "last known": pl.String,
            "state": pl.String,
            "hours old": pl.Float64,
            "limit in hours": pl.Float64,
        },
    )
