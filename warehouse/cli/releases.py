"""``ace releases``: what is kept, what is in one, and going back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from common.errors import AceError
from repositories.values import plain
from warehouse.cli import _complete
from warehouse.cli._show import (
    heading,
    json_option,
    table,
    target_option,
    when,
)
from warehouse.terminal import echo, print_json

if TYPE_CHECKING:
    from warehouse.release.model import ReleaseStore
    from warehouse.release.runs import Run

EPILOG = """\b
Examples:
  ace releases
  ace releases show 3
  ace releases diff 2 3
  ace releases rollback 2
"""


@click.group(epilog=EPILOG, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the releases that are kept, show one, compare two, or roll back to one."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_command)


@command.command("list", epilog="Example: ace releases list --json")
@target_option
@json_option
def list_command(target: str | None = None, as_json: bool = False) -> None:
    """Releases kept, newest first; the one readers get is marked.

    How long its build took, rows that count, tests that were run and those that warn are those of
    meta.runs, and unknown of releases before it. 'ace releases show N' says more of one.
    """
    from warehouse.readers import release_store
    from warehouse.release.model import to_json

    store = release_store(target)
    builds = _builds(store)
    kept = [to_json(one) | _of_build(builds.get(one.release)) for one in store.releases()]
    damaged = store.damaged()
    if as_json:
        print_json(kept)
    for sentence in damaged:
        echo(sentence, err=True)
    if as_json or (damaged and not kept):
        return
    if not kept:
        echo("There is no release yet. Make one: 'ace run'.")
        return
    table(
        ["", "no.", "released (UTC)", "as of (UTC)", "took", "rows", "tests", "warn"],
        [
            [
                "*" if one["current"] else "",
                one["release"],
                when(one["released_at"]),
                when(one["as_of"]),
                None if one["seconds"] is None else f"{one['seconds']:,.0f} s",
                one["rows_accepted"],
                one["tests_run"],
                one["tests_warned"],
            ]
            for one in kept
        ],
        right=[1, 4, 5, 6, 7],
    )
    echo("* current: what readers get")


def _builds(store: ReleaseStore) -> dict[int, Run]:
    """The build that made each release; none where the history cannot be read, for the list is what
    leads out of damage."""
    from warehouse.release.runs import made

    try:
        return made(store.runs())
    except AceError:
        return {}


def _of_build(run: Run | None) -> dict[str, Any]:
    """What is told of the build that made a release, each None where it is not known."""
    names = ("began_at", "seconds", "rows_accepted", "tests_run", "tests_warned", "warnings")
    return {name: plain(getattr(run, name, None)) for name in names}


@command.command("show", epilog="Example: ace releases show 3")
@click.argument("release", type=int, metavar="N", shell_complete=_complete.releases)
@target_option
@json_option
def show(release: int, target: str | None, as_json: bool) -> None:
    """What is in a release: its manifest, rows per table, tests, and loads."""
    from warehouse.readers import open_current

    with open_current(str(release), target) as reader:
        (about,) = reader.query("select * from meta.release").dicts()
        rows = reader.query(
            'select "schema", "table", rows from meta.row_counts order by 1, 2'
        ).dicts()
        tests = reader.query(
            "select status, count(*) as tests from meta.tests group by 1 order by 1"
        ).dicts()
        loads = reader.query(
            "select count(*) as loads, sum(read) as read, sum(accepted) as accepted, "
            "sum(rejected) as rejected from meta.loads"
        ).dicts()[0]
    loads = {name: int(value or 0) for name, value in loads.items()}
    manifest = {
        "release": about,
        "rows": rows,
        "tests": {test["status"]: test["tests"] for test in tests},
        "loads": loads,
    }
    if as_json:
        print_json(manifest)
        return
    _print(manifest)


def _print(manifest: dict[str, Any]) -> None:
    about = manifest["release"]
    echo(f"Release {about['release']}", bold=True)
    for name in ("released_at", "as_of", "engine", "dbt_version", "git_revision"):
        value = about[name]
        echo(f"  {name.replace('_', ' '):<13} {value if value is not None else 'unknown'}")
    tests = ", ".join(f"{count:,} {status}" for status, count in manifest["tests"].items())
    echo(f"  {'tests':<13} {tests or 'none'}")
    loads = manifest["loads"]
    echo(
        f"  {'loads':<13} {loads['loads']:,} "
        f"(read {loads['read']:,}, landed {loads['accepted']:,}, "
        f"rejected {loads['rejected']:,})"
    )
    heading("Rows")
    table(
        ["schema", "table", "rows"],
        [[row["schema"], row["table"], row["rows"]] for row in manifest["rows"]],
        right=[2],
    )


@command.command("diff", epilog="Example: ace releases diff 2 3 --json")
@click.argument("before", metavar="N", shell_complete=_complete.releases)
@click.argument("after", metavar="M", shell_complete=_complete.releases)
@target_option
@json_option
def diff(before: str, after: str, target: str | None, as_json: bool) -> None:
    """What release M has other than N: rows added, removed and changed, and key numbers.

    N and M are numbers or release files. Rows are told apart by their table's key; a row is
    changed where any column differs that both releases have.
    """
    from warehouse import difference
    from warehouse.readers import open_current

    with open_current(before, target) as old, open_current(after, target) as new:
        said: dict[str, Any] = {
            "before": before,
            "after": after,
            "tables": list(difference.tables(old, new)),
            "numbers": difference.numbers(old, new),
        }
    if as_json:
        print_json(said)
        return
    moved = [one for one in said["tables"] if _moved(one)]
    if moved:
        table(
            ["table", "added", "removed", "changed", "the same"],
            [[one[n] for n in ("table", "added", "removed", "changed", "same")] for one in moved],
            right=[1, 2, 3, 4],
        )
        for one in moved:
            for what in ("added", "removed"):
                if one[f"columns_{what}"]:
                    names = ", ".join(one[f"columns_{what}"])
                    echo(f"{one['table']}: columns {what}: {names}")
    echo(f"{len(said['tables']) - len(moved)} tables have the same rows in both.")
    heading("Numbers")
    table(
        ["", before, after],
        [[one["number"], one["before"], one["after"]] for one in said["numbers"]],
        right=[1, 2],
    )


def _moved(one: dict[str, Any]) -> bool:
    names = ("added", "removed", "changed", "columns_added", "columns_removed")
    return any(one[name] for name in names)


@command.command("rollback", epilog="Example: ace releases rollback 2")
@click.argument("release", type=int, metavar="N", shell_complete=_complete.releases)
@target_option
@json_option
def rollback(release: int, target: str | None, as_json: bool) -> None:
    """Point readers at an older (or newer) release that is kept.

    Nothing is deleted. The next build that has something new releases it as usual.
    """
    from warehouse.readers import release_store
    from warehouse.release.model import to_json

    store = release_store(target)
    before = store.current()
    summary = store.rollback(release)
    if as_json:
        print_json(to_json(summary))
        return
    was = f" (it was {before.release})" if before and before.release != release else ""
    echo(f"Release {release} is current now{was}, as of {when(to_json(summary)['as_of'])}.")
