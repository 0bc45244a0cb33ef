"""Lines of totals in exports are no videos, wherever they stand; made-up ids are ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import FileResult, load_files
from loaders.files.idforms import LEARNT_ROWS
from loaders.landing import Landing
from loaders.retry import retry_rejected

IDS = {
    "tiktok": ["7412345678901234567", "7412345678901244574", "6988462131903925249"],
    "youtube": ["1geIQxkXYGa", "-iTBX-c3ATa", "zvF3ifucdPc"],
    "instagram": ["17895695668004550", "18001234567890123_178414", "CqXyZ_a-bcd"],
}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(
    landing: Landing, tmp_path: Path, ids: list[Any], platform: str, form: str = "csv", **how: Any
) -> FileResult:
    records = [{"external_id": one, "caption": f"c {i}"} for i, one in enumerate(ids)]
    path = tmp_path / f"a.{form.removeprefix('slow.')}"
    if form.endswith("csv"):
        quote = '"' if form.startswith("slow") else ""
        lines = [f"{quote}{r['external_id']}{quote},{r['caption']}" for r in records]
        path.write_text("\n".join(["external_id,caption", *lines]) + "\n")
    elif form == "parquet":
        pl.DataFrame(records).write_parquet(path)
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    how = {"table": "raw_videos", "sets": {"platform": platform}} | how
    (result,) = load_files(landing, [path], **how)
    assert result.read == result.landed + result.rejected == len(ids)
    return result


def refused(landing: Landing) -> list[str]:
    return [record.reason for record in landing.rejected()]


@pytest.mark.parametrize("platform", IDS)
@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize(
    "word", ["Total", "Grand total", "Summe", "all videos", "GESAMTSUMME", "12"]
)
def test_a_line_of_totals_is_refused(
    landing: Landing, tmp_path: Path, platform: str, place: int, word: str
) -> None:
    ids = [*IDS[platform][:place], word, *IDS[platform][place:]]
    result = load(landing, tmp_path, ids, platform)
    assert (result.landed, result.rejected) == (3, 1)
    (record,) = landing.rejected()
    assert record.reason.startswith(f"external_id: '{word}' is no id like the others")
    assert (record.position, record.field) == (place, "external_id")
    assert f'"c {place}"'.encode() in record.raw
    # By itself the line would land.
    assert retry_rejected(landing) == []


@pytest.mark.parametrize("form", ["csv", "slow.csv", "ndjson", "parquet"])
@pytest.mark.parametrize("place", [0, LEARNT_ROWS + 50, 3 * LEARNT_ROWS])
def test_wherever_it_stands_in_whatever_format(
    landing: Landing, tmp_path: Path, form: str, place: int
) -> None:
    ids: list[Any] = [str(7_412_345_678_901_234_567 + i) for i in range(3 * LEARNT_ROWS)]
    ids.insert(place, "Total")
    result = load(landing, tmp_path, ids, "tiktok", form)
    assert (result.landed, result.rejected) == (3 * LEARNT_ROWS, 1)
    assert [record.position for record in landing.rejected()] == [place]
    rows = pl.read_parquet(landing.loads()[0].file)
    assert rows["_position"].to_list() == [i for i in range(len(ids)) if i != place]


@pytest.mark.parametrize(
    ("ids", "platform"),
    [
        (["demo-1", "demo-2", "Total"], "tiktok"), (["v1", "v2", "v3", "v4", "v5"], "youtube"),
        (["7412345678901234567", "demo-1"], "tiktok"), (["1", "Total"], "vimeo"),
        (["7412345678901234567", "7412345678901234568", "demo-1", "demo-2"], "tiktok"),
        (["Total"], "tiktok"), ([*IDS["instagram"], "C_abcdefghi"], "instagram"),
        ([*IDS["instagram"], "B" * 39], "instagram"),
    ],
)  # fmt: skip
def test_ids_somebody_made_up_are_ids(
    landing: Landing, tmp_path: Path, ids: list[str], platform: str
) -> None:
    assert load(landing, tmp_path, ids, platform).rejected == 0


def test_the_first_line_waits_for_the_others(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loaders.files.sink.BATCH_RECORDS", 1)
    result = load(landing, tmp_path, ["Total", *IDS["youtube"]], "youtube", "slow.csv")
    assert (result.landed, result.rejected) == (3, 1)


def test_small_files_and_several_lines(landing: Landing, tmp_path: Path) -> None:
    assert load(landing, tmp_path, [IDS["tiktok"][0], "Total"], "tiktok").rejected == 1
    ids = [*IDS["youtube"], "Total", "Average"]
    assert load(landing, tmp_path, ids, "youtube", again=True).rejected == 2


def test_each_platform_is_judged_by_its_own(landing: Landing, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    rows = [{"platform": " TikTok", "external_id": one} for one in IDS["tiktok"]]
    rows += [{"platform": "youtube", "external_id": f"demo-{i}"} for i in range(9)]
    rows += [{"platform": "youtube", "external_id": "Total"}, {"external_id": "Total"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (result,) = load_files(landing, [path], table="raw_videos")
    assert result.rejected == 0


def test_totals_of_growth_are_not_added_up(landing: Landing, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{one},2026-10-1{day},5" for one in ("Total", *IDS["youtube"]) for day in (0, 1)]
    path.write_text("\n".join(["external_post_id,collected_at,views", *lines]))
    (result,) = load_files(
        landing, [path], table="performance_metrics", sets={"platform": "youtube"}, increments=True
    )
    assert (result.landed, result.rejected) == (6, 2)
    assert "growth of 3 posts" in result.notices[0]
