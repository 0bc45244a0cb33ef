"""``ace load instagram``: what is asked for, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from common.errors import AceError
from loaders.live.asks import Answer, Ask
from loaders.live.instagram import errors
from loaders.live.instagram.fields import OWN, Refusals, without
from loaders.live.instagram.pages import items, pages
from loaders.live.outcomes import Refused
from loaders.live.source import Asking, Sending, Source

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
#: The list of media gives 100 at most, hashtags 50.
_PAGE, _FOUND_PAGE = 100, 50
#: How many pages of a hashtag are read: popular ones do not end.
HASHTAG_PAGES = 20
#: Subcodes of a media that has no insights: it was published before its account became a
#: business account, or is not there any more.
_NONE = (2_108_006, 33)


@dataclass(frozen=True)
class Wanted:
    """What a call asks for: own media (of the last ``days``), stories, hashtags."""

    media: bool = True
    days: int | None = None
    stories: bool = False
    hashtags: tuple[str, ...] = ()
    top: bool = False


class Instagram(Source):
    """One account. ``account`` is its id, or ``me`` for a token of Instagram Login."""

    name, command, preset = "instagram", "instagram", "instagram-graph"
    per_second = 10.0

    def __init__(
        self, base: str, *, token: str, account: str, version: str, wanted: Wanted
    ) -> None:
        self.base, self._token, self._account = base, token, account
        self._version, self._wanted = version, wanted

    @property
    def options(self) -> Mapping[str, Any]:
        wanted = self._wanted
        return {
            "account": self._account,
            "version": self._version,
            "media": wanted.media,
            "days": wanted.days,
            "stories": wanted.stories,
            "hashtags": list(wanted.hashtags),
            "top": wanted.top,
        }

    def headers(self, send: Sending) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def secrets(self) -> list[str]:
        return [self._token]

    def judge(self, ask: Ask, answer: Answer) -> None:
        errors.judge(answer)

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any] | None:
        refusals = Refusals()
        lists = []
        if self._wanted.media:
            lists.append(self._list("media", begun_at))
        if self._wanted.stories:
            lists.append(self._list("stories", begun_at))
        for first in lists:
            for page in self._own_pages(ask, first):
                for media in items(page):
                    if _id_of(media):
                        self._insights(ask, media, refusals)
        return {"until": begun_at.isoformat()}

    def _list(self, edge: str, begun_at: datetime) -> Ask:
        query = {"fields": ",".join(OWN), "limit": str(_PAGE)}
        if edge == "media" and self._wanted.days is not None:
            since = begun_at - timedelta(days=self._wanted.days)
            query["since"] = str(int(since.timestamp()))
        return Ask(self._path(self._account, edge), query, kind="media")

    def _path(self, *parts: str) -> str:
        return "/" + "/".join((self._version, *parts))

    def _own_pages(self, ask: Asking, first: Ask) -> Iterator[Answer]:
        try:
            yield from pages(ask, first)
        except Refused as problem:
            if errors.is_permission(problem):
                raise errors.lacks_permission(problem, "instagram_basic") from None
            if problem.code in (errors.PARAMETER, 803):
                raise AceError(
                    f"Instagram knows no account {self._account} for this token: {problem}.",
                    "Set ACE_INSTAGRAM_ACCOUNT to the account's id: "
                    "'ace load instagram --help' says where it stands.",
                ) from None
            raise

    def _insights(self, ask: Asking, media: dict[str, Any], refusals: Refusals) -> None:
        """Ask for what its kind of media has, less and less of it where it is refused."""
        product = str(media.get("media_product_type") or "FEED")
        metrics = asked = refusals.wanted(product)
        while metrics:
            question = self._about(media, metrics)
            try:
                ask(question)
                break
            except Refused as problem:
                if errors.is_permission(problem):
                    raise errors.lacks_permission(problem, "instagram_manage_insights") from None
                if not _is_about_metrics(problem):
                    return
                fewer = _fewer(question, problem.answer)
                metrics = self._one_by_one(ask, media, metrics) if fewer is None else fewer
        refusals.learn(product, asked, metrics)

    def _one_by_one(
        self, ask: Asking, media: dict[str, Any], metrics: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The metrics that are given on their own, when it was not said which one was refused."""
        good = []
        for name in metrics:
            try:
                ask(replace(self._about(media, (name,)), kind="probe"))
                good.append(name)
            except Refused:
                continue
        return tuple(good) if len(good) < len(metrics) else ()

    def _about(self, media: dict[str, Any], metrics: tuple[str, ...]) -> Ask:
        return Ask(
            self._path(str(media["id"]), "insights"),
            {"metric": ",".join(metrics)},
            kind="insights",
            about={"media": media},
        )

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterator[PresetRecord]:
        """Posts from the lists; a poll from each media's insights with its own counts, from
        those alone where there are no insights."""
        if ask.kind == "media":
            for found in plan.preset_records(answer.document, answer.at):
                is_stranger = found.resource is None and not _id_of(found.raw)
                if found.resource == "published_posts" or is_stranger:
                    yield found
        elif ask.kind == "insights":
            data = items(answer)
            if answer.status < 400 or not _fewer(ask, answer):
                yield from self._poll(ask.about["media"], data, answer, plan)

    def _poll(
        self, media: dict[str, Any], insights: list[dict[str, Any]], answer: Answer, plan: Plan
    ) -> Iterator[PresetRecord]:
        document = {**media, "insights": {"data": insights}} if insights else media
        for found in plan.preset_records(document, answer.at):
            # One that says nothing yet is no poll: insights come up to two days later.
            if found.resource == "performance_metrics":
                yield found


def _id_of(media: Any) -> str:
    return str(media.get("id") or "") if isinstance(media, dict) else ""


def _is_about_metrics(problem: Refused) -> bool:
    """Whether fewer metrics may do; else this media has no insights at all."""
    return problem.code == errors.PARAMETER and errors.subcode(problem.answer) not in _NONE


def _fewer(ask: Ask, answer: Answer) -> tuple[str, ...] | None:
    """The metrics that a refusal leaves; None where it does not say which one it is about."""
    if errors.subcode(answer) in _NONE:
        return None
    return without(tuple(ask.query["metric"].split(",")), errors.message(answer))
