"""Creative briefs: within their size, true to the marts they rest on, and readable."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.builds import Warehouse

Brief = dict[str, Any]


@pytest.fixture(scope="module")
def rows(demo: Warehouse) -> list[dict[str, Any]]:
    return demo.query("select * from marts.creative_briefs")


@pytest.fixture(scope="module")
def briefs(rows: list[dict[str, Any]]) -> dict[str, Brief]:
    return {str(row["product_id"]): json.loads(row["brief"]) for row in rows}


def test_every_product_has_one_within_8_kb(
    demo: Warehouse, rows: list[dict[str, Any]], briefs: dict[str, Brief]
) -> None:
    products = demo.query("select product_id from canonical.products")
    assert set(briefs) == {str(row["product_id"]) for row in products}
    for row in rows:
        # White space between the parts, as Postgres writes it, is within the bound too.
        spaced = json.dumps(json.loads(row["brief"]), ensure_ascii=False)
        compact = json.dumps(json.loads(row["brief"]), ensure_ascii=False, separators=(",", ":"))
        assert len(spaced.encode()) <= 8192
        assert row["brief_bytes"] == len(row["brief"].encode())
        assert abs(row["brief_bytes"] - len(compact.encode())) <= 20  # 0.10 is read as 0.1


def test_demo_data_is_labelled_and_nothing_is_empty(briefs: dict[str, Brief]) -> None:
    def check(value: Any) -> None:
        assert value is not None
        assert value != ""
        assert value != []
        assert value != {}
        if isinstance(value, dict):
            for part in value.values():
                check(part)
        elif isinstance(value, list):
            for part in value:
                check(part)

    for brief in briefs.values():
        assert "demo" in brief["simulated"]
        check(brief)


def test_patterns_that_work_are_those_of_the_mart(
    demo: Warehouse, briefs: dict[str, Brief]
) -> None:
    performance = {
        str(row["pattern_id"]): row
        for row in demo.query(
            "select * from marts.creative_pattern_performance where platform = 'all'"
        )
    }
    shown = 0
    for brief in briefs.values():
        patterns = [performance[one["pattern_id"]] for one in brief.get("patterns_that_work", [])]
        assert [row["rank"] for row in patterns] == sorted(row["rank"] for row in patterns)
        for one, row in zip(brief.get("patterns_that_work", []), patterns, strict=True):
            shown += 1
            assert row["shrunk_lift"] >= 0.02 - 1e-9
            assert (row["fatigue_z"] or 0) > -2
            assert f"Over {row['lift_posts']} posts" in one["evidence"]
            assert f"about {round(row['shrunk_lift'] * 100):+d}% views" in one["evidence"]
    assert shown > 10


def test_what_helps_and_hurts_is_unlikely_to_be_chance(
    demo: Warehouse, briefs: dict[str, Brief]
) -> None:
    effects = demo.query(
        "select * from marts.creative_tag_effects where platform = 'all' and q_value <= 0.2"
    )
    shares = {(row["posts_with"], f"{round(row['shrunk_lift'] * 100):+d}%") for row in effects}
    for brief in briefs.values():
        assert brief["what_helps"]
        assert brief["what_hurts"]
        for one in brief["what_helps"] + brief["what_hurts"]:
            assert (one["posts"], one["views"]) in shares
        assert all(one["views"].startswith("+") for one in brief["what_helps"])
        assert all(one["views"].startswith("-") for one in brief["what_hurts"])


def test_best_posts_are_the_products_own_best(demo: Warehouse, briefs: dict[str, Brief]) -> None:
    posts = demo.query(
        "select * from intermediate.int_post_outcomes where log_lift_72h > 0 "
        "order by log_lift_72h desc, post_id"
    )
    for product, brief in briefs.items():
        best = [str(row["post_id"]) for row in posts if str(row["product_id"]) == product]
        assert [one["post_id"] for one in brief.get("best_posts", [])] == best[:3]


def test_suggestions_are_the_gaps_of_the_product(demo: Warehouse, briefs: dict[str, Brief]) -> None:
    """But for patterns the product used to no good: a brief does not contradict itself."""
    gaps = demo.query("select * from marts.experiment_gaps order by product_id, rank")
    poor = {
        str(row["pattern_id"])
        for row in demo.query(
            "select pattern_id from marts.creative_pattern_performance where platform = 'all' "
            "and (fatigue_z <= -2 or (shrunk_lift < -0.05 and lift_posts >= 10))"
        )
    }
    used = {
        (str(row["product_id"]), str(row["pattern_id"]))
        for row in demo.query("select product_id, pattern_id from intermediate.int_post_outcomes")
    }
    for product, brief in briefs.items():
        expected: dict[str, str] = {}
        for row in gaps:
            pattern = str(row["pattern_id"])
            if str(row["product_id"]) == product and not (
                pattern in poor and (product, pattern) in used
            ):
                expected.setdefault(pattern, row["platform"])
        assert [(one["pattern_id"], one["platform"]) for one in brief["try_next"]] == list(
            expected.items()
        )[:3]


def test_no_brief_advises_on_saying_that_a_post_is_paid_for(
    demo: Warehouse, briefs: dict[str, Brief]
) -> None:
    """Posts with #ad clearly get fewer views here, which is no reason to leave it out."""
    clear = demo.query(
        "select q_value from marts.creative_tag_effects "
        "where platform = 'all' and kind = 'hashtag' and tag = 'ad'"
    )
    assert clear[0]["q_value"] < 0.05
    for brief in briefs.values():
        spoken = json.dumps([brief["summary"], brief["avoid"], brief["what_hurts"]])
        assert "#ad" not in spoken


def test_an_estimate_that_may_be_nothing_says_so(briefs: dict[str, Brief]) -> None:
    for brief in briefs.values():
        for one in brief.get("patterns_that_work", []):
            spans_nothing = "(likely -" in one["evidence"]
            assert one["confidence"] == ("uncertain" if spans_nothing else "clear")
        if "Best bet" in brief["summary"]:
            assert "likely" in brief["summary"]


def test_texts_are_in_one_line_and_sentences_end(briefs: dict[str, Brief]) -> None:
    for brief in briefs.values():
        assert brief["summary"].endswith(".")
        for sentence in [*brief["avoid"], *(one["reason"] for one in brief["try_next"])]:
            assert sentence.endswith(".")
            assert "\n" not in sentence
