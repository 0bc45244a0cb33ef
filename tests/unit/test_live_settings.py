"""What live sources are told: where a platform is, and what ``ace run`` loads of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from common.errors import UsageError
from common.settings import settings
from loaders.landing import Landing
from loaders.live.address import base_address
from warehouse.cli import run
from warehouse.sources import LiveSource, Needed

SOURCE = LiveSource(
    "youtube", "ACE_YOUTUBE_LOAD", (Needed("ACE_YOUTUBE_KEY", "console.cloud.google.com"),)
)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        (None, "https://own"),
        ("", "https://own"),
        ("https://other.example/", "https://other.example"),
        ("https://proxy.example/tiktok/", "https://proxy.example/tiktok"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_credentials_go_where_they_are_encrypted_or_stay_here(given: str | None, base: str) -> None:
    assert base_address(given, "https://own", "--url") == base


@pytest.mark.parametrize(
    "given",
    [
        "http://other.example",
        "http://127.0.0.1.other.example",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "other.example",
        "https://user:password@other.example",
        "https://other.example?key=1",
        "https://other.example:port",
        "https://[other",
    ],
)
def test_no_other_address_is_taken(given: str) -> None:
    with pytest.raises(UsageError) as refused:
        base_address(given, "https://own", "--url")
    assert "password" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("", []),
        (" ; ", []),
        ("--posts --adopt 'My shop'", [["--posts", "--adopt", "My shop"]]),
        ("--trending US; --search 'a b'", [["--trending", "US"], ["--search", "a b"]]),
        ("--search 'a; b #c'", [["--search", "a; b #c"]]),
    ],
)
def test_what_a_run_loads_is_written_as_on_the_command_line(
    text: str, calls: list[list[str]]
) -> None:
    assert SOURCE.calls({"ACE_YOUTUBE_LOAD": text}) == calls


def test_an_open_quote_names_its_setting() -> None:
    with pytest.raises(UsageError, match="ACE_YOUTUBE_LOAD cannot be read: no closing quotation"):
        SOURCE.calls({"ACE_YOUTUBE_LOAD": "--adopt 'My shop"})


def test_what_is_missing_is_named() -> None:
    assert [one.name for one in SOURCE.missing({})] == ["ACE_YOUTUBE_KEY"]
    assert SOURCE.missing({"ACE_YOUTUBE_KEY": "k"}) == []


@pytest.mark.parametrize(
    ("values", "lacks"),
    [
        ({}, None),
        ({"ACE_YOUTUBE_KEY": "k"}, []),
        ({"ACE_YOUTUBE_ID": "i"}, ["ACE_YOUTUBE_SECRET"]),
        ({"ACE_YOUTUBE_LOAD": "--posts"}, ["ACE_YOUTUBE_KEY"]),
        ({"ACE_YOUTUBE_LOAD": "--reports"}, ["ACE_YOUTUBE_ID", "ACE_YOUTUBE_SECRET"]),
        ({"ACE_YOUTUBE_LOAD": "--reports; --posts", "ACE_YOUTUBE_ID": "i"},
         ["ACE_YOUTUBE_KEY", "ACE_YOUTUBE_SECRET"]),
    ],
)  # fmt: skip
def test_what_a_call_needs_depends_on_its_options(
    values: dict[str, str], lacks: list[str] | None
) -> None:
    own = (Needed("ACE_YOUTUBE_ID", "there"), Needed("ACE_YOUTUBE_SECRET", "there"))
    source = replace(SOURCE, instead={"--reports": own})
    found = source.lacks(values)
    assert (None if found is None else [one.name for one in found]) == lacks
    assert source.missing({}, ["--reports"]) == list(own)


def test_a_platform_that_fails_does_not_keep_the_next_from_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # Any command that fails as a platform's does.
    gone = LiveSource("supabase", "ACE_GONE_LOAD", ())
    monkeypatch.setattr("warehouse.sources.LIVE_SOURCES", (gone,))
    nowhere = "--dsn postgresql://127.0.0.1:{}/x"
    monkeypatch.setenv("ACE_GONE_LOAD", f"{nowhere.format(1)}; {nowhere.format(2)}")
    monkeypatch.setenv("ACE_HOME", str(tmp_path))
    settings.cache_clear()
    config = settings()
    failed = run._load(config, Landing(config.landing))
    settings.cache_clear()
    assert failed is not None
    assert "127.0.0.1:1" in failed.message
    told = capsys.readouterr()
    assert "127.0.0.1:2" in told.err
    assert "sample" not in told.out
