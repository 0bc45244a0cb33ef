"""Great Expectations over small tables, and its Data Docs.

This and ``docs`` alone import it: that takes ten seconds. Results live below the
output folder, one per suite, so that the pages of earlier checks stay browsable.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.quality.rules import Rule

SITE = "data_docs"
STORE = ".store"
DOCS = "warehouse.quality.docs"
#: Said before the import: neither usage statistics nor progress bars.
QUIET = {"GX_ANALYTICS_ENABLED": "false", "TQDM_DISABLE": "1"}


@dataclass(frozen=True)
class Table:
    """One table to judge. ``suite`` is ``<source>.<resource>`` or ``landing.<what>``."""

    suite: str
    frame: pl.DataFrame
    rules: tuple[Rule, ...]
    #: Said on the page: how many rows there are and which of them were looked at.
    about: str


@dataclass(frozen=True)
class Verdict:
    """What Great Expectations found for one rule of one table."""

    suite: str
    rule: Rule
    success: bool
    rows: int
    unexpected: int
    #: Text of what went wrong when the rule could not be evaluated at all.
    error: str | None = None


def judge(tables: Iterable[Table], out_dir: Path, run_name: str) -> list[Verdict]:
    """Validate each table with its rules and write the Data Docs below ``out_dir``."""
    _prepare()
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        listed = list(tables)
        try:
            return _judge(listed, out_dir, run_name)
        except OSError:
            raise
        except Exception:
            # What earlier checks stored cannot be read any more: begin it anew.
            shutil.rmtree(out_dir / STORE, ignore_errors=True)
            return _judge(listed, out_dir, run_name)


def _prepare() -> None:
    os.environ.update(QUIET)
    spark = find_spec("pyspark")
    if spark and spark.origin:
        # Where Spark's client is installed the library imports it, and a client that is not told
        # where Spark lies ends the process.
        os.environ.setdefault("SPARK_HOME", str(Path(spark.origin).parent))


def _judge(tables: list[Table], out_dir: Path, run_name: str) -> list[Verdict]:
    import great_expectations as gx

    context = _context(out_dir)
    run = gx.RunIdentifier(run_name=run_name)
    verdicts: list[Verdict] = []
    for table in tables:
        source, _, resource = table.suite.partition(".")
        _forget(out_dir, source, resource)
        suite = context.suites.add_or_update(
            gx.ExpectationSuite(
                name=table.suite,
                expectations=[expectation(rule) for rule in table.rules],
                meta={"notes": {"format": "string", "content": [table.about]}},
            )
        )
        data = context.data_sources.add_or_update_pandas(f"{source}__{resource}")
        batch = data.add_dataframe_asset(resource).add_batch_definition_whole_dataframe("new rows")
        definition = context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=table.suite, data=batch, suite=suite)
        )
        result = definition.run(
            batch_parameters={"dataframe": table.frame.to_pandas()},
            result_format={"result_format": "BASIC", "partial_unexpected_count": 10},
            run_id=run,
        )
        verdicts += _verdicts(table, result)
    context.build_data_docs(build_index=False)  # we write the first page
    return verdicts


def _verdicts(table: Table, result: Any) -> list[Verdict]:
    by_name = {entry.expectation_config.meta["rule"]: entry for entry in result.results}
    found = []
    for rule in table.rules:
        entry = by_name[rule.name]
        raised = (entry.exception_info or {}).get("raised_exception")
        error = str(entry.exception_info.get("exception_message"))[:200] if raised else None
        values = entry.result or {}
        found.append(
            Verdict(
                suite=table.suite,
                rule=rule,
                success=bool(entry.success),
                rows=int(values.get("element_count") or 0),
                unexpected=int(values.get("unexpected_count") or 0),
                error=error,
            )
        )
    return found


def expectation(rule: Rule) -> Any:
    """The rule as Great Expectations has it."""
    # Their re-exports are unknown to type checkers.
    gxe: Any = importlib.import_module("great_expectations.expectations")

    common: dict[str, Any] = {
        "column": rule.column,
        "severity": rule.severity,
        "meta": {"rule": rule.name},
        "notes": f"{rule.why} {_next_step(rule)}".strip(),
    }
    if rule.test == "present":
        return gxe.ExpectColumnValuesToNotBeNull(**common)
    if rule.test == "absent":
        return gxe.ExpectColumnValuesToBeNull(**common)
    if rule.test == "between":
        return gxe.ExpectColumnValuesToBeBetween(min_value=rule.low, max_value=rule.high, **common)
    if rule.test == "one_of":
        return gxe.ExpectColumnValuesToBeInSet(value_set=list(rule.values), **common)
    if rule.test == "matches":
        return gxe.ExpectColumnValuesToMatchRegex(regex=rule.pattern, **common)
    # Unique within a load: the column is judged together with the load.
    del common["column"]
    return gxe.ExpectCompoundColumnsToBeUnique(
        column_list=["_load_id", rule.column], ignore_row_if="any_value_is_missing", **common
    )


def _next_step(rule: Rule) -> str:
    return rule.hint.replace("{load_id}", "LOAD_ID")


def _context(out_dir: Path) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        FilesystemStoreBackendDefaults,
    )

    store = out_dir / STORE
    # Definitions name frames of an earlier process; only suites and results are kept.
    shutil.rmtree(store / "validation_definitions", ignore_errors=True)
    store.mkdir(parents=True, exist_ok=True)
    config = DataContextConfig(
        store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=str(store)),
        data_docs_sites={
            SITE: {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(out_dir),
                },
                "site_section_builders": {
                    "expectations": _section("SuitePage"),
                    "validations": _section("ResultPage"),
                    "profiling": "none",  # as they want to be told
                },
            }
        },
        analytics_enabled=False,
    )
    context = gx.get_context(project_config=config, mode="ephemeral")
    bars: Any = {"globally": False, "metric_calculations": False}
    context.variables.progress_bars = bars
    return context


def _section(renderer: str) -> dict[str, dict[str, str]]:
    """Pages of one kind, made by our own classes."""
    return {
        "renderer": {"module_name": DOCS, "class_name": renderer},
        "view": {"module_name": DOCS, "class_name": "Page"},
    }


def _forget(out_dir: Path, source: str, resource: str) -> None:
    """Drop a suite's earlier result: its page shows the newest check."""
    for base in (out_dir, out_dir / STORE):
        for folder in base.glob(f"**/validations/{source}/{resource}"):
            shutil.rmtree(folder, ignore_errors=True)
