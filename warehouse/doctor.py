"""What could keep the warehouse from working here, each with its remedy: ``ace doctor``."""

from __future__ import annotations

import difflib
import os
import platform
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from common.errors import AceError
from common.pgconnect import connect, parse_dsn, place
from loaders.live.address import base_address
from warehouse.masking import ADDRESSES, PLAIN, Mask, masked
from warehouse.settings import PROJECT_ROOT, Settings
from warehouse.sources import LIVE_SOURCES

#: What an answer depends on.
PACKAGES = ("ace-warehouse", "dbt-core", "dbt-duckdb", "dbt-postgres", "duckdb", "polars")
#: A build of a small team writes about as much twice.
ROOM = 2_000_000_000
#: Seconds to reach a host.
PATIENCE = 5.0
PINS = PROJECT_ROOT / "requirements" / "run.txt"
#: Settings that are not of a source: of the agent server, and what commands set for their own.
_OTHERS = (
    *("ACE_NOTIFY_URL", "ACE_MCP_TOKEN", "ACE_SUPABASE_REST", "ACE_SUPABASE_KEY"),
    *("ACE_INSTAGRAM_ACCOUNT", "ACE_INSTAGRAM_VERSION", "ACE_WAREHOUSE", "ACE_TEST_POSTGRES_BIN"),
)
#: Locks below ACE_HOME, and what their holder does.
_LOCKS = (("build.lock", "build"), ("quality/.lock", "check"))

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
    hidden = Mask(config.extra)
    for look in (_versions, _settings, _unknown, _places, _locks, _spark, _postgres, _sources):
        for one in look(config):
            yield replace(one, message=hidden.text(one.message), remedy=hidden.text(one.remedy))


def pinned(path: Path) -> dict[str, str]:
    """The versions in a file of requirements, but those for some systems only."""
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    found = (re.match(r"([\w.-]+)(?:\[[^]]*\])?==([^\s;\\]+)\s*\\?$", one) for one in lines)
    return {one[1]: one[2] for one in found if one}


#: In place of a version.
_NONE = "none"


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _NONE


def _versions(config: Settings) -> Iterator[Finding]:
    yield Finding("versions", "Python", "ok", platform.python_version())
    for package in PACKAGES:
        there = _installed(package)
        if there != _NONE:
            yield Finding("versions", package, "ok", there)
        else:
            yield Finding(
                "versions", package, "problem", "not installed",
                "Install the project again: sh requirements/install.sh run",
            )  # fmt: skip
    others = [
        f"{package} {there} (pinned {pin})"
        for package, pin in pinned(PINS).items()
        if (there := _installed(package)) != pin
    ]
    if others:
        more = f" and {len(others) - 5} more" if len(others) > 5 else ""
        yield Finding(
            "versions", "pins", "problem", f"not as pinned: {', '.join(others[:5])}{more}",
            f"Install the pinned versions: sh {PINS.parent / 'install.sh'} run",
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


def _unknown(config: Settings) -> Iterator[Finding]:
    """Names that nothing reads: mostly a slip of the pen."""
    secret = {n.name for one in LIVE_SOURCES for needs in one.credentials for n in needs}
    known = {*PLAIN, *ADDRESSES, *_OTHERS, *secret}
    prefixes = tuple(one.loads.removesuffix("LOAD") for one in LIVE_SOURCES)
    for name in sorted(set(config.extra) - known):
        close = difflib.get_close_matches(name, sorted(known), 1, 0.85)
        if close or not name.startswith(prefixes):
            yield Finding(
                "settings", name, "note", "nothing reads a setting of this name",
                f"Did you mean {close[0]}?" if close else "Remove it, or correct its name.",
            )  # fmt: skip


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
    from warehouse.build.lock import describe, holder_of

    for file, work in _LOCKS:
        held = holder_of(config.home / file)
        if held is not None:
            yield Finding(
                "locks", work, "note", f"a {work} is running ({describe(held, work)})",
                "Wait for it; its lock ends with its process.",
            )  # fmt: skip
    for spool in sorted((config.home / "live").glob("*/*.spool")):
        yield Finding(
            "locks", f"load {spool.parent.name}", "note", "a load was stopped before its end",
            "It goes on where it was when the same command is run again; it may be running now.",
        )  # fmt: skip


def _spark(config: Settings) -> Iterator[Finding]:
    from warehouse.spark.session import MASTER, spark_master

    if config.target == "spark" or config.extra.get(MASTER):
        yield _tried("engines", "spark", lambda: _connect_server(spark_master(config)))


def _connect_server(master: str) -> str | Finding:
    """Whether a Spark Connect server can be reached; nothing is sent."""
    if master == "local":
        return "Sail, in the process of the build"
    parts = urlsplit(master)
    host, port = parts.hostname or "", parts.port or 15002
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except OSError as error:
        return Finding(
            "engines", "spark", "problem",
            f"{host}, port {port}, cannot be reached ({error.strerror or error})",
            "Start the Spark Connect server, or mend ACE_SPARK_MASTER.",
        )  # fmt: skip
    return f"{host}, port {port}, can be reached"


def _postgres(config: Settings) -> Iterator[Finding]:
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
    elif rest := config.extra.get("ACE_SUPABASE_REST"):
        if config.extra.get("ACE_SUPABASE_KEY"):
            yield _reached("supabase", rest)
        else:
            yield Finding(
                "sources", "supabase", "problem", "ACE_SUPABASE_KEY is not set",
                "It is the project's secret key, under API keys in its settings.",
            )  # fmt: skip


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
    values = config.extra
    for source in LIVE_SOURCES:
        try:
            wanted, missing = bool(source.calls(values)), source.lacks(values)
        except AceError as problem:
            yield _of("sources", source.command, problem)
            continue
        if missing is None:
            continue  # nobody uses it
        if missing:
            yield Finding(
                "sources", source.command, "problem",
                f"{' and '.join(one.name for one in missing)} not set",
                " ".join(f"{one.name} is {one.where}." for one in missing),
            )  # fmt: skip
            continue
        try:
            base = base_address(values.get(source.url), source.base, source.url)
        except AceError as problem:
            yield _of("sources", source.command, problem)
            continue
        if base:
            yield _reached(source.command, base)
        else:
            yield Finding("sources", source.command, "ok", "credentials are set")
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


def _of(area: str, name: str, problem: AceError) -> Finding:
    return Finding(area, name, "problem", problem.message.rstrip("."), problem.hint)


def _tried(area: str, name: str, work: Callable[[], str | Finding]) -> Finding:
    try:
        found = work()
    except AceError as problem:
        return _of(area, name, problem)
    return found if isinstance(found, Finding) else Finding(area, name, "ok", found)
