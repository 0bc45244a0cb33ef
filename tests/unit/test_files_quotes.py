"""Quotes inside quoted fields: doubled, behind backslashes, or refused with a sentence."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from common.errors import UsageError
from loaders.files import FileResult, load_files
from loaders.files.csvfiles import csv_values
from loaders.files.plan import Plan
from loaders.landing import Landing
from loaders.retry import retry_rejected

HEADER = "platform,external_id,view_count,caption\n"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(landing: Landing, tmp_path: Path, text: str, **options: Any) -> FileResult:
    path = tmp_path / "a.csv"
    path.write_text(text, newline="")
    (result,) = load_files(landing, [path], table="raw_videos", again=True, **options)
    return result


def captions(landing: Landing) -> list[str]:
    frames = [pl.read_parquet(one.file) for one in landing.loads() if one.accepted]
    return pl.concat(frames)["caption"].to_list() if frames else []


def lines(*captions: str) -> str:
    return HEADER + "".join(f"tiktok,{i},1,{caption}\n" for i, caption in enumerate(captions))


def test_a_file_of_spark_is_recognised(landing: Landing, tmp_path: Path) -> None:
    text = lines(
        r'"she said \"hi\" to me"', r'"a \"b, c\" d"', "plain", r'"size 5\""', r'"\"first\""',
        r'"two\\slashes \"x\""', '"two\nlines, \\"quoted\\""', r"C:\new", r'"C:\\"',
    )  # fmt: skip
    assert load(landing, tmp_path, text).message == ""
    assert captions(landing) == [
        'she said "hi" to me', 'a "b, c" d', "plain", 'size 5"', '"first"', r'two\slashes "x"',
        'two\nlines, "quoted"', r"C:\new", "C:\\",
    ]  # fmt: skip


def test_backslashes_of_doubled_quotes_are_text(landing: Landing, tmp_path: Path) -> None:
    given = [
        "C:\\", 'C:\\"quoted"\\', "C:\\new, old", 'ends in \\"', '\\"', '{"a": "x \\"y\\" z"}',
        "a\\\\b", "two\nlines \\", 'say "hi"', "\\N", "",
    ]  # fmt: skip
    for order in range(6):
        random.Random(order).shuffle(given)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for i, caption in enumerate(given):
            writer.writerow(["tiktok", i, 1, caption])
        folder = Landing(tmp_path / str(order))
        assert load(folder, tmp_path, HEADER + text.getvalue()).rejected == 0
        assert captions(folder) == [caption or None for caption in given]


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE])
@pytest.mark.parametrize("escape", ["\\", "^"])
def test_what_a_writer_escapes_is_read_when_asked_for(
    landing: Landing, tmp_path: Path, escape: str, quoting: Any
) -> None:
    given = [
        'say "hi"', f"C:{escape}", "a, b", f'{escape}"', "two\nlines", 'size 5"', "plain", "x" * 9,
        f"{escape}{escape}",
    ]  # fmt: skip
    text = io.StringIO()
    writer = csv.writer(
        text, lineterminator="\n", doublequote=False, escapechar=escape, quoting=quoting
    )
    for i, caption in enumerate(given):
        writer.writerow(["tiktok", i, 1, caption])
    result = load(landing, tmp_path, HEADER + text.getvalue(), escape=escape)
    assert (result.message, result.rejected) == ("", 0)
    assert captions(landing) == given


def test_what_can_be_read_in_two_ways_is_not_guessed(landing: Landing, tmp_path: Path) -> None:
    # One backslash, or two.
    assert load(landing, tmp_path, lines("first", '"C:\\\\"', "last")).rejected == 1
    assert captions(landing) == ["first", "last"]
    (rejected,) = landing.rejected()
    assert "line 3 can be read in two ways" in rejected.reason
    assert "--escape '\\' or --escape '\"'" in rejected.reason
    assert retry_rejected(landing) == []


def test_other_quotes_than_before_cost_the_record(landing: Landing, tmp_path: Path) -> None:
    doubled = lines('"say ""hi"""', r'"say \"no\" now"', '"say ""ho"""')
    assert load(landing, tmp_path, doubled).rejected == 1
    assert captions(landing) == ['say "hi"', 'say "ho"']
    (rejected,) = landing.rejected()
    assert "quotes of line 3 are not like those before" in rejected.reason
    assert "--escape" in rejected.reason
    assert retry_rejected(landing) == []
    escaped = HEADER + (
        'tiktok,1,1,"say \\"no\\" now"\ntiktok,2,"1\\","x"\ntiktok,3,1,"say \\"yes\\""\n'
    )
    assert load(landing, tmp_path, escaped).rejected == 1
    assert captions(landing)[2:] == ['say "no" now', 'say "yes"']


def test_two_backslashes_before_anything_told_are_refused(landing: Landing, tmp_path: Path) -> None:
    text = lines(r'"a\\b"', r'"say \"hi\" now"')
    result = load(landing, tmp_path, text)
    assert (result.status, "--escape '\\'" in result.message) == ("failed", True)
    assert load(landing, tmp_path, text, escape="\\").accepted == 2
    assert captions(landing) == [r"a\b", 'say "hi" now']


def test_a_record_of_such_quotes_that_is_too_short_is_not_spoilt(
    landing: Landing, tmp_path: Path
) -> None:
    # Split at the wrong comma it would have as many fields as the header.
    text = HEADER + 'tiktok,1,"a \\"b, c\\" d"\ntiktok,2,1,"say \\"hi\\" now"\n'
    assert load(landing, tmp_path, text).rejected == 1
    assert captions(landing) == ['say "hi" now']


def test_json_without_quotes_around_keeps_its_backslashes(landing: Landing, tmp_path: Path) -> None:
    text = (HEADER + 'tiktok,1,1,{"a":"x \\"y\\" z"}\n').replace(",", "\t")
    assert load(landing, tmp_path, text).rejected == 0
    assert captions(landing) == ['{"a":"x \\"y\\" z"}']


def test_a_retry_reads_the_record_as_its_file(landing: Landing, tmp_path: Path) -> None:
    text = HEADER.replace(",", ";") + 'tiktok;1;x;"say \\"a, b\\""\ntiktok;2;1;"say \\"c\\" d"\n'
    assert load(landing, tmp_path, text).rejected == 1
    (rejected,) = landing.rejected()
    assert rejected.field == "view_count"
    assert rejected.context is not None
    found = csv_values(rejected.raw.decode(), HEADER.strip().split(","), rejected.context["csv"])
    assert found is not None
    assert found["caption"] == 'say "a, b"'


def test_a_stray_quote_does_not_take_the_lines_behind_it(landing: Landing, tmp_path: Path) -> None:
    text = lines("one", '"two', "three", '"fo,ur"', "five")
    assert load(landing, tmp_path, text).rejected == 1
    assert captions(landing) == ["one", "three", "fo,ur", "five"]


@pytest.mark.parametrize("escape", ["", "ab", "a", ",", "\n", " ", "1"])
def test_what_cannot_escape_is_told_before_any_file(escape: str) -> None:
    with pytest.raises(UsageError, match="--escape takes one character"):
        Plan(table="raw_videos", escape=escape)


def test_doubled_quotes_can_be_asked_for(landing: Landing, tmp_path: Path) -> None:
    assert load(landing, tmp_path, lines('"C:\\"', '"a ""b"""'), escape='"').accepted == 2
    assert captions(landing) == ["C:\\", 'a "b"']
