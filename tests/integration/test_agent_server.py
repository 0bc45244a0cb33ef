"""The agent server, driven by the SDK's own client: every tool, both versions of the protocol."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import duckdb
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from agent_server.server import AgentServer
from agent_server.tools import TOOLS
from common.settings import PROJECT_ROOT, Settings
from repositories import Warehouse as Repositories
from repositories.marts import MARTS

VERSIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}
READING = [one.name for one in TOOLS if not one.writes]
WRITING = [one.name for one in TOOLS if one.writes]


@pytest.fixture(scope="module")
def product(release: duckdb.DuckDBPyConnection) -> str:
    """A product that has everything: arms, gaps, experiments and a brief."""
    ((key,),) = release.execute(
        "select cast(product_id as text) from marts.bandit_arms "
        "join marts.experiment_gaps using (product_id) "
        "group by 1 order by count(distinct (bandit_arms.platform, bandit_arms.pattern_id)) desc, 1"
        " limit 1"
    ).fetchall()
    return str(key)


@pytest.fixture(scope="module")
def post(release: duckdb.DuckDBPyConnection) -> str:
    """A post that is still young: with forecasts."""
    ((key,),) = release.execute(
        "select cast(post_id as text) from marts.post_forecasts order by 1 limit 1"
    ).fetchall()
    return str(key)


def talk(server: AgentServer, *calls: tuple[str, dict[str, Any]], mode: Any = "auto") -> list[Any]:
    """What a client gets for each call."""

    async def main() -> list[Any]:
        async with Client(server.protocol, mode=mode) as client:
            return [await client.call_tool(name, given) for name, given in calls]

    return anyio.run(main)


def ask(server: AgentServer, name: str, **given: Any) -> dict[str, Any]:
    """The answer of a tool, as the client validated it by its output schema."""
    (result,) = talk(server, (name, given))
    assert not result.is_error, result.content[0].text
    found: dict[str, Any] = result.structured_content
    return found


def refused(server: AgentServer, name: str, **given: Any) -> str:
    (result,) = talk(server, (name, given))
    assert result.is_error, result.structured_content
    said: str = result.content[0].text
    assert "Traceback" not in said
    return said


def every_call(product: str, post: str) -> dict[str, dict[str, Any]]:
    return {
        "what_now": {"product_id": product},
        "creative_brief": {"product_id": product},
        "post_performance": {"post_id": post},
        "experiment_results": {"product_id": product},
        "trending": {"kind": "hashtags"},
        "similar": {"reference_type": "script", "vector": [1.0] + [0.5] * 15, "model": "demo"},
        "list_tables": {},
        "describe_table": {"table": "post_performance"},
        "read_table": {"table": "marts.post_performance", "limit": 2},
        "query": {"sql": "select count(*) as posts from marts.post_performance"},
        "warehouse_status": {},
    }


@pytest.mark.parametrize("mode", VERSIONS)
def test_a_client_of_either_version_lists_and_calls_every_tool(
    server: AgentServer, release: duckdb.DuckDBPyConnection, product: str, post: str, mode: Any
) -> None:
    calls = every_call(product, post)
    ((key, model, vector),) = release.execute(
        "select cast(reference_id as text), metadata ->> 'model', embedding "
        "from canonical.embeddings where reference_type = 'script' "
        "and json_valid(embedding) and reference_id in (select reference_id "
        "from marts.similar_items where reference_type = 'script') "
        "and reference_id in (select reference_id from canonical.embeddings "
        "group by 1 having count(*) = 1) limit 1"
    ).fetchall()
    calls["similar"] |= {"vector": json.loads(vector), "model": model}
    assert list(calls) == READING

    async def main() -> None:
        async with Client(server.protocol, mode=mode) as client:
            assert client.protocol_version == VERSIONS[mode]
            tools = (await client.list_tools()).tools
            assert [one.name for one in tools] == READING
            for one in tools:
                assert one.output_schema
                assert one.output_schema["properties"]["staleness"]
                assert one.input_schema["additionalProperties"] is False
                assert one.input_schema["properties"]["release"]
                assert one.annotations is not None
                assert one.annotations.read_only_hint
                assert len(one.description or "") > 60
                for name, about in one.input_schema["properties"].items():
                    assert about.get("description") or name == "limit", (one.name, name)
            for name, given in calls.items():
                result = await client.call_tool(name, given)
                assert not result.is_error, (name, result.content)
                found = result.structured_content
                assert found["release"]["number"] == 1
                assert found["release"]["is_simulated"] is True
                assert found["release"]["as_of"]
                assert set(found["staleness"]) == {"is_stale", "age_hours", "tolerance_hours"}
                assert json.loads(result.content[0].text) == found  # type: ignore[union-attr]
                assert len(result.content[0].text) < 30_000  # type: ignore[union-attr]
                again = await client.call_tool(name, given | {"release": 1})
                assert _without_age(again.structured_content) == _without_age(found)
                gone = await client.call_tool(name, given | {"release": 7})
                assert gone.is_error
                assert "Release 7 is not kept (kept: 1)" in gone.content[0].text  # type: ignore[union-attr]
            nearest = await client.call_tool("similar", calls["similar"])
            assert nearest.structured_content["items"][0]["reference_id"] == key

    anyio.run(main)


def _without_age(answer: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(json.dumps(answer))
    del found["staleness"]["age_hours"]
    for source in found.get("sources", ()):
        del source["age_hours"]
    return dict(found)


def test_what_is_not_declared_is_an_error_that_names_the_nearest(server: AgentServer) -> None:
    for name in READING:
        assert f"{name} has no argument 'relaese'. Did you mean release?" in refused(
            server, name, relaese=1
        )
    said = refused(server, "read_table", tabel="marts.post_performance")
    assert said == "read_table has no argument 'tabel'. Did you mean table?"
    assert "read_table needs 'table'" in refused(server, "read_table")
    assert "'limit' is 5000" in refused(server, "read_table", table="post_performance", limit=5000)
    assert "Did you mean read_table" in refused(server, "read_tables", table="post_performance")
    assert "Did you mean marts.post_performance" in refused(
        server, "describe_table", table="marts.post_performence"
    )
    assert "'kind' is 'songs'" in refused(server, "trending", kind="songs")
    for name in WRITING:
        assert "--allow-writes" in refused(server, name, agent_name="A")


def test_what_is_not_there_says_how_to_find_it(server: AgentServer) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for name in ("what_now", "creative_brief", "experiment_results"):
        assert "name__contains" in refused(server, name, product_id=nobody)
        assert "expected a uuid" in refused(server, name, product_id="Pocket Serum")
    assert "external_post_id" in refused(server, "post_performance", post_id=nobody)
    said = refused(server, "similar", reference_type="script", reference_id=nobody)
    assert "Kinds with embeddings" in said
    assert "one of the two" in refused(server, "similar", reference_type="script")
    assert "There are some of:" in refused(server, "trending", kind="videos", platform="myspace")
    assert "no platform" in refused(server, "trending", kind="products", platform="tiktok")


def test_rows_are_filtered_ordered_and_paged_within_one_view(
    server: AgentServer, release: duckdb.DuckDBPyConnection
) -> None:
    asked: dict[str, Any] = {
        "table": "marts.post_performance",
        "columns": ["post_id", "views", "engagement_rate_eb", "views_72h"],
        "filters": {"platform": "tiktok", "views__gte": 100},
        "order_by": ["-views"],
        "limit": 40,
    }
    expected = release.execute(
        "select cast(post_id as text) from marts.post_performance "
        "where platform = 'tiktok' and views >= 100 order by views desc nulls last, post_id"
    ).fetchall()
    found: list[str] = []
    page = ask(server, "read_table", **asked)
    # What a number needs comes with it.
    assert list(page["rows"][0]) == [
        *("post_id", "views", "engagement_rate_eb", "engagement_rate_eb_lo"),
        *("engagement_rate_eb_hi", "views_72h", "status_72h", "percentile_posts"),
    ]
    pages = 0
    while True:
        found += [row["post_id"] for row in page["rows"]]
        pages += 1
        if page["next_cursor"] is None:
            break
        page = ask(server, "read_table", **asked, cursor=page["next_cursor"])
    assert found == [key for (key,) in expected]
    assert pages == -(-len(expected) // 40)


def test_a_cursor_is_of_its_question_and_release_only(server: AgentServer) -> None:
    page = ask(server, "read_table", table="marts.post_performance", limit=2)
    cursor = page["next_cursor"]
    assert "another question" in refused(
        server, "read_table", table="marts.post_performance", order_by="-views", cursor=cursor
    )
    assert "another question" in refused(server, "read_table", table="products", cursor=cursor)
    spoilt = [base64.b64encode(one).decode() for one in (b"{}", b"[1, 2, []]", b'["1", "m", []]')]
    spoilt.append(base64.b64encode(b'[1, "m", 5]').decode())
    for wrong in ("x", "", cursor + "A", cursor[:-4], *spoilt):
        said = refused(server, "read_table", table="marts.post_performance", cursor=wrong)
        assert "This is no cursor" in said or "another question" in said, (wrong, said)
        assert "no cursor" in said or wrong not in spoilt


def test_a_filter_value_is_a_value_whatever_it_holds(server: AgentServer) -> None:
    for value in (
        "tiktok' or '1'='1",
        "'; drop view canonical.products; --",
        'x" or true --',
        "?",
        "%s",
        "$1",
    ):
        page = ask(server, "read_table", table="post_performance", filters={"platform": value})
        assert page["rows"] == []
    for name in ("platform = 'x' or 1=1 --", 'platform" or true --', "platform__eq; select 1"):
        said = refused(server, "read_table", table="post_performance", filters={name: "x"})
        assert "has no column" in said or "has no operator" in said
    for order in ("views; drop table x", '"views" desc', "(select 1)", "-views desc"):
        said = refused(server, "read_table", table="post_performance", order_by=order)
        assert "has no column" in said
    for columns in (["*"], ["count(*)"], ["(select 1)"]):
        said = refused(server, "read_table", table="post_performance", columns=columns)
        assert "has no column" in said
    for table in ("intermediate.int_products", "main.x", "marts.x; select 1", "../x"):
        assert "There is no table" in refused(server, "read_table", table=table)


def test_every_public_table_is_listed_described_and_read(server: AgentServer) -> None:
    def ask(server: AgentServer, name: str, **given: Any) -> dict[str, Any]:
        return server.answer(name, given)  # three calls a table: a client each takes seconds

    tables = ask(server, "list_tables", table_schema="all")["tables"]
    names = {one["table"] for one in tables}
    assert {f"marts.{mart}" for mart in MARTS} <= names
    assert not [name for name in names if name.startswith(("intermediate", "main"))]
    listed = {one["table"]: one for one in tables}
    for name in sorted(names):
        assert listed[name]["about"], name
        about = ask(server, "describe_table", table=name)
        page = ask(server, "read_table", table=name, limit=1)
        there = {one["column"] for one in about["columns"]}
        assert page["rows"] == [] or set(page["rows"][0]) <= there
        if name.startswith(("marts.", "canonical.")):
            assert about["key"], name
            assert all(one["description"] for one in about["columns"]), name
            assert not ask(server, "query", sql=about["example_query"], limit=1)["notes"][1:]
        if name.startswith("marts."):
            mart = name.removeprefix("marts.")
            hours = MARTS[mart].tolerance / timedelta(hours=1)
            assert page["staleness"]["tolerance_hours"] == hours, name
            assert page["staleness"]["is_stale"] is (page["staleness"]["age_hours"] > hours)


def test_the_usual_question_is_one_call(
    server: AgentServer, release: duckdb.DuckDBPyConnection, product: str
) -> None:
    now = ask(server, "what_now", product_id=product)
    ((rank, lift, reason),) = release.execute(
        "select rank, expected_lift, reason from marts.experiment_gaps "
        "where product_id = ? order by rank limit 1",
        [product],
    ).fetchall()
    first = now["make_next"][0]
    assert rank == 1
    assert first["reason"] == reason
    assert first["expected_lift"] == pytest.approx(lift, rel=1e-5)
    assert first["expected_lift_lo"] <= first["expected_lift"] <= first["expected_lift_hi"]
    assert {"pattern_posts", "hook_text", "structure"} <= set(first)
    for arm in now["share_of_next_posts"]:
        assert {"suggested_share", "trials", "mean", "sd", "hook_text"} <= set(arm)
    ((opened,),) = release.execute(
        "select count(*) from marts.experiment_results where product_id = ? "
        "and status in ('no_posts', 'pending', 'too_little_data')",
        [product],
    ).fetchall()
    assert len(now["open_experiments"]) == min(opened, 10)
    assert bool(now["notes"]) == (opened > 10)
    assert {"platform", "posts", "engagement_rate_eb_lo"} <= set(now["standing"][0])
    brief = ask(server, "creative_brief", product_id=product)["brief"]
    assert now["brief"] == brief
    assert brief["product"]["product_id"] == product == now["product"]["product_id"]


def test_a_post_has_its_verdict_forecasts_and_polls(
    server: AgentServer, release: duckdb.DuckDBPyConnection, post: str
) -> None:
    found = ask(server, "post_performance", post_id=post, polls=2)
    assert found["post"]["post_id"] == post
    assert found["post"]["verdict"]
    assert found["post"]["engagement_rate_eb_lo"] <= found["post"]["engagement_rate_eb_hi"]
    ((count,),) = release.execute(
        "select count(*) from marts.post_forecasts where post_id = ?", [post]
    ).fetchall()
    assert len(found["forecasts"]) == count
    assert all(
        one["lo80"] <= one["predicted"] <= one["hi80"] and one["n_train"] > 0
        for one in found["forecasts"]
    )
    assert len(found["polls"]) == 2
    assert found["polls"][0]["collected_at"] > found["polls"][1]["collected_at"]


def test_trends_are_those_of_the_newest_complete_day(
    server: AgentServer, release: duckdb.DuckDBPyConnection
) -> None:
    found = ask(server, "trending", kind="hashtags", platform="tiktok", limit=5)
    expected = release.execute(
        "select hashtag from marts.hashtag_trends where platform = 'tiktok' and day = "
        "(select max(day) from marts.hashtag_trends where platform = 'tiktok' "
        "and not is_partial) order by trend_score desc nulls last, hashtag limit 5"
    ).fetchall()
    assert [row["hashtag"] for row in found["rows"]] == [tag for (tag,) in expected]
    assert found["day"]
    of_all = ask(server, "trending", kind="hashtags", limit=30)["rows"]
    assert len({row["platform"] for row in of_all}) > 1
    scores = [row["trend_score"] for row in of_all if row["trend_score"] is not None]
    assert scores == sorted(scores, reverse=True)
    products = ask(server, "trending", kind="products", limit=3)["rows"]
    assert all(row["name"] and row["is_latest"] for row in products)
    videos = ask(server, "trending", kind="videos", platform="tiktok", limit=3)["rows"]
    assert {row["platform"] for row in videos} == {"tiktok"}


def test_documents_of_a_pinned_release_may_be_kept_for_long(server: AgentServer) -> None:
    async def main() -> None:
        async with Client(server.protocol) as client:
            listed = (await client.list_resources()).resources
            assert "ace://tables/marts.post_performance" in {one.uri for one in listed}
            (template,) = (await client.list_resource_templates()).resource_templates
            assert template.uri_template == "ace://releases/{release}/tables/{table}"
            now = await client.read_resource("ace://tables/marts.bandit_arms")
            pinned = await client.read_resource("ace://releases/1/tables/marts.bandit_arms")
            assert now.contents[0].text == pinned.contents[0].text  # type: ignore[union-attr]
            assert "| suggested_share | number |" in now.contents[0].text  # type: ignore[union-attr]
            assert now.ttl_ms <= 60_000
            assert pinned.ttl_ms >= 24 * 3600 * 1000
            for wrong in ("ace://tables/marts.nix", "ace://releases/9/tables/marts.bandit_arms",
                          "file:///etc/passwd", "ace://tables/../x"):  # fmt: skip
                with pytest.raises(MCPError):
                    await client.read_resource(wrong)

    anyio.run(main)


def test_what_is_written_is_durable_and_waits_for_the_next_release(
    demo_release: Settings, tmp_path: Any
) -> None:
    apart = Settings(demo_release.home, "duckdb", str(tmp_path / "landing"), None, None, {})
    server = AgentServer(apart, allow_writes=True)
    try:
        wrote = ask(
            server, "note", agent_name="AnalystAgent", content="Jokes work.", topic="hooks",
            importance=0.7, key="jokes",
        )  # fmt: skip
        assert wrote["table"] == "canonical.agent_notes"
        again = ask(server, "note", agent_name="AnalystAgent", content="Jokes work.", key="jokes")
        assert again["key"] == wrote["key"]
        ask(server, "log_event", agent_name="AnalystAgent", event_type="analytics.evaluate.success",
            payload={"experimentId": "x"})  # fmt: skip
        assert ask(server, "warehouse_status")["pending_writes"] == {
            "agent_notes": 2,
            "system_events": 1,
        }
        assert "'importance' is 7" in refused(
            server, "note", agent_name="A", content="x", importance=7
        )
        assert "Did you mean script_text" in refused(
            server, "create_row", table="scripts", values={"script_txt": "x"}
        )
        assert "'table' is 'marts.bandit_arms'" in refused(
            server, "create_row", table="marts.bandit_arms", values={}
        )
        assert "beside values" in refused(
            server, "create_row", table="scripts", values={"key": "x"}
        )
        assert "event_type" in refused(server, "log_event", agent_name="A", event_type=" ")
    finally:
        server.close()
    with Repositories.open(config=apart) as repositories:
        assert repositories.pending().total == 3


def test_the_command_serves_a_client_on_stdio(demo_release: Settings) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from warehouse.cli import main; main()", "mcp"],
        env={**os.environ, "ACE_HOME": str(demo_release.home), "ACE_TARGET": "duckdb"},
    )

    async def main() -> None:
        async with Client(command) as client:
            assert client.protocol_version == "2026-07-28"
            found = await client.call_tool("query", {"sql": "select 41 + 1 as answer"})
            assert found.structured_content["rows"] == [[42]]
            assert client.instructions
            assert "what_now" in client.instructions

    with anyio.from_thread.start_blocking_portal() as portal:
        portal.call(main)


def test_age_is_by_the_clock_of_now(server: AgentServer) -> None:
    found = ask(server, "warehouse_status")
    as_of = datetime.fromisoformat(found["release"]["as_of"])
    age = (datetime.now(UTC) - as_of) / timedelta(hours=1)
    assert found["staleness"]["age_hours"] == pytest.approx(age, abs=0.2)
    assert found["staleness"]["is_stale"] is True
    assert "post_performance" in found["stale_marts"]
    assert found["releases_kept"] == [1]
    assert found["ledger_balances"] is True
    assert sum(row["held_back"] for row in found["quarantined"]) > 0
    assert not any(one["is_stale"] for one in found["sources"])  # a simulated world never is


def test_docs_tell_of_every_tool() -> None:
    text = (PROJECT_ROOT / "docs" / "agents.md").read_text("utf-8")
    table = text.partition("## From agents")[2]
    assert [one.name for one in TOOLS if f"`{one.name}`" not in table] == []
