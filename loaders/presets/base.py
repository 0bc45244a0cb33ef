"""What a preset is, and the small tools every preset is written with.

A preset knows one platform export: where the records are inside a document,
which of their fields become which landed columns, and which records cannot be
landed at all. It never types a value (``loaders.records`` does that, in one
place) and it never raises on what a document holds: a record it cannot use
comes back with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from common.errors import UsageError
from loaders.presets.secrets import redact, redact_text
from loaders.schema import SOURCES
from loaders.values import NotTyped, Typing
from loaders.values.base import UNKNOWN_WORDS
from loaders.values.ids import to_external_id

#: What an export of one's own account holds: polls, and the posts themselves.
POLLS, POSTS = "performance_metrics", "published_posts"
#: A number with an exponent, where the platform's ids are digits.
_EXPONENT = re.compile(r"\d+[eE]\d+$", re.ASCII)


@dataclass(frozen=True)
class PresetRecord:
    """One record of a document, mapped onto a resource or refused.

    ``values`` are landed columns with the platform's own values, ``extra`` the
    fields no column takes, under their original names. ``resource`` is None
    when the record cannot be landed; ``reason`` then says why in one sentence.
    ``raw`` is the record as received, without access tokens.
    """

    resource: str | None
    values: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    raw: Any = None
    #: When the record itself says its values were known; typed with the rest.
    extracted_at: Any = None
    #: What a refused record would have been, where a document gives several.
    meant: str | None = None
    #: Of a refusal that holds for the whole file: what to do instead.
    next_step: str = ""


Reader = Callable[[Any, Mapping[str, Any]], Iterator[PresetRecord]]


@dataclass(frozen=True)
class Preset:
    """A known export: ``records(document)`` turns one document into records.

    With ``rows`` a document is one CSV row as a dict of strings; otherwise it
    is one parsed JSON document (a whole file, an NDJSON line or the element of
    an array; a whole array is taken element by element). JSON presets also
    understand the rows of a flattened CSV where their platform exports one.
    """

    name: str
    source: str
    rows: bool
    help: str
    reader: Reader
    options: Mapping[str, Any] = field(default_factory=dict)
    #: What it lands, where that is less than its source has; the first takes refusals.
    lands: tuple[str, ...] = ()
    #: What is wrong with a file of these columns, as what follows its name; '' when nothing.
    #: None where columns do not tell.
    misfit: Callable[[Collection[str]], str] | None = None
    #: What must be known of the records it lands, by resource.
    remarks: Mapping[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources its records can be."""
        return self.lands or SOURCES[self.source]

    def records(self, document: Any) -> Iterator[PresetRecord]:
        """The records of one document, in order; an empty page has none."""
        if isinstance(document, list) and not self.rows:
            for element in document:
                yield from self._read(element)
        else:
            yield from self._read(document)

    def with_options(self, **options: Any) -> Preset:
        """This preset with some of its options set (UsageError if unknown)."""
        unknown = sorted(set(options) - set(self.options))
        if unknown:
            known = ", ".join(sorted(self.options)) or "none"
            raise UsageError(
                f"The preset {self.name} has no option {unknown[0]!r}.", f"It knows: {known}."
            )
        return replace(self, options={**self.options, **options})

    def _read(self, document: Any) -> Iterator[PresetRecord]:
        if not isinstance(document, dict):
            yield refused(document, f"This is {describe(document)}, not a record.")
            return
        if not self.rows:
            problem = api_error(document)
            if problem:
                yield refused(redact(document, messages=True), problem)
                return
        yield from self.reader(document, self.options)


class Unusable(Exception):
    """Inside a preset: this record cannot be landed, and the message says why."""


class WrongFile(Unusable):
    """Inside a preset: what this record shows is true of the whole file, which is refused."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


class Fields:
    """A record whose fields are taken out one by one; what is left is the extra."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._rest: dict[str, Any] = dict(record)

    def take(self, *paths: str) -> Any:
        """The first non-null value among the dotted paths, removed from the rest.

        A path also finds the flattened column of that name (``a.b`` or ``a/b``).
        A container of an unexpected type counts as absent and stays in the rest.
        """
        for path in paths:
            value = self._rest.pop(path, None)
            if value is None and "." in path:
                value = self._rest.pop(path.replace(".", "/"), None)
                if value is None:
                    value = self._take_nested(path.split("."))
            if value is not None:
                return value
        return None

    def get(self, name: str) -> Any:
        """A top-level field that stays in the rest."""
        return self._rest.get(name)

    def put(self, name: str, value: Any) -> None:
        self._rest[name] = value

    def drop(self, *names: str) -> None:
        for name in names:
            self._rest.pop(name, None)

    def rest(self) -> dict[str, Any]:
        return self._rest

    def _take_nested(self, parts: list[str]) -> Any:
        chain: list[tuple[dict[str, Any], str]] = []
        parent = self._rest
        for part in parts[:-1]:
            child = parent.get(part)
            if not isinstance(child, dict):
                return None
            chain.append((parent, part))
            # Copied on the way down: the record itself stays as received.
            parent[part] = dict(child)
            parent = parent[part]
        value = parent.pop(parts[-1], None)
        for above, part in reversed(chain):
            if above[part]:
                break
            del above[part]
        return value


def landed(resource: str, record: Any, fields: Fields, values: Mapping[str, Any]) -> PresetRecord:
    """A record for ``resource``; values that are None are left out."""
    known = {column: value for column, value in values.items() if value is not None}
    extra = {str(name): value for name, value in fields.rest().items()}
    raw = redact(record)
    # Extra is part of the record: clean when the record is, and scanned once.
    return PresetRecord(resource, known, extra if raw is record else redact(extra), raw=raw)


def polled(
    record: Any,
    fields: Fields,
    platform: str,
    post: str,
    counts: Mapping[str, Any],
    told: Mapping[str, Any] | None = None,
) -> PresetRecord:
    """A poll of our own post with its counts, and what else it was ``told`` (columns of
    ``schema.TOLD``); Unusable when it observed no count at all.

    A poll without a single count says nothing about a post, and landed it
    would look like one that found every count hidden.
    """
    if all(map(_says_nothing, counts.values())):
        raise Unusable(
            f"Post {post} carries no views, likes, comments or shares: "
            "ask the platform for its counts."
        )
    values = {"platform": platform, "external_post_id": post, **counts, **(told or {})}
    return landed(POLLS, record, fields, values)


def _says_nothing(value: Any) -> bool:
    if not isinstance(value, str):
        return value is None
    text = value.strip().casefold()
    return not text or text in UNKNOWN_WORDS


def refused(record: Any, reason: str) -> PresetRecord:
    """A record that cannot be landed, with the sentence that says why."""
    return PresetRecord(None, reason=reason, raw=redact(record))


def attempt(read: Callable[..., PresetRecord], record: Any, *context: Any) -> PresetRecord:
    """``read(record, ...)`` for an object; a refusal for all else and on Unusable."""
    if not isinstance(record, dict):
        return refused(record, f"This is {describe(record)}, not a record.")
    try:
        return read(record, *context)
    except WrongFile as problem:
        return replace(refused(record, str(problem)), next_step=problem.next_step)
    except Unusable as problem:
        return refused(record, str(problem))


def identifier(value: Any, name: str, *, numeric: bool = False, platform: str | None = None) -> str:
    """A platform's id as exact text, without what programs put around it; Unusable when it is
    missing or was rounded. A link gives the id in it, if it is one of ``platform``.

    ``numeric`` says that the platform's ids are digits, so that ``7.3E+18`` is
    recognised as one that a spreadsheet has rounded.
    """
    if isinstance(value, dict | list | bool):
        raise Unusable(f"The field {name} is {describe(value)}, not an id.")
    typing = Typing()
    try:
        text = to_external_id(value, typing)
    except NotTyped as problem:
        raise Unusable(f"The id {problem} (field {name}).") from None
    if not text:
        what = "missing" if value in (None, "") else "empty"
        raise Unusable(f"The field {name} is {what}, so nothing says which post this is.")
    if typing.linked and platform and typing.linked != platform:
        raise Unusable(f"The link in {name} is of {typing.linked}, not of {platform}.")
    if numeric and _EXPONENT.match(text):
        raise Unusable(f"The id {text!r} was spoilt by a spreadsheet (field {name}).")
    return text


def describe(value: Any) -> str:
    """A JSON value's type in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def items_of(document: Mapping[str, Any], *path: str) -> list[Any]:
    """The list at ``path``; Unusable, naming the place, when it is not a list."""
    value: Any = document
    for place, part in enumerate(path):
        if not isinstance(value, dict) or part not in value:
            raise Unusable(f"The response has no {'.'.join(path[: place + 1])}.")
        value = value[part]
    if not isinstance(value, list):
        raise Unusable(f"The field {'.'.join(path)} is {describe(value)}, not a list.")
    return value


def each_of(
    document: Mapping[str, Any], read: Callable[..., PresetRecord], *path: str
) -> Iterator[PresetRecord]:
    """``attempt`` for each item of the list at ``path``; one refusal when it is no list."""
    try:
        items = items_of(document, *path)
    except Unusable as problem:
        yield refused(document, str(problem))
        return
    for item in items:
        yield attempt(read, item)


def names_in(value: Any, key: str) -> Any:
    """The texts of a list of names or of objects that carry one under ``key``.

    None when there are none. What is no list is handed on as it came.
    """
    if not isinstance(value, list):
        return value
    names = [item.get(key) if isinstance(item, dict) else item for item in value]
    return [name for name in names if name is not None and name != ""] or None


def api_error(document: Mapping[str, Any]) -> str:
    """The sentence for an API's error body, or '' for any other document.

    Knows the envelope ``{"error": {"code", "message"}}`` with its "ok" (TikTok,
    Google, Meta, Apify), the flat OAuth body ``{"error", "error_description"}``
    and a ``code`` other than 0 in a successful response (TikTok Business).
    """
    error = document.get("error")
    code: Any = None
    if isinstance(error, dict):
        code = error.get("code") if error.get("code") is not None else error.get("type")
        message = error.get("message") or error.get("error_user_msg")
        if _is_ok(code) and (code is not None or not message):
            return ""
        if isinstance(details := error.get("errors"), list):
            reasons = [d["reason"] for d in details if isinstance(d, dict) and d.get("reason")]
            code = f"{code} {reasons[0]}" if reasons else code
    elif error:
        code = document.get("errorCode") or error
        message = document.get("error_description") or document.get("message") or error
    elif "code" in document and "id" not in document:
        code, message = document["code"], document.get("message") or document.get("msg")
        if _is_ok(code) or message is None:
            return ""
    else:
        return ""
    told = redact_text(f"code {code}" + (f": {message}" if message not in (None, code) else ""))
    return f"The platform answered with an error, {told[:300].rstrip(' .')}."


def _is_ok(code: Any) -> bool:
    return code is None or (not isinstance(code, bool) and str(code).lower() in {"ok", "0", ""})
