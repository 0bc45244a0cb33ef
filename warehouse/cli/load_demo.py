"""``ace load demo``: a simulated month with a known truth, and real trending videos."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from common.errors import UsageError
from warehouse.cli._show import plural
from warehouse.settings import sample_unfinished
from warehouse.terminal import echo, print_json

if TYPE_CHECKING:
    from loaders.demo import DemoLoad
    from loaders.landing import Load

EPILOG = """\b
Examples:
  ace load demo
  ace load demo --posts 100000 --days 60 --seed 11 --no-real
  ace load demo --remove
"""


@click.command(epilog=EPILOG)
@click.option("--posts", default=1000, show_default=True, help="How many posts to simulate.")
@click.option("--days", default=30, show_default=True, help="How many days they span.")
@click.option("--seed", default=7, show_default=True, help="The same seed, the same world.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="First day (UTC). Default: such that the last day is 2026-10-31.",
)
@click.option("--polls-per-post", default=19, show_default=True, help="Polls of a post, at most.")
@click.option("--loads", default=5, show_default=True, help="In how many loads it lands.")
@click.option("--real/--no-real", default=True, help="Also land the bundled real trending videos.")
@click.option(
    "--truth",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write what is true. Default: demo_truth in ACE_HOME.",
)
@click.option("--remove", is_flag=True, help="Take all of it out again.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects.")
@click.pass_context
def command(
    ctx: click.Context,
    posts: int,
    days: int,
    seed: int,
    start: datetime | None,
    polls_per_post: int,
    loads: int,
    real: bool,
    truth: Path | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Land a simulated month of ACE, labelled as simulated, with a known truth.

    Products, scripts, posts, polls, trends, agents' events and notes come from a seed,
    with dirt of every kind the warehouse must cope with. What is true (effects, growth,
    planted failures, expected verdicts) is written beside it. Running it again lands
    nothing twice. --remove takes the whole world out, with its truth and the real videos
    that came with it, and nothing else.
    """
    from loaders.demo import load_demo
    from loaders.landing import Landing
    from warehouse.settings import settings

    home = settings()
    folder = truth or home.home / "demo_truth"
    if remove:
        _refuse_sizes(ctx)
        _remove(folder, as_json)
        return
    done = load_demo(
        Landing(home.landing),
        posts=posts,
        days=days,
        seed=seed,
        start=start,
        polls_per_post=polls_per_post,
        loads=loads,
        real=real,
        truth_dir=folder,
        progress=lambda name: None if as_json else echo(f"simulating {name}", err=True),
    )
    if as_json:
        rows = [_row(entry) for entry in done]
        print_json(rows)
        return
    _print(done, folder)


def _refuse_sizes(ctx: click.Context) -> None:
    for option in ctx.command.params:
        given = ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
        if given and option.name not in ("remove", "truth", "as_json"):
            raise UsageError(
                f"{option.opts[0]} says what to simulate, and --remove takes everything "
                "simulated out.",
                "Leave one of them out.",
            )


def _remove(folder: Path, as_json: bool) -> None:
    from loaders.demo import remove_demo
    from loaders.landing import Landing
    from warehouse.settings import settings

    home = settings()
    # 'ace run' would go on with a sample that it had begun.
    sample_unfinished(home.home).unlink(missing_ok=True)
    done = remove_demo(Landing(home.landing), folder)
    if as_json:
        print_json([_row_of(load) | {"removed": True} for load in done.loads])
        return
    if not (done.loads or done.truth):
        echo("There is no simulated world; nothing was taken out.")
        return
    for source in sorted({load.source for load in done.loads}):
        loads = [load for load in done.loads if load.source == source]
        rows, rejected = sum(x.accepted for x in loads), sum(x.rejected for x in loads)
        echo(
            f"Took out {plural(len(loads), 'load')} of source {source}: {rows:,} rows, "
            f"{rejected:,} rejected."
        )
    if done.truth:
        echo(f"Deleted the truth in {folder}: {len(done.truth)} files.")
    if done.loads:
        echo("Next: 'ace build' builds everything anew without it.")


def _row(entry: DemoLoad) -> dict[str, Any]:
    return _row_of(entry.load) | {"skipped": not entry.new}


def _row_of(load: Load) -> dict[str, Any]:
    return {
        "source": load.source,
        "resource": load.resource,
        "load_id": load.load_id,
        "landed_at": load.landed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "read": load.read,
        "accepted": load.accepted,
        "landed": load.accepted,
        "rejected": load.rejected,
    }


def _print(done: list[DemoLoad], folder: Path) -> None:
    """A line per resource with the newest of its loads, and what was skipped."""
    fresh = [entry.load for entry in done if entry.new]
    if fresh:
        echo(
            f"{'source':<17}{'resource':<20}{'loads':>5}{'read':>9}{'landed':>9}{'rejected':>9}"
            "  newest load"
        )
    for source, resource in sorted({(load.source, load.resource) for load in fresh}):
        loads = [load for load in fresh if (load.source, load.resource) == (source, resource)]
        echo(
            f"{source:<17}{resource:<20}{len(loads):>5}{sum(x.read for x in loads):>9,}"
            f"{sum(x.accepted for x in loads):>9,}{sum(x.rejected for x in loads):>9,}"
            f"  {loads[-1].load_id}"
        )
    skipped = len(done) - len(fresh)
    if skipped:
        echo(f"{skipped} loads were landed before and are left as they are.")
    rows = sum(load.accepted for load in fresh)
    echo(f"Landed {rows:,} rows, simulated ones as source demo. The truth: {folder}")
