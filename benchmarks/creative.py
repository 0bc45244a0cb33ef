"""Honest choices: what our estimates of creative arms are worth on randomised tests.

The Upworthy archive: a test is a product, an arm is an experiment with one post, its
impressions are views and its clicks likes. Each arm shows only some of its impressions
(30 to 1,500, drawn anew with every seed); estimates are made from those and judged by the
rest, which nobody has looked at. The first seed is landed and built by the project's own
models; a NumPy twin of them, which must agree with it, does the other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

SAMPLE = Path(__file__).resolve().parent / "samples" / "upworthy.parquet"
#: Arms with fewer impressions leave too little to judge by.
LEAST = 2000
SHOWN = (30, 1500)
TOP = 0.05
SEEDS = 10
#: The archive's own warning: arms may not have been assigned at random in these weeks.
SUSPECT = (201326, 201402)
METHODS = ("raw rate", "Wilson bound", "one level", "two levels (ours)")


@dataclass(frozen=True)
class Arms:
    """Arms in tests: impressions and clicks in all, the shown part of them, the rest."""

    test: Ints
    impressions: Ints
    clicks: Ints
    shown: Ints
    seen: Ints

    @property
    def held_out(self) -> Floats:
        return (self.clicks - self.seen) / (self.impressions - self.shown)


@dataclass(frozen=True)
class Score:
    """How one method's choices turned out on the rest."""

    top: float
    rmse: float
    spearman: float
    claimed: float
    kept: float
    claimed_points: float
    kept_points: float


def lines(folder: Path, data: Path | None = None) -> Iterator[Line]:
    """Figures over the clean weeks, held to what is asked; over all weeks, to compare."""
    import numpy as np

    for weeks, label in (("clean", ""), ("all", " (all weeks)")):
        scores: dict[str, list[Score]] = {name: [] for name in METHODS}
        oracle, everyone = [], []
        for seed in range(SEEDS):
            arms = thinned(read(data or SAMPLE, with_suspect=weeks == "all"), seed)
            found = estimates(arms)
            if seed == 0 and weeks == "clean":
                built = by_the_models(folder, arms)
                apart = float(np.max(np.abs(built / found[METHODS[-1]] - 1)))
                yield Line(
                    "estimates of the built model and of NumPy", apart, unit="",
                    ratio=apart, limit=1e-6, note=f"largest relative difference, {len(built)} arms",
                )  # fmt: skip
                found[METHODS[-1]] = built
            for name, values in found.items():
                scores[name].append(score(arms, values))
            oracle.append(_top_rate(arms, arms.held_out))
            everyone.append((arms.clicks - arms.seen).sum() / (arms.impressions - arms.shown).sum())
        tests = len(np.unique(arms.test))
        yield Line(
            f"oracle's top {TOP:.0%}, all arms{label}", 100 * float(np.mean(oracle)),
            100 * float(np.mean(everyone)), unit="%",
            note=f"held-out rate; {len(arms.test):,} arms of {tests:,} tests, {SEEDS} seeds",
        )  # fmt: skip
        for name in METHODS:
            yield _described(name + label, scores[name])
        if weeks == "clean":
            yield from _held_to(scores)
        else:
            yield from _winners(scores[METHODS[-1]], label)


def _described(name: str, scores: list[Score]) -> Line:
    top, rmse, rank = (_mean(scores, one) for one in ("top", "rmse", "spearman"))
    lift = _mean(scores, "claimed") / _mean(scores, "kept")
    return Line(
        f"top {TOP:.0%} by {name}", 100 * top, unit="%",
        note=f"held-out rate; RMSE {100 * rmse:.3f} points, Spearman {rank:.3f}, "
        f"winners' lift claimed/held-out {lift:.2f}",
    )  # fmt: skip


def _held_to(scores: dict[str, list[Score]]) -> Iterator[Line]:
    """Ours against the best of the others, and the honesty of its winners."""
    ours, others = scores[METHODS[-1]], [scores[name] for name in METHODS[:-1]]
    for what, field, best, scale, unit, sense in (
        ("held-out rate of the top, ours and next best", "top", max, 100, "%", ">="),
        ("RMSE on all arms, ours and next best", "rmse", min, 100, "pp", "<="),
        ("rank correlation, ours and next best", "spearman", max, 1, "", ">="),
    ):
        choose: Callable[..., float] = best
        one = _mean(ours, field)
        other = choose(_mean(each, field) for each in others)
        yield Line(
            what, scale * one, scale * other, unit=unit, ratio=one / other, sense=sense, limit=1
        )
    yield from _winners(ours, "")


def _winners(ours: list[Score], label: str) -> Iterator[Line]:
    claimed, kept = _mean(ours, "claimed"), _mean(ours, "kept")
    each = ", ".join(f"{one.claimed / one.kept:.2f}" for one in ours)
    points = _mean(ours, "claimed_points") / _mean(ours, "kept_points")
    for sense, limit in ((">=", 0.9), ("<=", 1.1)):
        yield Line(
            f"best arm of each test, claimed/held-out lift{label}", 100 * claimed, 100 * kept,
            unit="%", ratio=claimed / kept, sense=sense, limit=limit,
            note=f"over its test's mean; by seed {each}; in points of rate {points:.2f}",
        )  # fmt: skip


def _mean(scores: list[Score], field: str) -> float:
    return float(sum(getattr(one, field) for one in scores) / len(scores))


def read(path: Path, with_suspect: bool) -> tuple[Ints, Ints, Ints]:
    """Test, impressions and clicks of every arm large enough, in tests of two or more."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(
            """
            select dense_rank() over (order by clickability_test_id) - 1 as test,
                impressions, clicks
            from (
                select *, count(*) over (partition by clickability_test_id) as arms
                from read_parquet(?)
                where impressions >= ? and (? or test_week not between ? and ?)
            )
            where arms >= 2
            order by clickability_test_id, impressions, clicks
            """,
            [str(path), LEAST, with_suspect, *SUSPECT],
        ).fetchnumpy()
    return (
        found["test"].astype("int64"),
        found["impressions"].astype("int64"),
        found["clicks"].astype("int64"),
    )


def thinned(arms: tuple[Ints, Ints, Ints], seed: int) -> Arms:
    """Each arm has shown some of its impressions: how many is even in the logarithm."""
    import numpy as np

    test, impressions, clicks = arms
    random = np.random.default_rng(seed)
    low, high = SHOWN
    shown = np.exp(random.uniform(np.log(low), np.log(high), len(test))).astype(np.int64)
    return Arms(
        test, impressions, clicks, shown, random.hypergeometric(clicks, impressions - clicks, shown)
    )


def estimates(arms: Arms) -> dict[str, Floats]:
    """Every arm's rate from what it has shown, by each method."""
    import numpy as np

    n, y = arms.shown.astype(np.float64), arms.seen.astype(np.float64)
    raw, z = y / n, 1.959963984540054
    wilson = raw + z * z / (2 * n) - z * np.sqrt((raw * (1 - raw) + z * z / (4 * n)) / n)
    mean = y.sum() / n.sum()
    phi = max((n * (raw - mean) ** 2).sum() / n.sum() - mean / n.mean(), 1e-12)
    return dict(
        zip(
            METHODS,
            (
                raw,
                wilson / (1 + z * z / n),
                (y + mean * mean / phi) / (n + mean / phi),
                two_levels(arms.test, n, y),
            ),
            strict=True,
        )
    )


def two_levels(test: Ints, n: Floats, y: Floats) -> Floats:
    """The twin of macros/marts/shrinkage.sql for arms with trials in groups of several."""
    import numpy as np

    total, p = n.sum(), y.sum() / n.sum()
    n_test, y_test = np.bincount(test, n), np.bincount(test, y)
    rate = y_test / n_test
    arms, tests = len(n), len(n_test)
    within = (n * (y / n - rate[test]) ** 2).sum() - p * (arms - tests)
    within /= total - (np.bincount(test, n * n) / n_test).sum()
    between = (n_test * (rate - p) ** 2).sum() - p * (tests - 1)
    between /= total - (n_test**2).sum() / total
    assert within > 0, "arms of a test must differ by more than chance"
    assert between > 0, "tests must differ by more than chance"
    group = (y_test + p / between * p) / (n_test + p / between)
    return np.asarray((y + p / within * group[test]) / (n + p / within))


def score(arms: Arms, values: Floats) -> Score:
    """Choose by the values, look at the rest."""
    import numpy as np
    from scipy.stats import spearmanr

    rest = arms.held_out
    order = np.lexsort((np.arange(len(values)), values))
    best = np.zeros(arms.test.max() + 1, dtype=np.int64)
    best[arms.test[order]] = order  # the last one written is the highest
    count = np.bincount(arms.test)
    claimed, kept = np.bincount(arms.test, values) / count, np.bincount(arms.test, rest) / count
    known = (claimed > 0) & (kept > 0)
    return Score(
        top=_top_rate(arms, values),
        rmse=float(np.sqrt(np.mean((values - rest) ** 2))),
        spearman=float(spearmanr(values, rest).statistic),
        claimed=float(np.mean((values[best] / np.where(known, claimed, 1) - 1)[known])),
        kept=float(np.mean((rest[best] / np.where(known, kept, 1) - 1)[known])),
        claimed_points=float(np.mean(values[best] - claimed)),
        kept_points=float(np.mean(rest[best] - kept)),
    )


def _top_rate(arms: Arms, values: Floats) -> float:
    """Held-out rate of the chosen share of arms, all their impressions together."""
    import numpy as np

    chosen = np.argsort(-values, kind="stable")[: int(TOP * len(values))]
    clicks = (arms.clicks - arms.seen)[chosen].sum()
    return float(clicks / (arms.impressions - arms.shown)[chosen].sum())


def by_the_models(folder: Path, arms: Arms) -> Floats:
    """Land what the arms have shown, build experiment_results, read its shrunken rates."""
    import duckdb
    import numpy as np

    home = folder / "home"
    landing = models.new_landing(home)
    now = datetime.now(UTC).replace(microsecond=0)
    published = now - timedelta(days=30)
    seen_at = published + timedelta(hours=72)

    def keys(kind: str, numbers: Any) -> list[str]:
        return [models.key(f"{kind}{number}") for number in numbers]

    numbers = range(len(arms.test))
    experiments, posts = keys("arm", numbers), keys("post", numbers)
    tests = np.unique(arms.test)
    models.land(
        landing, "products", now - timedelta(days=40),
        product_id=keys("test", tests), name=[f"Test {test}" for test in tests],
        source_platform=["upworthy"] * len(tests),
    )  # fmt: skip
    models.land(
        landing, "experiments", now - timedelta(days=40),
        experiment_id=experiments, product_id=keys("test", arms.test),
    )  # fmt: skip
    models.land(
        landing, "published_posts", published,
        post_id=posts, experiment_id=experiments, platform=["tiktok"] * len(posts),
        external_post_id=posts, published_at=[published] * len(posts),
    )  # fmt: skip
    models.land(
        landing, "performance_metrics", seen_at,
        metric_id=keys("poll", numbers), post_id=posts, views=arms.shown.tolist(),
        likes=arms.seen.tolist(), collected_at=[seen_at] * len(posts),
    )  # fmt: skip
    models.build(home, "+experiment_results")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select experiment_id::varchar, views, engagements, engagement_rate_eb "
            "from marts.experiment_results"
        ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    for key, shown, seen in zip(experiments, arms.shown, arms.seen, strict=True):
        assert found[key][:2] == (shown, seen), f"experiment {key} was built from other counts"
    return np.array([found[key][2] for key in experiments])
