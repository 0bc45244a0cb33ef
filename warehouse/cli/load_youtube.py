"""``ace load youtube``: charts, searches, our own channels and posts, and their daily reports."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from common.errors import UsageError
from warehouse.cli._live import address, adopt_option, credentials, run_live, url_option
from warehouse.cli._show import json_option

if TYPE_CHECKING:
    from common.settings import Settings
    from loaders.live.source import Source

EPILOG = """\b
Examples:
  ace load youtube --channel @myshop --adopt 'My shop'
  ace load youtube --posts
  ace load youtube --analytics
  ace load youtube --trending US --trending GB --search 'water bottle'
"""


@click.command(epilog=EPILOG)
@click.option(
    "--channel", "channels", multiple=True, metavar="CHANNEL",
    help="Our own channel's uploads and their counts: @handle or UC...; repeatable.",
)  # fmt: skip
@click.option("--posts", is_flag=True, help="Poll the posts that the warehouse knows and are due.")
@click.option(
    "--analytics",
    is_flag=True,
    help="What the posts that the warehouse knows gained each day: watch time, shares, followers.",
)
@click.option(
    "--trending", multiple=True, metavar="CC", help="The chart of a region, as US; repeatable."
)
@click.option("--search", "searches", multiple=True, metavar="WORDS", help="Repeatable.")
@click.option(
    "--search-pages", default=1, show_default=True, type=click.IntRange(1, 10), metavar="N",
    help="Pages of 50 for each search; each is one of the day's 100.",
)  # fmt: skip
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]),
    help="First day of uploads [default: all] and of a first search [default: a week ago].",
)  # fmt: skip
@adopt_option
@url_option("ACE_YOUTUBE_URL")
@json_option
def command(
    channels: tuple[str, ...],
    posts: bool,
    analytics: bool,
    trending: tuple[str, ...],
    searches: tuple[str, ...],
    search_pages: int,
    since: datetime | None,
    adopt: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Land YouTube videos: our own as posts and polls, those of others as trending videos.

    Needs an API key of a Google project with the YouTube Data API v3: ACE_YOUTUBE_KEY. Of the
    day's 10,000 units each page and each 50 posts cost one, of its 100 searches each page of
    a search; what was spent is remembered, and a run that has no more goes on the next day.

    --analytics asks the Analytics API instead, for which the channel's owner has to allow an OAuth
    client: ACE_YOUTUBE_CLIENT_ID, ACE_YOUTUBE_CLIENT_SECRET, ACE_YOUTUBE_REFRESH_TOKEN.
    """
    from loaders.landing import Landing
    from loaders.live.youtube.videos import CHANNEL_ID, YouTube
    from warehouse.settings import settings

    others = bool(channels or posts or trending or searches)
    if not others and not analytics:
        raise UsageError(
            "Nothing says which videos.",
            "Give --channel, --posts, --analytics, --trending or --search.",
        )
    home = settings()
    if analytics:
        if others or adopt or since:
            raise UsageError(
                "--analytics asks another API, with other credentials, for posts that are known.",
                "Load it with a call of its own: ace load youtube --analytics",
            )
        run_live(_analytics(home, url), adopt=None, as_json=as_json)
        return
    (key,) = credentials("youtube")
    source = YouTube(
        key,
        Landing(home.landing),
        address("youtube", url),
        trending=tuple(region.upper() for region in trending),
        searches=searches,
        channels=tuple(
            one if one.startswith("@") or CHANNEL_ID.fullmatch(one) else f"@{one}"
            for one in channels
        ),
        posts=posts,
        since=since.date() if since else None,
        search_pages=search_pages,
    )
    run_live(source, adopt=adopt, as_json=as_json)


def _analytics(home: Settings, url: str | None) -> Source:
    from loaders.landing import Landing
    from loaders.live.youtube.analytics import BASE, YouTubeAnalytics

    client, secret, refresh = credentials("youtube", "--analytics")
    return YouTubeAnalytics(
        client_id=client,
        client_secret=secret,
        refresh_token=refresh,
        tokens_file=home.home / "live" / "youtube" / "tokens.json",
        landing=Landing(home.landing),
        base=address("youtube", url, BASE),
    )
