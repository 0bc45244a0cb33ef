"""``ace load tiktok``: our own posts, all of them as the list gives them or by their ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loaders.landing import Landing
from loaders.landing.metadata import utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.known import posts_to_poll
from loaders.live.outcomes import Refused
from loaders.live.source import Asking, Sending, Source
from loaders.live.tiktok.errors import BASE, has_videos, judge, judge_page
from loaders.live.tokens import Tokens, token_of

if TYPE_CHECKING:
    from loaders.files.plan import Plan
    from loaders.presets import PresetRecord

FIELDS = (
    "id,create_time,cover_image_url,share_url,video_description,duration,height,width,title,"
    "embed_html,embed_link,like_count,comment_count,share_count,view_count"
)
#: Below 2^63.
_ID = re.compile("[0-9]{1,19}")
#: The most that a page, or a question for ids, may hold.
PAGE = 20
_NAMES = "ACE_TIKTOK_CLIENT_KEY and ACE_TIKTOK_CLIENT_SECRET"


@dataclass
class TikTokPosts(Source):
    """One account: its list of public posts, or with ``posts`` the known ones that are due."""

    client_key: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    #: Where the newest tokens are kept.
    tokens_file: Path
    landing: Landing
    base: str = BASE
    posts: bool = False
    _tokens: Tokens = field(init=False, repr=False)

    name, command, preset = "tiktok", "tiktok", "tiktok-display"
    #: 600 a minute and endpoint.
    per_second = 9.0

    def __post_init__(self) -> None:
        self._tokens = Tokens(self.tokens_file, self.refresh_token)

    @property
    def options(self) -> Mapping[str, Any]:
        return {"posts": self.posts}

    def given(self, cursor: dict[str, Any] | None) -> Any:
        if not self.posts:
            return None
        # One that is no id would have its whole batch refused.
        known = posts_to_poll(self.landing, "tiktok", utc_now())
        return [one for one in known if _ID.fullmatch(one)]

    def program(self, ask: Asking, given: Any, begun_at: datetime) -> None:
        if given is not None:
            for first in range(0, len(given), PAGE):
                batch = given[first : first + PAGE]
                if not self._poll(ask, batch) and len(batch) > 1:
                    # It is not about a post.
                    self.failures.append("the posts after them")
                    break
            return
        where: dict[str, Any] = {}
        while True:
            answer = ask(_question("/v2/video/list/", {"max_count": PAGE, **where}))
            data = answer.document["data"]
            if not data.get("has_more"):
                return
            where = {"cursor": data["cursor"]}

    def _poll(self, ask: Asking, ids: list[str]) -> bool:
        """Ask for the posts, in halves where they are refused: one costs no other its poll.
        Returns whether any of them was not refused."""
        try:
            # Posts that are gone are left out of the answer without a word.
            ask(_question("/v2/video/query/", {"filters": {"video_ids": ids}}))
            return True
        except Refused as refused:
            if len(ids) == 1:
                self.failures.append(f"post {ids[0]} ({refused})")
                return False
        middle = len(ids) // 2
        halves = [self._poll(ask, ids[:middle]), self._poll(ask, ids[middle:])]
        return any(halves)

    def headers(self, send: Sending) -> dict[str, str]:
        def refreshed(token: str) -> dict[str, Any]:
            form = {
                "client_key": self.client_key,
                "client_secret": self.client_secret,
                "grant_type": "refresh_token",
                "refresh_token": token,
            }
            answer = send(Ask("/v2/oauth/token/", method="POST", form=form))
            return token_of(answer, "TikTok", _NAMES, "ACE_TIKTOK_REFRESH_TOKEN")

        return {"Authorization": f"Bearer {self._tokens.access(refreshed)}"}

    def secrets(self) -> list[str]:
        own = [self.client_secret, self.client_key, self.refresh_token]
        return [one for one in (*own, *self._tokens.secrets()) if one]

    def renew(self) -> bool:
        self._tokens.refuse()
        return True

    def judge(self, ask: Ask, answer: Answer) -> None:
        judge(answer, "video.list")
        # Milliseconds, newest first; a page is what is older.
        asked = ask.json.get("cursor")
        judge_page(answer, lambda cursor: asked is None or cursor < asked)

    def records(self, ask: Ask, answer: Answer, plan: Plan) -> Iterable[PresetRecord]:
        return super().records(ask, answer, plan) if has_videos(answer) else []


def _question(path: str, body: dict[str, Any]) -> Ask:
    return Ask(path, {"fields": FIELDS}, "POST", json=body, kind="posts")
