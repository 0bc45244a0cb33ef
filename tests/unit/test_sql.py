"""``ace sql``: values as promised, errors as sentences, and nothing but reading."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from common.errors import AceError, UsageError
from repositories.connection import open_release
from repositories.duckdb_reader import DuckReader
from repositories.reader import Stream
from tests.support import small_warehouse
from warehouse.cli._answers import for_eyes, print_table, write_csv, write_json
from warehouse.cli.sql import command
from warehouse.settings import settings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    small_warehouse.release(home)
    return home


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("ACE_HOME", str(home))
    monkeypatch.delenv("ACE_TARGET", raising=False)
    settings.cache_clear()

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(command, list(arguments))

    yield call
    settings.cache_clear()


def _json(result: Result) -> list[dict[str, object]]:
    assert result.exception is None, result.output
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


def test_json_values_follow_the_promise(run) -> None:  # type: ignore[no-untyped-def]
    query = """select 10000000000 as big, 170141183460469231731687303715884105727 as huge,
        1.50::decimal(9, 2) as price, 'nan'::double as nan, 'inf'::double as inf,
        uuid '00000000-0000-0000-0000-000000000001' as id,
        timestamptz '2026-11-22 17:02:09.5+02' as at, date '2026-11-22' as day,
        '{"b": [1, null], "a": 12345678901234567}'::json as doc, ['x', null] as tags,
        {'at': timestamptz '2026-01-01 00:00:00+00', 'n': 2.50::decimal(5, 2)} as nested,
        true as yes, null as nothing"""
    (row,) = _json(run(query, "--json"))
    assert row == {
        "big": 10000000000,
        "huge": 170141183460469231731687303715884105727,
        "price": "1.50",
        "nan": None,
        "inf": None,
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-11-22T15:02:09.500000Z",
        "day": "2026-11-22",
        "doc": {"b": [1, None], "a": 12345678901234567},
        "tags": ["x", None],
        "nested": {"at": "2026-01-01T00:00:00Z", "n": "2.50"},
        "yes": True,
        "nothing": None,
    }


def test_json_gives_all_rows(run) -> None:  # type: ignore[no-untyped-def]
    assert len(_json(run("select * from range(25000)", "--json"))) == 25000


def test_csv_round_trips(run) -> None:  # type: ignore[no-untyped-def]
    result = run("select 'a,\"b\"\nc' as t, null as n, '{\"k\": 1}'::json as j", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows == [{"t": 'a,"b"\nc', "n": "", "j": '{"k": 1}'}]


def test_table_shows_every_row_and_folds_nothing_in_a_pipe(run) -> None:  # type: ignore[no-untyped-def]
    result = run("select i, repeat('x', 200) as wide, '[bold]' as markup from range(120) r(i)")
    assert result.stdout.count("x" * 200) == 120
    assert "[bold]" in result.stdout
    assert "120 rows" in result.stderr


def _fails(result: Result) -> AceError:
    assert isinstance(result.exception, AceError), result.output
    return result.exception


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from marts.post_performence", "Did you mean marts.post_performance?"),
        ("select * from post_performance", "Did you mean marts.post_performance?"),
        ("select nam from canonical.products", "no column nam"),
        ("select * form canonical.products", "not valid near"),
        ("select count(*) days from canonical.products", "needs 'as days'"),
        ("select (1", "not valid"),
        ("delete from marts.row_ledger", "only be read"),
        ("create table x as select 1", "only be read"),
        ("from 'passwords.csv'", "neither files nor"),
        ("copy (select 1) to '/tmp/never.csv'", "neither files nor"),
        ("attach '/tmp/never.duckdb'", "neither files nor"),
        ("select 1/0::int, 'x'::int", "The query failed: Could not convert"),
    ],
)
def test_errors_are_one_sentence(run, query: str, said: str) -> None:  # type: ignore[no-untyped-def]
    error = _fails(run(query))
    assert said in str(error)
    assert "\n" not in str(error)
    assert "LINE" not in str(error)


def test_configuration_cannot_be_unlocked(run) -> None:  # type: ignore[no-untyped-def]
    for query in ("set enable_external_access = true", "set lock_configuration = false"):
        assert run(query).exception is not None


def test_without_a_release_it_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(AceError, match=r"no release.*ace run") as error:
        open_release(tmp_path)
    assert error.value.exit_code == 1


def test_a_release_file_needs_no_current_release(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "copied.duckdb"
    file.write_bytes((home / "releases" / "1.duckdb").read_bytes())
    with open_release(tmp_path / "nowhere", str(file)) as reader:
        assert reader.query("select count(*) from canonical.products").rows == [(2,)]


def test_wrong_releases_are_wrong_usage(home: Path, tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(UsageError, match=r"Release 99 is not kept .kept: 1."):
        open_release(home, "99")
    with pytest.raises(UsageError, match="does not exist"):
        open_release(home, "nosuch.duckdb")
    with pytest.raises(UsageError, match="is a folder"):
        open_release(home, str(tmp_path))
    with pytest.raises(AceError, match="not a readable DuckDB file"):
        open_release(home, str(tmp_path / "text.duckdb"))


def test_statement_comes_from_exactly_one_place(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "q.sql"
    file.write_text("select 7 as n")
    assert _json(run("--file", str(file), "--json")) == [{"n": 7}]
    assert _fails(run()).exit_code == 2
    assert _fails(run("select 1", "--file", str(file))).exit_code == 2
    assert _fails(run(" ; ")).exit_code == 2
    assert _fails(run("select 1", "--json", "--csv")).exit_code == 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1; select 2", "Only one statement"),
        ("delete from canonical.products", "can only be read"),
        ("select ?", "without a value"),
        ("select", "not valid"),
        ("set threads = 1", "settings"),
        ("select 1 as a, 2 as a", "Two columns are named 'a'"),
        ("select '\udcff'", "not UTF-8"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(run, query: str, said: str) -> None:  # type: ignore[no-untyped-def]
    error = _fails(run(query, "--json"))
    assert said in error.message
    assert error.exit_code == 2


def test_an_answer_is_never_held_whole(home: Path) -> None:
    """Memory is that of a batch: the rows before are gone."""
    with open_release(home) as reader:
        answer = reader.stream("select i, repeat('x', 1000) as t from range(1000000) r(i)")
        tracemalloc.start()
        for count, batch in enumerate(answer.batches):
            assert len(batch) <= 2048
            if count == 50:
                break
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000
        assert reader.query("select 1 as n").rows == [(1,)]


@pytest.mark.parametrize("write", [write_json, write_csv])
def test_rows_are_written_as_they_come(
    write: Callable[[Stream], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """What came is out before the next batch is asked for, so also when that one fails."""

    def batches() -> Iterator[list[tuple[int]]]:
        for number in range(3):
            yield [(100 + number,)]
            assert str(100 + number) in capsys.readouterr().out
        raise AceError("The query failed: Too late.")

    with pytest.raises(AceError, match="Too late"):
        write(Stream(["number"], batches()))


def test_an_error_of_a_late_row_is_a_sentence(run) -> None:  # type: ignore[no-untyped-def]
    failing = "select if(i < 400000, i, error('too late')) as number from range(500000) r(i)"
    assert str(_fails(run(failing, "--json"))) == "The query failed: Too late."


def test_a_table_is_bounded_and_says_so(run) -> None:  # type: ignore[no-untyped-def]
    result = run("select i as number from range(5000) r(i)")
    assert result.stdout.split()[-1] == "999"
    assert "The first 1,000 rows; --json and --csv give all of them." in result.stderr
    wide = run("select repeat('x', 4000000) as t from range(50)")
    assert len(wide.stdout) < 30_000_000
    assert "The first 3 rows" in wide.stderr


def test_a_query_has_so_much_memory_and_no_more(home: Path) -> None:
    path = home / "releases" / "1.duckdb"
    # A list cannot be kept on disk meanwhile.
    with DuckReader(path, memory="20MB") as reader:
        with pytest.raises(AceError, match="ACE_READ_MEMORY_LIMIT allows") as error:
            reader.query("select len(list(repeat('x', 1000) || i)) from range(1000000) r(i)")
        assert error.value.exit_code == 1
        assert reader.query("select 1 as n").rows == [(1,)]


def test_commands_bound_their_readers(run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("ACE_READ_MEMORY_LIMIT", "64MB")
    settings.cache_clear()
    query = "select current_setting('memory_limit') as most"
    assert _json(run(query, "--json")) == [{"most": "61.0 MiB"}]


def _text(result: Result) -> str:
    return result.stdout_bytes.decode()


def test_spreadsheets_calculate_nothing_when_asked(run) -> None:  # type: ignore[no-untyped-def]
    query = """select '=cmd|'' /C calc''!A0' as a, '+1' as b, '-x' as c, '@x' as d,
        chr(9) || '=x' as e, chr(13) || '=x' as f, -5 as g, 'a=b' as h, 'x' as "=head",
        '{"k": 1}'::json as j"""
    safe = list(csv.reader(io.StringIO(_text(run(query, "--csv-safe")), newline="")))
    assert safe[0][8] == "'=head"
    assert [cell[:2] for cell in safe[1][:6]] == ["'=", "'+", "'-", "'@", "'\t", "'\r"]
    assert safe[1][6:] == ["-5", "a=b", "x", '{"k": 1}']
    exact = list(csv.reader(io.StringIO(_text(run(query, "--csv")), newline="")))
    assert exact[1][0] == "=cmd|' /C calc'!A0"
    assert exact[1][5] == "\r=x"
    assert _fails(run("select 1", "--csv", "--csv-safe")).exit_code == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.1235"),
        (80701.51, "80702"),
        (1e-9, "1e-09"),
        (float("nan"), float("nan")),
        (12345678901234567890, 12345678901234567890),
        ({"a": 0.123456}, '{"a": 0.123456}'),
        (True, True),
    ],
)
def test_numbers_are_rounded_for_eyes_only(value: object, shown: object) -> None:
    assert str(for_eyes(value)) == str(shown)


WIDE = Stream(["id", "text", "last"], iter([[(1, "y" * 100, 0.5)], [(2, None, 0.25)]]))


def test_a_terminal_shows_the_columns_that_fit_and_names_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "46")
    print_table(Stream(WIDE.columns, iter([[(1, "y" * 100, 0.5)]])))
    said = capsys.readouterr()
    assert "last" not in said.out
    assert said.out.replace(" ", "").count("y") == 100
    assert "1 of 3 columns do not fit and are left out: last." in said.err


def test_expanded_shows_a_row_as_a_block(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(WIDE, expanded=True)
    assert capsys.readouterr().out.splitlines() == [
        "row 1", "  id    1", "  text  " + "y" * 100, "  last  0.5",
        "row 2", "  id    2", "  text  ", "  last  0.25",
    ]  # fmt: skip
