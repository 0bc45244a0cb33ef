"""Reading rows of one table: filters, order, and pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agent_server.answers import Answer, Arguments, Row
from agent_server.call import Call, rounded
from agent_server.cursor import cursor, opened, question
from agent_server.evidence import with_evidence
from agent_server.fitting import fitting
from agent_server.usual_columns import usual_columns
from common.errors import UsageError

#: Rows of one page at most.
MOST = 200


class ReadTable(Arguments):
    table: str = Field(description="For example marts.post_performance.")
    columns: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Which columns; intervals, statuses and counts that a number needs come with "
        "it. Default: those that are usually needed (describe_table lists all).",
    )
    filters: dict[str, Any] = Field(
        default_factory=dict,
        description="All must hold. {column: value} is equality (null: unknown), "
        "{column__operator: value} has the operators ne, gt, gte, lt, lte, in, not_in (with a "
        "list), null (true or false), contains and startswith (of text, case counts), has (of "
        'text[]). Example: {"platform": "tiktok", "views__gte": 1000}.',
    )
    order_by: str | list[str] | None = Field(
        default=None,
        description='A column or several; "-views" is descending. Unknown values come last. '
        "Default: by the key.",
    )
    limit: int = Field(default=20, ge=1, le=MOST, description="Rows of a page.")
    cursor: str | None = Field(
        default=None,
        description="`next_cursor` of the page before; all other arguments as they were.",
    )
    with_meanings: bool = Field(
        default=True, description="Whether the first page says what its columns mean."
    )


class Page(Answer):
    table: str
    rows: list[Row] = Field(
        description="Values by column. Null is unknown, never 0; times are UTC; rates and shares "
        "are fractions of 1."
    )
    meanings: dict[str, str] = Field(
        description="What the columns of rows mean, with units; on first pages."
    )
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")


def read_table(call: Call, asked: ReadTable) -> Page:
    """Read rows of one table, filtered and in order, a page at a time.

    Numbers come with what they rest on: `_lo` and `_hi` bound what is likely (95%, `_lo80` and
    `_hi80` 80%), `_eb` is a rate drawn toward what is usual as far as its evidence is thin
    (decide by it), a status says why a value is not known yet. For sums and joins use query.
    """
    table = call.warehouse.catalog.table(asked.table)
    mark = question(
        table=table.full_name,
        columns=asked.columns,
        filters=asked.filters,
        order_by=asked.order_by,
    )
    after = _after(call, asked.cursor, mark)
    rows = call.warehouse.rows(table.full_name)
    relation = rows.relation
    columns = with_evidence(asked.columns or usual_columns(relation), relation.columns)
    for column in columns:
        relation.kind(column)
    found = rows.plain(
        columns=list(dict.fromkeys([*relation.key, *columns])),
        filters=asked.filters,
        order_by=asked.order_by,
        limit=asked.limit + 1,
        after=after,
    )
    fit, notes = fitting([rounded(row) for row in found[: asked.limit]])
    more = len(found) > len(fit)
    following = None
    if more and relation.key:
        last = [fit[-1][name] for name in relation.key]
        following = cursor(call.release.number, mark, last)
    elif more:
        notes.append("There are more rows, and no key to go on by: filter, or raise the limit.")
    meanings = {}
    if asked.with_meanings and after is None and fit:
        described = call.warehouse.catalog.columns(table)
        said = {one.name: one.description for one in described if one.description}
        meanings = {name: said[name] for name in fit[0] if name in said}
    return Page(
        **call.about(table.name),
        notes=notes,
        table=table.full_name,
        rows=fit,
        meanings=meanings,
        next_cursor=following,
    )


def _after(call: Call, given: str | None, mark: str) -> list[Any] | None:
    if given is None:
        return None
    release, question_of, after = opened(given)
    if question_of != mark:
        raise UsageError(
            "The cursor belongs to another question.",
            "Repeat table, columns, filters and order_by of the page before, or begin anew "
            "without cursor.",
        )
    if release != call.release.number:
        raise UsageError(
            f"The cursor is of release {release}, and this is release {call.release.number}.",
            f"Give release={release} to go on, or begin anew without cursor.",
        )
    return after
