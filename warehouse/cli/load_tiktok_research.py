"""``ace load tiktok-research``: other people's videos from the Research API."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from common.errors import UsageError
from warehouse.cli._live import address, credentials, run_live, url_option
from warehouse.cli._show import json_option

EPILOG = """\b
Examples:
  ace load tiktok-research --hashtag skincare --hashtag grwm --region US
  ace load tiktok-research --keyword 'water bottle' --since 2026-09-01
"""
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(epilog=EPILOG)
@click.option("--keyword", "keywords", multiple=True, help="In the description; repeatable.")
@click.option("--hashtag", "hashtags", multiple=True, help="Without #; repeatable.")
@click.option("--username", "usernames", multiple=True, help="Without @; repeatable.")
@click.option(
    "--region", "regions", multiple=True, metavar="CC", help="Of the account, as US; repeatable."
)
@click.option("--since", type=_DAY, help="First day of publication [default: 30 days ago].")
@click.option("--until", type=_DAY, help="Last day; the next run begins anew without it.")
@click.option(
    "--daily-requests", default=1000, show_default=True, type=click.IntRange(1), metavar="N",
    help="What the quota of a day allows (50 while the access is on trial).",
)  # fmt: skip
@url_option("ACE_TIKTOK_URL")
@json_option
def command(
    keywords: tuple[str, ...],
    hashtags: tuple[str, ...],
    usernames: tuple[str, ...],
    regions: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    daily_requests: int,
    url: str | None,
    as_json: bool,
) -> None:
    """Land TikTok videos of any of the keywords, hashtags and users, in any of the regions.

    Needs access to the Research API: ACE_TIKTOK_RESEARCH_KEY and ACE_TIKTOK_RESEARCH_SECRET
    of the client. A run begins three days before the last one ended, since videos come up
    to two days late; counts may be ten days old. --region alone takes all of a country's.
    """
    from loaders.live.tiktok.research import TikTokResearch

    keywords, hashtags = _words(keywords), _words(hashtags, "#")
    usernames, regions = _words(usernames, "@"), tuple(map(_country, regions))
    if not (keywords or hashtags or usernames or regions):
        raise UsageError(
            "Nothing says which videos.",
            "Give --keyword, --hashtag, --username or --region, each repeatable.",
        )
    begin, end = (moment.date() if moment else None for moment in (since, until))
    if begin and begin > (end or _today()):
        raise UsageError(
            f"--since {begin} would begin after {f'--until {end}' if end else 'today'}.",
            "Give an earlier day.",
        )
    key, secret = credentials("tiktok-research")
    source = TikTokResearch(
        client_key=key,
        client_secret=secret,
        base=address("tiktok-research", url),
        keywords=keywords,
        hashtags=hashtags,
        usernames=usernames,
        regions=regions,
        since=begin,
        until=end,
        per_day=daily_requests,
    )
    run_live(source, adopt=None, as_json=as_json)


def _words(given: tuple[str, ...], sign: str = "") -> tuple[str, ...]:
    """What is left without blanks and the sign it may begin with."""
    words = (word.strip().removeprefix(sign) for word in given)
    return tuple(word for word in words if word)


def _country(region: str) -> str:
    if len(region) != 2 or not region.isascii() or not region.isalpha():
        raise UsageError(f"{region} is not a country of two letters.", "Write it as US.")
    return region.upper()


def _today() -> date:
    return datetime.now(UTC).date()
