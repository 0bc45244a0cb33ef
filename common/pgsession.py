"""The settings of every session on the warehouse's Postgres.

Ours get them by :func:`prepare`, dbt's by the ``PGOPTIONS`` that :func:`options` makes: a
setting that builds shall have is written here and nowhere else.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from common.pgconnect import own_sql

if TYPE_CHECKING:
    import psycopg

SETTINGS = {
    # Nobody else's function, operator or table can take the place of the one that is meant.
    "search_path": "pg_catalog,pg_temp",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "extra_float_digits": "1",
    # Planners guess that a step of a model leaves a row or two where it leaves a hundred
    # thousand, and then compare all with all: a nested loop does, and so does a merge by the
    # first of two columns. A hash join by all of them costs no more when few rows come.
    "enable_nestloop": "off",
    "enable_mergejoin": "off",
    # A model has hundreds of expressions: compiling them takes longer than computing them.
    "jit": "off",
    # Hosted servers end statements after minutes; a build takes as long as it takes.
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "lock_timeout": "0",
    # The session that holds the lock has nothing to do while the models are built.
    "idle_session_timeout": "0",
    # A process that was stopped in a transaction does not hold its locks for ever.
    "idle_in_transaction_session_timeout": "1h",
    # A query whose process was killed ends, and a machine that vanished is noticed.
    "client_connection_check_interval": "10s",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
#: Those of sessions that only read: limits that a server sets for its readers stay.
READER = {
    name: value
    for name, value in SETTINGS.items()
    if name
    in (
        *("search_path", "TimeZone", "DateStyle", "extra_float_digits"),
        "client_connection_check_interval",
    )
}
#: Those of a transaction that writes rows to somebody else's server: what is for models stays out.
WRITER = {
    name: value
    for name, value in SETTINGS.items()
    if name not in ("enable_nestloop", "enable_mergejoin", "idle_session_timeout")
}
#: What servers say to a setting they do not know, cannot do or do not allow.
REFUSALS = (
    "undefined_object or invalid_parameter_value or feature_not_supported "
    "or insufficient_privilege or cant_change_runtime_param"
)


def application_name(what: str = "ace build") -> str:
    """``ace build, process 7 on host``: what locks and administrators see (63 bytes at most)."""
    return f"{what}, process {os.getpid()} on {socket.gethostname()}"[:63]


def prepare(
    connection: psycopg.Connection[Any],
    settings: Mapping[str, str] = SETTINGS,
    *,
    transaction: bool = False,
) -> None:
    """Give an open session the settings, without those its server does not know; or only its
    ``transaction``, since a pooler hands the session to others.

    ``client_connection_check_interval`` needs a platform that supports it, others a newer
    server. Which ones were taken is kept in the session's own ``ace.settings``.
    """
    local = str(transaction).lower()
    takes = "\n".join(
        f"begin perform set_config('{name}', '{value}', {local}); "
        f"taken := array_append(taken, '{name}'); exception when {REFUSALS} then null; end;"
        for name, value in settings.items()
    )
    connection.execute(
        own_sql(
            f"do $$ declare taken text[] := '{{}}'; begin\n{takes}\n"
            f"perform set_config('ace.settings', array_to_string(taken, ','), {local}); end $$"
        )
    )


def options(connection: psycopg.Connection[Any]) -> str:
    """The settings that a prepared session took, as libpq's ``options``.

    The options of the address itself stand before them.
    """
    row = connection.execute(
        "select string_to_array(current_setting('ace.settings'), ',')"
    ).fetchone()
    taken: list[str] = row[0] if row else []
    own = connection.info.get_parameters().get("options", "")
    return " ".join([own, *(f"-c {name}={SETTINGS[name]}" for name in taken)]).strip()
