"""Rejected records parsed again by a better loader: recovered once, never twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders.files import load_files
from loaders.landing import Landing, Rejected
from loaders.landing.compaction import compact
from loaders.retry import retry_rejected
from loaders.values import KINDS, NotTyped, Typing, to_integer


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def lenient(value: Any, typing: Typing) -> int | None:
    """Tomorrow's loader: it has learnt to read 'five'."""
    if value == "five":
        return 5
    return to_integer(value, typing)


def learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "integer", lenient)


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.ndjson", '{"n":1,"p":"x"}\n{"n":"five","p":"x"}\n{"n":"six"}\n',
         {"maps": {"views": "n"}, "sets": {"platform": "tiktok"}}),
        ("a.csv", "n,p\n1,x\nfive,x\nsix,\n",
         {"maps": {"views": "n"}, "sets": {"platform": "tiktok"}}),
    ],
)  # fmt: skip
def test_a_retry_recovers_what_it_can_and_only_once(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, content: str, options: dict[str, Any],
) -> None:  # fmt: skip
    (tmp_path / name).write_text(content)
    known_at = datetime(2024, 1, 1, tzinfo=UTC)
    load_files(landing, [tmp_path / name], table="performance_metrics",
               extracted_at=known_at, **options)  # fmt: skip
    assert retry_rejected(landing) == []
    learn(monkeypatch)
    (load,) = retry_rejected(landing)
    assert (load.read, load.recovered, load.accepted, load.rejected) == (0, 1, 1, 0)
    (row,) = pl.read_parquet(load.file).to_dicts()
    assert (row["views"], row["platform"], row["_extra"]) == (5, "tiktok", '{"p":"x"}')
    assert row["_extracted_at"] == known_at
    assert [record.position for record in landing.rejected()] == [2]
    assert retry_rejected(landing) == []
    assert len(landing.loads()) == 2


def test_other_loaders_records_are_retried_as_json(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with landing.open_load("supabase", "performance_metrics", account="a") as load:
        load.reject([Rejected(0, b'{"views":"five"}', "bad"), Rejected(1, b"\xff", "bad")])
        load.commit()
    learn(monkeypatch)
    (again,) = retry_rejected(landing)
    assert (again.source, again.account, again.recovered) == ("supabase", "a", 1)


def test_recovery_survives_compaction(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    with landing.open_load("files", "performance_metrics") as load:
        load.reject([Rejected(0, b'{"views":"five"}', "bad")])
        load.commit()
    learn(monkeypatch)
    retry_rejected(landing)
    compact(landing, 2)
    assert Landing(landing.url).rejected() == []
    assert retry_rejected(Landing(landing.url)) == []


def test_what_still_cannot_be_typed_stays(landing: Landing) -> None:
    with landing.open_load("files", "performance_metrics") as load:
        load.reject([Rejected(0, b'{"views":"five"}', "bad")])
        load.commit()
    with pytest.raises(NotTyped):
        to_integer("five", Typing())
    assert retry_rejected(landing) == []
    assert len(landing.rejected()) == 1


def test_each_account_recovers_its_own_records(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account, n in (("a", 1), (None, 2), ("b", 3)):
        with landing.open_load("tiktok", "performance_metrics", account=account) as load:
            raw = b'{"views":"five","external_post_id":"%d"}' % n
            load.reject([Rejected(0, raw, "bad")])
            load.commit()
    learn(monkeypatch)
    retries = retry_rejected(landing)
    recovered = {
        load.account: pl.read_parquet(load.file)["external_post_id"].to_list() for load in retries
    }
    assert recovered == {"a": ["1"], None: ["2"], "b": ["3"]}
