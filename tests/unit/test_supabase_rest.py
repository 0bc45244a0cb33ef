"""``ace load supabase --rest`` against a fake PostgREST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from common.errors import AceError
from common.settings import settings
from loaders.landing import Landing
from loaders.supabase import TableResult
from loaders.supabase.rest import Rest, load_rest, sees_little
from tests.fakes.server import Reply
from tests.fakes.supabase import LEGACY_KEY, SECRET_KEY, FakeSupabase, error, product
from tests.support.waits import no_waits  # noqa: F401
from warehouse.cli.load_supabase import command


@pytest.fixture
def fake() -> Iterator[FakeSupabase]:
    with FakeSupabase({"products": [product(n) for n in range(25)]}, cut=10) as made:
        yield made  # type: ignore[misc]


def run(
    fake: FakeSupabase, tmp_path: Path, key: str = SECRET_KEY, **options: Any
) -> dict[str, TableResult]:
    source = Rest(fake.url, key, "public")
    source.per_second = 1000.0
    results = load_rest(Landing(tmp_path / "landing"), tmp_path, source, **options)
    return {result.resource: result for result in results}


def landed(tmp_path: Path, resource: str = "products") -> list[dict[str, Any]]:
    files = sorted((tmp_path / "landing").glob(f"supabase/{resource}/*.parquet"))
    return [row for file in files for row in pl.read_parquet(file).to_dicts()]


@pytest.mark.parametrize("cut", [1, 7, 25, 1000])
@pytest.mark.parametrize("key", [SECRET_KEY, LEGACY_KEY])
def test_every_row_is_read_wherever_the_server_cuts(tmp_path: Path, cut: int, key: str) -> None:
    with FakeSupabase({"products": [product(n) for n in range(25)]}, cut=cut) as fake:
        assert isinstance(fake, FakeSupabase)
        found = run(fake, tmp_path, key)
        assert (found["products"].accepted, found["scripts"].mode) == (25, "missing")
        assert len({row["product_id"] for row in landed(tmp_path)}) == 25
        assert fake.repeated() == {}


def test_later_runs_land_what_changed_and_nothing_else(fake: FakeSupabase, tmp_path: Path) -> None:
    run(fake, tmp_path)
    again = run(fake, tmp_path)["products"]
    assert (again.seen, again.load_id) == (25, None)
    fake.tables["products"][3] |= {"name": "Another thing"}
    fake.tables["products"].append(product(99))
    assert run(fake, tmp_path)["products"].accepted == 2
    assert {row["name"] for row in landed(tmp_path)[25:]} == {"Another thing", "Thing 99"}


def test_numbers_beyond_doubles_are_keys_like_others(fake: FakeSupabase, tmp_path: Path) -> None:
    first = 2**53
    fake.tables["products"] = [product(0, product_id=first + n) for n in range(25)]
    assert run(fake, tmp_path)["products"].accepted == 25
    assert len({row["product_id"] for row in landed(tmp_path)}) == 25


def test_a_page_that_takes_too_long_is_asked_for_with_fewer_rows(tmp_path: Path) -> None:
    with FakeSupabase({"products": [product(n) for n in range(1200)]}) as fake:
        assert isinstance(fake, FakeSupabase)
        fake.patience = 600
        assert run(fake, tmp_path)["products"].accepted == 1200
        fake.patience = 10
        assert "statement timeout" in str(run(fake, tmp_path)["products"].error)


def test_a_table_that_may_not_be_read_costs_only_itself(fake: FakeSupabase, tmp_path: Path) -> None:
    fake.tables["scripts"], fake.closed = [], frozenset({"scripts"})
    found = run(fake, tmp_path)
    assert (found["products"].accepted, found["scripts"].mode) == (25, "failed")
    assert "grant select on public.scripts" in str(found["scripts"].error)


@pytest.mark.parametrize(
    "fault",
    [
        error(503, "PGRST002", "Could not query the database for the schema cache"),
        error(504, "PGRST003", "Timed out acquiring connection from connection pool"),
        Reply(b"<html>", 502),
        Reply({"message": "not a list"}),
        Reply(status=429, headers={"Retry-After": "1"}),
    ],
)
def test_what_passes_is_asked_again(fake: FakeSupabase, tmp_path: Path, fault: Reply) -> None:
    fake.fail(fault, at="/products", times=2)
    assert run(fake, tmp_path)["products"].accepted == 25


def test_a_break_in_the_middle_lands_nothing_of_that_table(
    fake: FakeSupabase, tmp_path: Path
) -> None:
    fake.fail(lambda request: fake.reply(request), at="/products")
    fake.fail(Reply(status=500), at="/products", times=3)
    with pytest.raises(AceError, match="however often it was asked: HTTP 500"):
        run(fake, tmp_path)
    assert landed(tmp_path) == []
    assert run(fake, tmp_path)["products"].accepted == 25


def test_kept_pages_are_older_than_what_another_run_landed(
    fake: FakeSupabase, tmp_path: Path
) -> None:
    fake.fail(lambda request: fake.reply(request), at="/products")
    fake.fail(Reply(status=500), at="/products", times=3)
    with pytest.raises(AceError, match="HTTP 500"):
        run(fake, tmp_path)
    fake.tables["products"][0]["name"] = "Newer"
    assert run(fake, tmp_path, full=True)["products"].accepted == 25
    assert run(fake, tmp_path)["products"].load_id is None
    assert landed(tmp_path)[0]["name"] == "Newer"


def test_a_run_that_is_not_over_goes_on_with_its_pages(fake: FakeSupabase, tmp_path: Path) -> None:
    fake.fail(lambda request: fake.reply(request), at="/products")
    fake.fail(Reply(status=500), at="/products", times=3)
    with pytest.raises(AceError, match="HTTP 500"):
        run(fake, tmp_path)
    assert run(fake, tmp_path)["products"].accepted == 25
    # Only what was answered with 500, three times.
    asked = [n for question, n in fake.repeated().items() if "products" in question[1]]
    assert asked == [4]
    assert not list(tmp_path.glob("live/*/*.spool"))


def test_a_wrong_key_is_said_and_shown_nowhere(fake: FakeSupabase, tmp_path: Path) -> None:
    with pytest.raises(AceError, match="does not take the key") as refused:
        run(fake, tmp_path, "sb_secret_wrong0123456789")
    assert "ACE_SUPABASE_KEY" in refused.value.hint
    assert "wrong0123" not in str(refused.value)


def test_a_place_without_any_of_the_tables_is_named(fake: FakeSupabase, tmp_path: Path) -> None:
    fake.tables = {}
    with pytest.raises(AceError, match="none of the twelve tables in schema 'public'"):
        run(fake, tmp_path)


@pytest.mark.parametrize(
    ("key", "little"),
    [
        (SECRET_KEY, False),
        ("sb_publishable_0123456789", True),
        (LEGACY_KEY, False),
        ("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.x", True),
        ("neither", False),
    ],
)
def test_public_keys_are_told_from_secret_ones(key: str, little: bool) -> None:
    assert sees_little(key) == little


def test_the_command_lands_over_http_and_says_what_is_missing(
    fake: FakeSupabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_HOME", str(tmp_path))
    monkeypatch.delenv("ACE_SUPABASE_DSN", raising=False)
    monkeypatch.delenv("ACE_SUPABASE_KEY", raising=False)
    settings.cache_clear()
    missing = CliRunner().invoke(command, ["--rest", fake.url])
    assert "ACE_SUPABASE_KEY" in str(missing.exception) + str(
        getattr(missing.exception, "hint", "")
    )
    monkeypatch.setenv("ACE_SUPABASE_KEY", SECRET_KEY)
    settings.cache_clear()
    result = CliRunner().invoke(command, ["--rest", fake.url])
    assert "products: 25 read, 25 landed, 0 rejected" in result.output
    assert SECRET_KEY not in result.output
    monkeypatch.setenv("ACE_SUPABASE_REST", fake.url)
    settings.cache_clear()
    assert "products: nothing new in 25 rows" in CliRunner().invoke(command, []).output
