"""What a load should tell before a build does: what is missing, what nothing took."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator

import polars as pl

from loaders.files.mapping import folded
from loaders.landing import Rejected
from loaders.notices import Notices
from loaders.schema import REQUIRED, RESOURCES, Need, spellings, twins

#: Names in one sentence.
_NAMED = 5
#: How alike two folded names are that are likely the same word (difflib's ratio).
_NEAR = 0.84
#: The shortest column name that is looked for at the end of a longer name (``totalviews``).
_SHORTEST_WORD = 5


class Summary:
    """Looks at the rows of one load as they are landed; :meth:`sentences` at its end."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.rows = 0
        self._filled: set[str] = set()
        self._lacking: Counter[Need] = Counter()
        #: What was rejected: how many by field, and the first of each with its reason.
        self._rejected: Counter[str | None] = Counter()
        self._reasons: dict[str | None, str] = {}

    def refuse(self, rejected: Iterable[Rejected]) -> None:
        """Records that are not landed."""
        for one in rejected:
            self._rejected[one.field] += 1
            if len(self._reasons) < _NAMED:
                self._reasons.setdefault(one.field, f"record {one.position + 1}: {one.reason}")

    def reasons(self) -> list[str]:
        """Why records were rejected: how many for each field, and an example."""
        found = []
        for field, example in self._reasons.items():
            count, example = self._rejected[field], " ".join(example.split())
            text = f"{example[:197]}..." if len(example) > 200 else example
            found.append(f"{count:,} rejected, {'e.g. ' if count > 1 else ''}{text}.")
        return found

    def look(self, frame: pl.DataFrame) -> None:
        """Rows that are landed, typed; columns the frame lacks have no value."""
        if frame.is_empty():
            return
        self.rows += frame.height
        empty = [n for n in frame.columns if n not in self._filled]
        self._filled.update(n for n in empty if frame[n].null_count() < frame.height)
        needs = REQUIRED[self.resource]
        counts = frame.select(
            self._without(frame, need).sum().alias(str(at)) for at, need in enumerate(needs)
        ).row(0)
        self._lacking.update(dict(zip(needs, counts, strict=True)))

    def _without(self, frame: pl.DataFrame, need: Need) -> pl.Expr:
        """Whether a row has none of the ways to give what is needed."""
        ways = [
            pl.all_horizontal([self._has(frame, column) for column in columns]) for columns in need
        ]
        return ~pl.any_horizontal(ways)

    def _has(self, frame: pl.DataFrame, column: str) -> pl.Expr:
        """Whether a row has a value for the column, under any of its names."""
        names = [n for n in spellings(self.resource, column) if n in frame.columns]
        given = [
            pl.col(n).is_not_null()
            & (pl.col(n).str.contains(r"\S") if frame.schema[n] == pl.String else True)
            for n in names
        ]
        return pl.any_horizontal(given) if given else pl.repeat(False, frame.height)

    def sentences(self, notices: Notices) -> list[str]:
        """One sentence for each thing the user should know, the gravest first."""
        if not self.rows:
            return []
        return [*self._missing(), *self._untaken(notices.untaken)]

    def _missing(self) -> Iterator[str]:
        """Rows that the next build holds back for want of something."""
        lacking = [(need, count) for need, count in self._lacking.items() if count]
        never = [need for need, count in lacking if count == self.rows]
        if never:
            what = " and no ".join(map(_way, never))
            rows = "it" if self.rows == 1 else f"all {self.rows:,}"
            yield (
                f"No record has {_or(map(_way, never))}, which {self.resource} needs: "
                f"'ace build' will hold {rows} back. Add {_options(self.resource, never)}."
            )
        elif lacking:
            what = ", ".join(f"{count:,} without {_way(need)}" for need, count in lacking)
            yield f"'ace build' will hold rows back that {self.resource} needs more of: {what}."

    def _untaken(self, names: Counter[str]) -> Iterator[str]:
        near = {name: column for name in names if (column := self._near(name))}
        if near:
            first = dict(list(near.items())[:_NAMED])
            what = ", ".join(f"{_quoted(name)} (like {column})" for name, column in first.items())
            options = (f"--map {shlex.quote(f'{column}={name}')}" for name, column in first.items())
            yield f"Nothing took {what}, and no record has that column; add {' '.join(options)}?"
        others = [_quoted(name) for name in names if name not in near]
        if others:
            more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
            fields = "field" if len(others) == 1 else "fields"
            yield f"Kept in _extra, no column's {fields}: {', '.join(others[:_NAMED])}{more}."

    def _near(self, name: str) -> str | None:
        """The column without a value that the field is nearly called like."""
        columns = {c.name: c.name for c in RESOURCES[self.resource]} | twins(self.resource)
        wanted = {
            folded(known): column
            for known, column in columns.items()
            if self._filled.isdisjoint(spellings(self.resource, column))
        }
        text = folded(name)
        close = difflib.get_close_matches(text, wanted, n=1, cutoff=_NEAR)
        close += [n for n in wanted if len(n) >= _SHORTEST_WORD and text.endswith(n)]
        return wanted[close[0]] if close else None


def _way(need: Need) -> str:
    """How something needed is given: ``post_id (or platform and external_post_id)``."""
    first, *others = (" and ".join(columns) for columns in need)
    return f"{first} (or {' or '.join(others)})" if others else first


def _or(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def _options(resource: str, needs: Iterable[Need]) -> str:
    """The options that give what is needed; posts without experiments can be adopted."""
    options = {name: f"--set {name}=NAME" for name in ("platform", "source_platform")}
    if resource == "published_posts":
        options["experiment_id"] = "--adopt NAME"
    columns = dict.fromkeys(column for need in needs for column in need[0])
    return " ".join(options.get(column, f"--map {column}=FIELD") for column in columns)


def _quoted(name: str) -> str:
    text = " ".join(name.split())
    return f"'{text[:37]}...'" if len(text) > 40 else f"'{text}'"
