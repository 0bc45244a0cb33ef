"""Connecting to any Postgres, with errors that say what to do and never a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, LiteralString

from common.errors import AceError, UsageError

if TYPE_CHECKING:
    import psycopg

#: Seconds to wait for a server unless the address says otherwise.
CONNECT_TIMEOUT = 10
_SECRETS = ("password", "sslpassword", "passfile", "oauth_client_secret")


def parse_dsn(dsn: str, name: str) -> dict[str, Any]:
    """The parts of a libpq URI or key=value text. ``name`` says where it came from.

    Raises UsageError, without repeating the text: it may hold a password.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not dsn.strip():
        raise UsageError(f"{name} is empty.", "Give it as postgresql://USER@HOST:5432/DATABASE.")
    try:
        parts = dict(conninfo_to_dict(dsn))
    except psycopg.ProgrammingError:
        parts = {}
    # An @ or / of a password that is not escaped moves its rest into host or port,
    # from where it would show in every message.
    split = "://" in dsn and dsn.partition("?")[0].count("@") > 1
    port = str(parts.get("port") or "5432")
    if not parts or split or not port.replace(",", "").isdigit():
        raise UsageError(
            f"{name} is not an address Postgres understands.",
            "Write it as postgresql://USER@HOST:5432/DATABASE, and characters like @ or / in a "
            "password as %40 or %2F.",
        )
    return parts


def place(parts: dict[str, Any]) -> str:
    """Where a server is, for people: host and port or socket folder, never the user's secret."""
    import os

    host = str(parts.get("host") or parts.get("hostaddr") or os.environ.get("PGHOST") or "")
    port = str(parts.get("port") or os.environ.get("PGPORT") or 5432)
    if "," in host:
        return f"Postgres at {host}"
    if not host:
        return f"Postgres on this machine (port {port})"
    return (
        f"Postgres at {host} (port {port})"
        if host.startswith("/")
        else (f"Postgres at {host}:{port}")
    )


def connect(
    dsn: str, name: str, *, application: str = "ace", **options: Any
) -> psycopg.Connection[Any]:
    """Open a connection; ``options`` are psycopg's. Raises AceError or UsageError.

    ``application`` is what the server shows of it, unless the address says otherwise.
    """
    import psycopg

    parts = parse_dsn(dsn, name)
    parts.setdefault("connect_timeout", CONNECT_TIMEOUT)
    parts.setdefault("application_name", application)
    # Text comes and goes as UTF-8 whatever the database stores.
    parts["client_encoding"] = "UTF8"
    try:
        return psycopg.connect(**parts, **options)
    except psycopg.Error as error:
        raise _explain_connect(error, parts, name) from None


def _explain_connect(error: psycopg.Error, parts: dict[str, Any], name: str) -> AceError:
    text, where = str(error), place(parts)
    user = parts.get("user") or "the current user"
    low = text.lower()
    if "password authentication failed" in low or "sasl authentication failed" in low:
        return AceError(
            f"{where} refused the password of user {user}.", f"Correct the password in {name}."
        )
    if "no password supplied" in low:
        return AceError(
            f"{where} wants a password for user {user} and got none.",
            f"Put it into {name} (postgresql://USER:PASSWORD@HOST/DATABASE) or ~/.pgpass.",
        )
    missing = re.search(r'(database|role) "([^"]*)" does not exist', text)
    if missing:
        what = "database" if missing[1] == "database" else "user"
        return AceError(f"{where} has no {what} '{missing[2]}'.", f"Correct {name}.")
    if "tenant or user not found" in low:
        return AceError(
            f"{where} does not know the user {user}.",
            "Supabase's pooler wants postgres.PROJECT_REF as the user and the project's region "
            "in the host.",
        )
    if "too many clients" in low or "max clients reached" in low or "remaining connection" in low:
        return AceError(f"{where} has no free connection.", "Try again, or use its pooler.")
    if "ssl" in low:
        return AceError(
            f"{where} and this client do not agree about SSL.",
            f"Set sslmode in {name}, for example ?sslmode=require.",
        )
    reasons = (
        ("translate host name", "the host name is unknown"),
        ("resolve host", "the host name is unknown"),
        ("name or service not known", "the host name is unknown"),
        ("refused", "nothing listens there"),
        ("no such file", "there is no such socket"),
        ("timeout", "no answer in time"),
        ("unreachable", "the network does not reach it"),
        ("starting up", "it is starting up"),
        ("shutting down", "it is shutting down"),
    )
    for sign, reason in reasons:
        if sign in low:
            return AceError(
                f"{where} could not be reached: {reason}.",
                f"Check host and port in {name} and that the server runs.",
            )
    return AceError(f"{where} did not let us in: {redact(text, parts)}.", f"Check {name}.")


def redact(text: str, parts: dict[str, Any]) -> str:
    """One line of an error's text without any secret of the address."""
    from urllib.parse import quote

    line = " ".join(text.split()).rstrip(".")
    for key in _SECRETS:
        secret = parts.get(key)
        if secret:
            for form in (str(secret), quote(str(secret), safe="")):
                line = line.replace(form, "***")
    return re.sub(r"://([^:/@\s]+):[^@\s]*@", r"://\1:***@", line)[:300]


def has_password(dsn: str, name: str) -> bool:
    """Whether an address carries a password (it then shows in the process list)."""
    return bool(parse_dsn(dsn, name).get("password"))


def own_sql(text: str) -> LiteralString:
    """A statement made of our own words only; psycopg wants to be told."""
    return text
