"""Wrong usage is one sentence with what was meant; shells complete what a release holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from loaders.presets import PRESETS
from loaders.schema import ALL_RESOURCES
from tests.support import small_warehouse
from warehouse.cli import app, main


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("satus", "There is no command 'satus'. Did you mean 'status'? 'ace --help'"),
        ("zzz", "There is no command 'zzz'. 'ace --help'"),
        ("load yutube", "There is no source 'yutube'. Did you mean 'youtube'?"),
        ("load youtube --analytics --posts", "Load it with a call of its own"),
        ("load youtube --analytics", "needs ACE_YOUTUBE_CLIENT_ID and ACE_YOUTUBE_CLIENT_SECRET"),
        ("releases lst", "There is no command 'lst'. Did you mean 'list'?"),
        ("build --targt x", "There is no option '--targt'. Did you mean '--target'"),
        ("--debgu status", "There is no option '--debgu'. Did you mean '--debug'?"),
        ("build --target duckbd", "Did you mean 'duckdb'? 'ace build --help'"),
        ("tables performnce", "Did you mean 'performance'?"),
        ("load files x --preset tiktok-studo", "Did you mean 'tiktok-studio'"),
        ("load files x --table published_post", "Did you mean 'published_posts'"),
        ("load files", "Missing argument 'PATH...'. 'ace load files --help'"),
        ("releases show x", "'x' is not a valid integer. 'ace releases show --help'"),
    ],
)
def test_wrong_usage_is_one_sentence_in_one_style(
    typed: str, said: str, ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed.split())
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("ace: ")
    assert err.count("\n") == 1
    assert said in err


def _completed(typed: str, incomplete: str = "") -> list[str]:
    shell = ShellComplete(app, {}, "ace", "_ACE_COMPLETE")
    return [one.value for one in shell.get_completions(typed.split(), incomplete)]


def test_shells_complete_commands_tables_presets_releases_and_analyses(ace_home: Path) -> None:
    assert _completed("", "st") == ["status"]
    assert "youtube" in _completed("load")
    assert set(_completed("load files --table")) == set(ALL_RESOURCES)
    assert set(_completed("load files --preset")) == set(PRESETS)
    assert _completed("analysis", "best") == ["best_hours"]
    # Nothing is there yet, or nothing like it: nothing is proposed, nothing is said.
    assert _completed("explain") == _completed("sql --release") == []
    small_warehouse.release(ace_home)
    for typed in ("sql --release", "tables --release", "releases show", "releases rollback"):
        assert _completed(typed) == ["1"], typed
    names = _completed("explain", "marts.")
    assert names
    assert names[0].partition(".")[2] in _completed("explain")
    assert _completed("explain", "no-such") == []
    assert _completed("explain --release 7") == []
