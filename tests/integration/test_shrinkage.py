"""Two-level shrinkage against NumPy: the macro's SQL on random arms and at its edges."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from tests.conftest import PgServer
from tests.support.macros import rendered

#: population, group, successes, trials
Arm = tuple[str | None, str | None, int | None, int | None]


def shrunk(arms: list[Arm], engine: str = "duckdb", url: str = "") -> list[dict[str, Any]]:
    """What the macro makes of the arms, in their order."""
    body = rendered(
        "two_level_shrinkage",
        "arms",
        ["arm", "y", "n"],
        ["population"],
        ["bunch"],
        "y",
        "n",
        engine=engine,
    )

    def text(value: str | int | None) -> str:
        if value is None:
            return "null"
        return f"'{value}'" if isinstance(value, str) else str(value)

    rows = ", ".join(f"({i}, {', '.join(map(text, arm))})" for i, arm in enumerate(arms))
    sql = (
        "with given (arm, population, bunch, y, n) as (values (-1, '', '', 0, 0), "
        f"{rows}), arms as (select arm, population, bunch, cast(y as bigint) as y, "
        "cast(n as bigint) as n from given where arm >= 0), shrunk as ("
        f"{body}) select * from shrunk order by arm"
    )
    if engine == "postgres":
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(sql).fetchall()
    with duckdb.connect() as database:
        found = database.execute(sql)
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def by_hand(arms: list[Arm]) -> list[tuple[float, float]]:
    """Shape and rate of every arm's gamma posterior, by the formulas as published."""
    result: list[tuple[float, float]] = [(0.0, 0.0)] * len(arms)
    for population in {arm[0] for arm in arms}:
        rows = [i for i, arm in enumerate(arms) if arm[0] == population]
        n = np.array([float(max(arms[i][3] or 0, 0)) for i in rows])
        y = np.array([float(arms[i][2] or 0) if (arms[i][3] or 0) > 0 else 0.0 for i in rows])
        names = [arms[i][1] for i in rows]
        bunches = {name: np.array([other == name for other in names]) for name in names}
        seen = n > 0
        if seen.sum() < 5 or y.sum() == 0:
            mean = (1 + y.sum()) / (25 + n.sum())
            for i, row in enumerate(rows):
                result[row] = (y[i] + 25 * mean, n[i] + 25)
            continue
        p = y.sum() / n.sum()
        members = [mask & seen for mask in bunches.values() if (mask & seen).any()]
        within = sum((n[m] * (y[m] / n[m] - y[m].sum() / n[m].sum()) ** 2).sum() for m in members)
        between = sum(n[m].sum() * (y[m].sum() / n[m].sum() - p) ** 2 for m in members)
        arm_count, group_count = int(seen.sum()), len(members)
        phi_w = phi_b = 0.0
        if arm_count > group_count:
            spread = n.sum() - sum((n[m] ** 2).sum() / n[m].sum() for m in members)
            phi_w = max(0.0, (within - p * (arm_count - group_count)) / spread)
        if group_count > 1:
            spread = n.sum() - sum(n[m].sum() ** 2 for m in members) / n.sum()
            phi_b = max(0.0, (between - p * (group_count - 1)) / spread)
        for i, row in enumerate(rows):
            mask = bunches[names[i]]
            shape, rate = y.sum(), n.sum()
            if phi_b > 0:
                shape, rate = y[mask].sum() + p / phi_b * p, n[mask].sum() + p / phi_b
            if phi_w > 0:
                shape, rate = y[i] + p / phi_w * (shape / rate), n[i] + p / phi_w
            result[row] = (shape, rate)
    return result


def random_arms(seed: int) -> list[Arm]:
    """Arms of a few populations: some empty, some unknown, some groups and populations tiny."""
    random = np.random.default_rng(seed)
    arms: list[Arm] = []
    for population in ("a", "b", None):
        between, within = random.choice([0.0, 0.05, 0.5], 2)
        for group in range(random.integers(1, 9)):
            level = 0.05 * np.exp(between * random.normal())
            name = None if group == 3 else str(group)
            for _ in range(random.choice([1, 1, 2, 5, 9])):
                trials = int(np.exp(random.uniform(0, 14))) if random.random() > 0.15 else 0
                rate = level * np.exp(within * random.normal())
                successes = int(random.poisson(rate * trials))
                unknown = random.random() < 0.05
                arms.append((population, name, None if unknown else successes, trials or None))
    return arms


def compare(arms: list[Arm], found: list[dict[str, Any]]) -> None:
    for row, (shape, rate) in zip(found, by_hand(arms), strict=True):
        # The sums are differences of large numbers where the variance is next to nothing.
        assert row["posterior_shape"] == pytest.approx(shape, rel=1e-6)
        assert row["posterior_rate"] == pytest.approx(rate, rel=1e-6)
        assert row["rate_eb"] == pytest.approx(shape / rate, rel=1e-9)
        assert row["rate_eb_lo"] <= row["rate_eb"]
        if shape >= 1:
            ends = stats.gamma(shape, scale=1 / rate).ppf([0.025, 0.975])
            assert [row["rate_eb_lo"], row["rate_eb_hi"]] == pytest.approx(
                ends, abs=0.03 * shape / rate
            )


@pytest.mark.parametrize("seed", range(60))
def test_random_arms(seed: int) -> None:
    arms = random_arms(seed)
    compare(arms, shrunk(arms))


def test_random_arms_reach_every_level_of_pooling() -> None:
    """The cases above would prove little if all of them took the same path."""
    paths = set()
    for seed in range(60):
        for row in shrunk(random_arms(seed)):
            paths.add((row["within_weight"] is None, row["between_weight"] is None))
    assert len(paths) == 4


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(6))
def test_postgres_gives_the_same(seed: int, pg_server: PgServer) -> None:
    arms = random_arms(seed)
    ours, theirs = shrunk(arms), shrunk(arms, "postgres", pg_server.url())
    assert len(ours) == len(theirs) == len(arms)
    for one, other in zip(ours, theirs, strict=True):
        for name, value in one.items():
            assert other[name] == (value if value is None else pytest.approx(value, rel=1e-9)), name


def test_an_arm_without_trials_has_its_groups_rate() -> None:
    arms: list[Arm] = [("a", "x", 160, 1000), ("a", "x", 100, 1000), ("a", "x", None, None)]
    arms += [("a", "y", 10, 1000), ("a", "y", 25, 1000), ("a", "z", 0, 0), ("a", "w", 30, 1000)]
    arms += [("a", "y", 4, 0)]
    found = shrunk(arms)
    assert found[2]["within_weight"] is not None
    assert found[2]["rate_eb"] == pytest.approx(found[2]["group_rate"])
    assert found[2]["group_rate"] == found[0]["group_rate"] > found[3]["group_rate"]
    assert found[5]["group_rate"] == pytest.approx(found[5]["population_rate"])
    assert found[7]["rate_eb"] == pytest.approx(found[3]["group_rate"])


def test_equal_arms_are_pooled_fully_and_the_interval_is_that_of_the_pool() -> None:
    arms: list[Arm] = [("a", group, 50, 1000) for group in "xxyyzz"]
    for row in shrunk(arms):
        assert row["within_weight"] is None
        assert row["between_weight"] is None
        assert (row["posterior_shape"], row["posterior_rate"]) == (300, 6000)
        assert row["rate_eb"] == pytest.approx(0.05)


def test_one_arm_in_each_group_is_one_level() -> None:
    arms: list[Arm] = [("a", str(i), y, 1000) for i, y in enumerate([10, 80, 55, 20, 35, 90])]
    n, y = np.full(6, 1000.0), np.array([10, 80, 55, 20, 35, 90.0])
    p = y.sum() / n.sum()
    phi = ((n * (y / n - p) ** 2).sum() - p * 5) / (n.sum() - (n**2).sum() / n.sum())
    expected = (y + p / phi * p) / (n + p / phi)
    found = shrunk(arms)
    assert [row["rate_eb"] for row in found] == pytest.approx(expected)
    assert all(row["within_weight"] is None for row in found)


def test_a_small_population_falls_back_on_a_weak_prior_around_its_mean() -> None:
    found = shrunk([("a", "x", 9, 100), ("a", "y", 1, 100), ("b", "x", None, None)])
    mean = 11 / 225
    assert found[0]["rate_eb"] == pytest.approx((9 + 25 * mean) / 125)
    assert found[1]["rate_eb"] == pytest.approx((1 + 25 * mean) / 125)
    # Nothing is known of this one: one success in 25 trials.
    assert found[2]["rate_eb"] == pytest.approx(0.04)


def test_a_population_without_a_success_has_a_rate_above_nothing() -> None:
    found = shrunk([("a", "x", 0, 1000)] * 6)
    assert 0 < found[0]["rate_eb"] < 0.001


def test_it_knows_arms_better_than_the_raw_rate_and_its_intervals_hold() -> None:
    """A world of the very kind the estimate is for: its error and coverage are right."""
    random = np.random.default_rng(11)
    arms: list[Arm] = []
    truth = []
    for group in range(150):
        level = random.gamma(20, 0.04 / 20)
        for _ in range(6):
            rate = random.gamma(60, level / 60)
            trials = int(np.exp(random.uniform(np.log(30), np.log(3000))))
            truth.append(rate)
            arms.append(("a", str(group), int(random.poisson(rate * trials)), trials))
    found = shrunk(arms)
    true = np.array(truth)
    eb = np.array([row["rate_eb"] for row in found])
    raw = np.array([(arm[2] or 0) / (arm[3] or 1) for arm in arms])
    assert np.sqrt(((eb - true) ** 2).mean()) < 0.5 * np.sqrt(((raw - true) ** 2).mean())
    assert stats.spearmanr(eb, true)[0] > stats.spearmanr(raw, true)[0] + 0.1
    inside = [
        row["rate_eb_lo"] <= t <= row["rate_eb_hi"] for row, t in zip(found, true, strict=True)
    ]
    assert 0.88 < np.mean(inside) < 0.98
