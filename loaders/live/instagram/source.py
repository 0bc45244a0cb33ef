"""``ace load instagram``: what is asked for, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from common.errors import AceError
from loaders.landing import Landing
from loaders.landing.metadata import utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.instagram import errors
from loaders.live.instagram.fields import OWN, Refusals, without
from loaders.live.instagram.hashtags import hashtags
from loaders.live.instagram.pages import asked_with_fewer, items, of_edge, pages
from loaders.live.instagram.token import Token
from loaders.live.instagram.versions import warning
from loaders.live.known import posts_to_poll
from loaders.live.outcomes import Refused
from loaders.live.source import Asking, Sending, Source

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
#: The list of media gives 100 at most.
_PAGE = 100
#: Subcodes of a media that has no insights: it was published before its account became a
#: business account, or is not there any more.
_NONE = (2_108_006, 33)
_INSIGHT = ("name", "period", "values", "total_value")


@dataclass(frozen=True)
class Wanted:
    """What a call asks for: own media (of the last ``days``), stories, the posts that the
    warehouse knows and that are due, hashtags (also their ``top`` media)."""

    media: bool = True
    days: int | None = None
    stories: bool = False
    posts: bool = False
    hashtags: tuple[str, ...] = ()
    top: bool = False


class Instagram(Source):
    """One account. ``account`` is its id, or ``me`` for a token of Instagram Login."""

    name, command, preset = "instagram", "instagram", "instagram-graph"
    per_second = 10.0

    def __init__(
        self,
        base: str,
        landing: Landing,
        *,
        token: Token,
        account: str,
        version: str,
        wanted: Wanted,
    ) -> None:
        self.base, self._landing, self._token = base, landing, token
        self._account, self._version, self._wanted = account, version, wanted

    @property
    def options(self) -> Mapping[str, Any]:
        wanted = self._wanted
        return {
            "account": self._account,
            "version": self._version,
            "media": wanted.media,
            "days": wanted.days,
            "stories": wanted.stories,
            "posts": wanted.posts,
            "hashtags": list(wanted.hashtags),
            "top": wanted.top,
        }

    def headers(self, send: Sending) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token.access(send)}"}

    def secrets(self) -> list[str]:
        return self._token.secrets()

    def judge(self, ask: Ask, answer: Answer) -> None:
        errors.judge(answer)

    def given(self, cursor: dict[str, Any] | None) -> Any:
        posts = posts_to_poll(self._landing, self.name, utc_now()) if self._wanted.posts else []
        return {"posts": posts, "hashtags": (cursor or {}).get("hashtags") or {}}

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> dict[str, Any] | None:
        if warned := warning(self._version, begun_at.date()):
            self.notes.append(warned)
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
        self._known_posts(ask, given["posts"], refusals)
        ids = hashtags(
            ask,
            self._wanted.hashtags,
            given["hashtags"],
            path=self._path,
            account=self._account,
            edges=("recent_media", "top_media") if self._wanted.top else ("recent_media",),
            notes=self.notes,
        )
        return {"until": begun_at.isoformat(), "hashtags": ids}

    def _known_posts(self, ask: Asking, posts: list[str], refusals: Refusals) -> None:
        fields, gone = ",".join(OWN), 0
        for post in posts:
            if not (post.isascii() and post.isdigit()):
                gone += 1
                continue
            question = Ask(self._path(post), {"fields": fields}, kind="post")
            try:
                answer, question = asked_with_fewer(ask, question)
            except Refused as problem:
                if errors.is_permission(problem):
                    raise errors.lacks_permission(problem, "instagram_basic") from None
                gone += 1
                continue
            fields = question.query["fields"]
            if _id_of(answer.document):
                self._insights(ask, answer.document, refusals)
        if gone:
            self.notes.append(
                f"Posts that Instagram does not know (any more), or not for this account: {gone:,}."
            )

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
        if ask.kind == "hashtag" and answer.status < 400:
            yield from plan.preset_records(of_edge(answer, "recent_media"), answer.at)
        elif ask.kind in ("media", "post") and answer.status < 400:
            own = of_edge(answer, "media") if ask.kind == "media" else answer.document
            for found in plan.preset_records(own, answer.at):
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
        # Without titles and descriptions, which are the same for every media.
        values = [{name: item[name] for name in _INSIGHT if name in item} for item in insights]
        document = {**media, "insights": {"data": values}} if values else media
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
