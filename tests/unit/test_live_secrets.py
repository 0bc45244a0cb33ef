"""No credential of any live source is said, kept or landed, whatever goes wrong."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
import zstandard

from loaders.live.client import masked
from tests.fakes.server import Fake, Reply, Request
from tests.support.live_cases import Case, every_source
from tests.support.waits import no_waits  # noqa: F401
from warehouse.cli import main

#: Files that hold the newest token, for their owner alone.
KEPT = ("tokens.json", "token.json")


def _repeated(request: Request, secrets: list[str]) -> str:
    """All that was asked with, and the secrets in the ways in which servers write them."""
    headers = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    quoted = " ".join(quote(one, safe="") for one in secrets)
    return f"{headers} {request.body.decode()} {' '.join(secrets)} {quoted}"


def _envelope(told: str, code: Any) -> dict[str, Any]:
    """An error as any of the platforms would read it."""
    error = {"code": code, "message": told, "errors": [{"message": told, "reason": told}]}
    return {"error": error, "code": str(code), "message": told, "hint": told}


#: Name of a failure to the reply that begins with what the platform was told.
FAULTS: dict[str, Callable[[str, Fake], Reply]] = {
    "refused credentials": lambda told, fake: Reply(_envelope(told, 190), 401),
    "refused, flat": lambda told, fake: Reply(
        {"error": "invalid_client", "error_description": told, "message": told}, 401
    ),
    "refused": lambda told, fake: Reply(_envelope(told, 100), 400),
    "forbidden": lambda told, fake: Reply(_envelope(told, 403), 403),
    "busy": lambda told, fake: Reply(_envelope(told, 1), 503),
    "throttled": lambda told, fake: Reply(_envelope(told, 4), 429, {"Retry-After": "9999"}),
    "dropped connection": lambda told, fake: Reply(drop=True),
    "cut answer": lambda told, fake: Reply({"data": told}, cut=40),
    "bad JSON": lambda told, fake: Reply(f'{{"data": "{told}'.encode()),
    "another form": lambda told, fake: Reply({"data": told, "items": told}),
    "not compressed": lambda told, fake: Reply(told.encode(), 200, {"Content-Encoding": "gzip"}),
    "redirect off the host": lambda told, fake: Reply(
        status=302, headers={"Location": f"https://elsewhere.example/?key={quote(told)}"}
    ),
    "redirect to no address": lambda told, fake: Reply(
        status=302, headers={"Location": f"http://[{quote(told)}"}
    ),
    "redirect without end": lambda told, fake: Reply(
        status=307, headers={"Location": f"{fake.url}/?access_token={quote(told)}"}
    ),
}  # fmt: skip


def call(case: Case, debug: bool) -> int:
    """``ace load`` of the case; what --debug lets Python print is printed."""
    try:
        main([*(["--debug"] if debug else []), "load", *case.call])
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException as error:
        traceback.print_exception(error)
        return int(getattr(error, "exit_code", 1))
    return 0


def known(case: Case, fake: Fake) -> list[str]:
    """Every credential that the platform and the loader have by now."""
    renewed = [getattr(fake, "refresh", "")]
    if "IG" in str(case.secrets):
        renewed.append(getattr(fake, "token", ""))
    return sorted({one for one in (*case.secrets, *renewed, *getattr(fake, "_access", ())) if one})


def written(home: Path) -> dict[str, str]:
    """The content of every file, unpacked."""
    found = {}
    for file in home.rglob("*"):
        if not file.is_file() or file.name in KEPT:
            continue
        data = file.read_bytes()
        if file.suffix == ".parquet":
            told = json.dumps(pl.read_parquet(file).to_dicts(), default=str, ensure_ascii=False)
            data += told.encode()
        while file.suffix == ".spool" and data[8:9] == b"\n":
            size, rest = int(data[:8], 16), data[9:]
            unpacked = zstandard.ZstdDecompressor().decompress(rest[:size])
            found[f"{file}:{len(rest)}"] = unpacked.decode()
            data = rest[size:]
        found[str(file)] = data.decode("latin-1")
    return found


def assert_nowhere(secrets: list[str], places: dict[str, str]) -> None:
    for secret in secrets:
        for form in {secret, quote(secret, safe=""), secret.replace("/", "\\/")}:
            assert not [place for place, held in places.items() if form in held]


@every_source
def test_no_failure_shows_a_credential(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with case.make() as fake, case.at(fake, tmp_path):

        def failing(request: Request) -> Reply:
            return FAULTS[fault](_repeated(request, known(case, fake)), fake)

        for fault in FAULTS:
            # In the middle, and then at the first question that is left.
            fake.fail(lambda request: fake.reply(request), times=2)
            fake.fail(failing, times=200)
            assert {call(case, debug) for debug in (False, True)} <= {0, 1}, fault
            fake.faults.clear()
            said = "".join(capfd.readouterr())
            assert said
            assert_nowhere(known(case, fake), {fault: said, **written(tmp_path / "live")})
            for spool in tmp_path.glob("live/*/*.spool"):
                spool.unlink()
        assert_nowhere(known(case, fake), written(tmp_path))


@pytest.mark.parametrize("spoilt", ["{}\nX: y", "\u201c{}\u201d", "{} {}"])
@every_source
def test_a_credential_that_cannot_be_sent_is_named_and_not_shown(
    case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str], spoilt: str
) -> None:
    for name, value in case.told.items():
        if value not in case.secrets:
            continue
        told = {**case.told, name: spoilt.format(value, value)}
        with case.make() as fake, replace(case, told=told).at(fake, tmp_path):
            assert call(case, debug=True) == 2
            said = "".join(capfd.readouterr())
            assert f"{name} holds a blank or a character that no credential has" in said
            assert value not in said
            assert fake.requests == []


@every_source
def test_blanks_around_a_credential_are_none_of_it(case: Case, tmp_path: Path) -> None:
    told = {name: f" {value}\n" for name, value in case.told.items()}
    with case.make() as fake, replace(case, told=told).at(fake, tmp_path):
        assert call(case, debug=False) == 0
        assert len(case.rows(tmp_path)) > 0


@pytest.mark.parametrize(
    "written_as",
    [
        "a+b/c!d=e",
        "a%2Bb%2Fc%21d%3De",
        "a%2bb%2fc!d%3de",
        r"a+b\/c!d=e",
        r"a\u002bb/c!d\u003de",
        r"a\u002Bb\u002Fc!d\u003De",
    ],
)
def test_a_credential_is_masked_as_servers_write_it(written_as: str) -> None:
    assert masked(f'{{"said": "{written_as}"}}', ["a+b/c!d=e"]) == '{"said": "***"}'
