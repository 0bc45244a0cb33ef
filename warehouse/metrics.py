"""Metrics of the semantic models (``models/metrics/``), as SQL that a release answers.

MetricFlow writes the SQL. It is no part of the default set and is imported here alone; it asks no
database, so that an answer comes through the same read-only reader as every other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from common.errors import AceError, UsageError
from repositories.columns import nearest

if TYPE_CHECKING:
    from common.settings import Settings

#: What ``--by`` says instead of ``metric_time__week``.
GRAINS = ("day", "week", "month", "quarter", "year")
_TIME = "metric_time"


@dataclass(frozen=True)
class Metric:
    """A metric and what it can be grouped by."""

    name: str
    description: str
    group_by: tuple[str, ...]


def released(manifest: str) -> str:
    """The manifest with its tables named as releases of every engine name them."""
    content: dict[str, Any] = json.loads(manifest)
    spines = content["project_configuration"]["time_spines"]
    for one in [*content["semantic_models"], *spines]:
        relation = one["node_relation"]
        schema = relation["schema_name"].removeprefix("build_")
        relation |= {
            "database": None,
            "schema_name": schema,
            "relation_name": f'"{schema}"."{relation["alias"]}"',
        }
    return json.dumps(content)


class Metrics:
    """What can be asked, and the SQL that answers it on one engine."""

    def __init__(self, manifest: str, engine: str) -> None:
        """``manifest`` is a semantic manifest as JSON, ``engine`` is duckdb or postgres."""
        self._manifest = manifest
        self._dialect = engine

    @classmethod
    def of_project(cls, config: Settings, engine: str) -> Metrics:
        """What this project defines; AceError where MetricFlow is not installed."""
        if find_spec("metricflow") is None:
            raise AceError(
                "MetricFlow, which writes the SQL of metrics, is not installed.",
                "Install it beside the rest: sh requirements/install.sh metrics",
            )
        return cls(_definitions(config), engine)

    @cached_property
    def _engine(self) -> Any:
        from metricflow.engine.metricflow_engine import MetricFlowEngine
        from metricflow.protocols.sql_client import SqlEngine
        from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
        from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
        from metricflow_semantics.model.dbt_manifest_parser import (
            parse_manifest_from_dbt_generated_manifest,
        )
        from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

        parsed = parse_manifest_from_dbt_generated_manifest(
            manifest_json_string=released(self._manifest)
        )
        # All that it is asked of a database is how SQL is spelled there.
        if self._dialect == "postgres":
            kind, renderer = SqlEngine.POSTGRES, PostgresSQLSqlPlanRenderer()
        else:
            kind, renderer = SqlEngine.DUCKDB, DuckDbSqlPlanRenderer()
        dialect: Any = SimpleNamespace(sql_engine_type=kind, sql_plan_renderer=renderer)
        return MetricFlowEngine(SemanticManifestLookup(parsed), dialect)

    def listed(self) -> list[Metric]:
        """Every metric, in the order of their names."""
        found = sorted(self._engine.list_metrics(include_dimensions=False), key=lambda m: m.name)
        return [
            Metric(one.name, str(one.description), tuple(self._group_bys([one.name])))
            for one in found
        ]

    def sql(
        self,
        names: Sequence[str],
        by: Sequence[str] = (),
        where: Sequence[str] = (),
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> str:
        """One statement with a row for each group; UsageError for what there is none of.

        Without ``order`` rows are in the order of their groups. A name in it that follows ``-``
        is sorted downward.
        """
        from metricflow.engine.metricflow_engine import MetricFlowQueryRequest
        from metricflow_semantics.errors.error_classes import MetricFlowException

        names, by = list(dict.fromkeys(names)), list(dict.fromkeys(by))
        known = [one.name for one in self._engine.list_metrics(include_dimensions=False)]
        for name in names:
            if name not in known:
                raise UsageError(f"There is no metric '{name}'.", nearest(name, known))
        groups = [self._group(name, names) for name in by]
        columns = [*by, *names]
        sorting = [_sorting(name, columns) for name in order or by]
        request = MetricFlowQueryRequest.create(
            metric_names=names, group_by_names=groups, where_constraints=list(where) or None
        )
        try:
            explained = self._engine.explain(request)
        except MetricFlowException as error:
            if not where:
                raise AceError(
                    f"MetricFlow cannot answer this: {_message(error)}", "Ask for less at once."
                ) from None
            raise UsageError(
                f"--where is not understood: {' and '.join(where)}",
                "Write it like \"{{ Entity('platform') }} = 'tiktok'\" or "
                "\"{{ Dimension('product__category') }} = 'Beauty'\".",
            ) from None
        # Its columns are in an order and under names of its own, and days are times.
        shown = ", ".join(
            f"cast({own} as date) as {name}" if name in GRAINS else name
            for name, own in zip(columns, [*groups, *names], strict=True)
        )
        lines = [f"select {shown}", "from (", explained.sql_statement.without_descriptions.sql]
        lines.append(") as answer")
        if sorting:
            lines.append(f"order by {', '.join(sorting)}")
        if limit is not None:
            lines.append(f"limit {limit}")
        return "\n".join(lines)

    def _group_bys(self, names: Sequence[str]) -> list[str]:
        """What these metrics can all be grouped by; of time its grains."""
        found: list[str] = []
        for one in self._engine.list_group_bys(metric_names=list(names)):
            name = str(getattr(one, "dunder_name", one.name))
            found += GRAINS if name.startswith(f"{_TIME}__") else [name]
        return found

    def _group(self, name: str, names: Sequence[str]) -> str:
        known = self._group_bys(names)
        if name not in known:
            raise UsageError(
                f"{' and '.join(names)} cannot be grouped by '{name}'.", nearest(name, known)
            )
        return f"{_TIME}__{name}" if name in GRAINS else name


def _sorting(name: str, columns: Sequence[str]) -> str:
    plain = name.removeprefix("-")
    if plain not in columns:
        raise UsageError(f"The answer has no column '{plain}'.", nearest(plain, columns))
    return f"{plain} desc nulls last" if name != plain else f"{plain} nulls last"


def _message(error: Exception) -> str:
    """The sentence of MetricFlow's that says what is wrong, without where it was found."""
    lines = [line.strip() for line in str(error).splitlines()]
    after = lines[lines.index("Message:") + 1 :] if "Message:" in lines else lines
    return next((line for line in after if line), type(error).__name__)


def _definitions(config: Settings) -> str:
    """The semantic manifest of this project, as JSON: kept from the last build, or parsed anew."""
    from dbt.contracts.graph.semantic_manifest import SemanticManifest

    from warehouse.build.dbt_run import parsed_project
    from warehouse.build.fingerprint import project_fingerprint
    from warehouse.build.parsed import Kept

    folder = config.home / "dbt" / "duckdb"
    environment = {"ACE_HOME": str(config.home), "ACE_WAREHOUSE": str(config.warehouse)}
    manifest = parsed_project(
        target="duckdb",
        folder=folder,
        environment=environment,
        kept=Kept(folder, project_fingerprint("duckdb"), environment),
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "semantic_manifest.json"
        SemanticManifest(manifest).write_json_to_file(str(file))
        return file.read_text("utf-8")
