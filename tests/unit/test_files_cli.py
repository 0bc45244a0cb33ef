"""``ace load files`` as people meet it: lines, exit codes, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from warehouse.cli import main
from warehouse.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ACE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ACE_LANDING", raising=False)
    settings.cache_clear()
    return tmp_path


def ace(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    assert isinstance(done.value.code, int)
    return done.value.code


def test_a_load_says_what_happened(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "a.ndjson").write_text('{"views":1}\n{"views":"x"}\n')
    path = str(home / "a.ndjson")
    assert ace("load", "files", path, "--table", "performance_metrics") == 0
    told = capsys.readouterr()
    assert "performance_metrics: 2 read, 1 landed, 1 rejected, load " in told.out
    assert "ace quarantine list" in told.out
    assert told.err == ""
    assert ace("load", "files", path, "--table", "performance_metrics") == 0
    assert "skipped, landed before as load" in capsys.readouterr().out
    assert ace("load", "files", path, "--table", "performance_metrics", "--again", "--json") == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["status"], result["read"], result["rejected"]) == ("landed", 2, 1)
    assert ace("compact", "--min-files", "2", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["merged"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["missing.csv", "--table", "scripts"], 2, "There is no file"),
        (["x.csv", "--table", "script"], 2, "Did you mean 'scripts'"),
        (["x.csv"], 2, "Say what the files hold"),
        (["x.csv", "--table", "scripts", "--map", "hook"], 2, "--map takes column=value"),
        (["x.csv", "--table", "scripts", "--nope"], 2, "There is no option '--nope'"),
        ([], 2, "Missing argument"),
        (["cut.parquet", "--table", "scripts"], 1, "damaged or cut Parquet"),
    ],
)
def test_wrong_usage_and_unreadable_files(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(home)
    (home / "x.csv").write_text("hook\nx\n")
    (home / "cut.parquet").write_bytes(b"PAR1cut")
    assert ace("load", "files", *arguments) == code
    told = capsys.readouterr()
    assert sentence in told.err
    assert "Traceback" not in told.err
    assert "accepted" not in told.out


def test_help_lists_sources_tables_and_presets(capsys: pytest.CaptureFixture[str]) -> None:
    from loaders.presets import PRESETS
    from loaders.schema import ALL_RESOURCES

    assert ace("load", "--help") == 0
    assert "supabase" in capsys.readouterr().out
    assert ace("load", "files", "--help") == 0
    text = capsys.readouterr().out
    assert [name for name in (*ALL_RESOURCES, *PRESETS) if name not in text] == []
    assert "Example:" in text


def test_a_load_of_which_nothing_lands_exits_1(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "bad.ndjson").write_text('{"views":"x"}\n')
    (home / "good.ndjson").write_text('{"views":1,"colour":2}\n')
    load = ("load", "files", str(home / "bad.ndjson"), "--table", "performance_metrics")
    assert ace(*load, "--dry-run") == ace(*load) == 1
    told = capsys.readouterr()
    assert "Nothing was landed: this was a dry run." in told.out
    assert told.err.count("could be read as performance_metrics") == 2
    assert ace(*load, str(home / "good.ndjson"), "--again", "--json") == 1
    told = capsys.readouterr()
    assert [r["exit_code"] for r in json.loads(told.out)] == [1, 0]
    assert "could be read as performance_metrics" in told.err


def test_what_was_noticed_stands_below_its_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "a.ndjson").write_text('{"views":1,"colour":2}\n')
    load = ("load", "files", str(home / "a.ndjson"), "--table", "performance_metrics")
    assert ace(*load, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 read, 1 would land, 0 be rejected" in lines[0]
    assert lines[1].startswith("  No record has post_id (or platform and external_post_id)")
    assert lines[2] == "  Kept in _extra, no column's field: 'colour'."
    assert not (home / "home").exists()
    assert ace(*load, "--json", "--dry-run") == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["status"], result["landed"], result["accepted"]) == ("dry_run", 1, 1)
    assert result["notices"] == [line.strip() for line in lines[1:3]]
