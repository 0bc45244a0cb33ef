"""One HTTP client for every platform: what is in here, no source has to think of.

Credentials go into headers only. Waits are those the platform names, else longer and longer
ones; an answer is read to its end within a time and a size; a redirect is followed on the same
host only. Nothing that is raised or returned holds a secret.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import stamina

from common.errors import AceError
from loaders.landing.metadata import utc_now
from loaders.live.asks import Answer, Ask
from loaders.live.outcomes import Again, Expired, Paused, Refused
from loaders.live.pace import Budget, Pace
from loaders.live.source import Platform
from loaders.presets.secrets import redact_text

#: Seconds to connect, and without a byte of an answer.
CONNECT_SECONDS = 10.0
SILENT_SECONDS = 60.0
#: ... and for the whole of one, which a server may send byte by byte.
WHOLE_SECONDS = 180.0
#: No page of any platform is a tenth as large.
MAX_BYTES = 64 * 1024 * 1024
REDIRECTS = 5
ATTEMPTS = 8
WAIT_MAX = 60.0
#: A longer wait than this (seconds) is the end of a run, not a pause in it.
PATIENCE = 300.0
USER_AGENT = "ace-warehouse"

# What is waited for is said here, in a sentence; without this, a line of a log is printed besides.
stamina.instrumentation.set_on_retry_hooks(())


class Client:
    """Asks one platform; a context manager.

    ``asked`` counts requests, ``retried`` those that were made again; ``say`` is told of every
    wait between them that takes longer than a few seconds.
    """

    def __init__(
        self,
        source: Platform,
        budget: Budget,
        *,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._source, self._budget, self._say = source, budget, say
        self._pace = Pace(source.per_second)
        self._http = httpx2.Client(
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=httpx2.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
        )
        self.asked = 0
        self.retried = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: Any) -> None:
        self._http.close()

    def get(self, ask: Ask) -> Answer:
        """A good answer. Raises Refused and Paused (see ``loaders.live.outcomes``), and AceError
        where the platform cannot be reached, never answers well, or takes no credentials.
        """
        return self._patiently(self._once, ask)

    def bare(self, ask: Ask) -> Answer:
        """Whatever a request for credentials is answered, once it is neither busy nor lost:
        with the secrets in it, so it is never kept. Raises AceError where it always is."""
        return self._patiently(self._bare, ask)

    def _bare(self, ask: Ask) -> Answer:
        # Not masked: a token that has not changed is worth as much as a new one.
        answer = self.send(ask, {}, masking=False)
        if answer.status == 429 or answer.status >= 500:
            raise Again(f"HTTP {answer.status}", retry_after(answer))
        return answer

    def _patiently(self, work: Callable[[Ask], Answer], ask: Ask) -> Answer:
        try:
            for attempt in stamina.retry_context(
                on=self._wait, attempts=ATTEMPTS, timeout=None, wait_initial=1.0, wait_max=WAIT_MAX
            ):
                with attempt:
                    return work(ask)
        except Again as problem:
            if problem.last is not None:
                raise problem.last from None
            raise AceError(
                f"{self._host} did not answer well however often it was asked: {problem}.",
                f"Run it again later: ace load {self._source.command}",
            ) from None
        raise AssertionError("unreachable")

    def _wait(self, error: Exception) -> bool | float:
        """Whether, and after how many seconds, to ask again."""
        if not isinstance(error, Again):
            return False
        self.retried += 1
        if error.seconds is None:
            return True
        if error.seconds > 5:
            self._say(f"{error}: waiting {error.seconds:.0f} s")
        return error.seconds

    @property
    def _host(self) -> str:
        return urlsplit(self._source.base).netloc.rpartition("@")[2]

    def _once(self, ask: Ask) -> Answer:
        """One attempt, two where the token had to be renewed."""
        try:
            return self._judged(ask)
        except Expired:
            if not self._source.renew():
                raise AceError(
                    f"{self._host} no longer takes the access token.",
                    f"Get a new one; 'ace load {self._source.command} --help' says where.",
                ) from None
        try:
            return self._judged(ask)
        except Expired:
            raise AceError(
                f"{self._host} refuses the access token that it has just given.",
                "Check that the app still has its permissions.",
            ) from None

    def _judged(self, ask: Ask) -> Answer:
        self._budget.spend(ask.bucket, ask.cost)
        answer = self.send(ask, self._credentials())
        try:
            self._source.judge(ask, answer)
            if answer.status >= 400:
                judge_status(answer)
            if answer.document is None:
                # A proxy's page, or a body that was cut where HTTP could not tell.
                raise Again(f"its answer to {ask.path} is no JSON")
        except Paused as problem:
            until = problem.until or self._budget.exhaust(ask.bucket)
            raise Paused(self.clean(str(problem)), until) from None
        except Again as problem:
            if problem.seconds is not None and problem.seconds > PATIENCE:
                until = datetime.fromtimestamp(time.time() + problem.seconds, UTC)
                raise Paused(self.clean(str(problem)), until) from None
            raise Again(self.clean(str(problem)), problem.seconds, problem.last) from None
        except Refused as problem:
            why = self.clean(str(problem))
            raise Refused(why, problem.answer, problem.code) from None
        return answer

    def _credentials(self) -> dict[str, str]:
        try:
            return self._source.headers(self.bare)
        except AceError as problem:
            # What was answered may hold what was asked with.
            message, hint = self.clean(problem.message), self.clean(problem.hint)
            raise AceError(message, hint, exit_code=problem.exit_code) from None

    def send(self, ask: Ask, headers: dict[str, str], *, masking: bool = True) -> Answer:
        """The answer to one request, whatever it is. Raises Again where there is none."""
        self._pace.wait()
        self.asked += 1
        secrets = self._source.secrets() if masking else []
        method, path, query = ask.method, ask.path, dict(ask.query)
        body: dict[str, Any] = {}
        if ask.json is not None:
            body["json"] = ask.json
        if ask.form is not None:
            body["data"] = ask.form
        # Below a path, too, where the base has one: joined, it would be lost.
        url = httpx2.URL(self._source.base.rstrip("/") + path if path.startswith("/") else path)
        for _ in range(REDIRECTS + 1):
            try:
                with self._http.stream(
                    method, url, params=query or None, headers={**ask.headers, **headers}, **body
                ) as response:
                    target = _redirect(response)
                    if target is None:
                        return self._read(response, secrets)
            except httpx2.TimeoutException:
                raise Again("it took too long to answer") from None
            except httpx2.TransportError as error:
                raise Again(self.clean(f"the connection failed ({_said(error)})")) from None
            except httpx2.DecodingError:
                raise Again("its answer came damaged") from None
            if (target.scheme, target.host, target.port) != (url.scheme, url.host, url.port):
                raise AceError(
                    f"{self._host} sends {ask.path} on to another host ({target.host}), which "
                    "was not followed.",
                    "Check the address that is configured.",
                )
            url, query = target, {}
            if response.status_code in (301, 302, 303):
                method, body = ("GET" if method != "HEAD" else method), {}
        raise AceError(
            f"{self._host} sends {ask.path} on more than {REDIRECTS} times.",
            "Check the address that is configured.",
        )

    def _read(self, response: httpx2.Response, secrets: Iterable[str]) -> Answer:
        deadline = time.monotonic() + WHOLE_SECONDS
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise AceError(
                    f"An answer of {self._host} is larger than {MAX_BYTES >> 20} MiB; it was "
                    "not read further.",
                    "Ask for fewer items at a time, or check the address.",
                )
            if time.monotonic() > deadline:
                raise Again(f"its answer was not complete after {WHOLE_SECONDS:.0f} s")
            parts.append(part)
        text = b"".join(parts).decode("utf-8", "replace")
        headers = {name.lower(): masked(value, secrets) for name, value in response.headers.items()}
        return Answer(response.status_code, masked(text, secrets), utc_now(), headers)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        return redact_text(masked(text, self._source.secrets()))


def judge_status(answer: Answer) -> None:
    """What an HTTP status alone means; for sources whose platform says nothing better."""
    status = answer.status
    if status in (408, 425, 429) or status >= 500:
        raise Again(f"HTTP {status}", retry_after(answer))
    if status >= 400:
        raise Refused(f"HTTP {status}", answer, status)


def retry_after(answer: Answer) -> float | None:
    """The seconds that ``Retry-After`` names, as a number or as a date; None where it does not."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - answer.at).total_seconds())
    except (TypeError, ValueError):
        return None


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the secrets, also as they stand in an address or in JSON."""
    for secret in secrets:
        if len(secret) >= 4:
            text = _every_form(secret).sub("***", text)
    return text


@cache
def _every_form(secret: str) -> re.Pattern[str]:
    """Letters and digits are written as they are; all else as itself, as ``%2F``, or in JSON as
    ``\\/`` or ``\\u002f``, as the server likes it."""
    parts = []
    for one in secret:
        if one.isascii() and one.isalnum():
            parts.append(one)
            continue
        forms = [re.escape(one), re.escape(f"\\{one}"), rf"\\u(?i:{ord(one):04x})"]
        if quote(one, safe="") != one:
            forms.append(f"(?i:{quote(one, safe='')})")
        if one == " ":
            forms.append(r"\+")
        parts.append(f"(?:{'|'.join(forms)})")
    return re.compile("".join(parts))


def _redirect(response: httpx2.Response) -> httpx2.URL | None:
    if response.status_code not in (301, 302, 303, 307, 308):
        return None
    location = response.headers.get("location")
    return response.request.url.join(location) if location else None


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text or type(error).__name__
