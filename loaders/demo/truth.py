"""What is true in the simulated world: levels and effects, with their sizes.

Effects are additive on two scales: ``views`` is ln(views the post reaches in the end),
``rate`` is ln(engagements per view). An effect of 0.35 on views is a factor of 1.42.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from loaders.demo.clock import PLATFORMS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """One named thing and what it does to views and to the engagement rate."""

    name: str
    views: float
    rate: float


#: Median final views (as ln) and engagement rate of a post with no effects.
PLATFORM_LEVELS = (
    Effect("tiktok", float(np.log(2500)), float(np.log(0.060))),
    Effect("youtube", float(np.log(1000)), float(np.log(0.035))),
    Effect("instagram", float(np.log(600)), float(np.log(0.045))),
)
#: Shares of likes, comments and shares among engagements (YouTube tells no shares).
ENGAGEMENT_SPLIT = np.array([[0.80, 0.06, 0.14], [0.88, 0.12, 0.0], [0.84, 0.07, 0.09]])
#: Median age in hours at which a post has half its final views.
HALF_LIFE_HOURS = np.array([18.0, 40.0, 24.0])

STYLES = (
    Effect("fast_cuts", 0.35, 0.0),
    Effect("ugc", 0.25, 0.25),
    Effect("cinematic", -0.20, 0.10),
    Effect("text_overlay", 0.15, 0.0),
    Effect("voiceover", 0.0, -0.10),
    Effect("asmr", -0.30, 0.15),
    Effect("split_screen", 0.0, 0.0),
    Effect("minimal", 0.0, 0.0),
)
EMOTIONS = (
    Effect("curiosity", 0.30, 0.10),
    Effect("joy", 0.15, 0.15),
    Effect("urgency", 0.0, -0.20),
    Effect("fear", -0.25, -0.05),
    Effect("trust", 0.0, 0.10),
    Effect("surprise", 0.0, 0.0),
)
STRUCTURES = (
    Effect("problem_solution", 0.20, 0.10),
    Effect("demo", 0.0, 0.0),
    Effect("listicle", 0.0, -0.05),
    Effect("story", -0.10, 0.10),
)
#: Creative variables of a script, by key.
VARIABLES: dict[str, tuple[Effect, ...]] = {
    "cta_style": (
        Effect("soft", 0.0, 0.05),
        Effect("hard", -0.10, -0.20),
        Effect("none", 0.0, 0.0),
    ),
    "hook_type": (
        Effect("question", 0.70, 0.10),
        Effect("bold_claim", 0.0, 0.0),
        Effect("statistic", -0.20, 0.0),
        Effect("confession", 0.0, 0.15),
    ),
    "length": (
        Effect("short", 0.15, 0.0),
        Effect("medium", 0.0, 0.0),
        Effect("long", -0.25, 0.05),
    ),
    "pacing": (
        Effect("fast", 0.10, 0.0),
        Effect("medium", 0.0, 0.0),
        Effect("slow", -0.15, -0.05),
    ),
}
#: Hashtags of own posts; only the first six matter.
POST_HASHTAGS = (
    Effect("tiktokmademebuyit", 0.30, 0.0),
    Effect("lifehack", 0.20, 0.05),
    Effect("beforeandafter", 0.15, 0.15),
    Effect("ad", -0.35, -0.25),
    Effect("giveaway", 0.10, 0.30),
    Effect("sponsored", -0.20, -0.15),
    *(
        Effect(name, 0.0, 0.0)
        for name in (
            "fyp",
            "viral",
            "musthave",
            "unboxing",
            "review",
            "home",
            "kitchen",
            "beauty",
            "fitness",
            "tech",
            "pets",
            "travel",
        )
    ),
)
#: Posting hour (UTC): a cosine with this peak hour and height per platform, mean 0.
HOUR_PEAK = np.array([18, 20, 12])
HOUR_HEIGHT = np.array([0.40, 0.30, 0.35])
#: Monday to Sunday, per platform, mean 0.
WEEKDAY = np.array(
    [
        [-0.10, -0.10, -0.05, 0.0, 0.05, 0.10, 0.10],
        [-0.05, -0.05, -0.05, -0.05, 0.0, 0.10, 0.10],
        [0.10, 0.10, 0.05, 0.0, -0.05, -0.10, -0.10],
    ]
)
#: Standard deviations of what no tag explains.
SD_PRODUCT = Effect("product", 0.35, 0.20)
SD_PATTERN = Effect("pattern", 0.20, 0.12)
SD_EXPERIMENT = Effect("experiment", 0.20, 0.12)
SD_POST = Effect("post", 0.80, 0.20)


def views(effects: tuple[Effect, ...]) -> Floats:
    """Effects on ln views, in order."""
    return np.array([effect.views for effect in effects])


def rates(effects: tuple[Effect, ...]) -> Floats:
    """Effects on ln engagement rate, in order."""
    return np.array([effect.rate for effect in effects])


def hour_effect(platform: npt.NDArray[np.integer], hour: npt.NDArray[np.integer]) -> Floats:
    """Effect of the posting hour on ln views."""
    angle = 2 * np.pi * (hour - HOUR_PEAK[platform]) / 24
    effect: Floats = HOUR_HEIGHT[platform] * np.cos(angle)
    return effect


def named_effects() -> pl.DataFrame:
    """Every effect that has a name: kind, platform (null: all), name, views, rate."""
    rows: list[tuple[str, str | None, str, float, float]] = []
    kinds = {"style": STYLES, "emotion": EMOTIONS, "structure": STRUCTURES}
    kinds["hashtag"] = POST_HASHTAGS
    for kind, effects in kinds.items():
        rows += [(kind, None, e.name, e.views, e.rate) for e in effects]
    for key, effects in VARIABLES.items():
        rows += [("variable", None, f"{key}={e.name}", e.views, e.rate) for e in effects]
    rows += [("platform_level", e.name, e.name, e.views, e.rate) for e in PLATFORM_LEVELS]
    for number, platform in enumerate(PLATFORMS):
        hours = hour_effect(np.full(24, number), np.arange(24))
        rows += [("hour", platform, str(h), float(hours[h]), 0.0) for h in range(24)]
        rows += [
            ("weekday", platform, str(day + 1), float(WEEKDAY[number, day]), 0.0)
            for day in range(7)
        ]
    schema = ["kind", "platform", "name", "effect_log_views", "effect_log_rate"]
    return pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)
