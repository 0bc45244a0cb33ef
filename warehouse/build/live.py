"""``build()``: models and tests, then a release, unless there is nothing to do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from repositories.release_files import UnreadableError
from warehouse.build.built_with import BuiltWith
from warehouse.build.consumed import consumed, finds
from warehouse.build.damaged import damaged_rows, left_out_variable
from warehouse.build.environment import build_environment
from warehouse.build.fingerprint import git_revision, project_fingerprint
from warehouse.build.lock import engine_lock
from warehouse.build.parsed import Kept
from warehouse.build.recorded import Recorded
from warehouse.build.stale import Increment, since
from warehouse.release.model import (
    Passed,
    ReleaseStore,
    ReleaseSummary,
    Unreleased,
)
from warehouse.release.stores import open_store
from warehouse.settings import Settings, settings
from warehouse.terminal import echo, note

if TYPE_CHECKING:
    import psycopg

    from loaders.landing import Landing

Say = Callable[[str], None]


@dataclass(frozen=True)
class BuildResult:
    """How a build ended: ``built`` says whether dbt ran, ``release`` what is current now."""

    built: bool
    release: ReleaseSummary | None
    #: Whether this call made ``release``.
    released: bool


def build(
    target: str | None = None,
    *,
    full_refresh: bool = False,
    select: tuple[str, ...] = (),
    release: bool = True,
    force: bool = False,
    wait: float = 600,
    as_of: str | None = None,
    say: Say = echo,
    note: Say = note,
    config: Settings | None = None,
) -> BuildResult:
    """Build, test and release the warehouse; does nothing when the release is up to date.

    ``select`` builds only part of the models and never releases. ``as_of`` fixes the
    as-of time (ISO 8601). Raises AceError when another build runs longer than ``wait``
    seconds, or when a model or test fails: the current release then stays as it is.
    """
    config = config or settings()
    target = target or config.target
    if target == "spark":
        _check_spark(config, select)
    store = open_store(config, target)
    variables = {"as_of": as_of} if as_of else {}
    fingerprint = project_fingerprint(target, variables)
    release = release and not select
    again = force or full_refresh or bool(select)
    landing = _landing(config, target, say)
    for one in landing.left_out():
        note(str(one))
    if not again:
        done = _up_to_date(store, landing, fingerprint, bool(as_of))
        if done is not None:
            store.share()
            return _nothing_to_do(done, say)
    with engine_lock(config, target, wait, say) as connection, landing.shared_lock():
        if release:
            store.prepare()
        if not again:
            # Whoever held the lock may have built just this.
            done = _up_to_date(store, landing, fingerprint, bool(as_of))
            if done is not None:
                return _nothing_to_do(done, say)
        # Asked in any case: what a damaged build file needs is said there.
        last = store.unreleased()
        built = again or not _built_before(last, landing, fingerprint, bool(as_of))
        if not built and not release:
            say("Everything landed is built already; 'ace build' releases it.")
            return BuildResult(built, store.current(), released=False)
        with Recorded(store) as record:
            record.landed(landing.loads(), _released_loads(store))
            if built:
                full_refresh = full_refresh or (target == "spark" and not _has_tables(config))
                if force:
                    store.forget_passed()
                reason = increment = None
                if not full_refresh and not select:
                    reason, increment = _what_is_new(
                        config, target, landing, None if force else last, fingerprint, bool(as_of)
                    )
                if reason is not None:
                    note(reason)
                if target == "postgres":
                    _copy_to_postgres(landing, config, say, note)
                _run(
                    config,
                    target,
                    store,
                    landing,
                    fingerprint,
                    _environment(config, landing, connection),
                    variables,
                    full_refresh=full_refresh or reason is not None,
                    select=select,
                    increment=increment,
                    record=record,
                    say=say,
                    note=note,
                )
            else:
                say("Everything landed is built already; what is missing is the release.")
            if not select:
                record.passed(store.unreleased())
            if not release:
                return BuildResult(built, store.current(), released=False)
            made = store.publish()
            record.released(made.release)
    if landing.loads():
        say(f"Release {made.release} is current: as of {_when(made)}.")
    else:
        say(f"Release {made.release} is current: every table is there, and empty.")
    return BuildResult(built, made, released=True)


def _what_is_new(
    config: Settings,
    target: str,
    landing: Landing,
    last: Unreleased | None,
    fingerprint: str,
    fixed: bool,
) -> tuple[str | None, Increment | None]:
    """Why everything is built anew, or else what alone has to be; with neither, every model looks
    at what is new to it. ``last`` is the build that an increment may begin from; ``fixed``: the
    build was told its as-of time.
    """
    landed, newest = landing.loads(), _newest(landing)
    held = consumed(config, target)
    reason = held.must_start_anew(
        {load.load_id for load in landed}, None if fixed else newest, _undone(config)
    )
    if reason is not None or last is None or fixed:
        return reason, None
    return None, since(last, fingerprint, held, landed, newest, partial(finds, config, target))


def _has_tables(config: Settings) -> bool:
    from warehouse.release.stores import spark_home
    from warehouse.spark.versions import held

    return bool(held(spark_home(config)).versions)


def _check_spark(config: Settings, select: tuple[str, ...]) -> None:
    from warehouse.spark.session import spark_master

    spark_master(config)
    if select:
        raise UsageError("On Spark every build makes all tables.", "Leave out --select.")


def _released_loads(store: ReleaseStore) -> set[str]:
    """Ids of the loads that the current release covers."""
    current = store.current()
    with contextlib.suppress(UnreadableError):
        return store.loads(current.release) if current else set()
    return set()


def _landing(config: Settings, target: str, say: Say) -> Landing:
    """The landing zone as the engine reads it: DuckDB and Spark want files on a local disk."""
    from loaders.landing import Landing
    from warehouse.build.mirror import local_landing

    landing = Landing(config.landing)
    if target == "postgres":
        return landing
    return local_landing(landing, config.home / "landing-mirror", say)


def _landed(landing: Landing) -> set[str]:
    return {load.load_id for load in landing.loads()}


def _undone(config: Settings) -> set[str]:
    """Loads that were taken out on purpose: in the landing zone itself, not in its mirror."""
    from loaders.landing import Landing

    return Landing(config.landing).undone()


def _newest(landing: Landing) -> datetime | None:
    """The as-of time of a build from what is landed now; None when nothing is. That a
    source was asked in vain moves it on, too.
    """
    times = [load.landed_at for load in landing.loads()]
    times += [beat.landed_at for beat in landing.heartbeats()]
    return max(times, default=None)


def _covers(landing: Landing, loads: set[str], as_of: datetime, fixed: bool) -> bool:
    """Whether something made from ``loads`` at ``as_of`` is what a build would make now.
    ``fixed``: the build was told its as-of time.
    """
    newest = _newest(landing)
    return loads == _landed(landing) and (fixed or newest is None or newest == as_of)


def _up_to_date(
    store: ReleaseStore, landing: Landing, fingerprint: str, fixed: bool
) -> ReleaseSummary | None:
    """The current release, if it covers all that landed, with this very project."""
    current = store.current()
    if current is None or current.project_fingerprint != fingerprint:
        return None
    try:
        loads = store.loads(current.release)
    except UnreadableError:
        return None  # a new one takes its place
    return current if _covers(landing, loads, current.as_of, fixed) else None


def _built_before(last: Unreleased | None, landing: Landing, fingerprint: str, fixed: bool) -> bool:
    """Whether the build database holds a complete build that only lacks its release."""
    return (
        last is not None
        and last.fingerprint == fingerprint
        and _covers(landing, last.loads, last.as_of, fixed)
    )


def _nothing_to_do(current: ReleaseSummary, say: Say) -> BuildResult:
    say(
        f"Release {current.release} already covers everything landed (as of {_when(current)}); "
        "nothing to build. Use --force to build anyway."
    )
    return BuildResult(built=False, release=current, released=False)


def _when(summary: ReleaseSummary) -> str:
    return f"{summary.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _environment(
    config: Settings, landing: Landing, connection: psycopg.Connection[Any] | None
) -> dict[str, str]:
    """What the dbt profile needs; ``connection`` holds the lock where the engine is Postgres."""
    environment = build_environment(config, landing)
    if connection is None:
        return environment
    from warehouse.release.session import profile_environment

    return environment | profile_environment(connection)


def _copy_to_postgres(landing: Landing, config: Settings, say: Say, note: Say) -> None:
    from warehouse.build.raw_copy import copy_new_loads

    assert config.postgres_url is not None
    copied = copy_new_loads(landing, config.postgres_url)
    if copied.loads:
        say(f"Copied {copied.rows:,} rows of {copied.loads:,} new loads into Postgres.")
    for text in copied.left_out:
        note(text)


def _run(
    config: Settings,
    target: str,
    store: ReleaseStore,
    landing: Landing,
    fingerprint: str,
    environment: dict[str, str],
    variables: dict[str, str],
    *,
    full_refresh: bool,
    select: tuple[str, ...],
    increment: Increment | None,
    record: Recorded,
    say: Say,
    note: Say,
) -> None:
    from warehouse.build.dbt_run import Tally, run_dbt

    revision = git_revision()
    landing.prepare()
    loads = landing.loads()
    if not loads:
        say("Nothing has landed yet: the tables will be empty. 'ace load demo' lands a sample.")
    current = store.current()
    released = current.project_fingerprint if current else None
    folder = config.home / "dbt" / target
    built_with = BuiltWith(folder)
    changed = not select and built_with.is_other(fingerprint, released)
    if changed and not full_refresh:
        say("The project changed since the last build: everything is built anew.")
    anew = full_refresh or changed
    record.add(kind="selection" if select else "increment" if increment and not anew else "full")
    if not select:
        built_with.begin(fingerprint, anew=anew)
    say(f"Building on {target} ({len(loads):,} load{'' if len(loads) == 1 else 's'} landed)")
    tally = Tally()
    try:
        with contextlib.ExitStack() as stack:
            spark = None
            if target == "spark":
                from warehouse.spark.building import spark_build

                spark = stack.enter_context(
                    spark_build(
                        *(config, landing, variables.get("as_of")), anew=anew, increment=increment
                    )
                )
                environment = environment | spark.environment
            outcome = run_dbt(
                target=target,
                folder=folder,
                environment=environment,
                full_refresh=anew,
                select=select,
                variables=variables | left_out_variable(landing),
                kept=Kept(folder, project_fingerprint(target), environment),
                increment=None if anew else increment,
                tally=tally,
                say=say,
                note=note,
            )
            if spark is not None:
                spark.keep(outcome)
    except KeyboardInterrupt:
        note("Stopped. Nothing was released; the next build finishes what is missing.")
        raise
    except AceError as error:
        for text in damaged_rows(landing):
            note(text)
        current = store.current()
        stays = f"Release {current.release} stays current." if current else "Nothing was released."
        hint = f"{stays} {error.hint}".strip()
        raise type(error)(error.message, hint) from None
    finally:
        record.counted(tally)
    if select:
        return
    built_with.finish(fingerprint)
    store.record_passed(
        Passed(
            fingerprint=fingerprint,
            git_revision=revision,
            dbt_version=outcome.dbt_version,
            invocation_id=outcome.invocation_id,
            tests=outcome.tests,
            descriptions=outcome.descriptions,
            tables=outcome.tables,
        )
    )
