"""Reading rows: the same calls and answers on both engines, held against Polars."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from common.errors import AceError, UsageError
from common.settings import Settings
from repositories import Warehouse
from repositories.filters import OPERATORS
from tests.conftest import PgServer
from tests.support import small_release
from tests.support.examples import examples

KINDS = {
    "post_id": "uuid", "platform": "text", "views": "bigint", "rate": "double precision",
    "is_new": "boolean", "published_at": "timestamptz", "day": "date", "tags": "text[]",
    "note": "json",
}  # fmt: skip
TEXTS = ["tiktok", "TikTok", "", "%", "a_b", "O'Neil; drop table x --", "Ünï", "zz", "é", "?", "{}"]
TIMES = [datetime(2026, 10, day, 7, 30, 0, 123456, UTC) for day in range(1, 9)]


def rows() -> list[dict[str, Any]]:
    """Values that come up more than once, and are unknown now and then."""
    draw = random.Random(7)

    def sometimes(values: list[Any]) -> Any:
        return None if draw.random() < 0.2 else draw.choice(values)

    return [
        {
            "post_id": str(UUID(int=draw.getrandbits(128))),
            "platform": sometimes(TEXTS),
            "views": sometimes([0, 1, 5, 5, 70, 2**62, -3]),
            "rate": sometimes([0.0, 0.1, 0.30000000000000004, 1e300, -2.5]),
            "is_new": sometimes([True, False]),
            "published_at": sometimes(TIMES),
            "day": sometimes([one.date() for one in TIMES]),
            "tags": sometimes([[], ["a"], ["a", "b c"], ["Ünï", "'"]]),
            "note": sometimes([{}, {"b": 1, "a": [1.5, None]}, [1, "x"], "text"]),
        }
        for _ in range(120)
    ]


ROWS = rows()
PRODUCT = {
    "product_id": "uuid", "name": "text", "description": "text", "image_url": "text",
    "affiliate_link": "text", "source_platform": "text", "category": "text", "meta": "json",
    "created_at": "timestamptz", "updated_at": "timestamptz",
}  # fmt: skip
PRODUCTS = [
    {"product_id": str(UUID(int=number + 1)), "name": f"Lamp {number}", "source_platform": "x",
     "category": ["Beauty", "Tech", None][number % 3], "meta": {"n": number, "a": [1]},
     "created_at": TIMES[number % 8], "updated_at": TIMES[number % 8]}
    for number in range(25)
]  # fmt: skip
TABLES = {"marts.post_performance": (KINDS, ROWS), "canonical.products": (PRODUCT, PRODUCTS)}


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("home")
    if request.param == "duckdb":
        with Warehouse.open(config=small_release.release(TABLES, home)) as found:
            yield found
        return
    server: PgServer = request.getfixturevalue("pg_server")
    url = server.create_database("reads")
    with Warehouse.open(config=small_release.release(TABLES, home, url)) as found:
        yield found
    server.drop_database(url)


FRAME = pl.DataFrame(
    [{name: value for name, value in row.items() if name != "note"} for row in ROWS],
    {
        "post_id": pl.String, "platform": pl.String, "views": pl.Int64, "rate": pl.Float64,
        "is_new": pl.Boolean, "published_at": pl.Datetime("us", "UTC"), "day": pl.Date,
        "tags": pl.List(pl.String),
    },
)  # fmt: skip
NAMES = {"uuid": "uuid", "text": "text", "bigint": "integer", "double precision": "number",
         "boolean": "boolean", "timestamptz": "timestamp", "date": "date", "text[]": "text[]",
         "json": "json"}  # fmt: skip


def expected(column: str, operator: str, value: Any) -> pl.Expr:
    """The filter in Polars."""
    it = pl.col(column)
    if operator == "null":
        return it.is_null() if value else it.is_not_null()
    if value is None:
        return it.is_null() if operator == "eq" else it.is_not_null()
    if operator in ("in", "not_in"):
        found = pl.any_horizontal([pl.lit(False), *(it == one for one in value)])
        return found if operator == "in" else ~found & it.is_not_null()
    if operator == "has":
        return it.list.contains(value)
    if operator == "contains":
        return it.str.contains(value, literal=True)
    if operator == "startswith":
        return it.str.starts_with(value)
    by = {"eq": "__eq__", "ne": "__ne__", "gt": "__gt__", "gte": "__ge__", "lt": "__lt__",
          "lte": "__le__"}  # fmt: skip
    found_expr: pl.Expr = getattr(it, by[operator])(value)
    return found_expr


@st.composite
def filters(draw: st.DrawFn) -> tuple[str, str, Any]:
    column = draw(st.sampled_from(list(KINDS)))
    kind = NAMES[KINDS[column]]
    operator = draw(st.sampled_from([o for o, kinds in OPERATORS.items() if kind in kinds]))
    values = st.sampled_from([row[column] for row in ROWS if row[column] is not None])
    if operator == "null":
        return column, operator, draw(st.booleans())
    if operator in ("in", "not_in"):
        return column, operator, draw(st.lists(values, max_size=3))
    if operator == "has":
        return column, operator, draw(st.sampled_from(["a", "b", "b c", "'", "Ünï"]))
    if operator in ("contains", "startswith"):
        return column, operator, draw(st.sampled_from(["", "t", "T", "%", "_", "'", "ï", "--"]))
    if operator in ("eq", "ne"):
        return column, operator, draw(st.none() | values)
    return column, operator, draw(values)


ORDERS = st.lists(
    st.tuples(st.sampled_from([c for c in KINDS if c not in ("tags", "note")]), st.booleans()),
    max_size=3, unique_by=lambda one: one[0],
)  # fmt: skip


def ordered(order: list[tuple[str, bool]]) -> pl.DataFrame:
    if "post_id" not in [column for column, _ in order]:
        order = [*order, ("post_id", False)]
    return FRAME.sort(
        [column for column, _ in order], descending=[down for _, down in order], nulls_last=True
    )


@trying(
    max_examples=examples(80), deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(chosen=st.lists(filters(), max_size=3), order=ORDERS, limit=st.none() | st.integers(0, 130),
       after=st.none() | st.integers(0, len(ROWS) - 1))  # fmt: skip
def test_finds_what_polars_finds(
    warehouse: Warehouse, chosen: list[tuple[str, str, Any]], order: list[tuple[str, bool]],
    limit: int | None, after: int | None,
) -> None:  # fmt: skip
    asked = {
        column if operator == "eq" else f"{column}__{operator}": value
        for column, operator, value in chosen
    }
    wanted = ordered(order)
    notes = {row["post_id"]: row["note"] for row in ROWS}
    if after is not None:
        place = wanted["post_id"].to_list().index(ROWS[after]["post_id"])
        wanted = wanted[place + 1 :]
    # One for each keyword: the last of two with the same name is the one that is asked.
    for name, value in asked.items():
        column, _, operator = name.partition("__")
        if column == "note":
            known = pl.Series(
                [notes[key] is not None for key in wanted["post_id"]], dtype=pl.Boolean
            )
            is_null = value if operator == "null" else operator != "ne"
            wanted = wanted.filter(~known if is_null else known)
            continue
        wanted = wanted.filter(expected(column, operator or "eq", value))
    wanted = wanted if limit is None else wanted[:limit]
    found = warehouse.marts.post_performance.find(
        order_by=[f"-{column}" if down else column for column, down in order],
        limit=limit,
        after=None if after is None else ROWS[after]["post_id"],
        **asked,
    )
    assert found.columns == list(KINDS)
    assert found.drop("note").equals(wanted)


def test_values_are_the_same_from_both_engines(warehouse: Warehouse) -> None:
    mart = warehouse.marts.post_performance
    known = next(row for row in ROWS if row["note"] == {"b": 1, "a": [1.5, None]} and row["tags"])
    row = mart.get(known["post_id"])
    assert row == known
    found = mart.find(post_id=UUID(known["post_id"]))
    assert found["note"].to_list() == ['{"a":[1.5,null],"b":1}']
    assert mart.get(str(UUID(int=0))) is None
    assert mart.find(columns=["views"], limit=2).columns == ["views"]
    assert mart.find(platform="no such").shape == (0, len(KINDS))


def test_a_table_gives_models_page_by_page(warehouse: Warehouse) -> None:
    table = warehouse.products
    one = table.get(PRODUCTS[3]["product_id"])
    assert one is not None
    assert (one.name, one.meta, one.description) == ("Lamp 3", {"n": 3, "a": [1]}, None)
    assert one.created_at == TIMES[3]
    with pytest.raises(ValueError, match="frozen"):
        one.name = "other"
    beauty = table.find(category="Beauty")
    assert [row.name for row in beauty] == [f"Lamp {n}" for n in range(0, 25, 3)]
    pages, last = [], None
    while page := table.find(order_by="-created_at", limit=7, after=last):
        pages += page
        last = page[-1]
    assert pages == table.find(order_by="-created_at")
    assert len({row.product_id for row in pages}) == 25
    frame = table.find(frame=True, limit=2, category=None)
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame["name"].to_list() == ["Lamp 2", "Lamp 5"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"veiws": 1}, "post_performance has no column 'veiws'. Did you mean views?"),
        ({"views__ge": 1}, "has no operator 'ge'. Did you mean gte"),
        ({"views__like": 1}, "has no operator 'like'"),
        ({"views": "many"}, "post_performance.views: expected a number, received 'many'"),
        ({"views": True}, "expected a number, received True"),
        ({"views": 2**63}, "expected a number, received 9223372036854775808"),
        ({"rate": float("nan")}, "expected a number, received nan"),
        ({"post_id": "7"}, "expected a uuid, received '7'"),
        ({"platform": 7}, "expected text, received 7"),
        ({"platform": "a\0b"}, "expected text"),
        ({"platform__in": "tiktok"}, "expected a list of values, received 'tiktok'"),
        ({"platform__in": [None]}, "expected text, received None"),
        ({"platform__gt": None}, "expected text, received None"),
        ({"published_at__gte": "soon"}, "expected a time (datetime, or text in ISO 8601)"),
        ({"day": "2026-13-01"}, "expected a date"),
        ({"is_new": 1}, "expected True or False, received 1"),
        ({"note": "{}"}, "a column of json cannot be compared so. It takes: null"),
        ({"tags": "a"}, "a column of text[] cannot be compared so. It takes: null, has"),
        ({"views__null": 1}, "expected True or False, received 1"),
        ({"order_by": "-veiws"}, "has no column 'veiws'. Did you mean views?"),
        ({"order_by": "note"}, "cannot be ordered by note, which is json"),
        ({"limit": -1}, "limit is -1"),
        ({"limit": "5; drop table x"}, "It must be a whole number from 0"),
        ({"columns": ["views; select 1"]}, "has no column 'views; select 1'"),
        ({"after": str(UUID(int=5)), "order_by": "views"}, "has no row with the key"),
        ({"after": (1, 2)}, "the key has 1 parts, not 2"),
        ({'views" = 1 or "views': 1}, "has no column"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(
    warehouse: Warehouse, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        warehouse.marts.post_performance.find(**asked)
    assert message in str(caught.value)


def test_few_rows_and_many_are_read_alike(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = warehouse.marts.post_performance.find()
    monkeypatch.setattr("repositories.duckdb_reader.FEW", 100)
    many = warehouse.marts.post_performance.find()
    assert few.schema == many.schema
    assert few.equals(many)


def test_a_mart_that_is_none_is_told_the_nearest(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match=r"no mart 'post_perfomance'. Did you mean post_perform"):
        warehouse.marts.post_perfomance  # noqa: B018
    assert not hasattr(warehouse.marts, "nothing")
    with pytest.raises(AceError, match=r"This release has no marts\.bandit_arms"):
        warehouse.marts.bandit_arms.find()


def test_the_release_says_how_old_it_is(warehouse: Warehouse) -> None:
    release = warehouse.release
    assert (release.number, release.engine) == (1, warehouse._session.engine)
    assert release.as_of == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert release.age is not None
    old = release.age > timedelta(hours=36)
    assert release.is_stale("post_performance") == old
    assert not type(release)(1, datetime.now(UTC), None, "duckdb", None).is_stale("agent_health")
    with pytest.raises(UsageError, match="Did you mean agent_health"):
        release.is_stale("agent_healt")


def test_dates_and_days_are_taken_in_many_ways(warehouse: Warehouse) -> None:
    mart = warehouse.marts.post_performance
    moment = TIMES[2]
    here = moment.astimezone().isoformat()
    for one in (moment.isoformat(), here, moment.replace(tzinfo=None)):
        assert mart.find(published_at=one).equals(mart.find(published_at=moment))
    assert mart.find(published_at__gte=date(2026, 10, 4)).equals(
        mart.find(published_at__gte="2026-10-04T00:00:00Z")
    )
    assert mart.find(day="2026-10-03").equals(mart.find(day=date(2026, 10, 3)))


def test_what_is_pinned_stays_while_others_are_released(
    tmp_path: Path, request: pytest.FixtureRequest, warehouse: Warehouse
) -> None:
    url = None
    if warehouse._session.engine == "postgres":
        url = request.getfixturevalue("postgres_url")
    config = small_release.release(TABLES, tmp_path, url)
    with Warehouse.open(config=config) as first:
        fewer = {**TABLES, "canonical.products": (PRODUCT, PRODUCTS[:5])}
        small_release.release(fewer, tmp_path, url, number=2)
        assert len(first.products.find()) == 25
        with Warehouse.open(config=config) as second, Warehouse.open(1, config=config) as pinned:
            assert [w.release.number for w in (first, second, pinned)] == [1, 2, 1]
            assert [len(w.products.find()) for w in (first, second, pinned)] == [25, 5, 25]
    with pytest.raises(UsageError, match="Release 7 is not kept"):
        Warehouse.open(7, config=config)


def test_reads_go_on_while_releases_are_made(
    tmp_path: Path, request: pytest.FixtureRequest, warehouse: Warehouse
) -> None:
    """An open warehouse holds nothing that a release needs, and finds its rows all the while."""
    url = None
    if warehouse._session.engine == "postgres":
        url = request.getfixturevalue("postgres_url")
    config = small_release.release(TABLES, tmp_path, url)
    stop, errors, counts = threading.Event(), list[BaseException](), [0, 0]

    def read(which: int) -> None:
        try:
            with Warehouse.open(config=config) as kept:
                while not stop.is_set():
                    if which == 0:
                        assert len(kept.products.find()) == 25
                        assert kept.products.get(PRODUCTS[3]["product_id"]) is not None
                    else:
                        with Warehouse.open(config=config) as current:
                            number = current.release.number or 0
                            assert len(current.products.find()) == 26 - number
                    counts[which] += 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=(which,)) for which in (0, 1)]
    with Warehouse.open(config=config) as idle:
        assert idle.marts.post_performance.get(ROWS[0]["post_id"]) is not None
        for thread in threads:
            thread.start()
        for number in (2, 3):
            tables = {
                # A new column changes the view that readers have in use.
                "marts.post_performance": (
                    KINDS | {f"new_{n}": "bigint" for n in range(2, number + 1)},
                    ROWS,
                ),
                "canonical.products": (PRODUCT, PRODUCTS[: 26 - number]),
            }
            small_release.release(tables, tmp_path, url, number=number)
        stop.set()
        for thread in threads:
            thread.join()
        assert len(idle.products.find()) == 25
    assert errors == []
    assert min(counts) > 3


def test_threads_share_a_warehouse_and_a_fork_opens_its_own(warehouse: Warehouse) -> None:
    wanted = {row["product_id"]: row["name"] for row in PRODUCTS}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(warehouse.products.get, list(wanted) * 10))
    assert [one.name for one in found if one] == list(wanted.values()) * 10
    ours, theirs = multiprocessing.Pipe()

    def child() -> None:
        theirs.send([row.name for row in warehouse.products.find()])

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert ours.poll(30)
    assert ours.recv() == list(wanted.values())
    process.join(30)
    assert process.exitcode == 0
    assert len(warehouse.products.find()) == 25


@pytest.mark.postgres
def test_a_session_that_its_server_ended_is_opened_again_on_its_release(
    tmp_path: Path, postgres_url: str
) -> None:
    config = small_release.release(TABLES, tmp_path, postgres_url)
    with Warehouse.open(config=config) as first:
        assert len(first.products.find()) == 25
        fewer = {**TABLES, "canonical.products": (PRODUCT, PRODUCTS[:5])}
        small_release.release(fewer, tmp_path, postgres_url, number=2)
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        assert len(first.products.find()) == 25
        assert first.release.number == 1


def test_a_closed_warehouse_says_so(tmp_path: Path) -> None:
    with Warehouse.open(config=small_release.release(TABLES, tmp_path)) as warehouse:
        table = warehouse.products
    with pytest.raises(AceError, match="The warehouse is closed"):
        table.find()


@pytest.mark.postgres
def test_a_release_that_is_not_kept_any_more_is_said_to_be(
    tmp_path: Path, postgres_url: str
) -> None:
    config = small_release.release(TABLES, tmp_path, postgres_url)
    with Warehouse.open(config=config) as old:
        for number in (2, 3, 4):
            small_release.release(TABLES, tmp_path, postgres_url, number)
        with pytest.raises(AceError, match=r"Release 1 is not kept any more\. Open the current"):
            old.products.find()


EMBEDDING = {
    "embedding_id": "uuid", "reference_type": "text", "reference_id": "uuid", "embedding": "text",
    "metadata": "json", "created_at": "timestamptz",
}  # fmt: skip


def embeddings() -> list[dict[str, Any]]:
    """Scripts of two models and dimensions, some embedded again, and what has no direction."""
    draw = random.Random(3)

    def one(number: int, model: str | None, size: int, day: int, text: str | None = None) -> Any:
        vector = [round(draw.gauss(0, 1), 3) for _ in range(size)]
        return {
            "embedding_id": str(UUID(int=draw.getrandbits(128))),
            "reference_type": "script",
            "reference_id": str(UUID(int=number + 1)),
            "embedding": text or str(vector),
            "metadata": {} if model is None else {"model": model},
            "created_at": TIMES[day],
        }

    return [
        *(one(number, "small", 8, number % 3) for number in range(150)),
        *(one(number, "small", 8, 5) for number in range(0, 150, 10)),
        # Newer, but without a direction: it hides nothing.
        *(one(number, "small", 8, 6, text) for number, text in enumerate(
            ["[0,0,0,0,0,0,0,0]", "[]", "no vector", "[1, null, 2]", '["a"]', "[[1], [2]]"])),
        *(one(number, None, 5, 1) for number in range(40)),
        *(one(number, "one", 3, 1) for number in range(20)),
        *(one(number, "other", 3, 1) for number in range(20)),
        # As near as each other: keys decide.
        *(one(number, "same", 2, 1, "[3, 4]") for number in range(60)),
    ]  # fmt: skip


def cosines(vector: list[float], model: str) -> list[tuple[float, str, str]]:
    """Cosine, reference and embedding of the newest vector of each item, nearest first."""
    newest: dict[str, tuple[Any, ...]] = {}
    for row in sorted(embeddings(), key=lambda one: (one["created_at"], one["embedding_id"])):
        if row["metadata"].get("model", "unknown") == model:
            try:
                found = [float(part) for part in row["embedding"].strip("[]").split(",")]
                length = sum(part * part for part in found) ** 0.5
                cosine = sum(a * b for a, b in zip(found, vector, strict=True)) / length
            except (ValueError, ZeroDivisionError):
                continue
            cosine /= sum(part * part for part in vector) ** 0.5
            newest[row["reference_id"]] = (cosine, row["reference_id"], row["embedding_id"])
    return sorted(newest.values(), key=lambda one: (-round(one[0], 9), one[1]))


@pytest.fixture(
    scope="module", params=["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def vectors(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    home = tmp_path_factory.mktemp("vectors")
    tables = {"canonical.embeddings": (EMBEDDING, embeddings())}
    if request.param == "duckdb":
        yield small_release.release(tables, home)
        return
    server: PgServer = request.getfixturevalue("pg_server")
    url = server.create_database("vectors")
    yield small_release.release(tables, home, url)
    server.drop_database(url)


@pytest.mark.parametrize(("model", "size"), [("small", 8), ("unknown", 5), ("same", 2)])
@pytest.mark.parametrize("k", [1, 4, 1000])
def test_the_nearest_are_those_with_the_largest_cosine(
    vectors: Settings, model: str, size: int, k: int
) -> None:
    draw = random.Random(size + k)
    with Warehouse.open(config=vectors) as warehouse:
        for _ in range(5):
            vector = [draw.gauss(0, 1) for _ in range(size)]
            found = warehouse.embeddings.nearest(vector, reference_type="script", k=k)
            wanted = cosines(vector, model)[:k]
            assert [one.reference_id for one in found] == [one[1] for one in wanted]
            assert [one.embedding_id for one in found] == [one[2] for one in wanted]
            assert [one.cosine for one in found] == pytest.approx(
                [one[0] for one in wanted], abs=1e-6
            )
            assert {one.model for one in found} == {model}


def test_only_what_is_equal_in_kind_is_compared(vectors: Settings) -> None:
    with Warehouse.open(config=vectors) as warehouse:
        nearest = warehouse.embeddings.nearest
        with pytest.raises(UsageError, match=r"'script' has 7 numbers.*small with 8, "):
            nearest([1.0] * 7, "script")
        with pytest.raises(UsageError, match=r"several models.*model= one of one, other"):
            nearest([1, 2, 3], "script")
        assert nearest([1, 2, 3], "script", model="other")[0].model == "other"
        with pytest.raises(UsageError, match=r"of model 'small' has 3 numbers"):
            nearest([1, 2, 3], "script", model="small")
        with pytest.raises(UsageError, match=r"no vectors of 'scripts'. Did you mean script\?"):
            nearest([1, 2, 3], "scripts")
        for wrong in ([0, 0, 0], [], [1, float("nan")], "[1, 2]", [[1.0]], ["a"], None):
            with pytest.raises(UsageError, match="The vector has no direction"):
                nearest(wrong, "script")  # type: ignore[arg-type]
        for k in (0, -1, True, 2.5):
            with pytest.raises(UsageError, match="k is "):
                nearest([1, 2], "script", k=k)  # type: ignore[arg-type]


def test_vectors_are_kept_once_for_a_release_and_not_for_ever(
    vectors: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(vectors, home=tmp_path / "home")
    shutil.copytree(vectors.home, config.home, symlinks=True)
    shutil.rmtree(config.home / "vectors", ignore_errors=True)
    for number in range(4):
        (config.home / "vectors" / f"older-{number}").mkdir(parents=True)
    with Warehouse.open(config=config) as warehouse:
        first = warehouse.embeddings.nearest([3, 4], "script", model="same")
    assert len(list((config.home / "vectors").iterdir())) == 3
    (made,) = (config.home / "vectors").glob("*-1-*")
    assert [len(list(one.iterdir())) for one in made.iterdir()] == [11]
    monkeypatch.setattr("repositories.vectors._make", None)
    with Warehouse.open(config=config) as warehouse:
        assert warehouse.embeddings.nearest([3, 4], "script", model="same") == first


def test_where_nothing_can_be_kept_vectors_serve_all_the_same(
    vectors: Settings, tmp_path: Path
) -> None:
    config = replace(vectors, home=tmp_path / "home")
    shutil.copytree(vectors.home, config.home, symlinks=True)
    shutil.rmtree(config.home / "vectors", ignore_errors=True)
    (config.home / "vectors").write_text("a file stands where a folder belongs")
    with Warehouse.open(config=config) as warehouse:
        assert len(warehouse.embeddings.nearest([3, 4], "script", k=4)) == 4
