"""``ace run``: load, check, build, release, report; what a scheduler calls."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from common.errors import AceError, UsageError
from warehouse.cli._show import plural
from warehouse.terminal import echo, note, quoted

if TYPE_CHECKING:
    from loaders.landing import Landing
    from warehouse.build import BuildResult
    from warehouse.notify import Notice
    from warehouse.settings import Settings

EPILOG = """\b
Examples:
  ace run
  ACE_SUPABASE_DSN=postgresql://... ace run
"""


@click.command(epilog=EPILOG)
@click.option(
    "--target",
    type=click.Choice(["duckdb", "postgres", "spark"]),
    help="Engine [default: ACE_TARGET].",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another build.",
)
@click.option(
    "--notify",
    metavar="URL",
    help="A webhook that is told when the run fails or a source is stale [default: "
    "ACE_NOTIFY_URL, which keeps the address out of process lists].",
)
def command(target: str | None, wait: float, notify: str | None) -> None:
    """Load the configured sources, check, build, release and write the report.

    Sources: what agents wrote, the operational database when ACE_SUPABASE_DSN or
    ACE_SUPABASE_REST is set, and each platform whose ACE_<PLATFORM>_LOAD says what to load
    of it. When nothing is configured and nothing has landed yet, a small simulated month is landed,
    so that there is something to look at. A platform that cannot be read does not keep the others
    from a release: the run exits with 1 after it. A critical finding stops before the
    build.
    """
    from warehouse.notify import check_address
    from warehouse.settings import settings

    config = settings()
    address = notify or config.extra.get("ACE_NOTIFY_URL")
    if address:
        check_address(address, "--notify" if notify else "ACE_NOTIFY_URL")
    try:
        _run(config, target or config.target, wait)
    except Exception as problem:
        if address:
            _tell_failure(address, target, problem)
        raise
    if address:
        _tell_stale(address, target)


def _run(config: Settings, target: str, wait: float) -> None:
    from loaders.landing import Landing
    from warehouse.build import build
    from warehouse.release.stores import open_store
    from warehouse.report import write_report

    begun = time.monotonic()
    open_store(config, target)  # wrong settings are said before any work
    landing = Landing(config.landing)
    landing.prepare()
    _step(1, "Load")
    failed = _load(config, landing)
    _step(2, "Check")
    _check(config, landing)
    _step(3, "Build and release")
    done = build(target, wait=wait)
    _step(4, "Report")
    page = write_report(config.home / "report.html", target)
    echo(f"  {_short(page)}")
    _conclude(config, done, page, time.monotonic() - begun)
    if failed is not None:
        raise failed


def _tell_failure(address: str, target: str | None, problem: Exception) -> None:
    from warehouse.cli._failures import as_sentence
    from warehouse.notify import Notice

    known = as_sentence(problem)
    said = known.message if known else f"It ended with {type(problem).__name__}."
    hint = known.hint if known else "Run 'ace --debug run' where it runs."
    _tell(address, target, Notice("failed", said, hint))


def _tell_stale(address: str, target: str | None) -> None:
    from warehouse.cli.status import collect
    from warehouse.notify import Notice

    stale = [row for row in collect(target)["freshness"] if row["problem"]]
    if stale:
        first, more = stale[0], len(stale) - 1
        others = f" ({plural(more, 'other table')} as well)" if more else ""
        said = f"{str(first['problem']).rstrip('.')}{others}."
        _tell(address, target, Notice("stale", said, str(first["remedy"]), stale=stale))


def _tell(address: str, target: str | None, notice: Notice) -> None:
    """Send it. What goes wrong here is said, and changes nothing about the run."""
    from warehouse.notify import last_week, send

    try:
        release, numbers = last_week(target)
    except Exception:  # the numbers are a courtesy; the failure may be of the release itself
        release, numbers = None, None
    try:
        send(address, replace(notice, release=release, numbers=numbers))
    except AceError as problem:
        note(f"ace: {problem}")


def _step(number: int, name: str) -> None:
    echo("", f"{number}/4 {name}", bold=True)


def _load(config: Settings, landing: Landing) -> AceError | None:
    """Load what is configured; what a platform did wrong, for after the release."""
    from loaders.inbox.place import has_journals
    from warehouse.cli.load import command as load
    from warehouse.settings import sample_unfinished
    from warehouse.sources import LIVE_SOURCES

    if has_journals(landing):
        load.main(args=["inbox"], standalone_mode=False)
    calls = [
        [source.command, *options]
        for source in LIVE_SOURCES
        for options in source.calls(config.extra)
    ]
    operational = config.supabase_dsn or config.extra.get("ACE_SUPABASE_REST")
    if operational:
        load.main(args=["supabase"], standalone_mode=False)
    failed: AceError | None = None
    for call in calls:
        try:
            load.main(args=call, standalone_mode=False)
        except UsageError:
            raise
        except AceError as problem:
            note(f"ace: {problem}")
            failed = failed or problem
    if operational or calls:
        return failed
    loads = landing.loads()
    # A sample that was stopped half-way is finished by the next run.
    unfinished = sample_unfinished(config.home)
    # Where it was taken out on purpose, it does not come back by itself.
    if unfinished.exists() or not (loads or landing.undone()):
        echo("No source is configured and nothing has landed: landing the sample.")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        load.main(args=["demo"], standalone_mode=False)
        unfinished.unlink()
        return None
    echo(f"No source is configured; what has landed is used ({plural(len(loads), 'load')}).")
    return None


def _check(config: Settings, landing: Landing) -> None:
    from warehouse.quality import run_checks

    result = run_checks(landing, config.home / "quality")
    for finding in result.critical:
        echo(f"CRITICAL  {finding}", err=True)
    if result.critical:
        count = len(result.critical)
        raise AceError(
            f"{count} critical finding{'' if count == 1 else 's'} in landed data: "
            "nothing was built, and the current release stays.",
            f"Look at {_short(result.docs_path)}, mend the source, and run it again.",
        )
    checks = sum(suite.expectations for suite in result.results)
    echo(
        f"{checks:,} expectations, nothing critical, {plural(len(result.warnings), 'warning')} "
        f"('ace check' lists them): {_short(result.docs_path)}"
    )


def _short(path: Path) -> str:
    """The path as it can be typed here."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _conclude(config: Settings, done: BuildResult, page: Path, seconds: float) -> None:
    release = done.release
    echo("", f"Done in {seconds:.0f} s.", bold=True)
    if release is not None:
        where = (
            "in Postgres (schemas canonical, marts, quarantine, meta)"
            if release.engine == "postgres"
            else _short(config.releases / f"{release.release}.duckdb")
        )
        echo(f"  release  {release.release}: {where}")
    echo(f"  report   {_short(page)}")
    ace = _as_typed()
    echo(
        "",
        "Try next:",
        f"  {ace} status",
        f'  {ace} sql "select platform, count(*) as posts, sum(views) as views',
        '       from marts.post_performance group by platform order by views desc"',
        f'  {ace} sql --json "select brief from marts.creative_briefs limit 1"',
        f"  {ace} quarantine",
        f"  {ace} load files YOUR_FILE.csv --table performance_metrics && {ace} run",
    )


def _as_typed() -> str:
    """How to call this program from here: its path while the environment is not active."""
    if shutil.which("ace") is not None:
        return "ace"
    return quoted(_short(Path(sys.argv[0]).absolute()))
