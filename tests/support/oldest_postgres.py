"""The oldest Postgres here that docs/postgres.md promises to work with, started for a test.

The server of the wheel is a new one, and planners differ. Debian and Ubuntu keep the
programs of each version in a folder; ``ACE_TEST_POSTGRES_BIN`` names another one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

#: The first version docs/postgres.md names.
FIRST = 15
PACKAGED = Path("/usr/lib/postgresql")
#: Throw-away data needs no crash safety.
SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=")


def find_programs(
    packaged: Path = PACKAGED, environment: Mapping[str, str] = os.environ
) -> tuple[Path | None, str]:
    """The folder with ``initdb`` and ``pg_ctl``, or none and the reason.

    A folder that ``ACE_TEST_POSTGRES_BIN`` names has to be right: RuntimeError if it is not.
    """
    named = environment.get("ACE_TEST_POSTGRES_BIN")
    if named:
        if not (Path(named) / "initdb").is_file():
            raise RuntimeError(f"ACE_TEST_POSTGRES_BIN: there is no initdb in {named}")
        return Path(named), ""
    found = {
        int(folder.name): folder / "bin"
        for folder in packaged.glob("*")
        if folder.name.isdigit() and (folder / "bin" / "initdb").is_file()
    }
    fit = [version for version in found if version >= FIRST]
    if not fit:
        return None, (
            f"no Postgres from {FIRST} on under {packaged}: install postgresql-{FIRST}, "
            "or name a folder with initdb in ACE_TEST_POSTGRES_BIN"
        )
    return found[min(fit)], ""


@contextlib.contextmanager
def started(programs: Path) -> Iterator[Path]:
    """The socket folder of a server (user ``postgres``, port 5432) that is gone afterwards."""
    # Short, because the path of a socket may have 108 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="aceold", dir="/tmp"))
    user = _other_user()
    try:
        if user:
            shutil.chown(folder, user)
        # A database of locale C makes no É an é, which tags in the world need.
        data = folder / "data"
        log = folder / "log"
        _run(user, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        options = " ".join(f"-c {setting}" for setting in SETTINGS)
        server = (programs / "pg_ctl", "-D", data, "-l", log, "-w")
        _run(user, *server, "-o", f"{options} -k {folder}", "start")
        try:
            yield folder
        finally:
            _run(user, *server, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def version(programs: Path) -> str:
    """Such as 15.18."""
    shown = subprocess.run([programs / "initdb", "--version"], capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)*", shown.stdout)
    return found[0] if found else shown.stdout.strip()


def _other_user() -> str | None:
    """Postgres refuses to run as root."""
    import pwd

    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(user: str | None, *command: str | Path) -> None:
    # Into a file: pg_ctl leaves its output open to the server, and reading would not end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(part) for part in command],
            user=user, cwd="/tmp", stdout=output, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if done.returncode:
            output.seek(0)
            words = output.read().decode(errors="replace")
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {words[-500:]}")
