"""How likely a pattern is the best, where it can be told without computing, on both engines."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from tests.conftest import PgServer
from tests.support.models import model_sql

STEP = "marts/creative/steps/int_bandit_chances"
#: platform, alpha, beta
Posterior = tuple[str, int, int]


def chances(
    posteriors: list[Posterior], engine: str = "duckdb", url: str = ""
) -> dict[str, tuple[float, float]]:
    """By platform, each with one distribution: chance to be the best, and expected loss."""
    rows = ", ".join(
        f"('00000000-0000-0000-0000-00000000000a', '{platform}', {alpha}.0, {beta}.0)"
        for platform, alpha, beta in posteriors
    )
    given = (
        "create temporary table int_bandit_posteriors as select cast(product as uuid) as "
        "product_id, platform, cast(alpha as double precision) as alpha, "
        f"cast(beta as double precision) as beta from (values {rows}) as "
        "posteriors (product, platform, alpha, beta)"
    )
    asked = f"select platform, chance_best, expected_loss from ({model_sql(STEP, engine)}) as found"
    found: list[Any]
    if engine == "postgres":
        import psycopg

        with psycopg.connect(url) as server:
            server.execute(given)
            found = server.execute(asked.encode()).fetchall()
    else:
        with duckdb.connect() as database:
            database.execute(given)
            found = database.execute(asked).fetchall()
    return {platform: (chance, loss) for platform, chance, loss in found}


def check(engine: str, url: str = "") -> None:
    equals = [("tiktok", 2, 3), ("tiktok", 2, 3)]
    alone = [("youtube", 5, 1)]
    found = chances(equals + alone, engine, url)
    assert found["tiktok"][0] == pytest.approx(0.5, rel=1e-9)
    assert found["youtube"][0] == pytest.approx(1, rel=1e-9)
    assert found["youtube"][1] == pytest.approx(0, abs=1e-9)


def test_equals_share_the_chance_and_one_alone_is_sure() -> None:
    check("duckdb")


@pytest.mark.postgres
def test_postgres_finds_the_same(pg_server: PgServer) -> None:
    check("postgres", pg_server.url())
