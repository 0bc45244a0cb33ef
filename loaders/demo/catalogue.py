"""Who and what exists: products, patterns, scripts, experiments and posts, as numbers.

Everything is a NumPy array; names and rows are made from them when needed
(``catalogue_rows``), so a million posts cost about a hundred megabytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loaders.demo import truth
from loaders.demo.clock import DAY, HOUR, MINUTE, PLATFORMS, Clock
from loaders.demo.keys import Ints, stream
from loaders.demo.trials import draw_trials
from loaders.demo.truth import Floats

#: Posts per experiment, each of which has a script of its own: 11 posts, 5 experiments.
POSTS_PER_EXPERIMENT = (11, 5)
PATTERNS_PER_PRODUCT = 3
GLOBAL_PATTERNS = 4
#: Scripts of the product that never gets a video.
STALLED_SCRIPTS = 3
TAGS_PER_POST = 3
HOOK = list(truth.VARIABLES).index("hook_type")
#: Share of products with a hook type that does better for them than for others, and by how much;
#: and share of their scripts that are given it beside those that have it by chance.
SHARE_WITH_FAVOURITE, FAVOURITE_VIEWS, FAVOURITE_SHARE = 0.6, 1.1, 0.25
#: Hours (UTC) most posts go out at, per platform, so that some cells get many posts.
POPULAR_HOURS = np.array([[9, 12, 18, 21], [8, 13, 17, 20], [7, 12, 16, 19]])
POPULAR_WEIGHTS = (0.2, 0.2, 0.35, 0.25)
POPULAR_SHARE = 0.85


@dataclass(frozen=True)
class Catalogue:
    """Arrays by product, pattern, script, experiment and post (in publishing order)."""

    product_views: Floats
    product_rate: Floats
    product_created: Ints
    #: The hook type (of truth.VARIABLES) that does better for this product; -1 for none.
    product_favourite: Ints
    #: The product that has scripts but never a video: the last one.
    stalled_product: int
    pattern_product: Ints
    pattern_styles: Ints
    pattern_emotion: Ints
    pattern_structure: Ints
    pattern_views: Floats
    pattern_rate: Floats
    pattern_created: Ints
    script_product: Ints
    #: -1 where the script follows no pattern.
    script_pattern: Ints
    #: One column per creative variable, in the order of truth.VARIABLES.
    script_variables: Ints
    script_created: Ints
    #: When the one video of each experiment was rendered.
    asset_created: Ints
    experiment_script: Ints
    experiment_views: Floats
    experiment_rate: Floats
    experiment_created: Ints
    #: The trial (see trials.py) that an experiment is an arm of; -1 for none.
    experiment_trial: Ints
    post_experiment: Ints
    post_platform: Ints
    post_published: Ints
    post_tags: Ints
    #: Truth of each post: ln of its final views, engagements per view, and their parts.
    post_log_views: Floats
    #: The part of it that effects make, without chance.
    post_expected: Floats
    post_rate: Floats
    post_split: Floats
    post_half_life: Floats
    post_steepness: Floats

    @property
    def products(self) -> int:
        return len(self.product_views)

    @property
    def patterns(self) -> int:
        return len(self.pattern_product)

    @property
    def scripts(self) -> int:
        return len(self.script_product)

    @property
    def experiments(self) -> int:
        return len(self.experiment_script)


def product_count(posts: int) -> int:
    """20 products for a thousand posts, 2,000 for a million."""
    return max(6, round(math.pow(posts, 2 / 3) / 5))


def _published(clock: Clock, platform: Ints) -> Ints:
    random = stream(clock.seed, "published")
    count = clock.posts
    day = np.arange(count, dtype=np.int64) * clock.days // count
    slot = random.choice(4, size=count, p=POPULAR_WEIGHTS)
    hour = np.where(
        random.random(count) < POPULAR_SHARE,
        POPULAR_HOURS[platform, slot],
        random.integers(0, 24, count),
    )
    within = random.integers(0, HOUR, count)
    published = clock.start + day * DAY + hour * HOUR + within
    # The last load closes the world; a post of its last hour would never be seen.
    late = published > clock.end - HOUR
    result: Ints = np.where(late, published - 6 * HOUR, published)
    return result


def _first(times: Ints, group: Ints, groups: int) -> Ints:
    """The earliest of the times of each group, every one of which has some."""
    first = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(first, group, times)
    return first


def _favourites(seed: int, products: int) -> Ints:
    random = stream(seed, "favourites")
    hook = random.integers(0, len(truth.VARIABLES["hook_type"]), products)
    favourite: Ints = np.where(random.random(products) < SHARE_WITH_FAVOURITE, hook, -1)
    return favourite


def make_catalogue(clock: Clock) -> Catalogue:
    """Draw the whole catalogue of a world."""
    random = stream(clock.seed, "catalogue")
    posts = clock.posts
    products = product_count(posts)
    selling = products - 1
    product_views = random.normal(0, truth.SD_PRODUCT.views, products)
    product_rate = random.normal(0, truth.SD_PRODUCT.rate, products)
    product_created = clock.start - random.integers(16 * DAY, 40 * DAY, products)

    patterns = products * PATTERNS_PER_PRODUCT + GLOBAL_PATTERNS
    pattern_product = np.arange(patterns, dtype=np.int64) // PATTERNS_PER_PRODUCT
    pattern_product[-GLOBAL_PATTERNS:] = -1
    first = random.integers(0, len(truth.STYLES), patterns)
    step = random.integers(1, len(truth.STYLES), patterns)
    styles = np.stack([first, (first + step) % len(truth.STYLES)], axis=1)
    emotion = random.integers(0, len(truth.EMOTIONS), patterns)
    structure = random.integers(0, len(truth.STRUCTURES), patterns)
    pattern_views = random.normal(0, truth.SD_PATTERN.views, patterns)
    pattern_rate = random.normal(0, truth.SD_PATTERN.rate, patterns)
    pattern_created = clock.start - random.integers(4 * DAY, 15 * DAY, patterns)

    post_experiment = np.arange(posts, dtype=np.int64) * POSTS_PER_EXPERIMENT[1]
    post_experiment //= POSTS_PER_EXPERIMENT[0]
    platform = np.arange(posts, dtype=np.int64) % len(PLATFORMS)
    published = _published(clock, platform)
    experiments = int(post_experiment[-1]) + 1
    first_post = _first(published, post_experiment, experiments)
    experiment_created = first_post - random.integers(HOUR, 6 * HOUR, experiments)
    experiment_script = np.arange(experiments, dtype=np.int64)
    used = experiments
    script_created = np.empty(used + STALLED_SCRIPTS, dtype=np.int64)
    asset_created = experiment_created - random.integers(40 * MINUTE, 160 * MINUTE, experiments)
    script_created[:used] = _first(asset_created, experiment_script, used)
    script_created[:used] -= random.integers(20 * MINUTE, 90 * MINUTE, used)
    span = clock.end - clock.start
    script_created[used:] = clock.start + span * np.arange(1, STALLED_SCRIPTS + 1) // 10

    scripts = used + STALLED_SCRIPTS
    weight = 1 / np.sqrt(1 + np.arange(selling))
    script_product = random.choice(selling, size=scripts, p=weight / weight.sum())
    # Every selling product has a script where there are enough to go round.
    script_product[: min(selling, used)] = np.arange(min(selling, used))
    script_product[used:] = products - 1
    own = random.choice(PATTERNS_PER_PRODUCT, size=scripts, p=(0.5, 0.3, 0.2))
    script_pattern = script_product * PATTERNS_PER_PRODUCT + own
    kind = random.random(scripts)
    anybody = patterns - 1 - random.integers(0, GLOBAL_PATTERNS, scripts)
    script_pattern = np.where(kind < 0.10, anybody, script_pattern)
    script_pattern = np.where(kind > 0.95, -1, script_pattern)
    script_pattern[used:] = (products - 1) * PATTERNS_PER_PRODUCT
    variables = np.stack(
        [random.integers(0, len(levels), scripts) for levels in truth.VARIABLES.values()], axis=1
    )
    experiment_views = random.normal(0, truth.SD_EXPERIMENT.views, experiments)
    experiment_rate = random.normal(0, truth.SD_EXPERIMENT.rate, experiments)
    experiment_trial = np.full(experiments, -1, dtype=np.int64)

    # Trials take posts from the others, and have scripts and experiments beyond theirs.
    trials = draw_trials(
        clock.seed, platform, selling, PATTERNS_PER_PRODUCT,
        [len(levels) for levels in truth.VARIABLES.values()],
    )  # fmt: skip
    post_experiment[trials.posts] = experiments + trials.arm
    more = stream(clock.seed, "trial times")
    arms = len(trials.trial)
    created = _first(published[trials.posts], trials.arm, arms)
    created -= more.integers(HOUR, 6 * HOUR, arms)
    rendered = created - more.integers(40 * MINUTE, 160 * MINUTE, arms)
    written = rendered - more.integers(20 * MINUTE, 90 * MINUTE, arms)
    experiment_created = np.append(experiment_created, created)
    asset_created = np.append(asset_created, rendered)
    experiment_script = np.append(experiment_script, scripts + np.arange(arms))
    experiment_views = np.append(experiment_views, trials.effect)
    experiment_rate = np.append(experiment_rate, np.zeros(arms))
    experiment_trial = np.append(experiment_trial, trials.trial)
    script_created = np.append(script_created, written)
    script_product = np.append(script_product, trials.product)
    script_pattern = np.append(
        script_pattern, trials.product * PATTERNS_PER_PRODUCT + trials.pattern
    )
    variables = np.append(variables, trials.variables, axis=0)

    favourite = _favourites(clock.seed, products)
    given = stream(clock.seed, "favourite hooks").random(len(script_product)) < FAVOURITE_SHARE
    given &= favourite[script_product] >= 0
    variables[given, HOOK] = favourite[script_product[given]]

    all_views = pattern_views + truth.views(truth.STYLES)[styles].sum(axis=1)
    all_views += truth.views(truth.EMOTIONS)[emotion] + truth.views(truth.STRUCTURES)[structure]
    all_rate = pattern_rate + truth.rates(truth.STYLES)[styles].sum(axis=1)
    all_rate += truth.rates(truth.EMOTIONS)[emotion] + truth.rates(truth.STRUCTURES)[structure]
    script_views = product_views[script_product]
    script_views = script_views + np.where(script_pattern >= 0, all_views[script_pattern], 0.0)
    script_rate = product_rate[script_product]
    script_rate = script_rate + np.where(script_pattern >= 0, all_rate[script_pattern], 0.0)
    for number, levels in enumerate(truth.VARIABLES.values()):
        script_views = script_views + truth.views(levels)[variables[:, number]]
        script_rate = script_rate + truth.rates(levels)[variables[:, number]]
    script_views += FAVOURITE_VIEWS * (favourite[script_product] == variables[:, HOOK])

    first = random.integers(0, len(truth.POST_HASHTAGS), posts)
    size = len(truth.POST_HASHTAGS)
    # Coprime steps make three distinct tags without sorting.
    tags = np.stack([first, (first + 5) % size, (first + 5 + random.integers(1, 8, posts)) % size])
    tags = tags.T.astype(np.int64)
    script = experiment_script[post_experiment]
    hour = published // HOUR % 24
    weekday = (published // DAY + 3) % 7  # 1 January 1970 was a Thursday
    log_views = truth.views(truth.PLATFORM_LEVELS)[platform] + script_views[script]
    log_views += experiment_views[post_experiment]
    log_views += truth.hour_effect(platform, hour) + truth.WEEKDAY[platform, weekday]
    log_views += truth.views(truth.POST_HASHTAGS)[tags].sum(axis=1)
    expected = log_views
    log_views = expected + random.normal(0, truth.SD_POST.views, posts)
    log_rate = truth.rates(truth.PLATFORM_LEVELS)[platform] + script_rate[script]
    log_rate += experiment_rate[post_experiment] + truth.rates(truth.POST_HASHTAGS)[tags].sum(1)
    log_rate += random.normal(0, truth.SD_POST.rate, posts)
    split = truth.ENGAGEMENT_SPLIT[platform] * np.exp(random.normal(0, 0.2, (posts, 3)))
    half_life = truth.HALF_LIFE_HOURS[platform] * np.exp(random.normal(0, 0.75, posts))
    return Catalogue(
        product_views=product_views,
        product_rate=product_rate,
        product_created=product_created,
        product_favourite=favourite,
        stalled_product=products - 1,
        pattern_product=pattern_product,
        pattern_styles=styles,
        pattern_emotion=emotion,
        pattern_structure=structure,
        pattern_views=pattern_views,
        pattern_rate=pattern_rate,
        pattern_created=pattern_created,
        script_product=script_product,
        script_pattern=script_pattern,
        script_variables=variables,
        script_created=script_created,
        asset_created=asset_created,
        experiment_script=experiment_script,
        experiment_views=experiment_views,
        experiment_rate=experiment_rate,
        experiment_created=experiment_created,
        experiment_trial=experiment_trial,
        post_experiment=post_experiment,
        post_platform=platform,
        post_published=published,
        post_tags=tags,
        post_log_views=log_views,
        post_expected=expected,
        post_rate=np.minimum(np.exp(log_rate), 0.4),
        post_split=split / split.sum(axis=1, keepdims=True),
        post_half_life=half_life,
        post_steepness=np.exp(random.normal(np.log(1.15), 0.12, posts)),
    )
