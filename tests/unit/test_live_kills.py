"""Killed at every question, each live source lands what an undisturbed run lands, and asks no
page twice beyond the one in flight."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from loaders.live.client import Client
from tests.fakes.server import Fake
from tests.support.live_cases import CASES, Case
from tests.support.waits import no_waits  # noqa: F401
from warehouse.cli import main


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def load(case: Case) -> Any:
    """The exit code of ``ace load``; None where it was killed."""
    try:
        main(["load", *case.call])
    except SystemExit as ended:
        return ended.code or 0
    except Killed:
        return None
    return 0


def pages(fake: Fake) -> int:
    """Questions that were asked, but those for tokens."""
    return sum("token" not in one.path for one in fake.requests)


def landed(case: Case, home: Path) -> list[dict[str, Any]]:
    """What the rows say, but for when they were obtained and by which load."""
    rows = case.rows(home).sort(case.key).to_dicts()
    return [
        {name: value for name, value in row.items() if name[0] != "_" and name != "collected_at"}
        for row in rows
    ]


def dying(patch: pytest.MonkeyPatch, place: str) -> None:
    """Let a run ask one page, and kill it at the second: before it is asked, while its answer
    is read, or once it has come."""
    asked = 0
    send, read = Client.send, Client._read

    def counted(client: Client, *given: Any, masking: bool = True, **named: Any) -> Any:
        nonlocal asked
        asked += masking  # a token is no page
        if masking and asked > 1 and place == "before":
            raise Killed
        answer = send(client, *given, masking=masking, **named)
        if masking and asked > 1:
            raise Killed
        return answer

    def torn(client: Client, *given: Any) -> Any:
        if asked > 1:
            raise Killed
        return read(client, *given)

    patch.setattr(Client, "send", counted)
    if place == "while it is read":
        patch.setattr(Client, "_read", torn)


#: The fake's constant cursor counts a page as read that never arrived.
EVERYWHERE = [
    pytest.param(case, place, id=f"{case.name} {place}")
    for case in CASES[:-1]
    for place in ("before", "while it is read", "once it has come")
    if case.name != "instagram-hashtags" or place == "before"
]


@pytest.mark.parametrize(("case", "place"), EVERYWHERE)
def test_killed_at_every_page_nothing_is_lost_or_asked_twice(
    case: Case, tmp_path: Path, place: str
) -> None:
    with case.make() as fake, case.at(fake, tmp_path / "whole"):
        assert load(case) == 0
        whole = pages(fake)
    with case.make() as fake, case.at(fake, tmp_path / "killed"):
        kills = 0
        with pytest.MonkeyPatch.context() as patch:
            for _ in range(whole + 2):
                dying(patch, place)
                ended = load(case)
                patch.undo()
                if ended is not None:
                    break
                kills += 1
        assert (ended, kills >= 2) == (0, True)
        assert pages(fake) == whole + (0 if place == "before" else kills)
    assert landed(case, tmp_path / "killed") == landed(case, tmp_path / "whole")


_SIGKILL = """
    import os, sys
    import loaders.supabase.rest as rest
    from warehouse.cli import main

    keep, left = rest.keep, int(sys.argv[1])

    def dies(*given):
        global left
        keep(*given)
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)

    rest.keep = dies
    main(["load", "supabase"])
"""


def test_a_killed_process_leaves_its_tables_pages_to_the_next(tmp_path: Path) -> None:
    case = next(one for one in CASES if one.name == "supabase")
    with case.make() as fake, case.at(fake, tmp_path / "whole"):
        assert load(case) == 0
        whole = len(fake.requests)
    with case.make() as fake, case.at(fake, tmp_path / "killed"):
        code = textwrap.dedent(_SIGKILL)
        killed = subprocess.run(
            [sys.executable, "-c", code, "2"], check=False, capture_output=True,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )  # fmt: skip
        assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
        assert load(case) == 0
        assert len(fake.requests) == whole
    assert landed(case, tmp_path / "killed") == landed(case, tmp_path / "whole")
