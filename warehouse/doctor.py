"""What could keep the warehouse from working here, each with its remedy: ``ace doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal
from urllib.parse import urlsplit

from common.errors import AceError
from common.pgconnect import connect, parse_dsn, place
from warehouse.settings import Settings

#: What an answer depends on.
PACKAGES = ("ace-warehouse", "dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb", "polars")
#: A build of a small team writes about as much twice.
ROOM = 2_000_000_000
#: Seconds to reach a host.
PATIENCE = 5.0
#: Words in the name of a setting whose value nobody is to see.
_SECRET = ("KEY", "SECRET", "TOKEN", "PASSWORD")
_ADDRESS = ("_URL", "_DSN", "LANDING")

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``remedy`` is empty where nothing is to be done.

    ``note`` is something to know, ``problem`` something that will not work.
    """

    area: str
    name: str
    state: State
    message: str
    remedy: str = ""


def examine(config: Settings) -> Iterator[Finding]:
    """Every finding, as it is made; reaching a host may take seconds. Raises nothing for what
    it finds."""
    yield from _versions()
    yield from _settings(config)
    yield from _places(config)
    yield from _locks(config)
    yield from _postgres(config)
    yield from _sources(config)


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "Python", "ok", platform.python_version())
    for package in PACKAGES:
        try:
            yield Finding("versions", package, "ok", version(package))
        except PackageNotFoundError:
            yield Finding(
                "versions", package, "problem", "not installed",
                "Install the project again: sh requirements/install.sh run",
            )  # fmt: skip


def _settings(config: Settings) -> Iterator[Finding]:
    """The effective ones, wherever they come from."""
    known = {
        "ACE_HOME": str(config.home),
        "ACE_TARGET": config.target,
        "ACE_LANDING": config.landing,
        **config.extra,
    }
    for name, value in sorted(known.items()):
        if value:
            yield Finding("settings", name, "ok", masked(name, value))


def masked(name: str, value: str) -> str:
    """A value as it may be shown: an address without its password, a secret not at all."""
    if any(word in name for word in _SECRET):
        return "set (not shown)"
    if not name.endswith(_ADDRESS):
        return value
    try:
        if value.startswith(("postgresql://", "postgres://")) or name.endswith("_DSN"):
            return place(parse_dsn(value, name))
        parts = urlsplit(value)
        if "@" in parts.netloc or parts.query:
            return f"{parts.scheme}://***@{parts.netloc.rpartition('@')[2]}{parts.path}"
    except (AceError, ValueError):
        return "set (not shown: it cannot be read)"
    return value


def _places(config: Settings) -> Iterator[Finding]:
    yield _tried("places", "landing zone", lambda: _landing(config))
    folder = config.home
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        yield Finding(
            "places", "ACE_HOME", "problem", f"{folder} cannot be written by this user",
            "Choose another folder with ACE_HOME, or change its owner.",
        )  # fmt: skip
        return
    free = shutil.disk_usage(folder).free
    room = f"{free / 1e9:,.0f} GB free"
    if free < ROOM:
        yield Finding(
            "places", "ACE_HOME", "problem", room,
            "Make room there, or choose another folder with ACE_HOME.",
        )  # fmt: skip
    else:
        yield Finding("places", "ACE_HOME", "ok", room)


def _landing(config: Settings) -> str | Finding:
    from loaders.landing import Landing

    landing = Landing(config.landing)
    loads = landing.loads()
    damaged = landing.left_out()
    if damaged:
        return Finding(
            "places", "landing zone", "problem", f"{len(damaged):,} landed files cannot be read",
            "'ace check' names them, and what to do.",
        )  # fmt: skip
    return f"{len(loads):,} loads"


def _locks(config: Settings) -> Iterator[Finding]:
    from warehouse.build.lock import holder

    held = holder(config.home)
    if held is not None:
        who = f"process {held.get('pid')} on {held.get('host')}, since {held.get('started')}"
        yield Finding(
            "locks", "build", "note", f"a build is running ({who})",
            "Wait for it; its lock ends with its process.",
        )  # fmt: skip
    for spool in sorted((config.home / "live").glob("*/*.spool")):
        yield Finding(
            "locks", f"load {spool.parent.name}", "note", "a load was stopped before its end",
            "It goes on where it was when the same command is run again; it may be running now.",
        )  # fmt: skip


def _postgres(config: Settings) -> Iterator[Finding]:
    if config.target == "spark":
        yield Finding(
            "engines", "spark", "problem", "there is no Spark target yet",
            "Set ACE_TARGET to duckdb or postgres.",
        )  # fmt: skip
    if config.target == "postgres" and not config.postgres_url:
        yield Finding(
            "engines", "postgres", "problem", "ACE_POSTGRES_URL is not set",
            "Set it to postgresql://USER@HOST:5432/DATABASE.",
        )  # fmt: skip
    if config.postgres_url:
        url = config.postgres_url
        yield _tried("engines", "postgres", lambda: _server(url, "ACE_POSTGRES_URL", 150_000))
    if config.supabase_dsn:
        dsn = config.supabase_dsn
        yield _tried("sources", "supabase", lambda: _server(dsn, "ACE_SUPABASE_DSN", 130_000))


def _server(address: str, name: str, oldest: int) -> str | Finding:
    with connect(address, name, autocommit=True) as connection:
        number = connection.info.server_version
        where = place(parse_dsn(address, name))
        if number < oldest:
            return Finding(
                "engines" if name == "ACE_POSTGRES_URL" else "sources", name, "problem",
                f"{where} is version {number // 10_000}",
                f"Use Postgres {oldest // 10_000} or newer.",
            )  # fmt: skip
        return f"{where}, version {number // 10_000}"


def _sources(config: Settings) -> Iterator[Finding]:
    from warehouse.sources import LIVE_SOURCES

    values = config.extra
    for source in LIVE_SOURCES:
        try:
            wanted = bool(source.calls(values))
        except AceError as problem:
            yield Finding(
                "sources", source.command, "problem", problem.message.rstrip("."), problem.hint
            )
            continue
        missing = source.missing(values)
        if len(missing) == len(source.needs) and not wanted:
            continue  # nobody uses it
        if missing:
            yield Finding(
                "sources", source.command, "problem",
                f"{' and '.join(one.name for one in missing)} not set",
                " ".join(f"{one.name} is {one.where}." for one in missing),
            )  # fmt: skip
            continue
        yield _reached(source.command, source.where(values))
        if not wanted:
            yield Finding(
                "sources", source.command, "note", "'ace run' does not load it",
                f"Set {source.loads} to the options of 'ace load {source.command}'.",
            )  # fmt: skip


def _reached(command: str, base: str) -> Finding:
    """Whether a connection to the host can be made; nothing is sent."""
    parts = urlsplit(base)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    proxied = _proxy(os.environ)
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except OSError as error:
        reason = error.strerror or str(error)
        if proxied:
            return Finding(
                "sources", command, "note", f"{host} cannot be reached but by the proxy {proxied}"
            )
        return Finding(
            "sources", command, "problem", f"{host}, port {port}, cannot be reached ({reason})",
            "Check the network and its firewall; behind a proxy set HTTPS_PROXY.",
        )  # fmt: skip
    return Finding("sources", command, "ok", f"credentials are set, {host} can be reached")


def _proxy(environment: Mapping[str, str]) -> str:
    """The host of the proxy that requests go through, without its password."""
    found = next((environment[n] for n in ("HTTPS_PROXY", "https_proxy") if environment.get(n)), "")
    return urlsplit(found).hostname or "" if found else ""


def _tried(area: str, name: str, work: Callable[[], str | Finding]) -> Finding:
    try:
        found = work()
    except AceError as problem:
        return Finding(area, name, "problem", problem.message.rstrip("."), problem.hint)
    return found if isinstance(found, Finding) else Finding(area, name, "ok", found)
