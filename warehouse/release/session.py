"""Sessions on the warehouse's Postgres: ours, and what dbt needs for its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import pgsession

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

#: Parts of an address that the profile names itself, or that only lead to other parts.
_NOT_PASSED_ON = frozenset(
    ("host", "hostaddr", "port", "user", "password", "dbname", "service", "options")
)


def connect(url: str, *, autocommit: bool = False) -> Connection:
    """A session with the settings of builds, that says who it is: lock messages name it."""
    from common.pgconnect import connect as open_connection

    connection = open_connection(
        url, "ACE_POSTGRES_URL", autocommit=True, application=pgsession.application_name()
    )
    pgsession.prepare(connection)
    connection.autocommit = autocommit
    return connection


def profile_environment(connection: Connection) -> dict[str, str]:
    """What ``profiles.yml`` and libpq need for like sessions, from a live one of ``connect``."""
    info = connection.info
    parts = {option.keyword.decode(): option for option in connection.pgconn.info}
    passed_on = {
        option.envvar.decode(): option.val.decode()
        for keyword, option in parts.items()
        if option.envvar and option.val and keyword not in _NOT_PASSED_ON
    }
    return passed_on | {
        "ACE_PG_HOST": info.host,
        "ACE_PG_PORT": str(info.port),
        "ACE_PG_USER": info.user,
        "DBT_ENV_SECRET_ACE_PG_PASSWORD": info.password,
        "ACE_PG_DATABASE": info.dbname,
        "ACE_PG_SSLMODE": info.get_parameters().get("sslmode", "prefer"),
        "PGOPTIONS": _options(connection),
    }


def _options(connection: Connection) -> str:
    """The session settings for dbt, or only the address' own where a pooler refuses ours."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    info = connection.info
    parts = info.get_parameters()
    wanted = pgsession.options(connection)
    address = make_conninfo(**(parts | {"password": info.password, "options": wanted}))
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return parts.get("options", "")
    return wanted
