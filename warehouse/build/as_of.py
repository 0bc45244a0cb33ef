"""``build_as_of()``: the warehouse as it would have been at a time, in a file of its own."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from common.errors import AceError, UsageError
from warehouse.build.damaged import left_out_variable
from warehouse.build.environment import build_environment
from warehouse.build.fingerprint import git_revision, project_fingerprint
from warehouse.build.parsed import Kept
from warehouse.release.model import Passed
from warehouse.settings import Settings, check_duckdb_path, settings
from warehouse.terminal import quoted

if TYPE_CHECKING:
    from loaders.landing import Landing

Say = Callable[[str], None]


def parse_time(text: str, now: datetime | None = None) -> datetime:
    """An ISO 8601 time, in UTC unless it has an offset; UsageError otherwise or if ahead."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--as-of '{text}' is no ISO 8601 time.",
            "Write it like 2026-10-15, 2026-10-15T12:00 (both UTC) or 2026-10-15T12:00:00+02:00.",
        ) from None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    if time > (now or datetime.now(UTC)):
        raise UsageError(
            f"--as-of {text} lies ahead: nothing can be known from then.",
            "Give a time in the past.",
        )
    return time


def build_as_of(
    as_of: datetime, output: Path, *, say: Say, note: Say, config: Settings | None = None
) -> None:
    """Build and test the warehouse from what was known by ``as_of`` into ``output``.

    Always on DuckDB and from landing alone; takes no build lock and leaves the live
    warehouse and its releases as they are. ``output`` appears complete or not at all; an
    older file made by this is replaced. Raises UsageError where another file is in its
    place, AceError when a model or a test fails or the disk is full.
    """
    from loaders.landing import Landing
    from warehouse.build.mirror import local_landing
    from warehouse.release.duckdb import become_release_file

    config = config or settings()
    output = output.absolute()
    _check_place(output)
    landing = local_landing(Landing(config.landing), config.home / "landing-mirror", say)
    with landing.shared_lock(), _folder_beside(output) as folder:
        landing.prepare()
        build = folder / "warehouse.duckdb"
        say(f"Building as of {as_of:%Y-%m-%d %H:%M:%S} UTC into {output}")
        notes: list[str] = []
        try:
            _build(build, as_of, landing, config, say, notes.append)
        except BaseException:
            for text in notes:
                note(text)
            raise
        for text in notes:
            # Where to see the rows of a warning: that folder is about to go.
            if folder.name not in text:
                note(text)
        try:
            become_release_file(build, output)
        except OSError as error:
            raise AceError(
                f"{output} could not be written: {error.strerror}.",
                "Free some space or choose another place, and run it again.",
            ) from None
    say(f"{output} holds the warehouse as of {as_of:%Y-%m-%d %H:%M:%S} UTC.")
    shown = quoted(output)
    say(f'Read it: ace sql --release {shown} "select * from marts.row_ledger"')


def _check_place(output: Path) -> None:
    from warehouse.release.duckdb import is_unnumbered_release

    check_duckdb_path("--output", output)
    if not output.parent.is_dir():
        raise UsageError(
            f"--output {output}: there is no folder {output.parent}.", "Make it, or choose another."
        )
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder.", "Name a file, like past.duckdb.")
    if output.exists() and not is_unnumbered_release(output):
        raise UsageError(
            f"--output {output} exists, and no build as of a time made it.",
            "Choose another name, or remove it yourself.",
        )
    if not os.access(output.parent, os.W_OK):
        raise UsageError(f"--output {output}: {output.parent} is not writable.", "Choose another.")


@contextlib.contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    """A working folder on the same file system; what killed runs left goes first.

    It stays when the build did not pass: the rows that failed can be looked at there.
    """
    for left in output.parent.glob(f".tmp-{glob.escape(output.stem)}-*"):
        if not _is_running(left.name.rpartition("-")[2]):
            shutil.rmtree(left, ignore_errors=True)
    folder = output.parent / f".tmp-{output.stem}-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    except AceError as error:
        hint = f"{output.name} was not written; {folder} holds what was built until the next try."
        raise type(error)(error.message, f"{hint} {error.hint}".strip()) from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _build(
    build: Path, as_of: datetime, landing: Landing, config: Settings, say: Say, note: Say
) -> None:
    from warehouse.build.dbt_run import run_dbt
    from warehouse.release.duckdb import DuckStore

    variables = {"as_of": as_of.isoformat()}
    for one in landing.left_out():
        note(str(one))
    environment = build_environment(replace(config, home=build.parent), landing)
    revision = git_revision()
    outcome = run_dbt(
        target="duckdb",
        folder=build.parent / "dbt",
        environment=environment,
        variables=variables | left_out_variable(landing),
        kept=Kept(config.home / "dbt" / "duckdb", project_fingerprint("duckdb"), environment),
        say=say,
        note=note,
    )
    DuckStore(build.parent, build, keep=1).record_passed(
        Passed(
            fingerprint=project_fingerprint("duckdb", variables),
            git_revision=revision,
            dbt_version=outcome.dbt_version,
            invocation_id=outcome.invocation_id,
            tests=outcome.tests,
            descriptions=outcome.descriptions,
            tables=outcome.tables,
        )
    )
