"""Which sources ``ace run`` asks, and what each needs to be told first."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    #: Of a call with such an option, what it needs instead.
    instead: Mapping[str, tuple[Needed, ...]] = field(default_factory=dict)

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

    def needs_of(self, call: Iterable[str] = ()) -> tuple[Needed, ...]:
        """The settings of a call's credentials."""
        own = [self.instead[option] for option in call if option in self.instead]
        return own[0] if own else self.needs

    @property
    def credentials(self) -> list[tuple[Needed, ...]]:
        """The settings that go together."""
        return [self.needs, *self.instead.values()]

    def missing(self, values: Mapping[str, str], call: Iterable[str] = ()) -> list[Needed]:
        """What has to be set before it can be asked."""
        return _missing(self.needs_of(call), values)

    def lacks(self, values: Mapping[str, str]) -> list[Needed] | None:
        """What is missing of what is wanted or begun; None where nothing is. Raises UsageError as
        :meth:`calls`."""
        wanted = [self.needs_of(call) for call in self.calls(values)]
        used = [one for one in self.credentials if one in wanted or _any_set(one, values)]
        if not used:
            return None
        return [one for needs in used for one in _missing(needs, values)]


def _missing(needs: Iterable[Needed], values: Mapping[str, str]) -> list[Needed]:
    return [one for one in needs if not values.get(one.name)]


def _any_set(needs: Iterable[Needed], values: Mapping[str, str]) -> bool:
    return any(values.get(one.name) for one in needs)


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
        {
            "--analytics": (
                Needed("ACE_YOUTUBE_CLIENT_ID", "the id of an OAuth client of a Google project"),
                Needed("ACE_YOUTUBE_CLIENT_SECRET", "the client secret beside that id"),
                Needed(
                    "ACE_YOUTUBE_REFRESH_TOKEN",
                    "what Google gave when the channel's owner allowed the client "
                    "yt-analytics.readonly and youtube.readonly",
                ),
            )
        },
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
