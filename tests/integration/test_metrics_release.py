"""`ace metrics` gives the numbers that plain SQL finds in a release, of either engine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from common.settings import Settings
from tests.support.metrics_by_hand import ROWS
from tests.support.semantics import semantic_manifest
from tests.support.small_postgres import build
from warehouse import metrics as metrics_module
from warehouse.cli import metrics
from warehouse.settings import settings


@dataclass(frozen=True)
class Question:
    names: str
    by: str
    sql: str
    where: str = ""


UTC = "published_at at time zone 'UTC'"
WEEK = "cast(date_trunc('week', {}) as date)"
#: What is asked, and the same in SQL: groups first, all in their order.
QUESTIONS = (
    Question(
        "posts,views,engagements",
        "platform",
        "select platform, count(*), sum(views), sum(engagements) "
        "from marts.post_performance group by 1",
    ),
    Question(
        "engagement_rate,views_per_post",
        "platform,product__name",
        "select p.platform, r.name, sum(p.engagements) filter (where p.views is not null) * 1.0 "
        "/ sum(p.views) filter (where p.engagements is not null), avg(p.views) "
        "from marts.post_performance as p left join canonical.products as r using (product_id) "
        "group by 1, 2",
    ),
    Question(
        "views,performance_score",
        "pattern",
        "select pattern_id, sum(views), avg(performance_score) "
        "from marts.post_performance group by 1",
    ),
    Question(
        "posts,median_views_72h",
        "week",
        f"select {WEEK.format(UTC)}, count(*), median(views_72h) "
        "from marts.post_performance group by 1",
    ),
    Question(
        "posts_published,views_gained,engagements_gained",
        "week,platform",
        f"select {WEEK.format('day')}, platform, sum(posts_published), sum(views_gained), "
        "sum(engagements_gained) from marts.daily_metrics group by all",
    ),
    Question(
        "views_gained_change",
        "day",
        "with days as (select day, sum(views_gained) as gained, "
        "sum(views_gained_spread) as spread, bool_and(is_complete) as over "
        "from marts.daily_metrics group by 1) "
        "select n.day, case when n.over and n.spread <= n.gained / 2 and e.spread <= e.gained / 2 "
        "then n.gained / nullif(e.gained, 0) - 1 end "
        "from days as n left join days as e on e.day = n.day - 7",
    ),
    Question(
        "views",
        "product__category",
        "select r.category, sum(p.views) from marts.post_performance as p "
        "join canonical.products as r using (product_id) where p.platform = 'tiktok' group by 1",
        where="{{ Entity('platform') }} = 'tiktok'",
    ),
)


@pytest.fixture(scope="module")
def manifest() -> str:
    return semantic_manifest()


def test_ace_metrics_gives_what_sql_gives(
    release: duckdb.DuckDBPyConnection,
    demo_release: Settings,
    manifest: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics_module, "_definitions", lambda config: manifest)
    monkeypatch.setenv("ACE_HOME", str(demo_release.home))
    monkeypatch.setenv("ACE_TARGET", "duckdb")
    settings.cache_clear()
    try:
        for one in QUESTIONS:
            names, by = one.names.split(","), one.by.split(",")
            where = ["--where", one.where] if one.where else []
            text = _asked(*names, *(f"--by={name}" for name in by), *where, "--json")
            found = json.loads(text)
            assert list(found[0]) == [*by, *names]
            rows = [tuple(_plain(value) for value in row.values()) for row in found]
            assert _sorted(rows) == _expected(release, one), one
        assert "engagement_rate" in _asked()
        assert '"marts"."post_performance"' in _asked("views", "--sql")
    finally:
        settings.cache_clear()


@pytest.mark.postgres
def test_a_release_on_postgres_answers_too(
    postgres_url: str, manifest: str, ace_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two of the schemas are there already, and another view of products.
    rows = re.sub(r"create schema (marts|canonical);", "", ROWS)
    rows = re.sub(r"\b(marts|canonical|reference)\b", r"build_\1", rows)
    build(postgres_url, 1, f"drop view build_canonical.products; {rows}").publish()
    monkeypatch.setattr(metrics_module, "_definitions", lambda config: manifest)
    monkeypatch.setenv("ACE_TARGET", "postgres")
    monkeypatch.setenv("ACE_POSTGRES_URL", postgres_url)
    found = json.loads(_asked("views", "--by=week", "--order=-views", "--limit=1", "--json"))
    assert found == [{"week": "2026-03-02", "views": 1900}]


def _asked(*arguments: str) -> str:
    done = CliRunner().invoke(metrics.command, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def _expected(release: duckdb.DuckDBPyConnection, one: Question) -> list[tuple[Any, ...]]:
    rows = release.execute(one.sql).fetchall()
    assert len(rows) > 1
    return _sorted([tuple(_plain(value) for value in row) for row in rows])


def _plain(value: Any) -> str | None:
    """Numbers with nine digits."""
    if value is None:
        return None
    try:
        return f"{float(value):.9g}"
    except (TypeError, ValueError):
        return str(value)


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=str)
