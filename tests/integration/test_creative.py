"""Patterns, tags and gaps against NumPy and SciPy, and against what is true of the world."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy import stats

from tests.support.builds import Warehouse

Floats = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]

Z = 1.959963984540054
MIN_VIEWS = 100
KINDS = ("style", "emotion", "structure", "hashtag", "variable")


@pytest.fixture(scope="module")
def outcomes(demo: Warehouse) -> Rows:
    """Every post as it came out, with times as they are."""
    return demo.query("select * from intermediate.int_post_outcomes order by post_id")


@pytest.fixture(scope="module")
def patterns(demo: Warehouse) -> Rows:
    return demo.query("select * from marts.creative_pattern_performance")


@pytest.fixture(scope="module")
def effects(demo: Warehouse) -> Rows:
    return demo.query("select * from marts.creative_tag_effects")


@pytest.fixture(scope="module")
def tags(demo: Warehouse) -> dict[Any, set[tuple[str, str]]]:
    """What each post was made with, from the canonical rows and not from the mart's helper."""
    found: dict[Any, set[tuple[str, str]]] = defaultdict(set)
    pattern_tags = {
        row["pattern_id"]: [("style", tag) for tag in row["style_tags"]]
        + [("emotion", tag) for tag in row["emotion_tags"]]
        + ([("structure", row["structure"])] if row["structure"] else [])
        for row in demo.query("select * from canonical.creative_patterns")
    }
    script_tags = {
        row["script_id"]: [
            ("variable", f"{name}={row[name]}")
            for name in ("cta_style", "hook_type", "length", "pacing")
            if row[name] is not None
        ]
        for row in demo.query(
            """
            select script_id, creative_variables ->> 'cta_style' as cta_style,
                creative_variables ->> 'hook_type' as hook_type,
                creative_variables ->> 'length' as length,
                creative_variables ->> 'pacing' as pacing
            from canonical.scripts
            """
        )
    }
    hashtags = {
        row["post_id"]: row["hashtags"] or []
        for row in demo.query(
            "select post_id, hashtags from intermediate.int_published_posts "
            "where _verdict = 'accepted'"
        )
    }
    for post in demo.query("select * from intermediate.int_post_outcomes"):
        key = post["post_id"]
        found[key].update(pattern_tags.get(post["pattern_id"], []))
        found[key].update(script_tags.get(post["script_id"], []))
        found[key].update(("hashtag", tag) for tag in hashtags[key])
    return found


def placed(rows: Rows, platform: str) -> Rows:
    return [row for row in rows if platform in ("all", row["platform"])]


def choice(kind: str, tag: str) -> str:
    return tag.split("=")[0] if kind == "variable" else ""


def test_post_tags_are_those_of_pattern_script_and_post(
    demo: Warehouse, tags: dict[Any, set[tuple[str, str]]]
) -> None:
    found: dict[Any, set[tuple[str, str]]] = defaultdict(set)
    for row in demo.query(
        """
        select posts.post_id, tags.kind, tags.tag
        from intermediate.int_post_outcomes as posts
        inner join intermediate.int_pattern_tags as tags on posts.pattern_id = tags.pattern_id
        union all
        select posts.post_id, 'variable', unnest(scripts.tags)
        from intermediate.int_post_outcomes as posts
        inner join intermediate.int_script_tags as scripts on posts.script_id = scripts.script_id
        union all
        select posts.post_id, 'hashtag', tags.tag
        from intermediate.accepted_published_posts as posts
        inner join intermediate.int_hashtag_tags as tags on posts.hashtags = tags.hashtags
        """
    ):
        found[row["post_id"]].add((row["kind"], row["tag"]))
    assert found == tags


def clustered(y: Floats, has: npt.NDArray[np.bool_], scripts: list[Any]) -> dict[str, float]:
    """The difference of two means with a sandwich clustered by script, and its t test.

    Each side's part of it is made larger as the mean of so many scripts of one size is. With a post
    a script that is Welch's test, asserted here. The degrees of freedom are Satterthwaite's.
    """
    x = np.stack([has, ~has], axis=1).astype(float)
    bread = np.linalg.inv(x.T @ x)
    coefficients = bread @ x.T @ y
    number = {script: place for place, script in enumerate(dict.fromkeys(scripts))}
    of_script = np.zeros((len(number), len(y)))
    of_script[[number[script] for script in scripts], np.arange(len(y))] = 1
    scores = of_script @ (x * (y - x @ coefficients)[:, None])
    variance = bread @ scores.T @ scores @ bread
    sizes = of_script @ x
    worth = sizes.sum(axis=0) ** 2 / (sizes**2).sum(axis=0)
    sides = np.diag(variance) * worth / (worth - 1)
    squared = sides.sum() - 2 * variance[0, 1]
    df = min(sides.sum() ** 2 / (sides**2 / (worth - 1)).sum(), len(number) - 2)
    lift, error = coefficients[0] - coefficients[1], math.sqrt(squared)
    welch = stats.ttest_ind(y[has], y[~has], equal_var=False)
    if len(number) == len(y):
        assert welch.pvalue == pytest.approx(2 * stats.t.sf(abs(lift / error), df), rel=1e-9)
    of_posts = abs(lift / welch.statistic)
    return {
        "lift": lift, "se": error, "df": df, "worth": worth.min(),
        "half": stats.t.ppf(0.975, df) * error, "p": 2 * stats.t.sf(abs(lift / error), df),
        "widening": max(1, error / of_posts),
    }  # fmt: skip


def sided(
    outcomes: Rows, tags: dict[Any, set[tuple[str, str]]], platform: str, kind: str, tag: str
) -> tuple[Rows, list[bool]]:
    """Posts that a tag is told by, and which of them have it."""
    rows, has = [], []
    for post in placed(outcomes, platform):
        of_kind = [
            other
            for name, other in tags[post["post_id"]]
            if name == kind and choice(kind, other) == choice(kind, tag)
        ]
        if post["log_lift_72h"] is not None and of_kind:
            rows.append(post)
            has.append(tag in of_kind)
    return rows, has


def by_script(
    outcomes: Rows, tags: dict[Any, set[tuple[str, str]]], row: dict[str, Any]
) -> dict[str, float] | None:
    """What the tag of a row of the mart does, or None where too little is known of it."""
    rows, has = sided(outcomes, tags, row["platform"], row["kind"], row["tag"])
    if min(sum(has), len(has) - sum(has)) < 10:
        return None
    found = clustered(
        np.array([post["log_lift_72h"] for post in rows]),
        np.array(has),
        [post["script_id"] or post["post_id"] for post in rows],
    )
    return found if found["worth"] >= 5 else None


def test_errors_of_tags_are_clustered_by_script(
    outcomes: Rows, effects: Rows, tags: dict[Any, set[tuple[str, str]]]
) -> None:
    """Both sides drawn in Python from the posts; the sandwich as textbooks have it."""
    tested = wider = 0
    for row in effects:
        rows, has = sided(outcomes, tags, row["platform"], row["kind"], row["tag"])
        sides = tuple(
            [post for post, with_tag in zip(rows, has, strict=True) if with_tag == side]
            for side in (True, False)
        )
        assert (row["posts_with"], row["posts_without"]) == (len(sides[0]), len(sides[1]))
        assert row["products"] == len({post["product_id"] for post in sides[0]})
        assert (row["scripts_with"], row["scripts_without"]) == tuple(
            len({post["script_id"] or post["post_id"] for post in side}) for side in sides
        )
        expected = by_script(outcomes, tags, row)
        if expected is None:
            assert row["lift_log"] is row["se"] is row["p_value"] is row["q_value"] is None
            assert row["shrunk_lift"] is None
            continue
        tested += 1
        wider += expected["widening"] > 1.05
        lift, error, p = expected["lift"], expected["se"], expected["p"]
        assert row["lift_log"] == pytest.approx(lift, abs=1e-9)
        assert row["se"] == pytest.approx(error, rel=1e-7)
        assert row["p_value"] == pytest.approx(p, rel=(2e-2 if p > 1e-3 else 2e-1))
        assert row["lo"] == pytest.approx(lift - expected["half"], abs=1e-3 * error)
        assert row["hi"] == pytest.approx(lift + expected["half"], abs=1e-3 * error)
    assert tested > 100
    assert wider > 20


def test_q_values_and_shrinkage_are_within_platform_and_kind(effects: Rows) -> None:
    groups: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in effects:
        if row["p_value"] is not None:
            groups[row["platform"], row["kind"]].append(row)
    assert {kind for _, kind in groups} == set(KINDS)
    for rows in groups.values():
        expected = stats.false_discovery_control([row["p_value"] for row in rows], method="bh")
        np.testing.assert_allclose([row["q_value"] for row in rows], expected, rtol=1e-9)
        spread = 0.3**2
        if len(rows) >= 5:
            spread = max(0.01, np.mean([row["lift_log"] ** 2 - row["se"] ** 2 for row in rows]))
        for row in rows:
            kept = spread / (spread + row["se"] ** 2)
            assert math.log1p(row["shrunk_lift"]) == pytest.approx(row["lift_log"] * kept, rel=1e-8)


def test_adjusted_lifts_are_a_ridge_regression(
    outcomes: Rows, effects: Rows, tags: dict[Any, set[tuple[str, str]]]
) -> None:
    """The design matrix from the posts, and the normal equations as textbooks have them.

    Intervals are as much wider as those of the tag alone are for posts that share a script.
    """
    adjusted = {
        (row["platform"], row["kind"], row["tag"]): row
        for row in effects
        if row["adjusted_lift"] is not None
    }
    compared = {
        (row["platform"], row["kind"], row["tag"]) for row in effects if row["se"] is not None
    }
    assert set(adjusted) == compared
    shared = 0
    for platform in ("tiktok", "youtube", "instagram", "all"):
        for kind in KINDS:
            rows = [
                (post["log_lift_72h"], tags[post["post_id"]])
                for post in placed(outcomes, platform)
                if post["log_lift_72h"] is not None
                and any(name == kind for name, _ in tags[post["post_id"]])
            ]
            columns = sorted(
                tag
                for tag in set().union(*(found for _, found in rows))
                if tag[0] in (kind, "structure") or tag[1].startswith("hook")
                if 10 <= sum(tag in found for _, found in rows) <= len(rows) - 10
            )
            x = np.array([[tag in found for tag in columns] for _, found in rows], dtype=float)
            y = np.array([lift for lift, _ in rows])
            posts_with = x.sum(axis=0)
            x, y = x - x.mean(axis=0), y - y.mean()
            alone, error = x.T @ y / (x**2).sum(axis=0), y.var(ddof=1) / (x**2).sum(axis=0)
            spread = max((alone**2 - error).mean(), 0.01) if len(columns) >= 5 else 0.09
            inverse = np.linalg.inv(x.T @ x + y.var(ddof=1) / spread * np.eye(len(columns)))
            coefficients = inverse @ x.T @ y
            noise = (y @ y - y @ x @ coefficients) / (len(y) - 1)
            for place, (tag_kind, tag) in enumerate(columns):
                if (platform, kind, tag) not in adjusted or tag_kind != kind:
                    continue
                contrast = np.zeros(len(columns))
                if kind in ("structure", "variable"):
                    for other, (other_kind, other_tag) in enumerate(columns):
                        if other_kind == kind and choice(kind, tag) == choice(kind, other_tag):
                            contrast[other] = -posts_with[other]
                    contrast /= -contrast.sum() - posts_with[place] or 1
                contrast[place] = 1
                mean = contrast @ coefficients
                row = adjusted[platform, kind, tag]
                told = by_script(outcomes, tags, row)
                assert told is not None
                half = math.sqrt(noise * contrast @ inverse @ contrast)
                half *= told["widening"] * told["half"] / told["se"]
                assert math.log1p(row["adjusted_lift"]) == pytest.approx(mean, abs=1e-9)
                assert math.log1p(row["adjusted_lo"]) == pytest.approx(mean - half, abs=1e-3 * half)
                assert math.log1p(row["adjusted_hi"]) == pytest.approx(mean + half, abs=1e-3 * half)
                shared += 1
    assert shared == len(adjusted) > 100


def variance_components(groups: list[Floats]) -> tuple[float, float, float] | None:
    """Mean, variance within and between groups by one-way analysis of variance."""
    groups = [group for group in groups if len(group)]
    n, k = sum(map(len, groups)), len(groups)
    if k < 5 or n - k < 5:
        return None
    every = np.concatenate(groups)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (n - k)
    between = sum(len(group) * (group.mean() - every.mean()) ** 2 for group in groups) / (k - 1)
    size = (n - sum(len(group) ** 2 for group in groups) / n) / (k - 1)
    return every.mean(), within, (between - within) / size


def wilson(successes: int, trials: int) -> float:
    return float(
        stats.binomtest(min(successes, trials), trials).proportion_ci(0.95, method="wilson").low
    )


@pytest.mark.parametrize("platform", ["tiktok", "youtube", "instagram", "all"])
def test_pattern_performance_against_numpy(outcomes: Rows, patterns: Rows, platform: str) -> None:
    """Rates, lifts, fatigue and ranks, computed from the posts one pattern at a time."""
    newest: dict[str, int] = defaultdict(int)
    for post in outcomes:
        newest[post["platform"]] = max(newest[post["platform"]], post["definition_era"])

    def exposed(post: dict[str, Any]) -> bool:
        return bool(
            post["views"]
            and post["engagements"] is not None
            and not post["crosses_break"]
            and post["definition_era"] == newest[post["platform"]]
        )

    def mean_rate(posts: Rows) -> float:
        rates = [p["engagements"] / p["views"] for p in posts if exposed(p)]
        counted = [p["views"] >= MIN_VIEWS for p in posts if exposed(p)]
        return float(np.mean(np.array(rates)[np.array(counted)]))

    level = {name: mean_rate(placed(outcomes, name)) for name in newest}
    level["all"] = mean_rate(outcomes)

    def fair_views(post: dict[str, Any]) -> float:
        if platform != "all":
            return float(post["views"])
        return float(post["views"] * level[post["platform"]] / level["all"])

    by_pattern: dict[Any, Rows] = defaultdict(list)
    for post in placed(outcomes, platform):
        if post["pattern_id"] is not None:
            by_pattern[post["pattern_id"]].append(post)
    big = [
        [p for p in posts if exposed(p) and p["views"] >= MIN_VIEWS]
        for posts in by_pattern.values()
    ]
    rates = [np.array([p["engagements"] / fair_views(p) for p in posts]) for posts in big]
    components = variance_components(rates)
    assert components is not None
    mean, within, between = components
    noise = mean * float(np.mean([1 / fair_views(p) for posts in big for p in posts]))
    post_weight = mean / max(within - noise, 0.01 * mean**2)
    prior_weight = mean / max(between, 0.01 * mean**2)
    lifts = {
        key: np.array([p["log_lift_72h"] for p in posts if p["log_lift_72h"] is not None])
        for key, posts in by_pattern.items()
    }
    components = variance_components(list(lifts.values()))
    assert components is not None
    usual, post_variance, pattern_variance = components
    post_variance, pattern_variance = max(post_variance, 0.01), max(pattern_variance, 0.01)

    rows = [row for row in patterns if row["platform"] == platform]
    assert any(row["posts"] == 0 for row in rows)
    expected_logs = {}
    for row in rows:
        posts = by_pattern.get(row["pattern_id"], [])
        seen = [p for p in posts if exposed(p)]
        assert row["posts"] == len(posts)
        assert row["views"] == (sum(p["views"] or 0 for p in posts) if posts else 0)
        assert row["last_used_at"] == max((p["published_at"] for p in posts), default=None)
        views, engaged = sum(p["views"] for p in seen), sum(p["engagements"] for p in seen)
        if views >= MIN_VIEWS:
            assert row["engagement_rate"] == pytest.approx(engaged / views, rel=1e-9)
            assert row["wilson_lo"] == pytest.approx(wilson(engaged, views), rel=1e-9)
        else:
            assert row["engagement_rate"] is None
        weights = np.array(
            [fair_views(p) * post_weight / (fair_views(p) + post_weight) for p in seen]
        )
        seen_rates = np.array([p["engagements"] / fair_views(p) for p in seen])
        shape = (weights * seen_rates).sum() + mean * prior_weight
        rate = weights.sum() + prior_weight
        assert row["engagement_rate_eb"] == pytest.approx(shape / rate, rel=1e-6)
        posterior = stats.gamma(shape, scale=1 / rate)
        assert row["engagement_rate_eb_lo"] == pytest.approx(posterior.ppf(0.025), rel=0.01)
        assert row["engagement_rate_eb_hi"] == pytest.approx(posterior.ppf(0.975), rel=0.01)

        known = lifts.get(row["pattern_id"], np.array([]))
        precision = len(known) / post_variance + 1 / pattern_variance
        expected = (known.sum() / post_variance + usual / pattern_variance) / precision
        expected_logs[row["pattern_id"]] = expected
        assert row["lift_posts"] == len(known)
        assert math.log1p(row["shrunk_lift"]) == pytest.approx(expected, abs=1e-6)
        for end, side in (("lift_lo", -1), ("lift_hi", 1)):
            assert math.log1p(row[end]) == pytest.approx(
                expected + side * Z / math.sqrt(precision), abs=1e-6
            )
        if len(known) == 0:
            assert row["lift"] is row["share_above_median"] is None
        else:
            assert math.log1p(row["lift"]) == pytest.approx(known.mean(), abs=1e-9)
            above = [
                p["views_72h"] > p["reference_median_72h"] * (1 + 1e-9)
                for p in posts
                if p["log_lift_72h"] is not None
            ]
            assert row["share_above_median"] == pytest.approx(np.mean(above))
        uses = sorted(
            (p for p in posts if p["log_lift_72h"] is not None),
            key=lambda p: (p["published_at"], str(p["post_id"])),
        )
        if len(uses) < 10:
            assert row["fatigue_z"] is None
        else:
            values = np.array([p["log_lift_72h"] for p in uses])
            first, last = values[:5], values[-5:]
            error = math.sqrt(first.var(ddof=1) / 5 + last.var(ddof=1) / 5)
            assert row["fatigue_z"] == pytest.approx((last.mean() - first.mean()) / error, rel=1e-6)
    ranked = sorted(rows, key=lambda row: row["rank"])
    assert [row["rank"] for row in ranked] == list(range(1, len(rows) + 1))
    in_order = [expected_logs[row["pattern_id"]] for row in ranked]
    assert in_order == pytest.approx(sorted(in_order, reverse=True))


def test_every_pattern_has_a_row_on_every_platform_with_posts(
    demo: Warehouse, patterns: Rows
) -> None:
    wanted = demo.query(
        """
        select pattern_id, platform from canonical.creative_patterns
        cross join (
            select distinct platform from canonical.published_posts union all select 'all'
        ) as platforms
        """
    )
    found = {(row["pattern_id"], row["platform"]) for row in patterns}
    assert found == {(row["pattern_id"], row["platform"]) for row in wanted}


def true_effects(demo: Warehouse) -> dict[tuple[str, str], float]:
    frame = pl.read_parquet(demo.home / "demo_truth" / "truth_effects.parquet")
    named = frame.filter(pl.col("platform").is_null()).select("kind", "name", "effect_log_views")
    return {(kind, name): views for kind, name, views in named.iter_rows()}


def test_clear_effects_have_the_sign_they_were_given(demo: Warehouse, effects: Rows) -> None:
    """Of what the mart calls all but certain, nothing points the wrong way."""
    truth = true_effects(demo)
    clear = [row for row in effects if row["platform"] == "all" and (row["q_value"] or 1) < 0.05]
    assert len(clear) >= 4
    wrong = [
        (row["kind"], row["tag"], row["lift_log"])
        for row in clear
        if truth[row["kind"], row["tag"]] * row["lift_log"] < 0
    ]
    assert not wrong
    found = {(row["kind"], row["tag"]) for row in clear}
    assert {("hashtag", "ad"), ("variable", "hook_type=question")} <= found


def test_shrunk_effects_are_nearer_the_truth(demo: Warehouse, effects: Rows) -> None:
    truth = true_effects(demo)
    rows = [row for row in effects if row["shrunk_lift"] is not None]
    true = np.array([truth[row["kind"], row["tag"]] for row in rows])
    raw = np.array([row["lift_log"] for row in rows])
    shrunk = np.log1p([row["shrunk_lift"] for row in rows])
    assert np.sqrt(np.mean((shrunk - true) ** 2)) < 0.9 * np.sqrt(np.mean((raw - true) ** 2))


def test_shrunk_rates_and_lifts_of_patterns_are_nearer_the_truth(
    demo: Warehouse, patterns: Rows
) -> None:
    """Against what a pattern's next post is to get: its own effect, its tags', its product's."""
    effects = pl.read_parquet(demo.home / "demo_truth" / "truth_effects.parquet")
    on_views, on_rate = (
        {
            (kind, name): value
            for kind, name, value in effects.select("kind", "name", column).iter_rows()
        }
        for column in ("effect_log_views", "effect_log_rate")
    )
    made_of = {
        str(row["pattern_id"]): [
            ("pattern", str(row["pattern_id"])),
            *(("style", tag) for tag in row["style_tags"]),
            *(("emotion", tag) for tag in row["emotion_tags"]),
            ("structure", row["structure"]),
        ]
        for row in demo.query("select * from canonical.creative_patterns")
    }
    product = {
        str(row["pattern_id"]): str(row["product_id"])
        for row in demo.query(
            "select * from canonical.creative_patterns where product_id is not null"
        )
    }
    errors: dict[str, list[float]] = {"engagement_rate": [], "engagement_rate_eb": []}
    for row in patterns:
        key = str(row["pattern_id"])
        if row["platform"] == "all" or row["engagement_rate"] is None or key not in product:
            continue
        true = on_rate["platform_level", row["platform"]] + on_rate["product", product[key]]
        true += sum(on_rate[part] for part in made_of[key])
        for column, found in errors.items():
            found.append(row[column] - np.exp(true))
    raw, shrunk = (np.sqrt(np.mean(np.square(found))) for found in errors.values())
    assert shrunk < raw

    # Lifts are against the product's own posts, so only their differences are comparable.
    rows = [row for row in patterns if row["platform"] == "all" and row["lift"] is not None]
    strength = np.array(
        [sum(on_views[part] for part in made_of[str(r["pattern_id"])]) for r in rows]
    )
    spread: dict[str, float] = {}
    for column in ("lift", "shrunk_lift"):
        found_logs = np.log1p([row[column] for row in rows])
        spread[column] = float(np.std(found_logs - strength))
        assert stats.spearmanr(found_logs, strength).statistic > 0.5
    assert spread["shrunk_lift"] < spread["lift"]


def test_gaps_are_barely_tried_and_the_best_of_them(demo: Warehouse, outcomes: Rows) -> None:
    gaps = demo.query("select * from marts.experiment_gaps order by product_id, rank")
    performance = {
        (row["platform"], row["pattern_id"]): row
        for row in demo.query("select * from marts.creative_pattern_performance")
    }
    trend = {
        row["product_id"]: row["opportunity"]
        for row in demo.query("select * from marts.product_trends where is_latest and not is_stale")
    }
    own = defaultdict(set)
    for row in demo.query("select pattern_id, product_id from canonical.creative_patterns"):
        own[row["product_id"]].add(row["pattern_id"])
    tried: dict[tuple[Any, ...], int] = defaultdict(int)
    for post in outcomes:
        tried[post["product_id"], post["platform"], post["pattern_id"]] += 1

    def priority(product: Any, platform: str, pattern: Any) -> float:
        row = performance[platform, pattern]
        low, high = np.log1p(row["lift_lo"]), np.log1p(row["lift_hi"])
        mean, sd = np.log1p(row["shrunk_lift"]), (high - low) / 2 / Z
        upside = sd * stats.norm.pdf(mean / sd) + mean * stats.norm.cdf(mean / sd)
        opportunity = trend.get(product)
        factor = 1 if opportunity is None else 0.5 + opportunity
        return float(upside * factor / math.sqrt(1 + tried[product, platform, pattern]))

    for product in {row["product_id"] for row in gaps}:
        rows = [row for row in gaps if row["product_id"] == product]
        cells = {
            (platform, pattern): priority(product, platform, pattern)
            for (platform, pattern), row in performance.items()
            if platform != "all"
            and (row["rank"] <= 30 or pattern in own[product])
            and tried[product, platform, pattern] < 3
        }
        assert [row["rank"] for row in rows] == list(range(1, min(20, len(cells)) + 1))
        best = sorted(cells.values(), reverse=True)[: len(rows)]
        assert [row["priority"] for row in rows] == pytest.approx(best, rel=1e-6)
        for row in rows:
            key = (row["platform"], row["pattern_id"])
            assert row["priority"] == pytest.approx(cells[key], rel=1e-6)
            assert row["trials"] == tried[product, row["platform"], row["pattern_id"]]
            assert row["reason"].endswith(".")
            assert row["platform"] in row["reason"]
