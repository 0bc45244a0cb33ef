"""Whatever a load writes it reads back, and a file nobody can read stops no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import AceError, UsageError
from loaders.files import load_files
from loaders.files.load import _modified
from loaders.landing import Landing, Load, Rejected
from loaders.landing.compaction import compact
from loaders.landing.footers import ace_values
from loaders.landing.metadata import Heartbeat, decode, encode, iso, parse_iso
from loaders.retry import retry_rejected
from loaders.schema import EARLIEST_TIME
from warehouse.settings import PROJECT_ROOT

ROW = pl.DataFrame({"post_id": ["a"], "views": [1]})
TIMES = st.datetimes(timezones=st.just(UTC))
#: Text as the operating system gives file names, half surrogate pairs included.
NAMES = st.text(st.characters(exclude_categories=()), max_size=20)
CURSORS = st.dictionaries(
    st.text(max_size=5),
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
    max_size=3,
)


def land(landing: Landing, source: str = "files", **options: Any) -> Load:
    with landing.open_load(source, "performance_metrics", **options) as load:
        load.write(ROW)
        return load.commit()


# -- what is written is read back ---------------------------------------------


@given(TIMES)
def test_every_time_is_read_back(moment: datetime) -> None:
    text = iso(moment)
    assert text is not None
    assert parse_iso(text) == moment
    # DuckDB reads the same text when a build pins its loads.
    assert len(text) == len("2026-11-22T17:02:09.123456Z")


def test_times_of_older_footers_are_read() -> None:
    assert parse_iso("1-01-01T00:00:00.000000Z") == datetime(1, 1, 1, tzinfo=UTC)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=TIMES, known=TIMES, name=NAMES, account=st.none() | st.text(), cursor=CURSORS)
def test_every_footer_is_read_back_by_whoever_reads_it(
    tmp_path: Path, at: datetime, known: datetime, name: str, account: str | None,
    cursor: dict[str, Any],
) -> None:  # fmt: skip
    landing = Landing(tmp_path / "landing")
    rows = ROW.with_columns(pl.lit(known).cast(pl.Datetime("us", "UTC")).alias("_extracted_at"))
    with landing.open_load(
        "files", "performance_metrics", account=account, input=name, loaded_at=at
    ) as writer:
        writer.write(rows)
        load = writer.commit(cursor)
    beat = landing.heartbeat("files", {"products": cursor}, loaded_at=at)
    again = Landing(landing.url)
    assert load in again.loads()
    assert beat in again.heartbeats()
    assert again.left_out() == []
    assert load.known_at_min == (min(known, at) if known >= EARLIEST_TIME else at)
    # As macros/build/pin_loads.sql reads it.
    file = os.path.relpath(load.file, landing.url)
    value = ace_values(landing.storage, [file])[file]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            "select epoch_us(cast(? as timestamptz))",
            [orjson.loads(value)["loads"][0]["landed_at"]],
        ).fetchone()
    assert found == ((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),)
    os.unlink(load.file)
    os.unlink(beat.file)


def test_what_cannot_be_read_back_is_not_landed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the next such mistake is: the old way of writing years stands for it."""
    monkeypatch.setattr("loaders.landing.metadata.iso", lambda moment: f"{moment:%Y-%m-%dT}x")
    landing = Landing(tmp_path)
    with pytest.raises(AceError, match="could not be read back as it was written"):
        land(landing, input="z.csv")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.rglob("*.parquet")] == []


def test_the_earliest_time_is_that_of_the_models() -> None:
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text())
    assert datetime.fromisoformat(project["vars"]["earliest_time"]) == EARLIEST_TIME


ZERO_TIMES = ("0001-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
              "1900-01-01", "9999-12-31T23:59:59.999999Z")  # fmt: skip


@pytest.mark.parametrize("time", ZERO_TIMES)
def test_a_zero_time_is_a_value_but_no_time_of_observation(tmp_path: Path, time: str) -> None:
    file = tmp_path / "z.csv"
    file.write_text(f"platform,external_post_id,views,collected_at\ntiktok,1,1,{time}\n")
    landing = Landing(tmp_path / "landing")
    (result,) = load_files(landing, [file], table="performance_metrics", backfill=True)
    assert (result.status, result.accepted) == ("landed", 1)
    (load,) = Landing(landing.url).loads()
    assert load.known_at_min == load.known_at_max == load.landed_at
    (row,) = pl.read_parquet(load.file).to_dicts()
    assert row["collected_at"].year == int(time[:4])
    assert row["_extracted_at"] == load.landed_at


def test_extracted_at_before_there_was_anything_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing was observed before 2005-01-01"):
        load_files(Landing(tmp_path), [], table="products", extracted_at="0001-01-01T00:00:00Z")


@pytest.mark.parametrize("modified", [0, -1e10, 1e11, 1e15, 1e300, float("nan")])
def test_a_file_of_no_possible_age_was_seen_now(modified: float) -> None:
    before = datetime.now(UTC)
    found = _modified(SimpleNamespace(modified=modified))  # type: ignore[arg-type]
    assert before <= found <= datetime.now(UTC)


def test_a_retry_of_a_file_from_1970_keeps_the_time_it_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text('{"platform":"tiktok","external_post_id":"1","views":"many"}\n')
    os.utime(file, (0, 0))
    landing = Landing(tmp_path / "landing")
    load_files(landing, [file], table="performance_metrics")
    (first,) = landing.loads()
    from loaders import values

    monkeypatch.setitem(values.KINDS, "integer", lambda value, typing: 5)
    (load,) = retry_rejected(landing)
    assert load.known_at_max is not None
    assert abs(load.known_at_max - first.landed_at) < timedelta(seconds=1)


def test_a_file_name_that_is_no_text_lands(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe.csv"
    with open(name, "wb") as file:
        file.write(b"post_id,views\nx,1\n")
    landing = Landing(tmp_path / "landing")
    (result,) = load_files(landing, [os.fsdecode(name)], table="performance_metrics")
    assert result.status == "landed"
    result.input.encode()
    assert Landing(landing.url).loads()[0].input == result.input


def test_times_python_does_not_know_are_refused_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    far = pa.array([10**18, 0, -(10**18)], pa.int64())
    kinds = (pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.timestamp("ms"), pa.date64())
    for number, kind in enumerate(kinds):
        pq.write_table(pa.table({"views": [1, 2, 3], "collected_at": far.cast(kind)}), path)
        landing = Landing(tmp_path / str(number))
        (result,) = load_files(landing, [path], table="performance_metrics", backfill=True)
        assert (result.status, result.accepted, result.rejected) == ("landed", 1, 2), kind
        (load,) = Landing(landing.url).loads()
        assert pl.read_parquet(load.file)["views"].to_list() == [2]


# -- a file nobody can read -----------------------------------------------------


def _foreign(path: Path, ace: bytes | None = None) -> None:
    table = pa.table({"x": [1]})
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        if ace is not None:
            writer.add_key_value_metadata({b"ace": ace})


def _instead(path: Path, make: Callable[[], None]) -> None:
    path.unlink()
    make()


def _footer(**changes: Any) -> bytes:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    load = Load("l", "files", "performance_metrics", None, "0", at, 1, 1, 0, 0, None, None, None,
                None, None)  # fmt: skip
    values = orjson.loads(encode([load]))
    values["loads"][0] |= changes
    return orjson.dumps(values)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_bytes(b"hello"),
    "garbled": lambda path: path.write_bytes(b"PAR1 nonsense PAR1"),
    "huge footer length": lambda path: path.write_bytes(b"PAR1xxxx\xff\xff\xff\x7fPAR1"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "foreign": _foreign,
    "foreign ace": lambda path: _foreign(path, b"not json"),
    "no loads": lambda path: _foreign(path, b'{"format":1}'),
    "null": lambda path: _foreign(path, b"null"),
    "loads of nothing": lambda path: _foreign(path, b'{"format":1,"loads":[1]}'),
    "nested": lambda path: _foreign(path, b"[" * 100_000),
    "no time": lambda path: _foreign(path, _footer(landed_at=None)),
    "odd time": lambda path: _foreign(path, _footer(landed_at="yesterday")),
    "odd count": lambda path: _foreign(path, _footer(read="1")),
    "huge count": lambda path: _foreign(path, _footer(accepted=2**63)),
    "odd id": lambda path: _foreign(path, _footer(load_id=7)),
    "odd retry": lambda path: _foreign(path, _footer(recovers=[7])),
    "elsewhere": lambda path: _foreign(path, _footer(resource="products")),
    "folder": lambda path: _instead(path, path.mkdir),
    "link": lambda path: _instead(path, lambda: path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_file_nobody_can_read_stops_no_other(tmp_path: Path, kind: str) -> None:
    landing = Landing(tmp_path / "landing")
    good, bad = land(landing), Path(land(landing).file)
    DAMAGE[kind](bad)
    beat = Path(landing.heartbeat("files").file)
    DAMAGE[kind](beat)
    landing.heartbeat("supabase")

    landing = Landing(landing.url)
    assert landing.loads() == [good]
    assert len(landing.heartbeats()) == 1
    left_out = landing.left_out()
    assert {one.location for one in left_out} == {str(bad), str(beat)}
    for one in left_out:
        assert one.location in str(one)
        assert "It is left out." in str(one)
    file = tmp_path / "more.csv"
    file.write_text("post_id,views\nx,1\n")
    (result,) = load_files(landing, [file], table="performance_metrics")
    assert result.status == "landed"
    compact(landing, 2)
    assert {load.load_id for load in Landing(landing.url).loads()} == {
        good.load_id, result.load_id
    }  # fmt: skip
    assert len(landing.storage.names("files/performance_metrics")) == 2


def test_rows_that_cannot_be_read_stop_no_compaction(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    loads = [land(landing) for _ in range(3)]
    path = Path(loads[1].file)
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)
    (done,) = compact(landing, 2)
    assert done.damaged == (loads[1].file,)
    assert (done.merged, done.deleted) == (2, 2)
    assert len(Landing(tmp_path).loads()) == 3


def test_a_heartbeat_is_checked_like_a_load() -> None:
    with pytest.raises(ValueError, match="no heartbeat"):
        Heartbeat.decode(b'{"heartbeat":{"load_id":1}}', "")
    assert decode(_footer(), "")[0].load_id == "l"


def test_a_damaged_file_of_rejected_records_blocks_no_other(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    for place in range(3):
        with landing.open_load("files", "products") as load:
            load.reject([Rejected(0, b"{", f"bad {place}")])
            load.commit()
    second = landing.loads()[1]
    Path(landing.storage.location(landing.rejected_file(second))).write_bytes(b"x")
    landing = Landing(tmp_path)
    assert [record.reason for record in landing.rejected()] == ["bad 0", "bad 2"]
    (unreadable,) = landing.lost_rejected()
    assert second.load_id in str(unreadable)
    assert retry_rejected(landing) == []
