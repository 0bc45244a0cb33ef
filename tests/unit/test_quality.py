"""Checks of landed data, without Great Expectations."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loaders.files import load_files
from loaders.landing import Landing, Load, Rejected
from loaders.landing.compaction import compact
from loaders.schema import ALL_RESOURCES, polars_schema
from tests.support import hostile
from warehouse.freshness import of_landing
from warehouse.quality import Finding, critical_findings
from warehouse.quality.findings import find_all
from warehouse.quality.landing_rules import (
    file_table,
    freshness_rules,
    freshness_table,
    load_rules,
    load_table,
)
from warehouse.quality.offline import self_contained
from warehouse.quality.pages import write_index
from warehouse.quality.rules import row_rules
from warehouse.quality.state import State, accept_load, load_state, save_state
from warehouse.quality.survey import Profile, Survey, schema_problem, take_survey

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POST = "00000000-0000-0000-0000-00000000000{}"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    zone = Landing(tmp_path / "landing")
    zone.prepare()
    return zone


def land(
    landing: Landing,
    resource: str,
    columns: dict[str, Any],
    *,
    source: str = "files",
    cursor: dict[str, Any] | None = None,
    at: datetime = NOW,
    rejected: int = 0,
) -> Load:
    with landing.open_load(source, resource, input="made by a test", loaded_at=at) as load:
        frame = pl.DataFrame(columns)
        load.write(frame)
        load.reject(Rejected(frame.height + i, b"{", "broken JSON") for i in range(rejected))
        return load.commit(cursor=cursor)


def look(landing: Landing) -> Survey:
    return take_survey(landing, {}, {})


def test_rules_of_every_resource_fit_its_columns() -> None:
    for resource in ALL_RESOURCES:
        frame = pl.DataFrame(schema=polars_schema(resource))
        rules = row_rules(resource)
        assert len({rule.name for rule in rules}) == len(rules)
        for rule in rules:
            table = frame.select("_load_id", rule.value.alias(rule.column))
            assert table.filter(rule.bad()).is_empty()
            assert rule.says
            assert rule.hint


def test_bad_rows_are_found_with_their_positions(landing: Landing) -> None:
    land(
        landing,
        "performance_metrics",
        {
            "post_id": [POST.format(1), None, POST.format(1), POST.format(2)],
            "metric_id": [POST.format(5), POST.format(6), POST.format(5), None],
            "views": [1, 2, -3, None],
            "collected_at": [NOW, NOW + timedelta(days=3), NOW, datetime(1999, 1, 1, tzinfo=UTC)],
            "completion_rate": [0.5, None, 55.0, 1.0],
            "platform": ["TikTok ", "vine", None, "x"],
        },
    )
    (profile,) = look(landing).profiles.values()
    found = {name: (bad.rows, bad.positions) for name, bad in profile.bad.items()}
    assert found == {
        "required: post_id or external_post_id": (1, [1]),
        "required: views or view_count": (1, [3]),
        "count: views": (1, [2]),
        "plausible: collected_at": (1, [3]),
        "not ahead: collected_at": (1, [1]),
        "range: completion_rate": (1, [2]),
        "known: platform": (1, [1]),
        "unique: metric_id": (2, [0, 2]),
    }


def test_clean_rows_give_no_finding(landing: Landing, tmp_path: Path) -> None:
    land(landing, "raw_videos", {"external_id": ["1"], "platform": ["x"], "collected_at": [NOW]})
    assert all(not profile.bad for profile in look(landing).profiles.values())
    assert critical_findings(landing, tmp_path / "q") == []


def test_a_sample_still_finds_bad_and_repeated_rows(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warehouse.quality import survey as module

    monkeypatch.setattr(module, "limit", lambda name: 10 if name == "sample_rows" else 200)
    keys = [f"{n // 2:08d}-0000-0000-0000-000000000000" for n in range(400)]
    views = [-1 if n == 399 else 1 for n in range(400)]
    land(landing, "performance_metrics", {"metric_id": keys, "post_id": keys, "views": views})
    found = look(landing)
    assert found.strides["files", "performance_metrics"] == 40
    frame = found.rows["files", "performance_metrics"]
    assert 0 < frame.height < 100
    assert frame.filter(pl.col("views") < 0).height == 1
    (profile,) = found.profiles.values()
    assert profile.rows == 400
    assert profile.bad["count: views"].positions == [399]
    assert profile.bad["unique: metric_id"].rows >= 2


def test_files_that_cannot_be_used_are_critical(landing: Landing, tmp_path: Path) -> None:
    load = land(landing, "products", {"product_id": [POST.format(1)]})
    folder = Path(load.file).parent
    (folder / "garbage.parquet").write_bytes(b"PAR1 nothing")
    (folder / "cut.parquet").write_bytes(Path(load.file).read_bytes()[:-40])
    pq.write_table(pa.table({"a": [1]}), folder / "alien.parquet")
    found = critical_findings(landing, tmp_path / "q")
    assert {Path(finding.file or "").name for finding in found} == {
        "garbage.parquet",
        "cut.parquet",
        "alien.parquet",
    }
    assert all(finding.resource == "products" for finding in found)


def test_damage_inside_a_file_is_found(landing: Landing, tmp_path: Path) -> None:
    text = [f"{n}" * 40 for n in range(4000)]
    load = land(landing, "agent_notes", {"note_id": text, "agent_name": text, "content": text})
    content = bytearray(Path(load.file).read_bytes())
    middle = len(content) // 3
    content[middle : middle + 3000] = bytes(3000)
    Path(load.file).write_bytes(content)
    (finding,) = critical_findings(landing, tmp_path / "q")
    assert finding.check == "usable file"
    assert load.file in finding.message


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s, None),
        (lambda s: s.remove(s.get_field_index("brand")), None),
        (lambda s: s.remove(s.get_field_index("_position")), "no column _position"),
        (lambda s: s.append(pa.field("colour", pa.string())), "unknown columns: colour"),
        (lambda s: s.set(0, pa.field("product_id", pa.int64())), "product_id is int64"),
        (lambda s: s.set(1, pa.field("product_id", pa.string())), "two columns of one name"),
    ],
)
def test_schema_breaks(landing: Landing, change: Any, problem: str | None) -> None:
    schema = pq.read_schema(landing.schema_file("files", "products"))
    found = schema_problem(change(schema), "products")
    assert (found is None) if problem is None else problem in (found or "")


def test_a_load_without_any_key_is_critical_until_accepted(
    landing: Landing, tmp_path: Path
) -> None:
    load = land(landing, "raw_videos", {"external_id": ["1", "2"], "caption": ["a", "b"]})
    land(landing, "raw_videos", {"external_id": ["1", None], "platform": ["x", None]})
    (finding,) = critical_findings(landing, tmp_path)
    assert (finding.check, finding.load_id) == ("some key", load.load_id)
    assert load.load_id in finding.hint
    accept_load(tmp_path, load.load_id)
    assert critical_findings(landing, tmp_path) == []


def test_only_a_full_read_that_lost_everything_is_critical(
    landing: Landing, tmp_path: Path
) -> None:
    def read(rows: int, day: int, full: bool) -> Load:
        keys = [f"00000000-0000-0000-0000-{n:012d}" for n in range(rows)]
        columns = {"product_id": keys} if rows else {}
        at = NOW + timedelta(days=day)
        return land(landing, "products", columns, source="supabase", cursor={"full": full}, at=at)

    read(0, 0, True)  # empty from the beginning
    read(10, 1, True)
    read(0, 2, False)  # nothing new: normal
    assert critical_findings(landing, tmp_path) == []
    emptied = read(0, 3, True)
    (finding,) = critical_findings(landing, tmp_path)
    assert (finding.check, finding.load_id) == ("full read not emptied", emptied.load_id)
    assert "had 10" in finding.message
    again = read(0, 4, True)  # still empty: still the same problem
    (finding,) = critical_findings(landing, tmp_path)
    assert finding.load_id == again.load_id
    accept_load(tmp_path, again.load_id)
    assert critical_findings(landing, tmp_path) == []
    read(0, 5, True)  # empty is normal now
    assert critical_findings(landing, tmp_path) == []


def broken_checks(landing: Landing) -> list[tuple[str, str]]:
    table = load_table(look(landing), landing, set())
    return [
        (rule.name, load)
        for rule in load_rules()
        for load in table.filter(rule.bad())["load"].to_list()
    ]


def test_volume_and_rejected_share_warn(landing: Landing) -> None:
    empty = land(landing, "scripts", {})
    poor = land(landing, "products", {"product_id": [POST.format(1)] * 9}, rejected=1)
    land(landing, "products", {"product_id": [POST.format(1)] * 99}, rejected=1)
    assert broken_checks(landing) == [
        ("volume", empty.load_id),
        ("rejected share", poor.load_id),
    ]


def test_drift_is_new_fields_and_lost_columns(landing: Landing) -> None:
    def videos(**more: Any) -> dict[str, Any]:
        ids = [str(n) for n in range(30)]
        return {"external_id": ids, "platform": ["x"] * 30, **more}

    land(landing, "raw_videos", videos(view_count=[1] * 30, _extra=['{"etag":1}'] * 30))
    changed = land(landing, "raw_videos", videos(_extra=['{"etag":1,"playCount":2}'] * 30))
    land(landing, "raw_videos", videos(_extra=['{"playCount":2}'] * 30))  # known by now
    assert broken_checks(landing) == [
        ("drift: new fields", changed.load_id),
        ("drift: lost fields", changed.load_id),
    ]


def test_fields_within_what_is_mapped_are_known(tmp_path: Path) -> None:
    """`_extra` keeps the whole object that a mapped path leads into; only what nothing is
    mapped to is a field never seen, by its own path."""
    flat, nested = tmp_path / "flat.ndjson", tmp_path / "nested.ndjson"
    flat.write_text('{"external_post_id":"v1","platform":"tiktok","views":1}\n')
    nested.write_text(
        '{"data":{"id":"v1","stats":{"play":10,"echo":3}},"polls":[{"likes":4}],"platform":"tiktok"}\n'
    )
    home = Landing(tmp_path / "landing")
    maps = {"external_post_id": "data.id", "views": "data.stats.play", "likes": "polls.0.likes"}
    for file, given in ((flat, {}), (nested, maps)):
        (done,) = load_files(home, [file], table="performance_metrics", maps=given)
        assert done.accepted == 1
    table = load_table(look(home), home, set())
    assert table["new unknown fields"].to_list() == [None, "data.stats.echo"]


def test_a_source_that_stopped_is_found_whatever_the_others_do(landing: Landing) -> None:
    land(landing, "products", {"product_id": ["a"]})
    land(landing, "scripts", {"script_id": ["a"]}, at=NOW + timedelta(hours=40))
    land(landing, "products", {"product_id": ["a"]}, source="demo")
    found = look(landing)
    at = NOW + timedelta(hours=49)
    tables = file_table(found), load_table(found, landing, set())
    findings = find_all(found, *tables, of_landing(found.loads, found.heartbeats, at))
    (stale,) = [one for one in findings if one.check == "freshness"]
    assert (stale.severity, stale.source, stale.resource) == ("warning", "files", "products")
    assert "2026-03-01 00:00 UTC, 49 hours ago; the limit is 48 hours" in stale.message
    assert "seeds/stale_after.csv" in stale.hint
    # Great Expectations judges the same table by the same rule.
    table = freshness_table(of_landing(found.loads, found.heartbeats, at))
    (rule,) = freshness_rules()
    assert table.filter(rule.bad())["source"].to_list() == ["files"]


def test_only_new_loads_are_read_again(landing: Landing) -> None:
    first = land(landing, "products", {"product_id": ["a"]})
    found = look(landing)
    stamps = {file.name: file.stamp for file in found.files}
    second = land(landing, "products", {"product_id": ["b"]})
    again = take_survey(Landing(landing.url), found.profiles, stamps)
    assert again.new == {second.load_id}
    assert set(again.profiles) == {first.load_id, second.load_id}


def test_memory_survives_and_is_only_an_optimisation(landing: Landing, tmp_path: Path) -> None:
    land(landing, "products", {"product_id": ["a"], "price_usd": [-1.0]})
    found = look(landing)
    save_state(tmp_path, State({"f": "1"}, found.profiles, "s", {}))
    assert load_state(tmp_path).profiles == found.profiles
    (tmp_path / ".state.json").write_bytes(b"{not json")
    assert load_state(tmp_path) == State()
    (tmp_path / ".state.json").write_bytes(b'{"version": "an older one"}')
    assert load_state(tmp_path) == State()


def test_compaction_changes_no_finding(landing: Landing, tmp_path: Path) -> None:
    for n in range(3):
        land(landing, "raw_videos", {"caption": [f"{n}"]})
    before = {(f.check, f.load_id) for f in critical_findings(landing, tmp_path)}
    compact(landing, min_files=2)
    after = {(f.check, f.load_id) for f in critical_findings(Landing(landing.url), tmp_path)}
    assert len(before) == 3
    assert after == before


def test_an_empty_landing_is_fine(landing: Landing, tmp_path: Path) -> None:
    assert critical_findings(landing, tmp_path) == []
    assert file_table(look(landing)).is_empty()
    assert Profile.from_json(Profile().to_json()) == Profile()


def test_great_expectations_is_not_imported_for_the_quick_answer(
    landing: Landing, tmp_path: Path
) -> None:
    import subprocess

    code = (
        "import sys; from pathlib import Path; from loaders.landing import Landing;"
        "from warehouse.quality import critical_findings;"
        f"critical_findings(Landing({landing.url!r}), Path({str(tmp_path)!r}));"
        "sys.exit('great_expectations' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pages_point_nowhere_else() -> None:
    page = self_contained(
        '<html><head><link rel="stylesheet" href="https://cdn/x.css"/>'
        '<script src="https://cdn/x.js"></script></head><body><h4>kept</h4>'
        '<script>alert("inline")</script><img src="https://host/logo.png?id=1"/></body></html>'
    )
    assert "https://" not in page
    assert "script>" not in page
    assert "<h4>kept</h4>" in page
    assert hostile.policy_of(page)["default-src"] == ["'none'"]


def test_index_escapes_what_sources_say(tmp_path: Path) -> None:
    def index(text: str) -> str:
        about = {"expectations": text, "failed": 1, "about": text, "judged": text}
        finding = Finding("critical", text, text, text, text, text)
        write_index(tmp_path, {text: about}, [finding, replace(finding, severity="warning")])
        return (tmp_path / "index.html").read_text()

    page = index(hostile.HOSTILE)
    hostile.assert_no_markup_of(page)
    plain = hostile.Skeleton(index(hostile.HARMLESS))
    assert hostile.Skeleton(page).markup == plain.markup
    assert "1 critical" in page
    index("a file named \udcff")
