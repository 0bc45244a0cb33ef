"""A build writes down when it began and how it ended, whatever became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from common.errors import AceError
from warehouse.release.runs import Run, settled, with_run

if TYPE_CHECKING:
    from loaders.landing import Load
    from warehouse.build.dbt_run import Tally
    from warehouse.release.model import ReleaseStore, Unreleased


class Recorded:
    """The run of a build, in the history of its engine from beginning to end.

    Entered while the build's lock is held. That the history cannot be written is no reason not
    to build: what else is wrong with its place the build says itself.
    """

    def __init__(
        self,
        store: ReleaseStore,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._begun = time.monotonic()
        self._clock = clock
        self.run = Run(run_id=str(uuid4()), began_at=clock(), kind="release")

    def __enter__(self) -> Self:
        self._keep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._failed(error)
        elif self.run.outcome is None:
            self.add(outcome="passed")
        self._end()

    def add(self, **values: Any) -> None:
        """Note what has become known of it."""
        self.run = replace(self.run, **values)

    def landed(self, loads: list[Load], built: set[str]) -> None:
        """Note what has landed since the release that covers ``built``."""
        new = [load for load in loads if load.load_id not in built]
        self.add(new_loads=len(new), new_rows=sum(load.accepted for load in new))

    def counted(self, tally: Tally) -> None:
        """Note what dbt did, as far as it came."""
        self.add(
            models_run=tally.models,
            tests_run=tally.tests,
            tests_failed=len(tally.failed_tests),
            failures=", ".join(sorted(tally.failed_tests + tally.failed_models)) or None,
        )

    def passed(self, done: Unreleased | None) -> None:
        """Note what a complete build leaves, before it is released."""
        if done is None:
            return
        warned = sorted(test.name for test in done.tests if test.status == "warn")
        self.add(
            outcome="passed",
            as_of=done.as_of,
            rows_landed=done.landed,
            rows_accepted=done.accepted,
            tests_warned=len(warned),
            warnings=", ".join(warned) or None,
        )
        self._end()

    def released(self, number: int) -> None:
        self.add(outcome="released", release=number)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            self.add(outcome="stopped")
        else:
            said = error.message if isinstance(error, AceError) else type(error).__name__
            self.add(outcome="failed", problem=said)

    def _end(self) -> None:
        seconds = round(time.monotonic() - self._begun, 3)
        self.add(ended_at=self._clock(), seconds=seconds)
        self._keep()

    def _keep(self) -> None:
        try:
            runs = settled(self._store.runs(), but=self.run.run_id)
            self._store.keep_runs(with_run(runs, self.run))
        except (AceError, OSError):
            return
