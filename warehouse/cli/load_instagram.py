"""``ace load instagram``: own media and stories with their insights, and hashtags."""

from __future__ import annotations

import re

import click

from warehouse.cli._live import address, adopt_option, credentials, run_live, url_option
from warehouse.cli._show import json_option

EPILOG = """\b
What it needs:
  ACE_INSTAGRAM_TOKEN    a long-lived access token: of Instagram Login (begins with IG; scopes
                         instagram_business_basic, instagram_business_manage_insights), or of
                         Facebook Login (instagram_basic, instagram_manage_insights,
                         pages_read_engagement; hashtags also need Instagram Public Content
                         Access). Make one on developers.facebook.com, My Apps.
  ACE_INSTAGRAM_ACCOUNT  Facebook Login only: the id of the Instagram account, which
                         GET /{page-id}?fields=instagram_business_account gives.
  The token of Instagram Login is renewed once a week by itself; the newest is kept in
  $ACE_HOME/live/instagram/token.json. One of Facebook Login has to be made anew by hand.
  ACE_INSTAGRAM_VERSION  version of the API [default: v25.0].

\b
Examples:
  ace load instagram --adopt 'My shop'        (all of one's own media, as posts of a product)
  ace load instagram --days 30 --stories      (what 'ace run' may do every hour)
  ace load instagram --hashtag skincare --hashtag tinyhome
"""
_VERSION = re.compile(r"v\d{1,3}\.\d")


@click.command(epilog=EPILOG)
@click.option("--media", is_flag=True, help="Own media; also the default when nothing is named.")
@click.option(
    "--days",
    type=click.IntRange(min=1, max=10_000),
    metavar="N",
    help="Own media of the last N days only.",
)
@click.option("--stories", is_flag=True, help="Own stories, which are there for a day.")
@click.option(
    "--posts",
    is_flag=True,
    help="The posts that the warehouse knows, those that are due for a poll.",
)
@click.option(
    "--hashtag", "hashtags", multiple=True, metavar="TAG", help="Others' media of a hashtag."
)
@click.option("--top", is_flag=True, help="The most popular of the hashtags, besides the newest.")
@adopt_option
@click.option(
    "--login",
    type=click.Choice(["instagram", "facebook"]),
    help="Which login gave the token [default: by how it begins].",
)
@url_option("ACE_INSTAGRAM_URL")
@json_option
def command(
    media: bool,
    days: int | None,
    stories: bool,
    posts: bool,
    hashtags: tuple[str, ...],
    top: bool,
    adopt: str | None,
    login: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Land what Instagram tells of one's own media and stories, and media of hashtags.

    Each media is a poll of its counts and insights; with --adopt NAME it is a post, too.
    Costs one request for each 100 media and one for each media's insights.
    """
    from common.errors import UsageError
    from loaders.landing import Landing
    from loaders.live.instagram import Instagram
    from loaders.live.instagram.source import FACEBOOK, INSTAGRAM, Wanted
    from loaders.live.instagram.token import Token
    from loaders.live.instagram.versions import DEFAULT
    from warehouse.settings import settings

    home = settings()
    given = home.extra
    (token,) = credentials("instagram")
    of_facebook = login == "facebook" if login else not token.startswith("IG")
    account = given.get("ACE_INSTAGRAM_ACCOUNT", "").strip()
    if of_facebook and not account:
        raise UsageError(
            "A token of Facebook Login does not say which Instagram account is meant.",
            "Set ACE_INSTAGRAM_ACCOUNT: 'ace load instagram --help' says where it stands.",
        )
    if account and not (account.isascii() and account.isalnum()):
        raise UsageError(
            "ACE_INSTAGRAM_ACCOUNT is no id of an account.", "It is a number like 17841400000000."
        )
    version = given.get("ACE_INSTAGRAM_VERSION", "").strip() or DEFAULT
    if not _VERSION.fullmatch(version):
        raise UsageError(f"ACE_INSTAGRAM_VERSION is {version!r}.", "Write it like v25.0.")
    tags = tuple(dict.fromkeys(tag.strip().lstrip("#").casefold() for tag in hashtags))
    if tags and not of_facebook:
        raise UsageError(
            "Instagram gives hashtags to tokens of Facebook Login only.",
            "Leave --hashtag out, or use such a token.",
        )
    asked = bool(stories or posts or tags)
    source = Instagram(
        address("instagram", url, FACEBOOK if of_facebook else INSTAGRAM),
        Landing(home.landing),
        token=Token(
            token, home.home / "live" / "instagram" / "token.json", renewed=not of_facebook
        ),
        account=account or "me",
        version=version,
        wanted=Wanted(media or days is not None or not asked, days, stories, posts, tags, top),
    )
    run_live(source, adopt=adopt, as_json=as_json)
