"""README and docs: their links lead somewhere, and they name what there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from common.settings import PROJECT_ROOT
from tests.support.documented import REASONS, RUN, blocks, documents, same_output
from warehouse.cli import app

DOCUMENTS = [str(path.relative_to(PROJECT_ROOT)) for path in documents()]
LINKED = [*DOCUMENTS, "CONTRIBUTING.md", "CHANGELOG.md"]


def lines(document: str) -> Iterator[tuple[int, str]]:
    return enumerate((PROJECT_ROOT / document).read_text("utf-8").splitlines(), 1)


def anchors(path: Path) -> set[str]:
    """What GitHub calls the headings of a document."""
    titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", LINKED)
def test_every_link_leads_somewhere(document: str) -> None:
    text = (PROJECT_ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = ((PROJECT_ROOT / document).parent / name) if name else PROJECT_ROOT / document
        assert path.exists(), f"{document}: {target}"
        assert not anchor or anchor in anchors(path), f"{document}: {target}"


def test_the_readme_leads_to_every_document_and_its_picture_is_small() -> None:
    readme = (PROJECT_ROOT / "README.md").read_text("utf-8")
    assert [name for name in DOCUMENTS[1:] if f"]({name})" not in readme] == []
    assert len(readme.splitlines()) < 150
    assert (PROJECT_ROOT / "docs" / "report.png").stat().st_size < 300_000


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_block_that_is_not_run_as_it_stands_says_why(document: str) -> None:
    for block in blocks(document):
        if block.language not in RUN:
            assert block.how == "", block.where
        elif block.how.startswith("run by "):
            test = PROJECT_ROOT / block.how.removeprefix("run by ")
            assert f'"{document}", "{block.heading}"' in test.read_text("utf-8"), block.where
        elif block.how:
            assert block.how.removeprefix("not run: ") in REASONS, block.where


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_that_is_named_exists(document: str) -> None:
    """In text as in blocks, those that nothing runs included."""
    wrong = []
    for number, line in lines(document):
        for typed in re.findall(r"(?:^|[`$/;] ?|[|&]{1,2} )ace ([^`|#]*)", line):
            found = unknown(typed)
            if found:
                wrong.append(f"{document}:{number}: ace {typed.strip()}: no {found}")
    assert not wrong, "\n".join(wrong)


def unknown(typed: str) -> str | None:
    """The first command or option of a line that ``ace`` does not know."""
    command: click.Command = app
    try:
        words = shlex.split(typed)
    except ValueError:  # a quote that is closed in the next line
        words = typed.split()
    for word in words:
        if word.startswith("-") and len(word) > 1:
            known = [name for one in command.params for name in (*one.opts, *one.secondary_opts)]
            name = word.partition("=")[0].rstrip(",.)")
            if name not in (*known, "--help", "-h"):
                return name
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]+", word):
            name = word
            inner = command.get_command(click.Context(command), name)
            if inner is None:
                return name
            command = inner
    return None


def test_a_command_that_is_gone_is_noticed() -> None:
    assert unknown("load files posts.csv --table T --map a=b") is None
    assert unknown("releases rollback 3") is None
    assert unknown("load fils posts.csv") == "fils"
    assert unknown("sql --jsn 'select 1'") == "--jsn"


def test_what_is_printed_is_compared_but_for_times() -> None:
    shown = ("Release 1, made 19 seconds ago (2026-11-22 19:40 UTC)", "...", "  read 12", "...")
    same = "Release 1, made 2 hours ago (2027-01-02 09:40 UTC)\nmore\n\n  read 12\nlast\n"
    assert same_output(shown, same)
    assert not same_output(shown, same.replace("12", "13"))
    assert not same_output(shown[:3], same)
