"""Creative briefs: within their size, true to the marts they rest on, and readable."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

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
        # What the product tried itself comes first, then what ranks best.
        places = [
            (one["posts_of_this_product"] < 3, row["rank"])
            for one, row in zip(brief.get("patterns_that_work", []), patterns, strict=True)
        ]
        assert places == sorted(places)
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
        "select * from marts.creative_tag_effects where platform = 'all' "
        "and sign(adjusted_lift) = sign(lift_log)"
    )
    of_all = {
        (row["posts_with"], f"{round(row['adjusted_lift'] * 100):+d}%", row["q_value"] <= 0.1)
        for row in effects
    }
    choices = demo.query("select * from intermediate.int_product_choices where posts >= 3")
    own = {
        (str(row["product_id"]), row["posts"], f"{round(math.expm1(row['effect']) * 100):+d}%")
        for row in choices
        if row["chance_to_help"] >= 0.8 or row["chance_to_help"] <= 0.2
    }
    sources = set()
    for product, brief in briefs.items():
        for side in (brief["what_helps"], brief["what_hurts"]):
            assert side
            told = [one["confidence"] != "uncertain" for one in side]
            assert told == sorted(told, reverse=True)
            assert all(told) or (len(told) <= 3 and told.count(False) <= 2)
        for one in brief["what_helps"] + brief["what_hurts"]:
            sources.add(one["evidence_from"])
            if one["evidence_from"] == "this product":
                assert (product, one["posts"], one["views"]) in own
                assert one["confidence"] != "likely" or one["chance"] >= 0.9
            else:
                told = one["confidence"] != "uncertain"
                assert (one["posts"], one["views"], told) in of_all
                assert (one["q"] <= 0.1) == told
            assert one["chance"] >= (0.9 if one["confidence"] == "likely" else 0.8)
            low, high = (int(end.strip("%")) for end in one["range"].split(" to "))
            assert low <= int(one["views"].strip("%")) <= high
            if one["confidence"] == "clear":
                assert low > 0 or high < 0
        assert all(one["views"].startswith("+") for one in brief["what_helps"])
        assert all(one["views"].startswith("-") for one in brief["what_hurts"])
    assert sources == {"this product", "all products"}


def test_briefs_find_the_hook_that_does_better_for_their_product(
    demo: Warehouse, briefs: dict[str, Brief]
) -> None:
    """Of products with posts and a favourite of their own, most name it among the first three."""
    truth = pl.read_parquet(demo.home / "demo_truth" / "truth_products.parquet")
    favourites = {
        row["product_id"]: "hook type: " + row["favourite"].replace("_", " ")
        for row in truth.to_dicts()
        if row["favourite"] is not None and not row["stalled"]
    }
    found = [
        favourite in [one["what"] for one in briefs[product]["what_helps"][:3]]
        for product, favourite in favourites.items()
    ]
    assert len(found) >= 5
    assert sum(found) >= 0.6 * len(found)


def test_nothing_is_both_advised_and_advised_against(
    demo: Warehouse, briefs: dict[str, Brief]
) -> None:
    tags: dict[str, set[str]] = {}
    for row in demo.query(
        "select pattern_id, kind || ': ' || replace(tag, '_', ' ') as tag "
        "from intermediate.int_pattern_tags"
    ):
        tags.setdefault(str(row["pattern_id"]), set()).add(row["tag"])
    for brief in briefs.values():
        helps = {one["what"] for one in brief["what_helps"]}
        hurts = {one["what"] for one in brief["what_hurts"]}
        assert not helps & hurts
        assert not hurts & {one.split()[0] for one in brief.get("rising_hashtags", [])}
        warned = " ".join(brief.get("avoid", []))
        name = brief["product"]["name"]
        for one in brief.get("patterns_that_work", []) + brief.get("try_next", []):
            assert not tags[one["pattern_id"]] & hurts
            assert f'"{one["hook"]}"'.lower() not in warned.replace(name, "this").lower()
    assert len({brief["summary"].partition("Best bet")[2] for brief in briefs.values()}) > 5
    assert len({str(brief["what_helps"]) for brief in briefs.values()}) > 5


def test_what_a_choice_does_for_a_product_is_what_numpy_says(demo: Warehouse) -> None:
    """Posts of a script count n (1 + 8) / (n + 8); a normal prior around what all products say."""
    posts = demo.query(
        "select product_id, script_id, log_lift_72h as lift from intermediate.int_post_outcomes "
        "where log_lift_72h is not null and script_id is not null"
    )
    tags = {row["script_id"]: row["tags"] for row in demo.query(
        "select script_id, tags from intermediate.int_script_tags"
    )}  # fmt: skip
    effects = {
        row["tag"]: row
        for row in demo.query(
            "select * from marts.creative_tag_effects where platform = 'all' and kind = 'variable'"
        )
    }
    spread = np.var([row["lift"] for row in posts], ddof=1)
    lifts: dict[tuple[Any, Any], list[float]] = {}
    for row in posts:
        lifts.setdefault((row["product_id"], row["script_id"]), []).append(row["lift"])
    found = demo.query("select * from intermediate.int_product_choices")
    assert len(found) > 100
    for row in found:
        choice = row["tag"].split("=")[0] + "="
        with_tag: list[tuple[float, Any]] = []
        without: list[tuple[float, Any]] = []
        for (product, script), values in lifts.items():
            chosen = [tag for tag in tags.get(script, []) if tag.startswith(choice)]
            if product == row["product_id"] and chosen:
                side = with_tag if row["tag"] in chosen else without
                side.append((9 * len(values) / (len(values) + 8), np.mean(values)))
        w1, w0 = (sum(weight for weight, _ in side) for side in (with_tag, without))
        means = [np.average([m for _, m in side], weights=[w for w, _ in side])
                 for side in (with_tag, without)]  # fmt: skip
        own, variance = means[0] - means[1], spread * (1 / w1 + 1 / w0)
        usual, prior = 0.0, 0.09
        told = effects.get(row["tag"])
        if told and told["adjusted_lift"] is not None:
            usual = math.log1p(told["adjusted_lift"])
            width = math.log1p(told["adjusted_hi"]) - math.log1p(told["adjusted_lo"])
            prior += (width / 2 / stats.norm.ppf(0.975)) ** 2
        expected = stats.norm(
            (usual * variance + own * prior) / (variance + prior),
            math.sqrt(variance * prior / (variance + prior)),
        )
        assert row["effect"] == pytest.approx(expected.mean(), rel=1e-6, abs=1e-9)
        assert [row["effect_lo"], row["effect_hi"]] == pytest.approx(
            list(expected.ppf([0.025, 0.975])), rel=1e-6, abs=1e-9
        )
        assert row["chance_to_help"] == pytest.approx(expected.sf(0), rel=1e-5, abs=1e-7)


def test_best_posts_are_the_products_own_best(demo: Warehouse, briefs: dict[str, Brief]) -> None:
    posts = demo.query(
        "select * from intermediate.int_post_outcomes where log_lift_72h > 0 "
        "order by log_lift_72h desc, post_id"
    )
    for product, brief in briefs.items():
        best = [str(row["post_id"]) for row in posts if str(row["product_id"]) == product]
        shown = [one["post_id"] for one in brief.get("best_posts", [])]
        assert shown == best[: len(shown)]
        # Fewer than three where the document would grow too long.
        assert len(shown) >= min(len(best), 2)


def test_suggestions_are_the_gaps_of_the_product(demo: Warehouse, briefs: dict[str, Brief]) -> None:
    """In their order, but for what the brief warns of: a brief does not contradict itself."""
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
    suggested = 0
    for product, brief in briefs.items():
        offered: dict[str, str] = {}
        for row in gaps:
            pattern = str(row["pattern_id"])
            if str(row["product_id"]) == product and not (
                pattern in poor and (product, pattern) in used
            ):
                offered.setdefault(pattern, row["platform"])
        order = list(offered.items())
        places = [order.index((one["pattern_id"], one["platform"]))
                  for one in brief.get("try_next", [])]  # fmt: skip
        assert places == sorted(places)
        suggested += len(places)
    assert suggested > 20


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
        spoken = json.dumps([brief["summary"], brief.get("avoid"), brief["what_hurts"]])
        assert "#ad" not in spoken


def test_an_estimate_that_may_be_nothing_says_so(briefs: dict[str, Brief]) -> None:
    for brief in briefs.values():
        for one in brief.get("patterns_that_work", []):
            if "(likely 0%" in one["evidence"]:
                continue  # rounded: it may be on either side
            spans_nothing = "(likely -" in one["evidence"]
            assert one["confidence"] == ("uncertain" if spans_nothing else "clear")
        if "Best bet" in brief["summary"]:
            assert "likely" in brief["summary"]


def test_texts_are_in_one_line_and_sentences_end(briefs: dict[str, Brief]) -> None:
    for brief in briefs.values():
        assert brief["summary"].endswith(".")
        reasons = [one["reason"] for one in brief.get("try_next", [])]
        for sentence in [*brief.get("avoid", []), *reasons]:
            assert sentence.endswith(".")
            assert "\n" not in sentence
