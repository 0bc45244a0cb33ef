"""The tools, in the order that they are listed in."""

from __future__ import annotations

from agent_server.tool import Tool, tool
from agent_server.tools.creative import creative_brief, experiment_results
from agent_server.tools.discover import describe_table, list_tables
from agent_server.tools.next_step import what_now
from agent_server.tools.posts import post_performance
from agent_server.tools.query import query
from agent_server.tools.read import read_table
from agent_server.tools.similar import similar
from agent_server.tools.status import warehouse_status
from agent_server.tools.trends import trending
from agent_server.tools.writing import create_row, log_event, note

TOOLS: tuple[Tool, ...] = (
    tool(what_now),
    tool(creative_brief),
    tool(post_performance),
    tool(experiment_results),
    tool(trending),
    tool(similar),
    tool(list_tables),
    tool(describe_table),
    tool(read_table),
    tool(query),
    tool(warehouse_status),
    tool(note, writes=True),
    tool(log_event, writes=True),
    tool(create_row, writes=True),
)
