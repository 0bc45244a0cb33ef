"""``ace load supabase``: what people and schedulers see, and that no password is in it."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.integration.operational_db import create, fill
from warehouse.cli import main
from warehouse.settings import settings

pytestmark = pytest.mark.postgres


class Ace:
    """Runs the command in this process; remembers what it printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *args: str) -> int:
        settings.cache_clear()
        with pytest.raises(SystemExit) as stopped:
            main(["load", "supabase", *args])
        self.out, self.err = self._capsys.readouterr()
        assert PASSWORD not in self.out + self.err
        return int(stopped.value.code or 0)


@pytest.fixture
def ace(capsys: pytest.CaptureFixture[str], ace_home: Path) -> Ace:
    return Ace(capsys)


@pytest.fixture
def dsn(postgres_url: str, pg_server: PgServer) -> str:
    create(postgres_url)
    fill(postgres_url)
    name = str(conninfo_to_dict(postgres_url)["dbname"])
    return pg_server.url(name, PASSWORD_ROLE, PASSWORD)


def test_it_lands_and_says_what(
    ace: Ace, dsn: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_SUPABASE_DSN", dsn)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("drop table system_events")
    assert ace() == 0
    assert "performance_metrics: 2 read, 2 landed, 0 rejected, load " in ace.out
    assert "Not in schema public: system_events." in ace.out
    assert ace.err == ""
    assert ace("--json") == 0
    results = {entry["resource"]: entry for entry in json.loads(ace.out)}
    assert results["products"]["load_id"] is None
    assert (results["products"]["mode"], results["system_events"]["mode"]) == (
        "changes",
        "missing",
    )


def test_a_password_on_the_command_line_works_and_warns(ace: Ace, dsn: str) -> None:
    assert ace("--dsn", dsn, "--backfill") == 0
    assert "ACE_SUPABASE_DSN" in ace.err
    assert "products: 2 read" in ace.out


def test_a_refused_table_fails_the_command_but_not_the_others(
    ace: Ace, dsn: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_SUPABASE_DSN", dsn)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"revoke select on scripts from {PASSWORD_ROLE}".encode())
    assert ace() == 1
    assert f"User {PASSWORD_ROLE} may not read public.scripts" in ace.err
    assert "grant select on public.scripts" in ace.err
    assert "products: 2 read" in ace.out


def test_what_cannot_be_reached_is_one_sentence(
    ace: Ace, dsn: str, pg_server: PgServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ace() == 2
    assert "No database is named. Set ACE_SUPABASE_DSN" in ace.err
    cases = [
        (dsn.replace("?host", "_gone?host"), "has no database", 1),
        (pg_server.url("x", PASSWORD_ROLE, "wrong"), "refused the password", 1),
        (f"postgresql://u:{'x'}@127.0.0.1:1/d", "127.0.0.1:1 could not be reached", 1),
        ("host=", "could not be reached", 1),
        ("postgresql://u@h:port/d", "--dsn is not an address Postgres understands", 2),
    ]
    monkeypatch.setenv("PGHOST", "/nowhere")
    for address, sentence, code in cases:
        assert ace("--dsn", address) == code, address
        assert sentence in ace.err
        errors = [line for line in ace.err.splitlines() if "process list" not in line]
        assert len(errors) == 1
        assert "Traceback" not in ace.err


def test_a_good_load_lets_ace_run_go_on(
    ace_home: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warehouse.cli.load import command

    monkeypatch.setenv("ACE_SUPABASE_DSN", dsn)
    settings.cache_clear()
    command.main(args=["supabase"], standalone_mode=False)  # no SystemExit
