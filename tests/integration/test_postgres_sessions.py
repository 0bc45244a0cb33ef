"""Sessions that write the warehouse: their settings, dbt's too, whatever the server takes."""

from __future__ import annotations

import os

import psycopg2
import pytest

from common import pgsession
from warehouse.release import session

pytestmark = pytest.mark.postgres

#: Without these, a build can last for hours on what a planner expects of its steps.
PLANNING = {"enable_nestloop": "off", "enable_mergejoin": "off", "jit": "off"}


def _as_dbt(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a session sees that is opened as dbt opens its own."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    connection = psycopg2.connect(
        host=os.environ["ACE_PG_HOST"],
        port=os.environ["ACE_PG_PORT"],
        user=os.environ["ACE_PG_USER"],
        dbname=os.environ["ACE_PG_DATABASE"],
    )
    try:
        with connection.cursor() as cursor:
            shown = []
            for name in ("search_path", "statement_timeout", "client_connection_check_interval",
                         "application_name", "work_mem", *PLANNING):  # fmt: skip
                cursor.execute(f"show {name}")
                shown += [row[0] for row in cursor.fetchall()]
            return shown
    finally:
        connection.close()


def test_dbt_gets_the_settings_of_our_sessions(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What roles and databases set, as hosted ones do, gives way; the address' own stays.
    with session.connect(postgres_url, autocommit=True) as connection:
        connection.execute("alter role postgres set statement_timeout = '2min'")
        connection.execute("alter role postgres set search_path = evil, public")
    try:
        with session.connect(
            f"{postgres_url}&options=-c%20work_mem%3D7MB", autocommit=True
        ) as connection:
            environment = session.profile_environment(connection)
            ours = connection.execute("select current_setting('search_path')").fetchone()
        assert ours == ("pg_catalog,pg_temp",)
        path, timeout, interval, name, memory, *planning = _as_dbt(environment, monkeypatch)
    finally:
        with session.connect(postgres_url, autocommit=True) as connection:
            connection.execute("alter role postgres reset all")
    assert (path, timeout, interval, memory) == ("pg_catalog,pg_temp", "0", "10s", "7MB")
    assert planning == list(PLANNING.values())
    assert name == f"ace build, process {os.getpid()} on {os.uname().nodename}"[:63]


def test_what_a_server_does_not_take_is_left_out(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a platform without client_connection_check_interval, and on an older server.
    monkeypatch.setitem(pgsession.SETTINGS, "client_connection_check_interval", "-5")
    monkeypatch.setitem(pgsession.SETTINGS, "no_such_setting", "1")
    with session.connect(postgres_url, autocommit=True) as connection:
        environment = session.profile_environment(connection)
    assert "no_such_setting" not in environment["PGOPTIONS"]
    assert _as_dbt(environment, monkeypatch)[:3] == ["pg_catalog,pg_temp", "0", "0"]


def test_a_pooler_that_takes_no_options_gets_none(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgsession, "options", lambda _: "-c refused_at_the_door=1")
    with session.connect(postgres_url, autocommit=True) as connection:
        environment = session.profile_environment(connection)
    assert environment["PGOPTIONS"] == ""
    assert _as_dbt(environment, monkeypatch)[0] == '"$user", public'
