"""Settings from a file or the environment: wrong ones are one sentence, secrets never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.errors import UsageError
from warehouse.settings import settings


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(tmp_path)
    for name in (
        "HOME",
        "TARGET",
        "LANDING",
        "THREADS",
        "MEMORY_LIMIT",
        "READ_MEMORY_LIMIT",
        "SUPABASE_DSN",
    ):
        monkeypatch.delenv(f"ACE_{name}", raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('ACE_SUPABASE_DSN="postgresql://u:a#b=c@h/d"  # prod', "postgresql://u:a#b=c@h/d"),
        ("ACE_SUPABASE_DSN=postgresql://u:a#b@h/d # prod", "postgresql://u:a#b@h/d"),
        ("export ACE_SUPABASE_DSN='x y'", "x y"),
    ],
)
def test_quotes_and_comments_in_dotenv(line: str, value: str) -> None:
    Path(".env").write_text(f"# ours\n\n{line}\n")
    assert settings().supabase_dsn == value


def test_the_environment_wins_then_dotenv_then_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("ace.toml").write_text('home = "a"\nlanding = "b"\nthreads = 3\n')
    Path(".env").write_text("ACE_LANDING=c\nACE_HOME=d\n")
    monkeypatch.setenv("ACE_HOME", "e")
    found = settings()
    assert (found.home.name, found.landing, found.extra["ACE_THREADS"]) == ("e", "c", "3")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (".env", b"ACE_SUPABASE_DSN SECRET\n", "line 1 is not NAME=value"),
        (".env", b"\xff\xfe", "it is not UTF-8 text"),
        ("ace.toml", b"\xff\xfe", "it is not UTF-8 text"),
        ("ace.toml", b'home = "x\n', "is not valid TOML"),
        ("ace.toml", b'[supabase]\ndsn = "SECRET"\n', "'supabase' is a section"),
        (".env", b"ACE_THREADS=0\n", "ACE_THREADS is '0'"),
        (".env", b"ACE_READ_MEMORY_LIMIT=1 lot\n", "ACE_READ_MEMORY_LIMIT is '1 lot'"),
        (".env", b"ACE_LANDING=a\\b\n", "cannot write below a name with '\\'"),
        (".env", b"ACE_MEMORY_LIMIT=lots\n", "ACE_MEMORY_LIMIT is 'lots'"),
        (".env", b"ACE_TARGET=mysql\n", "ACE_TARGET is 'mysql'"),
        (".env", b"ACE_HOME=.env\n", "which is a file"),
        (".env", b"ACE_LANDING=.env\n", "which is a file"),
    ],
)
def test_a_wrong_setting_is_one_sentence(name: str, content: bytes, message: str) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        settings()
    assert "SECRET" not in str(caught.value)
