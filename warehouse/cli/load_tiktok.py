"""``ace load tiktok``: our own posts from the Display API."""

from __future__ import annotations

import click

from warehouse.cli._live import address, adopt_option, credentials, run_live, url_option
from warehouse.cli._show import json_option

EPILOG = """\b
Examples:
  ace load tiktok --adopt 'My shop'
  ace load tiktok --posts
"""


@click.command(epilog=EPILOG)
@click.option(
    "--posts",
    is_flag=True,
    help="Poll the posts that the warehouse knows, those that are due, instead of the list.",
)
@adopt_option
@url_option("ACE_TIKTOK_URL")
@json_option
def command(posts: bool, adopt: str | None, url: str | None, as_json: bool) -> None:
    """Land our own TikTok posts with their counts.

    Needs an app on developers.tiktok.com with the scope video.list, and its user's refresh
    token: ACE_TIKTOK_CLIENT_KEY, ACE_TIKTOK_CLIENT_SECRET, ACE_TIKTOK_REFRESH_TOKEN. TikTok may
    give a new refresh token with each use; the newest is kept in $ACE_HOME/live/tiktok/.
    """
    from loaders.landing import Landing
    from loaders.live.tiktok.posts import TikTokPosts
    from warehouse.settings import settings

    home = settings()
    key, secret, refresh = credentials("tiktok")
    source = TikTokPosts(
        client_key=key,
        client_secret=secret,
        refresh_token=refresh,
        tokens_file=home.home / "live" / "tiktok" / "tokens.json",
        landing=Landing(home.landing),
        base=address("tiktok", url),
        posts=posts,
    )
    run_live(source, adopt=adopt, as_json=as_json)
