"""Which sources ``ace run`` asks, and what each needs to be told first."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import UsageError


@dataclass(frozen=True)
class Needed:
    """A setting that a source cannot do without, and where one gets it."""

    name: str
    where: str


@dataclass(frozen=True)
class LiveSource:
    """A source that is asked over HTTP: ``ace load <command>``.

    ``needs`` are the settings of its credentials. ``loads`` names the setting that holds what
    ``ace run`` loads of it: the options of the command, and of several calls, ``;`` between them.
    """

    command: str
    loads: str
    needs: tuple[Needed, ...]
    #: Its own address, and the setting that may name another.
    base: str = ""
    url: str = ""

    def calls(self, values: Mapping[str, str]) -> list[list[str]]:
        """The options of each call; none where the source is not configured. Raises UsageError
        where a quote is left open."""
        lexer = shlex.shlex(values.get(self.loads, ""), posix=True, punctuation_chars=";")
        lexer.whitespace_split, lexer.commenters = True, ""
        calls: list[list[str]] = [[]]
        try:
            for word in lexer:
                if set(word) == {";"}:
                    calls.append([])
                else:
                    calls[-1].append(word)
        except ValueError as error:
            raise UsageError(
                f"{self.loads} cannot be read: {str(error).lower()}.",
                f"Write what follows 'ace load {self.command}', as in a shell.",
            ) from None
        return [call for call in calls if call]

    def missing(self, values: Mapping[str, str]) -> list[Needed]:
        """What has to be set before it can be asked."""
        return [one for one in self.needs if not values.get(one.name)]


#: Every source that is asked over HTTP, in the order in which ``ace run`` asks them.
LIVE_SOURCES: tuple[LiveSource, ...] = (
    LiveSource(
        "tiktok-research",
        "ACE_TIKTOK_RESEARCH_LOAD",
        (
            Needed("ACE_TIKTOK_RESEARCH_KEY", "the client key of a Research API project"),
            Needed("ACE_TIKTOK_RESEARCH_SECRET", "the client secret beside that key"),
        ),
        "https://open.tiktokapis.com",
        "ACE_TIKTOK_URL",
    ),
    LiveSource(
        "tiktok",
        "ACE_TIKTOK_LOAD",
        (
            Needed("ACE_TIKTOK_CLIENT_KEY", "the client key of your app on developers.tiktok.com"),
            Needed("ACE_TIKTOK_CLIENT_SECRET", "the client secret beside that key"),
            Needed(
                "ACE_TIKTOK_REFRESH_TOKEN",
                "what TikTok gave when the account allowed the app video.list",
            ),
        ),
        "https://open.tiktokapis.com",
        "ACE_TIKTOK_URL",
    ),
    LiveSource(
        "youtube",
        "ACE_YOUTUBE_LOAD",
        (Needed("ACE_YOUTUBE_KEY", "an API key of a Google project with YouTube Data API v3"),),
        "https://www.googleapis.com",
        "ACE_YOUTUBE_URL",
    ),
    LiveSource(
        "instagram",
        "ACE_INSTAGRAM_LOAD",
        (
            Needed(
                "ACE_INSTAGRAM_TOKEN",
                "a long-lived access token of your app on developers.facebook.com",
            ),
        ),
        # One of two hosts: which, the token says.
        url="ACE_INSTAGRAM_URL",
    ),
)


def live_source(command: str) -> LiveSource:
    """The source that ``ace load <command>`` asks."""
    return next(one for one in LIVE_SOURCES if one.command == command)
