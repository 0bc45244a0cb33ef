"""``ace doctor`` finds what will not work, says how to mend it, and shows no secret."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from common.settings import settings
from tests.fakes.server import Fake
from warehouse import doctor
from warehouse.build.lock import check_lock
from warehouse.cli import main
from warehouse.doctor import Finding, _unknown, examine
from warehouse.masking import masked
from warehouse.sources import LIVE_SOURCES


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACE_HOME", str(tmp_path / "data"))
    return tmp_path


def findings() -> dict[tuple[str, str], Finding]:
    settings.cache_clear()
    found: dict[tuple[str, str], Finding] = {}
    for one in examine(settings()):
        found[one.name, one.state] = one
    settings.cache_clear()
    return found


def problems() -> list[Finding]:
    return [one for one in findings().values() if one.state == "problem"]


def test_a_new_folder_has_no_problem(home: Path) -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("ACE_YOUTUBE_KEY", "AIza1", "set (not shown)"),
        ("ACE_TIKTOK_CLIENT_SECRET", "x", "set (not shown)"),
        ("ACE_MCP_TOKEN", "x", "set (not shown)"),
        ("ACE_POSTGRES_URL", "postgresql://u:pw@host:5/db", "Postgres at host:5"),
        ("ACE_PUBLISH_URL", "postgresql://u:p%zz@host/db", "set (not shown: it cannot be read)"),
        ("ACE_SUPABASE_DSN", "host=h password=pw", "Postgres at h:5432"),
        ("ACE_YOUTUBE_URL", "https://u:pw@proxy/x?key=1", "https://***@proxy/x"),
        ("ACE_LANDING", "s3://key:pw@bucket/ace", "s3://***@bucket/ace"),
        ("ACE_LANDING", "s3://key:p/w@bucket/ace", "s3://***@bucket/ace"),
        ("ACE_POSTGRES_URL", "host=h password=pw", "Postgres at h:5432"),
        ("ACE_SUPABASE_DNS", "postgresql://u:pw@h/d", "set (not shown)"),
        ("ACE_YOUTUBE_LOAD", "--url https://u:pw@h?k=pw --posts", "--url https://***@h --posts"),
        ("ACE_THREADS", "2", "2"),
        ("ACE_SPARK_MASTER", "sc://spark:15002/;token=pw", "sc://spark:15002/"),
    ],
)
def test_settings_are_shown_without_their_secrets(name: str, value: str, shown: str) -> None:
    assert masked(name, value) == shown


def test_what_is_missing_of_a_source_that_somebody_uses(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_TIKTOK_LOAD", "--posts")
    monkeypatch.setenv("ACE_TIKTOK_CLIENT_KEY", "k")
    (one,) = problems()
    assert (one.name, one.message) == (
        "tiktok", "ACE_TIKTOK_CLIENT_SECRET and ACE_TIKTOK_REFRESH_TOKEN not set"
    )  # fmt: skip
    monkeypatch.setenv("ACE_TIKTOK_LOAD", "--adopt 'My")
    assert problems()[0].message == "ACE_TIKTOK_LOAD cannot be read: no closing quotation"


def test_a_source_that_can_be_reached_and_one_that_cannot(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_YOUTUBE_KEY", "AIzaSecret")
    with Fake() as fake:
        monkeypatch.setenv("ACE_YOUTUBE_URL", fake.url)
        found = findings()
        assert "can be reached" in found["youtube", "ok"].message
        assert "ACE_YOUTUBE_LOAD" in found["youtube", "note"].remedy
        assert fake.requests == [], "nothing is sent"
    (one,) = problems()
    assert one.message.startswith("127.0.0.1, port ")
    assert one.message.endswith("cannot be reached (Connection refused)")


def test_databases_and_a_stopped_load(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACE_SUPABASE_DSN", "postgresql://u:secret@127.0.0.1:1/x")
    stopped = home / "data" / "live" / "tiktok" / "1.spool"
    stopped.parent.mkdir(parents=True)
    stopped.touch()
    found = findings()
    assert "secret" not in str(found)
    assert found["load tiktok", "note"].message == "a load was stopped before its end"
    assert {name for name, state in found if state == "problem"} == {"supabase"}


@pytest.mark.parametrize(
    ("master", "state", "words"),
    [
        ("local", "ok", "Sail"),
        ("spark://h:7077", "problem", "ACE_SPARK_MASTER is 'spark://h:7077'"),
        ("sc://127.0.0.1:1/;token=secret", "problem", "127.0.0.1, port 1, cannot be reached"),
    ],
)
def test_where_spark_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, master: str, state: str, words: str
) -> None:
    monkeypatch.setenv("ACE_SPARK_MASTER", master)
    found = findings()
    assert words in found["spark", state].message
    assert "secret" not in str(found)


def test_a_secret_is_hidden_in_whatever_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in LIVE_SOURCES:
        for needed in (one for needs in source.credentials for one in needs):
            monkeypatch.setenv(needed.name, "hUsh")
        monkeypatch.setenv(source.loads, "--adopt 'My")
    monkeypatch.setenv("ACE_YOUTUBE_URL", "http://hUsh.example")
    monkeypatch.setenv("ACE_POSTGRES_URL", "postgresql://u:hUsh@hush@127.0.0.1:1/x")
    assert "hUsh" not in str(list(findings().values()))


def test_an_address_that_is_refused_and_a_source_without_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_YOUTUBE_KEY", "AIzaSecret")
    monkeypatch.setenv("ACE_YOUTUBE_URL", "http://example.com")
    monkeypatch.setenv("ACE_INSTAGRAM_TOKEN", "IGsecret")
    monkeypatch.setattr(doctor, "LIVE_SOURCES", [replace(LIVE_SOURCES[-1], base="", url="")])
    assert problems() == []
    monkeypatch.setattr(doctor, "LIVE_SOURCES", LIVE_SOURCES[-2:-1])
    (one,) = problems()
    assert "unencrypted" in one.message


def test_a_slip_in_a_name_a_check_that_runs_and_packages_of_other_versions(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACE_SUPABASE_DNS", "postgresql://u:pw@h/d")
    pins = home / "run.txt"
    pins.write_text(
        "click==0.0.1 \\\n    --hash=sha256:0\nno-such-package==1\n"
        "only-there==1 ; sys_platform == 'win32' \\\n"
    )
    monkeypatch.setattr(doctor, "PINS", pins)
    with check_lock(home / "data" / "quality"):
        found = findings()
    assert found["ACE_SUPABASE_DNS", "note"].remedy == "Did you mean ACE_SUPABASE_DSN?"
    assert "process" in found["check", "note"].message
    assert "no-such-package none (pinned 1)" in found["pins", "problem"].message
    assert "only-there" not in found["pins", "problem"].message


def test_the_command_exits_with_1_where_something_is_wrong(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def doctor(*options: str) -> tuple[object, str]:
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *options])
        settings.cache_clear()
        return ended.value.code, capsys.readouterr().out

    assert doctor()[0] == 0
    monkeypatch.setenv("ACE_TARGET", "postgres")
    code, out = doctor()
    assert (code, "PROBLEM postgres: ACE_POSTGRES_URL is not set" in out) == (1, True)
    code, out = doctor("--json")
    assert [one["name"] for one in json.loads(out) if one["state"] == "problem"] == ["postgres"]


def test_where_sources_are_is_said_once() -> None:
    from loaders.live.tiktok.errors import BASE as TIKTOK
    from loaders.live.youtube.errors import BASE as YOUTUBE

    own = {one.command: one.base for one in LIVE_SOURCES}
    assert (own["tiktok"], own["tiktok-research"], own["youtube"]) == (TIKTOK, TIKTOK, YOUTUBE)


def test_every_setting_that_the_readme_and_docs_name_is_known(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(__file__).parents[2]
    texts = [root / "README.md", *(root / "docs").glob("*.md")]
    named = {
        name
        for file in texts
        for name in re.findall(r"\bACE_[A-Z][A-Z_]+[A-Z]\b", file.read_text("utf-8"))
    }
    assert len(named) > 20
    found = [one.name for one in _unknown(replace(settings(), extra=dict.fromkeys(named, "x")))]
    assert found == []
