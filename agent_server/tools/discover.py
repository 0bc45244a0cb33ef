"""What there is to read: the tables, and the columns of one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from agent_server.answers import Answer, Arguments
from agent_server.call import Call
from repositories.catalog import About, first_sentence


class ListTables(Arguments):
    table_schema: Literal["marts", "canonical", "quarantine", "reference", "meta", "all"] = Field(
        default="marts",
        description="marts: derived numbers to decide by (start here). canonical: the twelve "
        "tables of facts. quarantine: what was held back. reference: lists kept by hand. meta: "
        "about the release.",
    )


class TableInList(BaseModel):
    table: str = Field(description="Its full name, as other tools take it.")
    about: str = Field(description="What it answers.")
    a_row_is: str = Field(description="The columns that a row is of, or what a row is.")
    rows: int | None = Field(description="How many there are; null where nobody counted.")
    used_by: str = Field(description="The agents it is made for.")


class Tables(Answer):
    tables: list[TableInList]


def list_tables(call: Call, asked: ListTables) -> Tables:
    """List the tables of the warehouse and what each is for.

    Call it when you do not know which table answers your question; then describe_table for the
    columns. For the usual questions about a product, a post or a trend there are tools of their
    own (what_now, creative_brief, post_performance, experiment_results, trending).
    """
    catalog = call.warehouse.catalog
    found = [
        TableInList(
            table=one.full_name,
            about=first_sentence(one.about),
            a_row_is=one.grain,
            rows=catalog.row_counts.get(one.full_name),
            used_by=one.used_by,
        )
        for one in catalog.tables.values()
        if asked.table_schema in (one.schema, "all")
    ]
    return Tables(**call.about(), tables=found)


class DescribeTable(Arguments):
    table: str = Field(description="For example marts.post_performance.")


class ColumnOfTable(BaseModel):
    column: str
    type: str = Field(
        description="uuid, text, integer, number, boolean, timestamp (UTC), date, json or text[]."
    )
    description: str = Field(description="Meaning, unit, and what null says.")


class Description(Answer):
    table: str
    about: str
    a_row_is: str
    key: list[str] = Field(description="The columns that name a row; empty where nothing does.")
    rows: int | None
    used_by: str
    example_query: str = Field(description="SQL that runs as it is with the tool query.")
    columns: list[ColumnOfTable]


def describe_table(call: Call, asked: DescribeTable) -> Description:
    """Describe one table: what a row is, its key, and every column with meaning and unit."""
    table = call.warehouse.catalog.table(asked.table)
    return description(call, table)


def description(call: Call, table: About) -> Description:
    catalog = call.warehouse.catalog
    return Description(
        **call.about(table.name),
        table=table.full_name,
        about=table.about,
        a_row_is=table.grain,
        key=list(table.key),
        rows=catalog.row_counts.get(table.full_name),
        used_by=table.used_by,
        example_query=table.example,
        columns=[
            ColumnOfTable(column=one.name, type=one.type, description=one.description)
            for one in catalog.columns(table)
        ],
    )
