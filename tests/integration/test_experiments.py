"""Experiments and arms against GrowthBook's gbstats, SciPy, NumPy and the planted truth."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig, GaussianPrior
from gbstats.frequentist.tests import (
    FrequentistConfig,
    SequentialConfig,
    SequentialTwoSidedTTest,
    TwoSidedTTest,
)
from gbstats.models.statistics import SampleMeanStatistic
from scipy import stats

from benchmarks import experiments
from tests.support.builds import Warehouse
from tests.support.macros import rendered
from tests.support.models import model_sql

Row = dict[str, Any]
#: Prefix of a metric's sums, of its control's sums and of its lift.
METRICS = [
    ("log_views", "control_", ""),
    ("engagement_rate", "control_engagement_rate_", "engagement_rate_"),
]


@pytest.fixture(scope="module")
def results(demo: Warehouse) -> list[Row]:
    return demo.query("select * from marts.experiment_results order by experiment_id, platform")


@pytest.fixture(scope="module")
def posts(demo: Warehouse) -> dict[tuple[Any, str], list[Row]]:
    """Posts with their values at 72 hours, by product and platform, of the newest definition."""
    found = demo.query(
        "select facts.experiment_id, facts.product_id, facts.platform, facts.views_72h,"
        " facts.engagement_rate_72h, facts.views, facts.engagements"
        " from intermediate.int_post_facts as facts where facts.published_at >= '2026-10-01'"
    )
    total = demo.query("select count(*) as posts from canonical.published_posts")[0]["posts"]
    assert len(found) == total, "the simulated world has posts of one definition only"
    groups: dict[tuple[Any, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row["product_id"], row["platform"]), []).append(row)
    return groups


def test_every_experiment_is_there_once_for_each_platform_it_has_posts_on(
    demo: Warehouse, results: list[Row]
) -> None:
    expected = demo.query(
        "select distinct experiments.experiment_id, coalesce(posts.platform, 'none') as platform"
        " from canonical.experiments as experiments"
        " left join canonical.published_posts as posts"
        " on experiments.experiment_id = posts.experiment_id"
    )
    assert sorted((str(row["experiment_id"]), row["platform"]) for row in expected) == sorted(
        (str(row["experiment_id"]), row["platform"]) for row in results
    )
    assert {row["status"] for row in results} >= {"pending", "too_little_data"}


def test_sums_and_lifts_from_the_raw_posts(
    results: list[Row], posts: dict[tuple[Any, str], list[Row]]
) -> None:
    compared = 0
    for row in results:
        if row["platform"] == "none":
            continue
        same = posts[row["product_id"], row["platform"]]
        everyone = [
            one for key, group in posts.items() if key[1] == row["platform"] for one in group
        ]

        def logs(group: list[Row], own: bool, experiment: Any = row["experiment_id"]) -> Any:
            return np.log1p(
                [
                    one["views_72h"]
                    for one in group
                    if (one["experiment_id"] == experiment) == own and one["views_72h"] is not None
                ]
            )

        mine, control = logs(same, True), logs(same, False)
        scope = "product"
        if len(control) < 3:
            control, scope = logs(everyone, False), "platform"
        assert row["log_views_n"] == len(mine)
        assert row["control_scope"] == scope
        assert row["control_n"] == len(control)
        assert row["control_sum"] == pytest.approx(control.sum())
        assert row["control_sum_squares"] == pytest.approx((control**2).sum())
        if not len(mine):
            assert row["lift"] is None
            assert row["status"] in ("pending", "too_little_data")
            continue
        assert row["log_views_mean"] == pytest.approx(mine.mean())
        if len(mine) >= 10:
            assert row["se_source"] == "posts"
            continue  # arms of trials: see what gbstats says of such
        compared += 1
        # Few posts an experiment: the deviation is that between the platform's posts.
        both = np.concatenate([logs(everyone, True), logs(everyone, False)])
        t, c, v = mine.mean(), control.mean(), both.var(ddof=1)
        assert row["se_source"] == "platform"
        assert row["lift"] == pytest.approx((t - c) / c)
        se = math.sqrt(v / (c**2 * len(mine)) + v * t**2 / (c**4 * len(control)))
        assert row["lift_se"] == pytest.approx(se)
        weight = 1 / (1 + se**2 / (0.3 / c) ** 2)
        assert row["shrunk_lift"] == pytest.approx(weight * (t - c) / c)
        assert row["shrunk_views_lift"] == pytest.approx(math.exp(weight * (t - c)) - 1)
        normal = stats.norm(row["shrunk_lift"], math.sqrt(weight) * se)
        assert row["chance_to_win"] == pytest.approx(normal.sf(0), rel=1e-6)
        assert [row["lift_lo"], row["lift_hi"]] == pytest.approx(list(normal.ppf([0.025, 0.975])))
    assert compared > 400


# -- many posts an experiment, on random data, through the model's own SQL


def results_of(frame: pl.DataFrame) -> list[Row]:
    """The model and its steps over outcomes of posts, by the model's own SQL."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("frame", frame)
        for name, sql in {
            "int_post_outcomes": "select post_id::uuid as post_id, experiment_id::uuid as"
            " experiment_id, product_id::uuid as product_id, platform, views_72h,"
            " engagement_rate_72h, views, engagements, 0 as definition_era, false as crosses_break,"
            " timestamptz '2026-03-01 00:00:00+00' as published_at,"
            " timestamptz '2026-03-05 00:00:00+00' as known_at from frame",
            "int_post_facts": "select post_id::uuid as post_id, 'ok' as status_72h from frame",
            "accepted_experiments": "select distinct experiment_id::uuid as experiment_id,"
            " product_id::uuid as product_id, null::text as variation_label,"
            " timestamptz '2026-03-01 00:00:00+00' as known_at from frame",
        }.items():
            connection.execute(f"create table {name} as {sql}")
        for step in ("int_experiment_arms", "int_experiment_comparison"):
            connection.execute(
                f"create table {step} as {model_sql(f'marts/creative/steps/{step}')}"
            )
        found = connection.execute(model_sql("marts/creative/experiment_results"))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def many() -> tuple[list[Row], pl.DataFrame]:
    """Random outcomes with one to sixty posts an experiment, and what is said of them."""
    random = np.random.default_rng(5)
    rows: list[Row] = []
    for product in range(6):
        for experiment in range(8):
            effect, rate = random.normal(0, 0.4), math.exp(random.normal(-3, 0.3))
            for post in range(int(random.choice([1, 4, 12, 30, 60]))):
                views = math.exp(random.normal(7 + effect, 0.9))
                rows.append(
                    {
                        "post_id": f"{product:08d}-{experiment:04d}-0000-0000-{post:012d}",
                        "experiment_id": f"{product:08d}-{experiment:04d}-0000-0000-000000000000",
                        "product_id": f"{product:08d}-0000-0000-0000-000000000000",
                        "platform": "tiktok" if post % 3 else "youtube",
                        "views_72h": views if random.random() > 0.1 else None,
                        "engagement_rate_72h": rate * random.lognormal(0, 0.3),
                        "views": int(views * 2),
                        "engagements": int(random.poisson(views * 2 * rate)),
                    }
                )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return results_of(frame), frame


@pytest.mark.parametrize(("metric", "control", "lift"), METRICS)
def test_gbstats_says_the_same(
    many: tuple[list[Row], pl.DataFrame], metric: str, control: str, lift: str
) -> None:
    rows, frame = many
    compared = 0
    for row in rows:
        if row[f"{lift}se_source"] != "posts":
            continue
        compared += 1
        a, b = (
            SampleMeanStatistic(
                n=row[f"{name}n"], sum=row[f"{name}sum"], sum_squares=row[f"{name}sum_squares"]
            )
            for name in (control, f"{metric}_")
        )
        # p value and interval from our sums are those from the posts themselves
        column = "views_72h" if metric == "log_views" else "engagement_rate_72h"
        here = frame.filter(
            (pl.col("platform") == row["platform"]) & pl.col(column).is_not_null()
        ).with_columns(pl.col("views_72h").log1p().alias("log"))
        value = pl.col("log" if metric == "log_views" else column)
        mine = here.filter(pl.col("experiment_id") == str(row["experiment_id"]))
        rest = here.filter(pl.col("experiment_id") != str(row["experiment_id"]))
        assert row["control_scope"] == "product"
        rest = rest.filter(pl.col("product_id") == str(row["product_id"]))
        x, y = mine.select(value).to_series().to_numpy(), rest.select(value).to_series().to_numpy()
        absolute = TwoSidedTTest(
            a, b, FrequentistConfig(difference_type="absolute")
        ).compute_result()
        welch = stats.ttest_ind(x, y, equal_var=False)
        assert absolute.p_value == pytest.approx(welch.pvalue, rel=1e-6)
        assert absolute.ci == pytest.approx(list(welch.confidence_interval(0.95)), rel=1e-6)
        # the lift, its error and what follows from them
        relative = TwoSidedTTest(a, b).compute_result()
        assert row[f"{lift}lift"] == pytest.approx(relative.expected, rel=1e-9)
        assert row[f"{lift}lift_se"] == pytest.approx(relative.uplift.stddev, rel=1e-6)
        config = EffectBayesianConfig(
            prior_effect=GaussianPrior(mean=0, variance=0.09, proper=True),
            prior_type="absolute" if metric == "log_views" else "relative",
        )
        bayesian = EffectBayesianABTest(a, b, config).compute_result()
        assert row[f"{lift}shrunk_lift"] == pytest.approx(bayesian.expected, rel=1e-6)
        assert [row[f"{lift}lift_lo"], row[f"{lift}lift_hi"]] == pytest.approx(
            bayesian.ci, rel=1e-6
        )
        assert row[f"{lift}chance_to_win"] == pytest.approx(bayesian.chance_to_win, rel=1e-5)
        loss = bayesian.risk[1]
        assert row[f"{lift}expected_loss"] == pytest.approx(loss, rel=1e-4, abs=1e-9)
    assert compared >= 20


def test_statuses_follow_from_the_interval_that_is_always_valid(
    many: tuple[list[Row], pl.DataFrame],
) -> None:
    rows, _ = many
    for row in rows:
        if row["log_views_n"] == 0:
            assert row["status"] == "too_little_data"
        elif row["always_valid_lo"] > 0:
            assert row["status"] == "leading"
        elif row["always_valid_hi"] < 0:
            assert row["status"] == "losing"
        else:
            weak = row["lift_se"] >= 0.3 / row["control_mean"]
            assert row["status"] == ("too_little_data" if weak else "inconclusive")
    found = {row["status"] for row in rows}
    assert found >= {"leading", "losing", "inconclusive", "too_little_data"}


def test_the_interval_that_is_always_valid_is_the_one_of_gbstats(
    many: tuple[list[Row], pl.DataFrame],
) -> None:
    """Its groups have as many posts as tell as much; the variance is that of our posts."""
    rows, frame = many
    logs = frame.drop_nulls("views_72h").with_columns(log=pl.col("views_72h").log1p())
    compared = 0
    for row in rows:
        if not row["log_views_n"]:
            continue
        here = logs.filter(pl.col("platform") == row["platform"])
        is_arm = pl.col("experiment_id") == str(row["experiment_id"])
        arm = here.filter(is_arm)["log"].to_numpy()
        rest = here.filter(~is_arm, pl.col("product_id") == str(row["product_id"]))["log"]
        control = rest.to_numpy()
        n, m = len(arm), len(control)
        squares = ((arm - arm.mean()) ** 2).sum() + ((control - control.mean()) ** 2).sum()
        everyone = here["log"].to_numpy().var(ddof=1)
        variance = (squares + 10 * everyone) / (n + m - 2 + 10)
        told, many_posts = n * m / (n + m), 1_000_000
        # Two groups of a million, and as much more variance and plan, are these posts.
        scaled = variance / told * many_posts / 2
        sides = [
            SampleMeanStatistic(
                n=many_posts, sum=mean * many_posts,
                sum_squares=scaled * (many_posts - 1) + many_posts * mean**2,
            )
            for mean in (control.mean(), arm.mean())
        ]  # fmt: skip
        config = SequentialConfig(
            difference_type="absolute", alpha=0.1,
            sequential_tuning_parameter=20 * 2 * many_posts / told,
        )  # fmt: skip
        low, high = SequentialTwoSidedTTest(*sides, config).compute_result().ci
        assert row["always_valid_lo"] == pytest.approx(math.expm1(low), rel=1e-6)
        assert row["always_valid_hi"] == pytest.approx(math.expm1(high), rel=1e-6)
        compared += 1
    assert compared >= 60


def test_looking_after_every_build_makes_no_arm_lead_that_is_no_better() -> None:
    """Sixteen arms alike, looked at thirty times: fixed intervals are wrong of one in eight."""
    posts = experiments.drawn(seeds=range(1, 11), sizes=(10, 40), effects=(0.0,) * 8)
    told = looked_at(posts)
    assert told["status"].wrong <= 0.05
    assert told["fixed"].wrong > 0.05, "these looks would show a verdict that is not always valid"


def test_a_better_arm_of_forty_posts_comes_to_lead() -> None:
    posts = experiments.drawn(seeds=range(1, 21), sizes=(40,))
    told = looked_at(posts)["status"]
    assert told.better >= 0.8
    assert told.worse >= 0.8
    assert told.wrong <= 0.05


def looked_at(posts: pl.DataFrame) -> dict[str, experiments.Told]:
    """What each way to read a verdict said over all looks; a look is a product of its own."""
    keyed = posts.with_columns(
        post_id=pl.format("{}-0000-0000-0000-{}", _padded("look", 8), _padded("row", 12)),
        product_id=pl.format("{}-{}-0000-0000-0", _padded("look", 8), _padded("seed", 4))
        + "0" * 11,
        experiment_id=pl.format(
            "{}-{}-{}-0000-0", _padded("look", 8), _padded("seed", 4), _padded("arm", 4)
        )
        + "0" * 11,
        platform=pl.lit("tiktok"),
        views_72h=pl.col("log_views").exp() - 1,
        engagement_rate_72h=pl.lit(None, pl.Float64),
        views=pl.lit(None, pl.Int64),
        engagements=pl.lit(None, pl.Int64),
    )
    wanted = ("status", "chance_to_win", "lift", "lift_se")
    told = pl.DataFrame(
        [
            {"experiment_id": str(row["experiment_id"]), **{name: row[name] for name in wanted}}
            for row in results_of(keyed)
        ],
        infer_schema_length=None,
    )
    arms = keyed.unique("experiment_id").select("experiment_id", "seed", "look", "arm", "effect")
    read = experiments.with_other_verdicts(arms.join(told, on="experiment_id"))
    return {name: experiments.judged(read, name) for name in ("status", "fixed")}


def _padded(column: str, width: int) -> pl.Expr:
    source = pl.int_range(pl.len()) if column == "row" else pl.col(column)
    return source.cast(pl.String).str.zfill(width)


def test_few_posts_take_the_platforms_deviation(many: tuple[list[Row], pl.DataFrame]) -> None:
    rows, _ = many
    sources = {(row["log_views_n"] >= 10, row["se_source"]) for row in rows if row["log_views_n"]}
    assert sources == {(True, "posts"), (False, "platform")}


# -- the simulated world's truth


def test_trials_that_are_decided_are_decided_right(demo: Warehouse) -> None:
    """A verdict has the sign of what effects, without chance, make of an arm and its control."""
    folder = demo.home / "demo_truth"
    expected = {
        row["post_id"]: row["expected_log_views"]
        for row in pl.read_parquet(folder / "truth_posts.parquet").to_dicts()
    }
    trials = set(pl.read_parquet(folder / "truth_trials.parquet")["experiment_id"])
    posts = demo.query(
        "select post_id, experiment_id, product_id, platform from intermediate.int_post_outcomes"
        " where views_72h is not null"
    )
    decided = 0
    for row in demo.query("select * from marts.experiment_results where log_views_n >= 5"):
        same = [
            post
            for post in posts
            if (post["product_id"], post["platform"]) == (row["product_id"], row["platform"])
        ]
        arm, control = (
            np.mean(
                [
                    expected[str(post["post_id"])]
                    for post in same
                    if (post["experiment_id"] == row["experiment_id"]) is is_arm
                ]
            )
            for is_arm in (True, False)
        )
        assert str(row["experiment_id"]) in trials
        if row["status"] in ("leading", "losing"):
            decided += 1
            assert (row["status"] == "leading") == (arm > control)
    assert decided >= 2


def test_shrunken_rates_are_nearer_to_the_truth_than_raw_ones(
    demo: Warehouse, results: list[Row]
) -> None:
    """Also where each post has shown little: the world's counts, thinned to a few views."""
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_posts.parquet")
    true = {
        (row["experiment_id"], row["platform"]): row["true_engagement_rate"]
        for row in truth.to_dicts()
    }
    random = np.random.default_rng(3)
    arms = []
    for row in results:
        rate = true.get((str(row["experiment_id"]), row["platform"]))
        if rate is not None:
            views = int(math.exp(random.uniform(math.log(20), math.log(400))))
            arms.append(
                (row["platform"], str(row["product_id"]), views, random.poisson(rate * views), rate)
            )
    listed = ", ".join(f"('{p}', '{g}', {n}, {y}, {t})" for p, g, n, y, t in arms)
    body = rendered("two_level_shrinkage", "arms", ["t", "n", "y"], ["p"], ["g"], "y", "n")
    with duckdb.connect() as connection:
        found = connection.execute(
            f"with arms (p, g, n, y, t) as (values {listed}), shrunk as ({body})"
            " select cast(t as double), n, y, rate_eb from shrunk"
        ).fetchnumpy()
    rates, raw = found["rate_eb"], found["y"] / found["n"]
    actual = next(found[name] for name in found if name not in ("rate_eb", "y", "n"))
    assert stats.spearmanr(rates, actual)[0] > stats.spearmanr(raw, actual)[0]
    assert np.mean((rates - actual) ** 2) < 0.8 * np.mean((raw - actual) ** 2)


def test_the_intervals_of_rates_hold_the_true_rate(demo: Warehouse, results: list[Row]) -> None:
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_posts.parquet")
    true = {
        (row["experiment_id"], row["platform"]): row["true_engagement_rate"]
        for row in truth.to_dicts()
    }
    inside = [
        row["engagement_rate_eb_lo"] <= rate <= row["engagement_rate_eb_hi"]
        for row in results
        if (rate := true.get((str(row["experiment_id"]), row["platform"]))) is not None
    ]
    assert len(inside) > 400
    assert 0.85 < np.mean(inside) <= 1


# -- bandit arms


@pytest.fixture(scope="module")
def arms(demo: Warehouse) -> dict[tuple[Any, str], list[Row]]:
    groups: dict[tuple[Any, str], list[Row]] = {}
    for row in demo.query("select * from marts.bandit_arms"):
        groups.setdefault((row["product_id"], row["platform"]), []).append(row)
    return groups


def test_the_chance_to_be_best_is_that_of_many_draws(
    arms: dict[tuple[Any, str], list[Row]],
) -> None:
    random = np.random.default_rng(1)
    assert len(arms) > 20
    for group in arms.values():
        alpha = np.array([row["alpha"] for row in group])[:, None]
        beta = np.array([row["beta"] for row in group])[:, None]
        draws = random.beta(alpha, beta, (len(group), 40_000))
        best = np.bincount(draws.argmax(axis=0), minlength=len(group)) / draws.shape[1]
        loss = (draws.max(axis=0) - draws).mean(axis=1)
        chances = np.array([row["chance_best"] for row in group])
        assert chances.sum() == pytest.approx(1, abs=1e-12)
        assert chances == pytest.approx(best, abs=0.012)
        assert np.array([row["expected_loss"] for row in group]) == pytest.approx(loss, abs=0.012)
        for row in group:
            distribution = stats.beta(row["alpha"], row["beta"])
            assert row["mean"] == pytest.approx(distribution.mean())
            assert row["sd"] == pytest.approx(distribution.std())
            assert row["suggested_share"] == row["chance_best"]
            assert 0 <= row["exploration_bonus"] <= 1 - row["mean"] + 1e-12


def test_trials_and_priors_from_the_raw_posts(
    demo: Warehouse, arms: dict[tuple[Any, str], list[Row]]
) -> None:
    facts = [
        row
        for row in demo.query("select * from intermediate.int_post_facts")
        if row["views_72h"] is not None
    ]
    medians = {
        platform: np.median([row["views_72h"] for row in facts if row["platform"] == platform])
        for platform in {row["platform"] for row in facts}
    }
    used = 0
    for (product, platform), group in arms.items():
        for row in group:
            same = [
                (one["product_id"] == product, one["views_72h"] > medians[platform])
                for one in facts
                if one["platform"] == platform and one["pattern_id"] == row["pattern_id"]
                if one["product_id"] is not None
            ]
            trials, successes = sum(own for own, _ in same), sum(own and won for own, won in same)
            others, lucky = len(same) - trials, sum(won and not own for own, won in same)
            weight = min(1, 10 / others) if others else 1
            assert (row["trials"], row["successes"]) == (trials, successes)
            assert row["alpha"] == pytest.approx(1 + successes + weight * lucky)
            assert row["beta"] == pytest.approx(1 + trials - successes + weight * (others - lucky))
            used += trials > 0
    assert used > 50


def test_a_product_has_its_own_patterns_those_it_used_and_those_of_nobody(
    demo: Warehouse, arms: dict[tuple[Any, str], list[Row]]
) -> None:
    patterns = demo.query("select pattern_id, product_id from canonical.creative_patterns")
    used = demo.query(
        "select distinct product_id, pattern_id from intermediate.int_post_facts"
        " where pattern_id is not null and product_id is not null"
    )
    for (product, _), group in arms.items():
        expected = {one["pattern_id"] for one in patterns if one["product_id"] in (product, None)}
        expected |= {one["pattern_id"] for one in used if one["product_id"] == product}
        assert {row["pattern_id"] for row in group} == expected
