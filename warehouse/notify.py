"""A webhook that is told when a run failed or a source went stale: ``ace run --notify URL``.

The body is JSON: ``text`` is what chat services show (a sentence and the next step), the rest is
for programs. Addresses of webhooks are secrets themselves, so none is ever shown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from common.errors import AceError, UsageError

SETTING = "ACE_NOTIFY_URL"
SECONDS = 20.0


@dataclass(frozen=True)
class Notice:
    """What is told. ``status`` is ``failed`` or ``stale``; ``release`` is the current one, None
    before the first; ``numbers`` is the last week as the report begins with it."""

    status: str
    problem: str
    next_step: str
    release: dict[str, Any] | None = None
    numbers: dict[str, Any] | None = None
    stale: list[dict[str, Any]] = field(default_factory=list)

    @property
    def body(self) -> dict[str, Any]:
        text = f"ACE warehouse, run {self.status}: {self.problem} {self.next_step}".strip()
        if self.release is not None:
            text += f" Readers see release {self.release['release']}."
        return {"text": text, **asdict(self)}


def check_address(url: str, name: str = SETTING) -> str:
    """The address, if a notice may go there: https, or this machine. Raises UsageError."""
    from loaders.live.address import base_address

    try:
        parts = urlsplit(url)
        base_address(f"{parts.scheme}://{parts.netloc}", "", name)
    except (UsageError, ValueError):
        raise UsageError(
            f"{name} is no address that a notice can be sent to.",
            "Give the https:// address of a webhook (http is for this machine only).",
        ) from None
    return url


def send(url: str, notice: Notice) -> None:
    """Tell it, trying twice. Raises AceError, without the address, where nobody takes it."""
    import httpx2

    why = ""
    for _ in range(2):
        try:
            answer = httpx2.post(url, json=notice.body, timeout=SECONDS, follow_redirects=False)
        except httpx2.HTTPError as error:
            why = type(error).__name__
            continue
        if answer.status_code < 300:
            return
        why = f"HTTP {answer.status_code}"
    raise AceError(f"The notice was not taken ({why}).", f"Check {SETTING}.")


def last_week(target: str | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The current release and the numbers of its last week; None where there are none."""
    from warehouse import overview
    from warehouse.analyses import analysis
    from warehouse.readers import current_or_none
    from warehouse.report.weeks import together

    reader = current_or_none(target)
    if reader is None:
        return None, None
    with reader:
        release = overview.release(reader, overview.now())
        try:
            sql = analysis("week_over_week").sql(reader.tables(), {})
        except UsageError:
            return release, None
        week = together(reader.query(sql).dicts())
        return release, None if week is None else asdict(week)
