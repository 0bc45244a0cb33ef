"""Posting times: how near the effects of 168 hours of the week come to the true ones.

Independent worlds, in which every effect is known: 1,500 posts a platform, which fall unevenly on
the hours of the week, as teams post; noise of .6. On TikTok and YouTube hours and weekdays add up;
on the two others they do not: there a block of hours of some days differs, or every hour of the
week a little. All worlds are built by the project's own models in one run. The truth is
measured as the mart is: against the mean of the account's posts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import models
from benchmarks.measure import Line

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

SEEDS = range(10)
POSTS = 1500
NOISE = 0.6
#: Deviation of the effects of hour and weekday over the cells; what is added in the cells.
WORLDS = {
    "tiktok": (0.29, None),
    "youtube": (0.35, None),
    "instagram": (0.29, "block"),
    "scattered": (0.29, "scattered"),
}
#: Pseudo-posts that the additive fit draws every effect to 0 by.
RIDGE = 4


@dataclass(frozen=True)
class World:
    """True effect of each cell (weekday * 24 + hour), and each post's cell and log views."""

    effect: Floats
    cell: Ints
    log_views: Floats


def lines(folder: Path) -> Iterator[Line]:
    """Error of each method by world, and how often the intervals hold the truth by kind."""
    import numpy as np

    worlds = {(name, seed): world(name, seed) for name in WORLDS for seed in SEEDS}
    built = by_the_models(folder, worlds)
    held: dict[str, list[float]] = {}
    for name, (_, interaction) in WORLDS.items():
        errors: dict[str, list[float]] = {}
        told, cells = [], []
        for seed in SEEDS:
            one = worlds[name, seed]
            effect, low, high = built[name, seed]
            found = {"ours": effect} | baselines(one)
            for method, values in found.items():
                errors.setdefault(method, []).append(rmse(values, one.effect))
            kind = "with interactions" if interaction else "additive"
            inside = (low <= one.effect) & (one.effect <= high)
            held.setdefault(kind, []).append(float(np.mean(inside)))
            told.append(int(np.isfinite(effect).sum()))
            cells.append(len(set(one.cell)))
        mean = {method: float(np.mean(values)) for method, values in errors.items()}
        ours, ridge = mean["ours"], mean["additive ridge"]
        yield Line(
            f"{name}: error of the effects of 168 hours", ours, ridge, unit="",
            ratio=ours / ridge, limit=1.0 if interaction else 1.05,
            note=f"{ours:.4f}; additive ridge {ridge:.4f}, raw cell means {mean['raw']:.4f}, "
            f"all zero {mean['zero']:.4f}; cells told {min(told)}, with posts {np.mean(cells):.0f}",
        )  # fmt: skip
    for kind, shares in held.items():
        share = float(np.mean(shares))
        yield Line(
            f"{kind}: 95% intervals that hold the truth", 100 * share, unit="%",
            ratio=abs(share - 0.94), limit=0.04,
            note=f"90 to 98 are asked for; by seed and platform {min(shares):.0%} to "
            f"{max(shares):.0%}",
        )  # fmt: skip


def world(name: str, seed: int) -> World:
    """Posts of one platform."""
    import numpy as np

    spread, interaction = WORLDS[name]
    random = np.random.default_rng([seed, *name.encode()])
    hours, days = random.normal(0, 1, 24), random.normal(0, 1, 7)
    effect = spread * (
        np.sqrt(0.7) * (hours - hours.mean()) / hours.std()
        + np.sqrt(0.3) * ((days - days.mean()) / days.std())[:, None]
    )
    if interaction == "block":
        effect[5:, 17:23] += 0.6
        effect[:5, 6:9] += 0.3
    elif interaction == "scattered":
        effect += random.normal(0, 0.2, (7, 24))
    weight = np.exp(
        random.normal(0, 0.8, 24)
        + random.normal(0, 0.4, 7)[:, None]
        + random.normal(0, 0.7, (7, 24))
    )
    cell = random.choice(168, POSTS, p=(weight / weight.sum()).ravel())
    log_views = 6 + effect.ravel()[cell] + random.normal(0, NOISE, POSTS)
    return World(effect.ravel() - effect.ravel()[cell].mean(), cell, log_views)


def baselines(one: World) -> dict[str, Floats]:
    """What somebody with a spreadsheet would take: means, an additive fit, nothing."""
    import numpy as np

    rest = one.log_views - one.log_views.mean()
    n = np.bincount(one.cell, minlength=168)
    raw = np.bincount(one.cell, rest, minlength=168) / np.maximum(n, 1)
    of_hour, of_day = np.arange(168) % 24, np.arange(168) // 24
    columns = np.hstack([np.eye(24)[of_hour], np.eye(7)[of_day]])
    design = columns[one.cell]
    fit = np.linalg.solve(design.T @ design + RIDGE * np.eye(31), design.T @ rest)
    return {"raw": raw, "additive ridge": columns @ fit, "zero": np.zeros(168)}


def rmse(values: Floats, truth: Floats) -> float:
    """Root mean squared error over the cells."""
    import numpy as np

    return float(np.sqrt(np.mean((values - truth) ** 2)))


def by_the_models(
    folder: Path, worlds: dict[tuple[str, int], World]
) -> dict[tuple[str, int], tuple[Floats, Floats, Floats]]:
    """Effect and interval of every cell, built by the project's models: a platform a world."""
    import duckdb
    import numpy as np
    import polars as pl

    home = folder / "home"
    models.new_landing(home)
    minutes = np.concatenate([one.cell * 60 for one in worlds.values()])
    posts = pl.DataFrame(  # noqa: F841 - read by the query
        {
            "platform": np.repeat([f"{name} {seed}" for name, seed in worlds], POSTS),
            "minutes": minutes,
            "views_24h": np.concatenate([np.exp(one.log_views) - 1 for one in worlds.values()]),
        }
    )
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        # 1 December 2025 was a Monday.
        connection.execute(
            """
            create schema intermediate;
            create table intermediate.int_post_outcomes as
            select platform, cast(0 as bigint) as definition_era, views_24h,
                timestamptz '2026-01-01 00:00:00+00' as known_at,
                timestamptz '2025-12-01 00:00:00+00' + minutes * interval '1' minute as published_at
            from posts
            """
        )
    models.run(home, "int_time_cells", "posting_times")
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select platform, list([effect, effect_lo, effect_hi] order by weekday, hour) "
            "from marts.posting_times group by platform"
        ).fetchall()
    found = {}
    for platform, values in rows:
        name, seed = platform.split()
        effect, low, high = np.array(values, dtype=np.float64).T
        found[name, int(seed)] = (effect, low, high)
    return found
