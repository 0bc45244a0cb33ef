"""Every live source once, small: its fake platform, its credentials and a call of its command.

What holds for all of them is one test over :data:`CASES`; a new source is a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from httpx2 import Client

from common.settings import settings
from tests.fakes import instagram, supabase, tiktok, youtube
from tests.fakes.server import Fake

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Case:
    """``ace load <call>`` against ``make()``; ``told`` are its settings beside ``url``, the one
    that names its address, and ``secrets`` those of their values that are credentials.

    ``lands`` is the folder of landing and the resource that its rows go to, and ``key`` what
    tells them apart.
    """

    name: str
    call: tuple[str, ...]
    make: Callable[[], Fake]
    url: str
    told: dict[str, str]
    secrets: tuple[str, ...]
    lands: tuple[str, str]
    key: str

    def rows(self, home: Path) -> pl.DataFrame:
        """What landed, in the order in which it did."""
        source, resource = self.lands
        files = sorted((home / "landing" / source / resource).glob("0*.parquet"))
        return pl.concat([pl.read_parquet(file) for file in files], how="diagonal_relaxed")

    @contextmanager
    def at(self, fake: Fake, home: Path) -> Iterator[None]:
        """Within it, ``ace`` is configured for this case and ``home``, and asks without a rest."""
        with pytest.MonkeyPatch.context() as patch:
            values = {"ACE_HOME": str(home), self.url: fake.url, **self.told}
            for name, value in values.items():
                patch.setenv(name, value)
            patch.delenv("ACE_SUPABASE_DSN", raising=False)
            patch.delenv("ACE_DEBUG", raising=False)
            patch.setattr("loaders.live.pace.Pace.wait", lambda pace: None)
            # Reading the certificates of all authorities takes longer than a call.
            patch.setattr("loaders.live.client.httpx2.Client", partial(Client, verify=False))
            settings.cache_clear()
            try:
                yield
            finally:
                settings.cache_clear()


def _instagram() -> Fake:
    own = [instagram.media(n, caption=f"Take {n}") for n in range(3, 0, -1)]
    return instagram.FakeInstagram(own, per_page=2)


def _hashtags() -> Fake:
    fake = instagram.FakeInstagram([], per_page=2)
    fake.hashtags = {"tinyhome": [instagram.media(100 + n, username=None) for n in range(5)]}
    return fake


def _tables() -> Fake:
    products = [supabase.product(n) for n in range(5)]
    return supabase.FakeSupabase({"products": products}, cut=2)


_RESEARCH = {
    "ACE_TIKTOK_RESEARCH_KEY": tiktok.KEY,
    "ACE_TIKTOK_RESEARCH_SECRET": tiktok.SECRET,
}
_TIKTOK = {
    "ACE_TIKTOK_CLIENT_KEY": tiktok.KEY,
    "ACE_TIKTOK_CLIENT_SECRET": tiktok.SECRET,
    "ACE_TIKTOK_REFRESH_TOKEN": tiktok.REFRESH,
}
CASES = (
    Case(
        "tiktok-research",
        ("tiktok-research", "--hashtag", "funny"),
        lambda: tiktok.FakeTikTok(videos=tiktok.videos(250, NOW)),
        "ACE_TIKTOK_URL",
        _RESEARCH,
        (tiktok.KEY, tiktok.SECRET),
        ("tiktok_research", "raw_videos"),
        "external_id",
    ),
    Case(
        "tiktok",
        ("tiktok", "--adopt", "My shop"),
        lambda: tiktok.FakeTikTok(posts=tiktok.posts(45, NOW)),
        "ACE_TIKTOK_URL",
        _TIKTOK,
        (tiktok.KEY, tiktok.SECRET, tiktok.REFRESH),
        ("tiktok", "performance_metrics"),
        "external_post_id",
    ),
    Case(
        "youtube",
        ("youtube", "--channel", youtube.HANDLE),
        lambda: youtube.FakeYouTube(
            own=youtube.videos(60, NOW, prefix="own", channel="My shop")
        ),
        "ACE_YOUTUBE_URL",
        {"ACE_YOUTUBE_KEY": youtube.KEY},
        (youtube.KEY,),
        ("youtube", "performance_metrics"),
        "external_post_id",
    ),
    Case(
        "instagram",
        ("instagram",),
        _instagram,
        "ACE_INSTAGRAM_URL",
        {"ACE_INSTAGRAM_TOKEN": instagram.TOKEN},
        (instagram.TOKEN,),
        ("instagram", "performance_metrics"),
        "external_post_id",
    ),
    Case(
        "instagram-hashtags",
        ("instagram", "--hashtag", "tinyhome"),
        _hashtags,
        "ACE_INSTAGRAM_URL",
        {
            "ACE_INSTAGRAM_TOKEN": instagram.FACEBOOK_TOKEN,
            "ACE_INSTAGRAM_ACCOUNT": instagram.ACCOUNT,
        },
        (instagram.FACEBOOK_TOKEN,),
        ("instagram", "raw_videos"),
        "external_id",
    ),
    Case(
        "supabase",
        ("supabase",),
        _tables,
        "ACE_SUPABASE_REST",
        {"ACE_SUPABASE_KEY": supabase.SECRET_KEY},
        (supabase.SECRET_KEY,),
        ("supabase", "products"),
        "product_id",
    ),
    Case(
        "supabase-legacy-key",
        ("supabase",),
        _tables,
        "ACE_SUPABASE_REST",
        {"ACE_SUPABASE_KEY": supabase.LEGACY_KEY},
        (supabase.LEGACY_KEY,),
        ("supabase", "products"),
        "product_id",
    ),
)  # fmt: skip
every_source = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
