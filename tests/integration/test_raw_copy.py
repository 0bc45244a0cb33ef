"""Landed files into a real Postgres: same rows, once, whole files or nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from common.errors import AceError, UsageError
from loaders.landing import Landing
from loaders.landing.compaction import compact
from loaders.landing.undo import undo
from loaders.schema import SOURCES, polars_schema
from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from warehouse.build import raw_copy
from warehouse.build.pgcopy import HEADER, TRAILER, encode_rows
from warehouse.build.raw_copy import copy_new_loads

pytestmark = pytest.mark.postgres
T0 = datetime(2026, 5, 1, 12, 0, 0, 123456, UTC)
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    zone = Landing(tmp_path / "landing")
    zone.prepare()
    return zone


def land(zone: Landing, resource: str, rows: list[dict[str, Any]], source: str = "files") -> str:
    schema = {
        name: kind for name, kind in polars_schema(resource).items() if rows and name in rows[0]
    }
    with zone.open_load(source, resource) as load:
        load.write(pl.DataFrame(rows, schema=schema))
        return load.commit().load_id


def metrics(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "metric_id": f"00000000-0000-0000-0000-{start + i:012d}",
            "views": 10 * i if i % 3 else None,
            "collected_at": T0 + timedelta(minutes=i),
            "external_post_id": "7" * (i % 5),
        }
        for i in range(count)
    ]


def fetch(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        connection.execute("set time zone 'UTC'")
        return connection.execute(query).fetchall()


def count(url: str, table: str) -> int:
    return int(fetch(url, f"select count(*) from raw.{table}")[0][0])


EDGES: dict[str, tuple[pa.DataType, str, list[Any]]] = {
    "whole": (pa.int64(), "bigint", [0, -1, 2**63 - 1, None, -(2**63)]),
    "all_whole": (pa.int64(), "bigint", [1, 2, 3, 4, 5]),
    "none": (pa.int64(), "bigint", [None] * 5),
    "real": (pa.float64(), "double precision", [0.1, None, -1e308, 5e-324, -0.0]),
    "all_real": (pa.float64(), "double precision", [0.1, 2.5, -1e308, 5e-324, 0.0]),
    "time": (
        pa.timestamp("us", "UTC"),
        "timestamptz",
        [T0, None, FIRST, LAST, datetime(1999, 12, 31, tzinfo=UTC)],
    ),
    "text": (pa.string(), "text", ["", None, "héé\U0001f600", "a\\b\n\t", "x" * 70_000]),
    "same": (pa.string(), "text", ["ab", "cd", "ef", "gh", "ij"]),
    "blank": (pa.string(), "text", [""] * 5),
    "large": (pa.large_string(), "text", ["a", "", "b", None, "c"]),
    "list": (pa.list_(pa.string()), "text[]", [["a", "", "ü"], [], None, [None, "b"], ["c"]]),
    "full": (pa.list_(pa.string()), "text[]", [["a"], ["b"], ["c"], ["d"], ["e"]]),
    "large_list": (pa.large_list(pa.large_string()), "text[]", [None, ["q"], [], ["r", "s"], []]),
    "empty": (pa.list_(pa.string()), "text[]", [[], None, [], [], []]),
}


@pytest.mark.parametrize("start", [0, 1, 3])
def test_every_kind_of_value_arrives_as_it_was(postgres_url: str, start: int) -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array(values, kind) for kind, _, values in EDGES.values()], list(EDGES)
    ).slice(start)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("set time zone 'UTC'")
        columns = ", ".join(f'"{name}" {kind}' for name, (_, kind, _) in EDGES.items())
        connection.execute(f"create table t ({columns})")
        with connection.cursor().copy("copy t from stdin (format binary)") as copy:
            copy.write(HEADER)
            for chunk in encode_rows(batch):
                copy.write(chunk)
            copy.write(TRAILER)
        found = connection.execute("select * from t").fetchall()
    expected = list(zip(*(values[start:] for _, _, values in EDGES.values()), strict=True))
    assert found == expected


def test_every_table_is_there_even_without_loads(landing: Landing, postgres_url: str) -> None:
    assert copy_new_loads(landing, postgres_url).loads == 0
    tables = {row[0] for row in fetch(postgres_url, "select tablename from pg_tables")}
    assert {f"{s}__{r}" for s, resources in SOURCES.items() for r in resources} <= tables
    assert count(postgres_url, "_loads") == 0
    types = dict(
        fetch(
            postgres_url,
            "select column_name, udt_name from information_schema.columns "
            "where table_schema = 'raw' and table_name = 'files__raw_videos'",
        )
    )
    assert list(types) == list(polars_schema("raw_videos"))
    assert types["hashtags"] == "_text"
    assert types["view_count"] == "int8"
    assert types["collected_at"] == "timestamptz"
    assert types["_extracted_at"] == "timestamptz"


def test_rows_and_their_load_arrive_once(landing: Landing, postgres_url: str) -> None:
    first = land(landing, "performance_metrics", metrics(20_000))
    lines: list[str] = []
    result = copy_new_loads(landing, postgres_url, progress=lines.append)
    assert (result.loads, result.rows) == (1, 20_000)
    assert len(lines) == 1
    assert copy_new_loads(landing, postgres_url).loads == 0
    second = land(landing, "performance_metrics", metrics(5, start=50_000))
    assert copy_new_loads(landing, postgres_url).rows == 5

    columns = list(polars_schema("performance_metrics"))
    found = fetch(
        postgres_url,
        f"select {', '.join(columns)} from raw.files__performance_metrics "
        "order by _load_id, _position",
    )
    landed = [pl.read_parquet(load.file) for load in landing.loads()]
    assert found == pl.concat(landed).sort("_load_id", "_position").rows()
    loads = fetch(
        postgres_url,
        "select load_id, source, resource, account, landed_at, read, accepted, rejected, "
        "recovered, known_at_min, known_at_max, file from raw._loads order by 1",
    )
    assert [row[0] for row in loads] == [first, second]
    one = landing.loads()[0]
    assert loads[0] == (
        *(one.load_id, "files", "performance_metrics", None, one.landed_at, 20_000, 20_000, 0, 0),
        *(one.known_at_min, one.known_at_max, one.file),
    )


def test_a_copy_stopped_in_the_middle_leaves_nothing_half(
    landing: Landing, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(landing, "products", [{"product_id": "a"}])
    land(landing, "performance_metrics", metrics(30_000))

    def interrupted(batch: pa.RecordBatch) -> Any:
        chunks = encode_rows(batch)
        yield next(chunks)
        if batch.num_rows > 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(raw_copy, "encode_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            copy_new_loads(landing, postgres_url)
    assert count(postgres_url, "files__products") == 1
    assert count(postgres_url, "files__performance_metrics") == 0
    assert [row[0] for row in fetch(postgres_url, "select resource from raw._loads")] == [
        "products"
    ]
    assert copy_new_loads(landing, postgres_url).rows == 30_000
    assert count(postgres_url, "files__products") == 1


def test_of_a_compacted_file_only_the_new_loads_are_copied(
    landing: Landing, postgres_url: str
) -> None:
    for i in range(3):
        land(landing, "performance_metrics", metrics(10, start=10 * i))
    copy_new_loads(landing, postgres_url)
    for i in range(3, 5):
        land(landing, "performance_metrics", metrics(10, start=10 * i))
    compact(landing, min_files=2)
    assert len({load.file for load in landing.loads()}) == 1
    result = copy_new_loads(landing, postgres_url)
    assert (result.loads, result.rows) == (2, 20)
    [(rows, keys)] = fetch(
        postgres_url,
        "select count(*), count(distinct metric_id) from raw.files__performance_metrics",
    )
    assert (rows, keys) == (50, 50)
    files = {row[0] for row in fetch(postgres_url, "select file from raw._loads")}
    assert files == {landing.loads()[0].file}


def test_two_copies_at_once_copy_each_load_once(landing: Landing, postgres_url: str) -> None:
    for i in range(6):
        land(landing, "performance_metrics", metrics(500, start=500 * i))
    results: list[int] = []
    both = [
        threading.Thread(
            target=lambda: results.append(copy_new_loads(Landing(landing.url), postgres_url).loads)
        )
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sum(results) == 6
    assert count(postgres_url, "files__performance_metrics") == 3000


def test_a_table_from_an_older_version_gains_its_columns(
    landing: Landing, postgres_url: str
) -> None:
    copy_new_loads(landing, postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("alter table raw.files__products drop column brand")
    land(landing, "products", [{"product_id": "a", "brand": "Lumo"}])
    copy_new_loads(landing, postgres_url)
    assert fetch(postgres_url, "select brand from raw.files__products") == [("Lumo",)]


def test_a_table_with_a_wrong_type_is_named(landing: Landing, postgres_url: str) -> None:
    copy_new_loads(landing, postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "alter table raw.files__performance_metrics alter column views type text"
        )
    with pytest.raises(AceError, match=r"Column views of raw\.files__performance_metrics"):
        copy_new_loads(landing, postgres_url)


def test_raw_is_rebuilt_from_landing(landing: Landing, postgres_url: str) -> None:
    land(landing, "performance_metrics", metrics(10))
    landing.heartbeat("files", {})
    assert copy_new_loads(landing, postgres_url).heartbeats == 1
    with psycopg.connect(postgres_url) as connection:
        connection.execute("drop schema raw cascade")
    result = copy_new_loads(landing, postgres_url)
    assert (result.loads, result.rows, result.heartbeats) == (1, 10, 1)


def test_a_damaged_file_is_named_and_the_others_stay(landing: Landing, postgres_url: str) -> None:
    land(landing, "products", [{"product_id": "a"}])
    land(landing, "performance_metrics", metrics(50_000))
    damaged = Path(landing.loads()[-1].file)
    content = bytearray(damaged.read_bytes())
    content[1000:60_000] = b"\x07" * 59_000
    damaged.write_bytes(content)
    land(landing, "scripts", [{"script_id": "b"}])
    (said,) = copy_new_loads(Landing(landing.url), postgres_url).left_out
    assert damaged.name in said
    assert count(postgres_url, "files__products") == count(postgres_url, "files__scripts") == 1
    assert count(postgres_url, "files__performance_metrics") == 0


def test_what_leaves_landing_is_hidden_and_what_was_undone_is_deleted(
    landing: Landing, postgres_url: str
) -> None:
    kept, lost, undone = (land(landing, "products", [{"product_id": i}]) for i in "abc")
    beat = landing.heartbeat("files")
    copy_new_loads(Landing(landing.url), postgres_url)
    place = landing.storage.location(f"files/products/{lost}.parquet")
    aside = Path(place).rename(Path(landing.url) / "aside")
    undo(landing, undone)
    undo(landing, beat.load_id)
    copy_new_loads(Landing(landing.url), postgres_url)
    shown = "select load_id from raw._loads where load_id not in (select load_id from raw._gone)"
    assert fetch(postgres_url, shown) == [(kept,)]
    # The only copy that is left is not thrown away; what was to go is gone.
    held = "select distinct _load_id from raw.files__products order by 1"
    assert fetch(postgres_url, held) == sorted([(kept,), (lost,)])
    assert count(postgres_url, "_heartbeats") == 0
    aside.rename(place)
    back = f"files/products/{undone}.parquet"
    landing.storage.move(f"_undone/{back}", back)
    copy_new_loads(Landing(landing.url), postgres_url)
    assert sorted(fetch(postgres_url, shown)) == sorted([(kept,), (lost,), (undone,)])
    assert count(postgres_url, "files__products") == 3


def test_errors_say_what_to_do_and_keep_the_password(
    landing: Landing, postgres_url: str, pg_server: PgServer
) -> None:
    database = str(conninfo_to_dict(postgres_url)["dbname"])
    secret = "Wr0ng:p@ss/word"
    cases: list[tuple[str, str]] = [
        (
            pg_server.url(database, PASSWORD_ROLE, secret),
            f"refused the password of user {PASSWORD_ROLE}",
        ),
        (pg_server.url(database, PASSWORD_ROLE), f"wants a password for user {PASSWORD_ROLE}"),
        (pg_server.url("nowhere"), "has no database 'nowhere'"),
        (pg_server.url(database, "nobody"), "has no user 'nobody'"),
        (
            f"postgresql://u:{secret.replace('@', '%40').replace('/', '%2F')}@127.0.0.1:1/x",
            "127.0.0.1:1 could not be reached",
        ),
        (f"host=/nowhere password={secret}", "/nowhere .* could not be reached"),
        (pg_server.url(database, PASSWORD_ROLE, PASSWORD), "does not let user"),
    ]
    for url, sentence in cases:
        with pytest.raises(AceError, match=sentence) as caught:
            copy_new_loads(landing, url)
        for form in (secret, secret.replace("@", "%40").replace("/", "%2F"), PASSWORD):
            assert form not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:Wr0ng@ss/word@h/y", "postgresql://u:Wr0ng/ss@h/y", "postgresql://u:Wr0ng"],
)
def test_a_password_that_is_not_escaped_is_not_shown(landing: Landing, url: str) -> None:
    with pytest.raises(UsageError) as wrong:
        copy_new_loads(landing, url)
    assert "ss" not in str(wrong.value).replace("address", "").replace("password", "")
    assert "Wr0ng" not in str(wrong.value)


def test_a_role_that_owns_nothing_else_can_copy(
    landing: Landing, postgres_url: str, pg_server: PgServer
) -> None:
    database = str(conninfo_to_dict(postgres_url)["dbname"])
    with psycopg.connect(postgres_url) as connection:
        grant = sql.SQL("grant create on database {} to {}")
        connection.execute(grant.format(sql.Identifier(database), sql.Identifier(PASSWORD_ROLE)))
    land(landing, "products", [{"product_id": "a"}])
    url = pg_server.url(database, PASSWORD_ROLE, PASSWORD)
    assert copy_new_loads(landing, url).rows == 1
    assert copy_new_loads(landing, url).rows == 0
