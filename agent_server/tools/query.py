"""One SELECT that the caller wrote."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from agent_server.answers import Answer, Arguments
from agent_server.call import Call, rounded
from repositories.marts import MARTS


class Query(Arguments):
    sql: str = Field(
        min_length=1,
        max_length=20_000,
        description="One SELECT. Tables are named with their schema (marts, canonical, "
        "quarantine, reference, meta): select platform, count(*) as posts from "
        "marts.post_performance group by platform.",
    )
    limit: int = Field(default=50, ge=1, le=1000, description="Rows of the answer at most.")


class QueryAnswer(Answer):
    columns: list[str]
    rows: list[list[Any]] = Field(description="Values in the order of columns.")
    has_more: bool = Field(description="True when there were more rows than the answer has.")


def query(call: Call, asked: Query) -> QueryAnswer:
    """Run one read-only SELECT against the release: joins, sums, whatever no other tool gives.

    DuckDB's SQL, or Postgres' where the warehouse is kept there. It can only read the public
    tables, has a few seconds, and gives back the first rows: aggregate, filter and order in SQL.
    Select how many rows a number rests on as well (count(*), posts, n), and the _lo and _hi
    columns of rates. Null is unknown, never 0.
    """
    found = call.queries.run(call.release.number, asked.sql, asked.limit)
    notes = []
    if found["more"]:
        notes.append(f"Only the first {len(found['rows'])} rows; aggregate, or filter more.")
    if found["cut"]:
        notes.append("Long texts are cut; substr(column, start, length) gives parts of them.")
    named = [mart for mart in MARTS if re.search(rf"\b{mart}\b", asked.sql, re.IGNORECASE)]
    return QueryAnswer(
        **call.about(*named),
        notes=notes,
        columns=found["columns"],
        rows=[[rounded(value) for value in row] for row in found["rows"]],
        has_more=found["more"],
    )
