"""dbt inside this process: short progress instead of its noise, and failures in words."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.errors import AceError, UsageError
from warehouse.build.documents import (
    RUNS,
    column_descriptions,
    column_types,
    table_documents,
)
from warehouse.build.parsed import Kept
from warehouse.build.shortage import shortage
from warehouse.build.stale import MACRO_TESTS, Increment, Plan, plan, tested_model
from warehouse.release import runs
from warehouse.release.model import TableDocument, TestOutcome, other_build
from warehouse.settings import PROJECT_ROOT
from warehouse.terminal import cell, console, quoted

Say = Callable[[str], None]
#: What the macro hold_build says when it stops a build whose lock was lost.
OTHER_BUILD = "Another build has begun"
#: How the nodes of an increment are named to dbt, in the manifest of that run only.
_TO_RUN = "ace_to_run"
#: Layers in the order rows travel; seeds and tests are counted beside them.
LAYERS = ("seeds", "staging", "versions", "accepted", "canonical", "quarantine", "marts")


@dataclass
class DbtOutcome:
    """What one dbt run did."""

    invocation_id: str
    dbt_version: str
    #: Also of tests that were not run again, because nothing they look at has moved.
    tests: list[TestOutcome] = field(default_factory=list)
    #: (schema, table, column) to description, in public schema names.
    descriptions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    tables: list[TableDocument] = field(default_factory=list)
    #: (schema, table, column) to the type that is promised, in public schema names.
    types: dict[tuple[str, str, str], str] = field(default_factory=dict)
    models: int = 0
    #: (schema, name) to the statement that made a view, each after those of what it reads.
    views: dict[tuple[str, str], str] = field(default_factory=dict)
    #: What may not be as it was before, ``schema.name`` in public schema names; None: all.
    changed: frozenset[str] | None = None


@dataclass
class Tally:
    """What one dbt run came to, also where it failed."""

    models: int = 0
    tests: int = 0
    failed_models: list[str] = field(default_factory=list)
    failed_tests: list[str] = field(default_factory=list)

    def count(self, results: Iterable[Any]) -> None:
        for result in results:
            status = str(getattr(result.status, "value", result.status))
            if status == "skipped":
                continue
            if result.node.resource_type == "test":
                self.tests += 1
                failed = self.failed_tests
            else:
                self.models += result.node.resource_type == "model"
                failed = self.failed_models
            if status in ("fail", "error", "runtime error"):
                failed.append(result.node.name)


def run_dbt(
    *,
    target: str,
    folder: Path,
    environment: dict[str, str],
    full_refresh: bool = False,
    select: tuple[str, ...] = (),
    variables: dict[str, Any] | None = None,
    kept: Kept | None = None,
    increment: Increment | None = None,
    tally: Tally | None = None,
    say: Say,
    note: Say,
) -> DbtOutcome:
    """Build models and tests; ``folder`` takes dbt's target path and logs.

    ``variables`` are of this run: what is parsed may not depend on them. The parsed project is
    taken from and ``kept`` for other runs; with an ``increment`` only what that makes stale is
    run. ``say`` gets progress, ``note`` what went wrong, ``tally`` what was run, also
    where that failed. Raises AceError when a model
    or a test failed, KeyboardInterrupt when it was stopped.
    """
    # Nobody reads the JSON of a build's project, which is megabytes; DBT_WRITE_JSON=true has it.
    environment = {"DBT_WRITE_JSON": os.environ.get("DBT_WRITE_JSON", "false")} | environment
    with _plain_path(environment) as values, _environment(values):
        from dbt.cli.main import dbtRunner

        manifest = _manifest(kept, target, folder)
        chosen = plan(manifest, increment)
        progress = Progress(manifest, select, say, chosen)
        run_only = increment.variables() if increment and chosen.nodes is not None else {}
        told = (variables or {}) | run_only
        # Tests of macros and of logic bring their own rows: the data cannot break them.
        arguments = ["build", *_arguments(target, folder, told)]
        arguments += ["--exclude-resource-type", "unit_test", "--exclude", f"tag:{MACRO_TESTS}"]
        if full_refresh:
            arguments.append("--full-refresh")
        if select:
            arguments += ["--select", *select]
        if chosen.nodes is not None:
            arguments += select_nodes(manifest, chosen.nodes)
        with progress, uncollected(), seldom_collected():
            done = dbtRunner(manifest=manifest, callbacks=[progress.event]).invoke(arguments)
            _close_connections(target)
    if done.exception is not None:
        raise _broken(done.exception, folder)
    results: list[Any] = list(getattr(done.result, "results", []))
    if tally is not None:
        tally.count(results)
    if not done.success:
        raise _failed(results, target, folder, environment, note)
    if select and not results:
        raise UsageError(
            f"No model or test matches --select {' '.join(select)}.",
            "Name a model, for example --select post_performance+, or a path.",
        )
    _warnings(results, target, folder, environment, note)
    for key, outcome in chosen.kept.items():
        if outcome.status == "warn":
            _warn(outcome, manifest.nodes[key], target, folder, environment, note)
    return DbtOutcome(
        invocation_id=str(getattr(done.result, "args", {}).get("invocation_id") or "")
        or progress.invocation_id,
        dbt_version=_version(),
        tests=[_test(result) for result in results if result.node.resource_type == "test"]
        + list(chosen.kept.values()),
        descriptions=column_descriptions(manifest) | runs.DESCRIPTIONS,
        tables=[*table_documents(manifest), RUNS],
        types=column_types(manifest),
        models=sum(result.node.resource_type == "model" for result in results),
        views=_views(results, folder) if target == "spark" else {},
        changed=chosen.changed,
    )


def _views(results: Iterable[Any], folder: Path) -> dict[tuple[str, str], str]:
    """The statements that made views, as dbt wrote them down, in the order it ran them."""
    found = {}
    for node in (result.node for result in results):
        if node.resource_type == "model" and node.config.materialized == "view":
            file = folder / "target" / "run" / node.package_name / node.original_file_path
            schema = node.schema.removeprefix("build_")
            found[schema, node.alias or node.name] = file.read_text("utf-8")
    return found


def write_docs(*, target: str, folder: Path, environment: dict[str, str]) -> str:
    """The site of dbt's documentation as one HTML file, which fetches nothing.

    What is in the database is not asked, so that there need not be one. Raises AceError where
    dbt cannot make it.
    """
    from dbt.cli.main import dbtRunner

    with _plain_path(environment) as values, _environment(values):
        manifest = _manifest(None, target, folder)
        arguments = ["docs", "generate", "--static", "--empty-catalog", "--no-compile"]
        done = dbtRunner(manifest=manifest).invoke([*arguments, *_arguments(target, folder, None)])
        _close_connections(target)
    if not done.success:
        raise _broken(done.exception, folder)
    return (folder / "target" / "static_index.html").read_text("utf-8")


def parsed_project(*, target: str, folder: Path, environment: dict[str, str], kept: Kept) -> Any:
    """The project as a build of it parsed it, or parsed now and kept for the next one."""
    with _plain_path(environment) as values, _environment(values):
        return _manifest(kept, target, folder)


def _manifest(kept: Kept | None, target: str, folder: Path) -> Any:
    """The parsed project, as it was kept or anew."""
    from dbt.cli.main import dbtRunner

    with seldom_collected():
        manifest = kept.read() if kept else None
        if manifest is None:
            parsed = dbtRunner().invoke(["parse", *_arguments(target, folder, None)])
            if not parsed.success:
                raise _broken(parsed.exception, folder)
            manifest = parsed.result
            if kept:
                kept.write(manifest)
    return manifest


def select_nodes(manifest: Any, nodes: Collection[str]) -> list[str]:
    """Arguments by which dbt runs these nodes of a manifest and no others."""
    for key in nodes:
        manifest.nodes[key].tags.append(_TO_RUN)
    return ["--select", f"tag:{_TO_RUN}", "--indirect-selection", "empty"]


def _arguments(target: str, folder: Path, variables: dict[str, Any] | None) -> list[str]:
    import json

    arguments = [
        *("--project-dir", str(PROJECT_ROOT)),
        *("--profiles-dir", str(PROJECT_ROOT / "profiles")),
        *("--target", target),
        *("--target-path", str(folder / "target")),
        *("--log-path", str(folder / "logs")),
        *("--log-level", "none"),
        *("--log-level-file", "info"),
        "--no-send-anonymous-usage-stats",
        "--no-use-colors",
    ]
    if variables:
        arguments += ["--vars", json.dumps(variables)]
    return arguments


@contextlib.contextmanager
def _plain_path(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment with a path to the build file that dbt's adapter understands.

    It takes the path for a URL, so that ``?`` and ``#`` end the name it looks for. A link to
    the file's folder has a plain name; whatever DuckDB writes beside the file is beside it.
    """
    name = "ACE_WAREHOUSE"
    path = Path(environment[name])
    if re.fullmatch(r"[\w./-]*", str(path), re.ASCII):
        yield environment
        return
    with tempfile.TemporaryDirectory(prefix="ace-") as folder:
        link = Path(folder) / "home"
        link.symlink_to(path.parent.absolute())
        yield environment | {name: str(link / path.name)}


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set what the profile reads, for the time of the run."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """Have garbage collected after many objects only.

    A parsed project is half a million, of which nearly all stay: to walk them again and again is
    a tenth of a parse. What a run makes beside it is gone soon without being walked.
    """
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have garbage collection pass over what is in memory by now, such as a parsed project."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _close_connections(target: str) -> None:
    """dbt keeps its DuckDB handle open; the release needs the file for itself."""
    if target == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.adapters.factory import reset_adapters

        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        reset_adapters()  # type: ignore[no-untyped-call]
        gc.collect()


def _version() -> str:
    from importlib.metadata import version

    return version("dbt-core")


def _layer(node: Any) -> str:
    if node.resource_type == "seed":
        return "seeds"
    return str(node.fqn[1]) if len(node.fqn) > 2 else "other"


class Progress:
    """One line per finished layer; on a terminal also a bar that moves with every node."""

    def __init__(self, manifest: Any, select: tuple[str, ...], say: Say, chosen: Plan) -> None:
        self.say = say
        self.invocation_id = ""
        self._layers = {
            key: _layer(node)
            for key, node in manifest.nodes.items()
            if node.resource_type in ("model", "seed") and node.config.enabled
        }
        self._totals = Counter({}) if select else Counter(self._layers.values())
        self._expected = Counter(
            layer for key, layer in self._layers.items() if chosen.runs(key) and not select
        )
        self._done: Counter[str] = Counter()
        self._started: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._told: set[str] = set()
        self._tests = 0
        self._not_run = len(chosen.kept)
        self._bar: Any = None
        self._task: Any = None
        # Unit tests are left out of builds.
        self._nodes = sum(
            node.resource_type in ("model", "seed", "test") and chosen.runs(key)
            for key, node in manifest.nodes.items()
        )

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("  {task.description}", markup=False),
                BarColumn(24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console(err=True),
                transient=True,
            )
            self._task = self._bar.add_task("starting", total=self._nodes or None)
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        for layer in sorted(self._done, key=_rank):
            self._tell(layer)
        if self._tests:
            part = f" of {self._tests + self._not_run}" if self._not_run else ""
            self.say(f"  {'tests':<13} {self._tests:>4}{part}")

    def event(self, message: Any) -> None:
        """A callback of dbt: counts nodes as they start and finish."""
        self.invocation_id = self.invocation_id or str(message.info.invocation_id)
        name = message.info.name
        if name not in ("NodeStart", "NodeFinished"):
            return
        info = message.data.node_info
        key, now = info.unique_id, time.monotonic()
        layer = self._layers.get(key)
        if name == "NodeStart":
            if layer:
                self._started.setdefault(layer, now)
            if self._bar is not None:
                self._bar.update(self._task, description=f"{info.node_name[:32]:<32}")
            return
        if self._bar is not None:
            self._bar.advance(self._task)
        if info.node_status in ("skipped",):
            return
        if layer is None:
            self._tests += info.resource_type == "test"
            return
        self._done[layer] += 1
        self._ended[layer] = now
        if self._done[layer] == self._expected[layer]:
            self._tell(layer)

    def _tell(self, layer: str) -> None:
        if layer in self._told:
            return
        self._told.add(layer)
        seconds = self._ended[layer] - self._started.get(layer, self._ended[layer])
        total = self._totals[layer]
        part = f" of {total}" if self._done[layer] < total else ""
        line = f"  {layer:<13} {self._done[layer]:>4}{part}   {seconds:6.1f} s"
        if self._bar is not None:
            self._bar.console.print(cell(line))
        else:
            self.say(line)


def _rank(layer: str) -> int:
    return LAYERS.index(layer) if layer in LAYERS else len(LAYERS)


def _test(result: Any) -> TestOutcome:
    return TestOutcome(
        name=result.node.name,
        model=tested_model(result.node),
        status=str(getattr(result.status, "value", result.status)),
        failures=int(result.failures or 0),
    )


def _warnings(
    results: list[Any], target: str, folder: Path, environment: dict[str, str], note: Say
) -> None:
    for result in results:
        if str(getattr(result.status, "value", result.status)) == "warn":
            _warn(_test(result), result.node, target, folder, environment, note)


def _warn(
    test: TestOutcome,
    node: Any,
    target: str,
    folder: Path,
    environment: dict[str, str],
    note: Say,
) -> None:
    rows = f"{test.failures:,} row{'' if test.failures == 1 else 's'}"
    note(f"  warning: {test.name} ({test.model}): {rows}")
    note(f"    see them: {_see(node, target, folder, environment)}")


def _clean(text: str) -> str:
    """dbt's message without its headings, paths and code listings, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [
        line
        for line in lines
        if not re.match(
            r"(Database Error in|Runtime Error in|Compilation Error in|compiled code)", line
        )
        and not re.match(
            r"(LINE \d+:|\^|>|Runtime Error$|Compilation Error$|Database Error$)", line
        )
    ]
    return " ".join(lines)[:500]


def _broken(error: BaseException | None, folder: Path) -> BaseException:
    """dbt did not get as far as running nodes."""
    if isinstance(error, (KeyboardInterrupt, AceError)):
        return error
    said = str(error or "dbt stopped without saying why")
    text = shortage(said) or _clean(said)
    return AceError(f"The build could not run: {text}", f"Details: {folder / 'logs' / 'dbt.log'}")


def _failed(
    results: list[Any], target: str, folder: Path, environment: dict[str, str], note: Say
) -> AceError:
    """Say which nodes failed and how to see the rows; the error to raise afterwards."""
    if any(OTHER_BUILD in (result.message or "") for result in results):
        return other_build()
    tests = skipped = errors = 0
    for result in results:
        status = str(getattr(result.status, "value", result.status))
        node = result.node
        if status == "fail":
            tests += 1
            outcome = _test(result)
            count = outcome.failures
            note(
                f"  test {outcome.name} ({outcome.model}): "
                f"{count:,} failing row{'' if count == 1 else 's'}"
            )
            note(f"    see them: {_see(node, target, folder, environment)}")
        elif status == "error":
            errors += 1
            where = getattr(node, "original_file_path", "")
            said = result.message or ""
            why = shortage(said) or _clean(said)
            note(f"  {node.resource_type} {node.name} ({where}): {why}")
        elif status == "skipped":
            skipped += 1
    parts = []
    if tests:
        parts.append(f"{tests} test{'' if tests == 1 else 's'} failed")
    if errors or not tests:
        parts.append(f"{errors} model{'' if errors == 1 else 's'} could not be built")
    if skipped:
        parts.append(f"{skipped} that depend on them were skipped")
    return AceError(f"The build did not pass: {', '.join(parts)}.")


def _see(node: Any, target: str, folder: Path, environment: dict[str, str]) -> str:
    # Of a test that was not run again it is where an earlier run wrote it.
    path = Path(
        node.compiled_path or node.get_target_write_path(str(folder / "target"), "compiled", None)
    )
    if not path.is_absolute():
        path = PROJECT_ROOT / path
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    if target == "postgres":
        return f'psql "$ACE_POSTGRES_URL" -f {quoted(path)}'
    if target == "spark":
        return f"the query in {quoted(path)}; its tables went with the session"
    file = Path(environment["ACE_WAREHOUSE"])
    with contextlib.suppress(ValueError):
        file = file.relative_to(Path.cwd())
    return f"ace sql --release {quoted(file)} --file {quoted(path)}"
