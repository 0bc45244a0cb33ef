"""The features of a post told again, naively: loops over every row known by its publication."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import md5
from typing import Any

import numpy as np

from tests.support.builds import Warehouse

Row = dict[str, Any]

#: Columns that are no features: they may change when more becomes known.
LABELS = [
    *(f"views_{hours}h{end}" for hours in (24, 72, 168) for end in ("", "_known_at")),
    "engagement_rate_72h",
    "engagement_rate_72h_known_at",
]

PRIOR_POSTS = 3
FALLBACK_SHAPE, FALLBACK_RATE = 1, 25
SCRIPTS_COMPARED = 50


def valid_versions(
    warehouse: Warehouse, table: str, key: str, columns: str
) -> dict[str, list[Row]]:
    """The valid versions of every key, oldest first, each with ``at``: when it took effect."""
    rows = warehouse.query(
        f"select cast({key} as text) as key, {columns}, _effective_at as at, _known_at, "
        f"_load_id, _position from {warehouse.schema('intermediate')}.int_{table} "
        "where _verdict in ('accepted', 'superseded') and _effective_at is not null"
    )
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["_known_at"], row["_load_id"], row["_position"])):
        found[row["key"]].append(row)
    return found


def current(versions: list[Row], at: datetime) -> Row | None:
    """The newest of the versions that had taken effect."""
    return next((row for row in reversed(versions) if row["at"] <= at), None)


class Oracle:
    """What was known when, of one warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        def text(*names: str) -> str:
            return ", ".join(f"cast({name} as text) as {name}" for name in names)

        self.post_rows = valid_versions(
            warehouse,
            "published_posts",
            "post_id",
            text("experiment_id", "platform") + ", published_at",
        )
        self.experiments = valid_versions(
            warehouse, "experiments", "experiment_id", text("product_id", "script_id")
        )
        self.scripts = valid_versions(warehouse, "scripts", "script_id", text("creative_variables"))
        self.patterns = valid_versions(warehouse, "creative_patterns", "pattern_id", "hook_text")
        self.snapshots = valid_versions(
            warehouse,
            "trend_snapshots",
            "snapshot_id",
            text("product_id")
            + ", coalesce(snapshot_time, _known_at) as taken_at, popularity_score,"
            " velocity_score, competition_score",
        )
        embeddings = valid_versions(
            warehouse,
            "embeddings",
            "embedding_id",
            text("reference_id", "reference_type", "embedding", "metadata"),
        )
        self.vectors = self._vectors(embeddings)
        self.breaks: list[tuple[str, datetime]] = [
            (row["platform"], row["changed_at"])
            for row in warehouse.query(
                "select platform, changed_at from "
                f"{warehouse.schema('reference')}.metric_definition_changes where metric = 'views'"
            )
        ]
        self.labels = warehouse.query(
            "select cast(post_id as text) as post_id, known_from, known_to, views, engagements "
            f"from {warehouse.schema('intermediate')}.int_post_age_metric_versions "
            "where horizon_hours = 72 and views is not null"
        )
        self.identity = cache(self._identity)
        self.baselines = cache(self._baselines)

    # -- what a post is

    def published_at(self, post: str) -> datetime:
        """By the row that is accepted now."""
        at: datetime = self.post_rows[post][-1]["published_at"]
        return at

    def _identity(self, post: str) -> Row:
        versions = self.post_rows[post]
        moments = sorted(
            {row["at"] for row in versions} | {row["published_at"] for row in versions}
        )
        for moment in moments:
            out = current(versions, moment)
            if out is not None and out["published_at"] <= moment:
                break
        else:
            raise AssertionError(f"{post} never went out")
        experiment = self.experiments[out["experiment_id"]]
        decided = max(out["published_at"], min(row["at"] for row in experiment))
        version = current(experiment, decided)
        assert version is not None
        naming = current([row for row in experiment if row["script_id"]], decided)
        known = [out["at"], version["at"]]
        pattern = None
        if naming is not None:
            known.append(naming["at"])
            script = current(self.scripts[naming["script_id"]], decided)
            assert script is not None
            named = (json.loads(script["creative_variables"] or "null") or {}).get(
                "creativePatternId"
            )
            first = min(
                (row["at"] for row in self.patterns.get(str(named).lower(), [])), default=None
            )
            if first is not None and first <= decided:
                pattern = str(named).lower()
                known += [script["at"], first]
        return {
            "platform": out["platform"],
            "experiment_id": out["experiment_id"],
            "product_id": version["product_id"],
            "script_id": naming["script_id"] if naming else None,
            "pattern_id": pattern,
            "known_at": max(known),
        }

    # -- what was known of labels

    def known_labels(self, post: str) -> list[Row]:
        at = self.published_at(post)
        found = []
        for label in self.labels:
            of = label["post_id"]
            published = self.published_at(of)
            identity = self.identity(of)
            if (
                of != post
                and label["known_from"] <= at
                and (label["known_to"] is None or label["known_to"] > at)
                and published + timedelta(hours=72) <= at
                and identity["known_at"] <= at
                and not any(
                    platform == identity["platform"] and published < changed <= at
                    for platform, changed in self.breaks
                )
            ):
                found.append(label | identity)
        return found

    def _baselines(self, post: str) -> Row:
        own = self.identity(post)
        known = self.known_labels(post)
        of_platform = [row for row in known if row["platform"] == own["platform"]]
        groups = {
            "platform": of_platform,
            "product_platform": [r for r in of_platform if r["product_id"] == own["product_id"]],
            "product": [r for r in known if r["product_id"] == own["product_id"]],
        }
        result: Row = {}
        for name, rows in groups.items():
            logs = np.log1p([row["views"] for row in rows])
            result[f"{name}_posts_72h"] = len(rows)
            result[f"{name}_ln_views_72h"] = float(np.mean(logs)) if rows else None
            result[f"{name}_ln_views_72h_sd"] = (
                float(np.std(logs, ddof=1)) if len(rows) > 1 else None
            )
            result[f"{name}_engagement_rate_72h"] = pooled(rows)
        events, exposure = rated(of_platform)
        center = (events.sum() + FALLBACK_SHAPE) / (exposure.sum() + FALLBACK_RATE)
        weight = prior_weight(events, exposure, center)
        result["platform_engagement_rate_72h_eb"] = center
        result["product_platform_engagement_rate_72h_eb"] = drawn(
            groups["product_platform"], center, weight
        )
        expected = None
        if of_platform:
            own_logs = np.log1p([row["views"] for row in groups["product_platform"]])
            mean = result["platform_ln_views_72h"]
            expected = (own_logs.sum() + PRIOR_POSTS * mean) / (len(own_logs) + PRIOR_POSTS)
        result["expected_ln_views_72h"] = expected
        result |= {"pattern_rows": None, "center": center, "weight": weight}
        if own["pattern_id"]:
            result["pattern_rows"] = [
                r for r in of_platform if r["pattern_id"] == own["pattern_id"]
            ]
        return result

    def pattern(self, baselines: Row) -> Row:
        rows = baselines["pattern_rows"]
        names = ["posts_72h", "lift_72h", "lift_72h_eb"]
        names += ["engagement_rate_72h", "engagement_rate_72h_eb"]
        if rows is None:
            return {f"pattern_{name}": None for name in names}
        lifts = [
            np.log1p(row["views"]) - expected
            for row in rows
            if (expected := self.baselines(row["post_id"])["expected_ln_views_72h"]) is not None
        ]
        return {
            "pattern_posts_72h": len(rows),
            "pattern_lift_72h": float(np.mean(lifts)) if lifts else None,
            "pattern_lift_72h_eb": float(np.sum(lifts)) / (len(lifts) + PRIOR_POSTS),
            "pattern_engagement_rate_72h": pooled(rows),
            "pattern_engagement_rate_72h_eb": drawn(rows, baselines["center"], baselines["weight"]),
        }

    # -- what was known of the product

    def trends(self, post: str) -> Row:
        at, product = self.published_at(post), self.identity(post)["product_id"]
        known = [current(versions, at) for versions in self.snapshots.values()]
        rows = sorted(
            (r for r in known if r and r["product_id"] == product and r["taken_at"] <= at),
            key=lambda row: (row["taken_at"], row["key"]),
        )
        last = rows[-1] if rows else {}
        before = rows[-2] if len(rows) > 1 else {}
        score, former = last.get("popularity_score"), before.get("popularity_score")
        change = None if score is None or former is None else score - former
        return {
            "trend_snapshots": len(rows),
            "trend_age_hours": hours(at - last["taken_at"]) if last else None,
            "trend_popularity": last.get("popularity_score"),
            "trend_velocity": last.get("velocity_score"),
            "trend_competition": last.get("competition_score"),
            "trend_popularity_change": change,
            "trend_change_hours": hours(last["taken_at"] - before["taken_at"]) if before else None,
        }

    def earlier_posts(self, post: str) -> Row:
        at, own = self.published_at(post), self.identity(post)
        rows = []
        for other, versions in self.post_rows.items():
            known = current(versions, at)
            if other != post and known is not None and known["published_at"] < at:
                rows.append(self.identity(other) | {"published_at": known["published_at"]})
        of_product = [row for row in rows if row["product_id"] == own["product_id"]]
        week = at - timedelta(days=7)
        same = [row for row in of_product if row["script_id"] == own["script_id"]]
        previous = max((row["published_at"] for row in of_product), default=None)
        of_others, compared = self.similarity(post)
        return {
            "hours_since_previous_post": hours(at - previous) if previous else None,
            "posts_of_product_before": len(of_product),
            "posts_of_script_before": len(same) if own["script_id"] else None,
            "posts_on_platform_7d": sum(
                row["platform"] == own["platform"] and row["published_at"] >= week for row in rows
            ),
            "max_similarity": 1.0 if compared and same else of_others,
            "max_similarity_other_scripts": of_others,
        }

    # -- how alike scripts are

    @staticmethod
    def _vectors(embeddings: dict[str, list[Row]]) -> dict[str, list[Row]]:
        """Vectors of every script, as they became known."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in (row for versions in embeddings.values() for row in versions):
            try:
                vector = np.array(json.loads(row["embedding"]), dtype=float)
            except (ValueError, TypeError):
                continue
            if row["reference_type"] != "script" or np.isnan(vector).any() or not vector.any():
                continue
            model = (json.loads(row["metadata"] or "null") or {}).get("model") or ""
            kind = (model, len(vector))
            found[row["reference_id"]].append(row | {"kind": kind, "vector": vector})
        for rows in found.values():
            rows.sort(key=lambda row: (row["_known_at"], row["_load_id"], row["_position"]))
        return found

    def similarity(self, post: str) -> tuple[float | None, bool]:
        """Greatest cosine with other scripts, and whether there was a vector to compare."""
        at, own = self.published_at(post), self.identity(post)
        mine = self._of_kinds(own["script_id"], at)
        if not mine:
            return None, False
        newest = max(row["at"] for row in mine)
        vector = min((row for row in mine if row["at"] == newest), key=tie)
        others = []
        for script in {self.identity(other)["script_id"] for other in self.post_rows} - {None}:
            first = self.first_use(script, own["product_id"])
            versions = [
                row for row in self.vectors.get(script, []) if row["kind"] == vector["kind"]
            ]
            if first is None or not versions:
                continue
            since = max(first, min(row["at"] for row in versions))
            if since <= at:
                others.append((since, script, current(versions, since)))
        latest = sorted(others, key=lambda found: found[:2])[-SCRIPTS_COMPARED:]
        cosines = [
            cosine(vector["vector"], row["vector"])
            for _, script, row in latest
            if row is not None and script != own["script_id"]
        ]
        return max(cosines, default=None), True

    def _of_kinds(self, script: str | None, at: datetime) -> list[Row]:
        versions = self.vectors.get(script or "", [])
        kinds = {row["kind"] for row in versions}
        found = [current([row for row in versions if row["kind"] == kind], at) for kind in kinds]
        return [row for row in found if row is not None]

    def first_use(self, script: str, product: str) -> datetime | None:
        """When a post of the product with the script was first known to be out."""
        found: list[datetime] = []
        for post, versions in self.post_rows.items():
            identity = self.identity(post)
            if (identity["script_id"], identity["product_id"]) == (script, product):
                moments = {row["at"] for row in versions}
                moments |= {row["published_at"] + timedelta(microseconds=1) for row in versions}
                for moment in sorted(moments):
                    out = current(versions, moment)
                    if out is not None and out["published_at"] < moment:
                        found.append(moment)
                        break
        return min(found, default=None)

    def features(self, post: str) -> Row:
        """Every feature of a post by its name."""
        at, own = self.published_at(post), self.identity(post)
        baselines = self.baselines(post)
        extra = ("pattern_rows", "center", "weight")
        return {
            "published_at": at,
            **{name: own[name] for name in own if name != "known_at"},
            "definition_era": sum(
                platform == own["platform"] and changed <= at for platform, changed in self.breaks
            ),
            "weekday": at.astimezone(UTC).isoweekday(),
            "hour": at.astimezone(UTC).hour,
            **{name: value for name, value in baselines.items() if name not in extra},
            **self.pattern(baselines),
            **self.trends(post),
            **self.earlier_posts(post),
            "features_known_at": max(at, own["known_at"]),
            **{
                f"views_{age}h_crosses_break": any(
                    platform == own["platform"] and at < changed <= at + timedelta(hours=age)
                    for platform, changed in self.breaks
                )
                for age in (24, 72, 168)
            },
        }


def hours(span: timedelta) -> float:
    return span.total_seconds() / 3600


def tie(vector: Row) -> tuple[int, str]:
    """Which of the vectors known at the same moment is taken."""
    model, size = vector["kind"]
    return size, md5(model.encode()).hexdigest()


def cosine(one: Any, other: Any) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def rated(rows: list[Row]) -> tuple[Any, Any]:
    """Engagements and views of the rows that know both."""
    used = [row for row in rows if row["engagements"] is not None and row["views"] > 0]
    return np.array([r["engagements"] for r in used]), np.array([r["views"] for r in used])


def pooled(rows: list[Row]) -> float | None:
    events, exposure = rated(rows)
    return float(events.sum() / exposure.sum()) if len(exposure) else None


def drawn(rows: list[Row], center: float, weight: float) -> float:
    events, exposure = rated(rows)
    return float((events.sum() + weight * center) / (exposure.sum() + weight))


def prior_weight(events: Any, exposure: Any, center: float) -> float:
    """Views that the platform's rate is worth: moments of the gamma-Poisson (Marshall)."""
    if len(events) < 5 or events.sum() == 0:
        return FALLBACK_RATE
    mean = events.sum() / exposure.sum()
    spread = (exposure * (events / exposure - mean) ** 2).sum() / exposure.sum()
    excess = (spread - mean / exposure.mean()) / mean**2
    return float(1 / (excess * center)) if excess * center > 1e-6 else 1e6


def assert_features(warehouse: Warehouse, posts: list[str] | None = None) -> list[Row]:
    """Compare the features of the posts (default: all) with the oracle's; the rows compared."""
    oracle = Oracle(warehouse)
    rows = [
        row
        for row in warehouse.query(f"select * from {warehouse.schema('marts')}.post_features_as_of")
        if posts is None or str(row["post_id"]) in posts
    ]
    for row in rows:
        post = str(row["post_id"])
        expected = oracle.features(post)
        assert set(row) - set(LABELS) - {"post_id"} == set(expected)
        for name, value in expected.items():
            got: Any = row[name]
            if name.endswith("_id") and got is not None:
                got = str(got)
            if isinstance(value, float) and got is not None:
                assert abs(got - value) <= 1e-7 * max(1, abs(value)), (post, name, got, value)
            else:
                assert got == value, (post, name, got, value)
    return rows
