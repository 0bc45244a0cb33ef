"""The command line as a new user meets it, from an empty folder on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.conftest import PASSWORD, PASSWORD_ROLE, PgServer
from tests.support.reading import reading

FIXTURES = Path(__file__).parent.parent / "fixtures" / "tiktok_research"
NAMES = ("api_comments_response.json", "api_videos_response_page_2_of_2.json")
ACE = Path(sys.executable).parent / "ace"
BALANCE = "select table_name, read, landed, rejected, accepted, balance from marts.row_ledger"


@dataclass
class Done:
    """How a command ended and what a person saw."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What stands on stderr, which must be one line for a person."""
        assert self.err.startswith("ace: "), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err[len("ace: ") :].strip()


@dataclass
class User:
    """Somebody with a folder of files and a shell in it."""

    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("ACE_", "PG"))}
        here = {"ACE_HOME": str(self.folder / "home"), "ACE_LANDING": str(self.folder / "la?ding")}
        return kept | here | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ACE), *arguments],
            env=self.environment(PYTHONUNBUFFERED="1", **more),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ace(self, *arguments: str, **more: str) -> Done:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in out + err, out + err
        return Done(process.returncode, out, err)

    def json(self, *arguments: str) -> Any:
        done = self.ace(*arguments, "--json")
        assert done.code == 0, done
        return json.loads(done.out)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user whose warehouse was built once; ``journal`` has what was said on the way."""
    # Nothing may take the names of folders for patterns, columns, options or addresses.
    folder = tmp_path_factory.mktemp("user") / "we [1]*{a,b} 'q\" %20#;&$(echo) platform=é"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(FIXTURES / name, folder)
    return User(folder)


@pytest.fixture(scope="module")
def journal(user: User) -> dict[str, Done]:
    return {
        "status before": user.ace("status"),
        "sql before": user.ace("sql", "select 1"),
        "load": user.ace("load", "files", *NAMES, "--preset", "tiktok-research"),
        "again": user.ace("load", "files", *NAMES, "--preset", "tiktok-research"),
        "build": user.ace("build"),
    }


def test_a_row_is_explained_from_its_landed_file(user: User, journal: dict[str, Done]) -> None:
    (video,) = user.json(
        "sql", "select id, external_id from canonical.raw_videos order by 1 limit 1"
    )
    found = user.json("explain", "--row", "raw_videos", video["external_id"])
    assert (found["key"], found["verdict"]) == (video["id"], "accepted")
    assert Path(found["versions"][0]["file"]).is_file()
    assert Path(found["versions"][0]["input"]).name == NAMES[1]


def test_what_is_forgotten_is_nowhere_any_more(
    user: User, journal: dict[str, Done], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(user.folder, folder, symlinks=True)
    mine = User(folder)
    query = "select id, external_id, author from canonical.raw_videos order by external_id"
    gone, *kept = mine.json("sql", query)
    ids = [one["external_id"] for one in kept]
    asked = ("forget", "--platform", "tiktok", "--external-id", gone["external_id"])
    told = mine.json(*asked)
    assert (told["rows"], told["done"]) == ({"raw_videos": 1}, False)
    assert mine.json(*asked, "--yes")["releases"] == {"duckdb": [1]}
    assert [one["external_id"] for one in mine.json("sql", query)] == ids
    assert {one["balance"] for one in mine.json("sql", BALANCE)} == {0}
    assert [one["release"] for one in mine.json("releases", "list")] == [2]
    # Nor does it land again, or stand in what is made from here on.
    (path,) = [one for one in folder.iterdir() if one.name == NAMES[1]]
    path.write_text(path.read_text() + "\n")
    mine.ace("load", "files", NAMES[1], "--preset", "tiktok-research")
    assert mine.ace("export", "--output", str(folder / "out")).code == 0
    files = [*folder.glob("la?ding/**/*.parquet"), *folder.glob("out/**/*.parquet")]
    with duckdb.connect(str(folder / "home" / "current.duckdb"), read_only=True) as release:
        names = release.execute(
            "select format('{}.{}', schema_name, table_name) from duckdb_tables() union all "
            "select format('{}.{}', schema_name, view_name) from duckdb_views() where not internal"
        ).fetchall()
        rows = [str(release.sql(f"from {name}").fetchall()) for (name,) in names]
    rows += [str(pq.read_table(file).to_pylist()) for file in files]
    assert any(ids[0] in one for one in rows)
    for name in (gone["external_id"], gone["id"]):
        assert not [one for one in rows if name in one]


def test_the_first_steps_say_what_to_do_next(journal: dict[str, Done]) -> None:
    assert journal["status before"].code == 0
    assert "No release yet" in journal["status before"].out
    assert "Next: 'ace run'" in journal["status before"].out
    assert journal["sql before"].code == 1
    assert "There is no release" in journal["sql before"].sentence


def test_a_file_lands_once(journal: dict[str, Done]) -> None:
    load, again = journal["load"], journal["again"]
    # The file of comments has no video: an error, and the other one has landed.
    assert (load.code, again.code) == (1, 0)
    assert f"{NAMES[1]} -> raw_videos: 27 read, 27 landed, 0 rejected, load " in load.out
    # Comments are no videos: every record is kept, with the reason.
    assert f"{NAMES[0]} -> raw_videos: 6 read, 0 landed, 6 rejected" in load.out
    assert "2 loads: 33 read, 27 landed, 6 rejected." in load.out
    assert again.out.count("skipped, landed before as load") == 2
    assert again.out.splitlines()[-1].endswith("2 skipped.")


def test_a_build_shows_its_layers_and_its_release(user: User, journal: dict[str, Done]) -> None:
    build = journal["build"]
    assert build.code == 0, build
    lines = build.out.splitlines()
    assert lines[0] == "Building on duckdb (2 loads landed)"
    assert lines[-1].startswith("Release 1 is current: as of ")
    assert {line.split()[0] for line in lines if line.startswith("  ")} == {
        *("seeds", "staging", "versions", "accepted", "canonical", "quarantine", "marts", "tests")
    }
    assert build.err == ""
    done = user.ace("build")
    assert done.code == 0
    assert done.out.startswith("Release 1 already covers everything landed")


def test_the_numbers_are_the_same_wherever_they_are_read(
    user: User, journal: dict[str, Done]
) -> None:
    rows = user.json("sql", BALANCE)
    assert {row["balance"] for row in rows} == {0}
    (videos,) = [row for row in rows if row["landed"]]
    assert videos == {
        "table_name": "raw_videos",
        "read": 33,
        "landed": 27,
        "rejected": 6,
        "accepted": 27,
        "balance": 0,
    }
    status = user.json("status")
    assert status["release"]["release"] == 1
    assert status["pending_loads"] == []
    totals = status["ledger"]
    assert (totals["read"], totals["rejected"], totals["balance"]) == (33, 6, 0)
    assert "balanced" in user.ace("status").out
    held = user.json("quarantine", "list")
    assert sum(row["rows"] for row in held["rejected"]) == 6
    assert held["quarantined"] == []
    (release,) = user.json("releases", "list")
    assert (release["release"], release["current"]) == (1, True)


def test_the_report_is_one_page(user: User, journal: dict[str, Done]) -> None:
    done = user.ace("report")
    assert done.code == 0
    page = Path(done.out.strip().removeprefix("Wrote "))
    # A name may be broken after its underscore, which is marked.
    assert "tiktok_research" in page.read_text("utf-8").replace("<wbr>", "")


def test_two_builds_at_once(user: User, journal: dict[str, Done]) -> None:
    """And a reader beside them, which neither of them disturbs."""
    with reading(user.environment()) as seen:
        _two_builds(user)
    assert seen.failures == []
    assert seen.reads > 20
    assert 1 in seen.releases


def _two_builds(user: User) -> None:
    third = FIXTURES / "api_videos_response_unicode_with_null_bytes.json"
    done = user.ace("load", "files", str(third), "--preset", "tiktok-research")
    assert done.code == 0
    assert "6 null characters replaced" in done.out

    first = user.start("build")
    assert first.stdout is not None
    assert first.stdout.readline().startswith("Building on duckdb (3 loads landed)")
    # The first holds the lock now; this one may not wait, the next one does.
    hasty = user.ace("build", "--wait", "0")
    assert hasty.code == 1
    assert f"Another build is running (process {first.pid} on " in hasty.sentence
    patient = user.start("build")
    assert patient.stdout is not None
    assert f"(process {first.pid} on " in patient.stdout.readline()
    out, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    assert "Release 2 is current" in out
    out, err = patient.communicate(timeout=300)
    assert patient.returncode == 0, err
    assert "Release 2 already covers everything landed" in out


# --- what a person sees when something is wrong ---------------------------------------


@pytest.fixture
def here(
    user: User, journal: dict[str, Done], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Set the user's environment in this process, where a command takes no start-up."""
    from warehouse.settings import settings

    def enter(**more: str) -> None:
        for name in [name for name in os.environ if name.startswith(("ACE_", "PG"))]:
            monkeypatch.delenv(name)
        for name, value in user.environment(**more).items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()

    monkeypatch.chdir(user.folder)
    enter()
    yield enter
    settings.cache_clear()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    from warehouse.cli import main

    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, said.out, said.err)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sql", "select * from marts.row_ledgr"), 2, "Did you mean marts.row_ledger?"),
        (("sql", "select * from raw_videos"), 2, "Did you mean canonical.raw_videos"),
        (("sql", "select 1 from"), 2, "The SQL is not valid near 'from'"),
        (("sql", "with asof as (select 1) select * from asof"), 2, 'write "asof".'),
        (("sql", "with a as (select 1), end as (select 2) select 3"), 2, 'write "end".'),
        (("sql", "select 'as from' from from"), 2, "near 'from', line 1. Mend it there"),
        (("explain", "hashtag"), 2, "Did you mean marts.hashtag_trends?"),
        (("sql", ""), 2, "The SQL statement is empty."),
        (("sql", "select 1", "--release", "9"), 2, "Release 9 is not kept"),
        (("load", "files", "none.json", "--preset", "tiktok-research"), 2, "no file none.json"),
        (("load", "files", NAMES[0], "--table", "postz"), 2, "no table 'postz'"),
        (("load", "supabase"), 2, "Set ACE_SUPABASE_DSN="),
        (("build", "--target", "postgres"), 2, "ACE_POSTGRES_URL is not set"),
        (("build", "--target", "spark", "--select", "x"), 2, "every build makes all tables"),
        (("releases", "rollback", "9"), 2, "Release 9 is not kept"),
    ],
)
def test_wrong_usage_is_one_sentence(
    here: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    done = run(capsys, *arguments)
    assert words in done.sentence
    assert done.code == code
    assert done.out == ""


@pytest.mark.parametrize("arguments", [("bild",), ("build", "--fast"), ("load", "moon"), ("load",)])
def test_what_the_command_line_does_not_know(
    here: Callable[..., None], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    done = run(capsys, *arguments)
    assert done.code == 2
    assert done.out == ""
    if arguments == ("load",):
        assert done.err.startswith("Usage: ace load")
    else:
        assert done.sentence.startswith("There is no")
        assert "--help'" in done.sentence


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (("load", "supabase"), "ACE_SUPABASE_DSN"),
        (("build", "--target", "postgres"), "ACE_POSTGRES_URL"),
        (("status", "--target", "postgres"), "ACE_POSTGRES_URL"),
    ],
)
@pytest.mark.postgres
def test_a_database_that_does_not_let_us_in(
    here: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    pg_server: PgServer,
    command: tuple[str, ...],
    variable: str,
) -> None:
    secret = "hunter2-" + PASSWORD
    socket = pg_server.socket_dir
    for address, words in (
        (f"postgresql://{PASSWORD_ROLE}:hunter2@127.0.0.1:1/ace", "nothing listens there"),
        (pg_server.url("postgres", PASSWORD_ROLE, secret), "password"),
        (pg_server.url("nowhere"), "nowhere"),
        (f"postgresql:///ace?host={socket}/gone&password=hunter2", "could not be reached"),
    ):
        here(**{variable: address})
        done = run(capsys, *command)
        assert done.code == 1, address
        assert words in done.sentence
        assert "hunter2" not in done.out + done.err
