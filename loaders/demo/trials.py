"""Experiments as teams run them: arms that are posted many times each, on one platform.

Most experiments of the world have a post or two on a platform, and nothing can be said of them.
Every eighth post is of a trial: arms about one product, each with a script of its own, of which
some do better than their script lets expect, some worse, and the others neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loaders.demo.keys import Ints, stream
from loaders.demo.truth import Floats

#: Every eighth post, one trial per platform for so many posts of the world.
EVERY, REST = 8, 2
POSTS_PER_TRIAL = 1000
#: Arms of a trial by platform: of about 21, 14 and 6 posts.
ARMS = np.array([2, 3, 7])
#: What an arm does to ln(views), by turns.
EFFECTS = np.array([1.0, -1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Trials:
    """Which posts are of trials, and what the arms are; one script per arm."""

    posts: Ints
    #: The arm of each of those posts.
    arm: Ints
    #: The trial of each arm, and its effect.
    trial: Ints
    effect: Floats
    #: By arm: the product it is about, which of its patterns it follows, and its choices.
    product: Ints
    pattern: Ints
    variables: Ints


def draw_trials(
    seed: int, platform: Ints, products: int, patterns: int, levels: list[int]
) -> Trials:
    """Trials among posts with these platforms, about the first ``products`` products.

    ``patterns`` are those of a product; ``levels`` says how many choices each creative variable
    of a script has.
    """
    number = np.arange(len(platform), dtype=np.int64)
    posts = number[number % EVERY == REST]
    where = platform[posts]
    block = posts // POSTS_PER_TRIAL
    # Posts of one platform follow each other at this distance: arms take turns.
    turn = posts // (EVERY * len(ARMS)) % ARMS[where]
    key = (block * len(ARMS) + where) * ARMS.max() + turn
    arms, arm = np.unique(key, return_inverse=True)
    trials, trial = np.unique(arms // ARMS.max(), return_inverse=True)
    random = stream(seed, "trials")
    return Trials(
        posts=posts,
        arm=arm.astype(np.int64),
        trial=trial.astype(np.int64),
        effect=EFFECTS[(arms % ARMS.max() + trials[trial] // len(ARMS)) % len(EFFECTS)],
        product=trials[trial] % products,
        pattern=random.integers(0, patterns, len(arms)),
        variables=np.stack([random.integers(0, n, len(arms)) for n in levels], axis=1),
    )
