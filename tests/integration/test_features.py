"""Features of the simulated world against an independent account of what was known when."""

from __future__ import annotations

import random

import numpy as np
from scipy.stats import spearmanr

from tests.support.builds import Warehouse
from tests.support.feature_oracle import assert_features


def test_features_are_what_the_rows_known_at_publication_say(demo: Warehouse) -> None:
    posts = sorted(
        row["post_id"]
        for row in demo.query(
            "select cast(post_id as text) as post_id from marts.post_features_as_of"
        )
    )
    rows = assert_features(demo, random.Random(1).sample(posts, 100))
    assert len(rows) == 100
    # Nothing is compared with nothing.
    for name in ("expected_ln_views_72h", "pattern_lift_72h", "trend_popularity", "max_similarity"):
        assert sum(row[name] is not None for row in rows) > 30, name


def test_every_accepted_post_has_a_row(demo: Warehouse) -> None:
    missing = demo.query(
        "select post_id from canonical.published_posts"
        " except select post_id from marts.post_features_as_of"
    )
    assert missing == []


def test_labels_are_the_age_metrics_known_today(demo: Warehouse) -> None:
    different = demo.query(
        """
        select features.post_id
        from marts.post_features_as_of as features
        inner join marts.post_age_metrics as ages
            on features.post_id = ages.post_id and ages.horizon_hours = 72
        where features.views_72h is distinct from ages.views
            or features.engagement_rate_72h is distinct from ages.engagement_rate
            or (ages.views is not null and features.views_72h_known_at <> ages.known_at)
            or features.views_72h_crosses_break <> ages.crosses_break
        """
    )
    assert different == []


def test_what_was_expected_says_something_about_what_came(demo: Warehouse) -> None:
    """Across platforms and products; features that held noise would not."""
    rows = demo.query(
        "select expected_ln_views_72h as expected, ln(1 + views_72h) as came"
        " from marts.post_features_as_of"
        " where views_72h is not null and platform_posts_72h >= 20"
    )
    expected, came = (np.array([row[name] for row in rows]) for name in ("expected", "came"))
    assert len(rows) > 200
    assert spearmanr(expected, came).statistic > 0.4
