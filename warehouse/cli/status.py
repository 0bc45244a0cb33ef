"""``ace status``: what readers see now, how fresh it is, and what is held back."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from warehouse.cli._show import (
    age,
    heading,
    json_option,
    plural,
    table,
    target_option,
    when,
)
from warehouse.terminal import echo, note, print_json

if TYPE_CHECKING:
    from repositories.reader import Reader

EPILOG = """\b
Examples:
  ace status
  ace status --json | jq .release.as_of
  ace status --check          (for schedulers: exits 1 when a source is stale)
"""


@click.command(epilog=EPILOG)
@target_option
@json_option
@click.option("--check", is_flag=True, help="Exit 1 when a source is stale, and say which.")
def command(target: str | None, as_json: bool, check: bool) -> None:
    """Show the current release, its freshness, the ledger, and what waits.

    Ages are against now; everything else is as of the release. A source without news for
    longer than seeds/stale_after.csv allows is stale, whatever the others do.
    """
    status = collect(target)
    if as_json:
        print_json(status)
    else:
        _print(status)
    wrong = [row for row in status["freshness"] if row["problem"]]
    if check and wrong:
        for row in wrong:
            note(f"ace: {row['problem']} {_remedy(row, status)}")
        raise click.exceptions.Exit(1)


def _remedy(row: dict[str, Any], status: dict[str, Any]) -> str:
    """The next step: to build, where something has landed that is not in the release yet."""
    pair = (row["source"], row["resource"])
    if status["release"] and pair in {
        (load["source"], load["resource"]) for load in status["pending_loads"]
    }:
        return "Something landed since: 'ace build' takes it up."
    return str(row["remedy"])


def collect(target: str | None = None) -> dict[str, Any]:
    """The status as ``--json`` prints it; ``release`` is None before the first one."""
    from loaders.inbox.place import Place, landed_journals
    from loaders.landing import Landing
    from loaders.landing.forgotten import unfinished
    from warehouse import clock, overview
    from warehouse.readers import current_or_none
    from warehouse.settings import settings

    landing = Landing(settings().landing)
    reader = current_or_none(target)
    built: dict[str, str] = {}
    status: dict[str, Any] = _empty()
    if reader is not None:
        with reader:
            status = _of(reader)
            built = overview.built_loads(reader)
    else:
        status["freshness"] = overview.landed_freshness(landing)
    loads = landing.loads()
    status["pending_loads"] = overview.pending(loads, built)
    status["landed_loads"] = len(loads)
    status["waiting_writes"] = Place(landing.storage).count(landed_journals(loads))
    status["left_out"] = [
        {"file": one.location, "problem": one.error.message, "remedy": one.error.hint}
        for one in landing.left_out()
    ]
    status["open_requests"] = unfinished(landing.storage)
    status["gone_loads"] = [
        {"load_id": load_id, "resource": resource}
        for load_id, resource in sorted(overview.gone(landing, built).items())
    ]
    status["ahead_loads"] = [
        {
            "load_id": one.load_id,
            "source": one.source,
            "landed_at": one.landed_at.isoformat(),
            "problem": clock.sentence(one),
            "remedy": clock.remedy(one),
        }
        for one in clock.ahead(landing, overview.now())
    ]
    return status


def _empty() -> dict[str, Any]:
    return {
        "release": None,
        "simulated": False,
        "freshness": [],
        "volumes": [],
        "ledger": None,
        "quarantine": [],
    }


def _of(reader: Reader) -> dict[str, Any]:
    from warehouse import overview

    return {
        "release": overview.release(reader),
        "simulated": overview.is_simulated(reader),
        "freshness": overview.freshness(reader),
        "volumes": overview.volumes(reader),
        "ledger": overview.ledger_totals(overview.ledger(reader)),
        "quarantine": [
            {name: row[name] for name in ("table_name", "source", "reason", "rows", "oldest_since")}
            for row in overview.quarantine(reader)
        ],
    }


def _print(status: dict[str, Any]) -> None:
    release = status["release"]
    if release is None:
        echo("No release yet.", bold=True)
        if status["freshness"]:
            _freshness(status["freshness"])
        _pending(status)
        echo("", "Next: 'ace run' loads, checks, builds and releases.")
        return
    echo(f"Release {release['release']}", bold=True, nl=False)
    echo(
        f" on {release['engine']}, made {age(release['age_seconds'])} ago "
        f"({when(release['released_at'])} UTC)"
    )
    if not status["freshness"]:
        echo("It is empty: nothing had landed.")
    else:
        as_of, old = when(release["as_of"]), age(release["as_of_age_seconds"])
        echo(f"Data as of {as_of} UTC ({old} ago)")
    if status["simulated"]:
        echo("Contains simulated data (source demo).", fg="yellow")
    _freshness(status["freshness"])
    _volumes(status["volumes"])
    _ledger(status["ledger"])
    _quarantine(status["quarantine"])
    _pending(status)


#: What is said of each state in the table: short, for the longest names to fit 80 columns.
STATES = {"fresh": "", "stale": "stale", "ahead": "ahead", "unlimited": "any age"}


def _freshness(rows: list[dict[str, Any]]) -> None:
    heading("Freshness")
    if not rows:
        echo("  Nothing has been extracted yet.")
        return
    table(
        ["source", "resource", "last known", "age", ""],
        [
            [
                row["source"],
                row["resource"],
                when(row["last_asked_at"]),
                "" if row["state"] == "ahead" else age(_seconds(row["hours_old"])),
                STATES[row["state"]],
            ]
            for row in rows
        ],
    )


def _volumes(rows: list[dict[str, Any]]) -> None:
    """Sources that landed more or less than they usually do; nothing where all are as usual."""
    if any(row["problem"] for row in rows):
        heading("Unlike its own past")
        for row in rows:
            if row["problem"]:
                _folded(row["problem"], fg="yellow")


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else max(0, hours * 3600)


def _ledger(totals: dict[str, int]) -> None:
    heading("Ledger")
    echo(
        f"  read {totals['read']:,} = landed {totals['landed']:,} + rejected {totals['rejected']:,}"
    )
    echo(
        f"  landed {totals['landed']:,} = accepted {totals['accepted']:,} "
        f"+ duplicate {totals['duplicate']:,}",
        f"    + superseded {totals['superseded']:,} + quarantined {totals['quarantined']:,}",
    )
    if totals["balance"]:
        echo(f"  OUT OF BALANCE by {totals['balance']:,} rows", fg="red", bold=True)
    else:
        echo("  balanced")


def _quarantine(rows: list[dict[str, Any]]) -> None:
    heading("Quarantine")
    if not rows:
        echo("  Nothing is held back.")
        return
    table(
        ["table", "source", "reason", "rows", "oldest since"],
        [
            [r["table_name"], r["source"], r["reason"], r["rows"], when(r["oldest_since"])]
            for r in rows[:12]
        ],
        right=[3],
    )
    if len(rows) > 12:
        echo(f"  and {len(rows) - 12} more: ace quarantine list")


def _landing(status: dict[str, Any]) -> None:
    """What is wrong in the landing zone, each with the next step."""
    from warehouse.build.consumed import describe

    texts = [f"{one['problem']} It is left out. {one['remedy']}" for one in status["left_out"]]
    texts += [f"{one['problem']} {one['remedy']}" for one in status["ahead_loads"]]
    gone = {one["load_id"]: one["resource"] for one in status["gone_loads"]}
    if gone:
        texts.append(f"{describe(gone)} 'ace build' builds anew without them.")
    if status["open_requests"]:
        texts.append(
            "A request to forget was not finished: releases may still hold what it is of. Run that "
            "'ace forget ... --yes' again."
        )
    if texts:
        heading("Landing needs attention")
        for text in texts:
            _folded(text, fg="red")


def _folded(text: str, fg: str) -> None:
    folded = textwrap.fill(
        text,
        78,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    echo(*folded.splitlines(), fg=fg)


def _waiting(writes: dict[str, int]) -> None:
    """What agents wrote that no load has taken up."""
    if writes:
        heading("Written, not landed yet")
        table(["table", "rows"], [[name, rows] for name, rows in writes.items()], right=[1])
        echo("  'ace load inbox' lands them; 'ace run' does, too.")


def _pending(status: dict[str, Any]) -> None:
    _landing(status)
    _waiting(status["waiting_writes"])
    waiting = status["pending_loads"]
    heading("Landed, not built yet")
    if not waiting:
        echo("  Nothing." if status["landed_loads"] else "  Nothing has landed.")
        return
    by_resource: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for load in waiting:
        by_resource.setdefault((load["source"], load["resource"]), []).append(load)
    table(
        ["source", "resource", "loads", "rows"],
        [
            [source, resource, len(loads), sum(load["accepted"] for load in loads)]
            for (source, resource), loads in sorted(by_resource.items())
        ],
        right=[2, 3],
    )
    echo(f"  {plural(len(waiting), 'load')}: 'ace build' takes them up.")
