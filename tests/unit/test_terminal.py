"""What others wrote never drives a terminal or forges a line, whoever prints it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.test_failures import run
from warehouse import terminal
from warehouse.cli.progress import Bytes
from warehouse.settings import PROJECT_ROOT

#: An escape sequence (7 and 8 bits), backspace, return, bell, a forged line, text that
#: runs backwards, an invisible tag, half a character.
ACTING = (
    "\x1b]0;owned\x07 \x9b31m \b\b\r \n accepted \u202e \u2066 \u200b \u2028 \U000e0041 \ud800 \x7f"
)


def _harmless(text: str) -> bool:
    return terminal.clean(text) == text


def test_text_of_others_is_one_line_that_does_nothing() -> None:
    shown = terminal.clean(ACTING)
    assert shown.isascii()
    assert "\\x1b]0;owned\\x07" in shown
    assert "\\n accepted" in shown
    assert "\\u202e" in shown


@pytest.mark.parametrize(
    "text", ["Caffè, 日本語, עברית, عربي", "👨‍👩‍👧 ✓ №", "a\u00a0b", "می‌خواهم"]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert terminal.clean(text) == text


def test_json_is_exact_and_harmless() -> None:
    value = {ACTING: [ACTING, 10**30]}
    text = terminal.json_text(value)
    assert json.loads(text) == value
    assert all(_harmless(line) for line in text.splitlines())


def test_tables_messages_and_errors_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.table([ACTING], [[ACTING], [f"[red]{ACTING}[/x]"]])
    terminal.table([ACTING], [[ACTING]], [0], folded=False)
    terminal.echo(ACTING, bold=True)
    terminal.note(ACTING)
    said = capsys.readouterr()
    assert "[red]" in said.out
    for line in (said.out + said.err).replace("\x1b[1m", "").replace("\x1b[0m", "").split("\n"):
        assert _harmless(line)


def test_the_bar_shows_a_file_name_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Bytes(shown=True) as bar:
        name = f"{ACTING}[/red]"
        bar.update(name, 1, 2)
        (task,) = bar._bar.tasks
        assert _harmless(task.description)
        bar._bar.refresh()


def test_only_one_module_prints() -> None:
    """Whatever is printed elsewhere has not been cleaned."""
    for folder in ("common", "loaders", "repositories", "warehouse"):
        for file in (PROJECT_ROOT / folder).rglob("*.py"):
            if file.name == "terminal.py":
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    assert called not in {
                        "print", "click.echo", "click.secho", "Console", "sys.stdout.write",
                        "sys.stderr.write", "error.show",
                    }, f"{file.name}:{node.lineno}: use warehouse.terminal"  # fmt: skip


def test_errors_and_wrong_usage_name_things_harmlessly(
    ace_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ACTING.replace("\ud800", "\udcff")  # a file's name is bytes
    for arguments in (
        ["load", "files", name, "--table", "products"],
        ["load", "files", "x.csv", "--table", name],
        ["sql", f'select 1 from "{ACTING.replace(chr(0xD800), "")}"'],
        ["build", f"--{name}"],
        [name],
        ["releases", "show", name],
        ["quarantine", "show", "--source", name],
    ):
        code, out, err = run(capsys, *arguments)
        assert code, arguments
        assert all(_harmless(line) for line in (out + err).split("\n")), arguments


def test_quarantine_shows_records_harmlessly(ace_home: Path) -> None:
    from loaders.landing import Landing, Rejected
    from warehouse.cli.quarantine import command

    landing = Landing(ace_home / "landing")
    with landing.open_load("files", "products", input=ACTING.replace("\ud800", "")) as load:
        load.reject([Rejected(0, ACTING.encode("utf-8", "replace"), ACTING.replace("\ud800", ""))])
        load.commit()
    for arguments in (["show"], ["list"]):
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert "owned" in result.output
        assert all(_harmless(line) for line in result.output.split("\n"))


@pytest.mark.parametrize(
    "path",
    ["/plain/file.csv", "a b", "it's \"so\" $(x) `y` \\ !", "[1]*?{a,b}", "-x", "~", "new\nline'\\",
     "\x1b[31m", "bytes \udcff", "", "é"],
)  # fmt: skip
def test_paths_in_commands_can_be_pasted(path: str) -> None:
    shown = terminal.quoted(path)
    assert _harmless(shown)
    done = subprocess.run(
        ["bash", "-c", f"printf %s {shown}"], capture_output=True, check=True, timeout=10
    )
    assert done.stdout == os.fsencode(path)
