"""MetricFlow's own program reads a release as docs/analysts.md says, and counts right."""

from __future__ import annotations

import csv
import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.documented import block
from tests.support.metrics_by_hand import ROWS, WORKED_OUT
from warehouse.settings import PROJECT_ROOT

#: What people are told to type: the environment, how the project is parsed, and a question.
DOCUMENTED = [one.text for one in block("docs/analysts.md", "Ask for a metric", "sh", 1).commands()]
#: mf tells the metrics of one question apart by their names, and takes no question without one.
GROUPED = [one for one in WORKED_OUT if one[1]]


@dataclass(frozen=True)
class Said:
    validated: tuple[int, str]
    documented: tuple[int, str]
    answers: list[tuple[int, str]]
    #: How it went on with each.
    progress: str
    folder: Path


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What mf said in a folder like the project's, whose newest release has the rows by hand."""
    folder = tmp_path_factory.mktemp("mf")
    for part in ("dbt_project.yml", "profiles", "models", "macros", "seeds", "analyses"):
        (folder / part).symlink_to(PROJECT_ROOT / part)
    (folder / "data" / "releases").mkdir(parents=True)
    with duckdb.connect(str(folder / "data" / "releases" / "1.duckdb")) as connection:
        connection.execute(f"set timezone = 'UTC'; {ROWS}")
    (folder / "data" / "current.duckdb").symlink_to("releases/1.duckdb")
    (folder / ".venv").symlink_to(sys.prefix)

    told = dict(pair.split("=") for pair in shlex.split(DOCUMENTED[0])[1:])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACE_")}
    environment = kept | told | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(
        shlex.split(DOCUMENTED[1], comments=True), cwd=folder, env=environment, check=True
    )

    asked = [["validate-configs", "--show-all"], shlex.split(DOCUMENTED[2])[1:]]
    for number, (names, by, _) in enumerate(GROUPED):
        groups = ",".join(_spelled(name) for name in by)
        answer = ["--quiet", "--csv", str(folder / f"{number}.csv")]
        asked.append(["query", "--metrics", ",".join(names), "--group-by", groups, *answer])
    program = [
        str(PROJECT_ROOT / os.environ["MF_PYTHON"]),
        str(Path(__file__).with_name("_run.py")),
    ]
    done = subprocess.run(
        [*program, str(folder / "told.json")],
        input=json.dumps(asked),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    validated, documented, *answers = json.loads((folder / "told.json").read_text("utf-8"))
    return Said(validated, documented, answers, done.stdout, folder)


def test_mf_finds_nothing_to_mend(said: Said) -> None:
    code, text = said.validated
    text += said.progress
    assert code == 0, text
    assert "Successfully validated metrics against data warehouse" in text
    validated = text.count("Successfully validated")
    assert validated == text.count("(ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)"), text


def test_what_is_documented_is_answered(said: Said) -> None:
    code, text = said.documented
    assert code == 0, text
    assert "engagement_rate" in text
    assert "tiktok" in text


@pytest.mark.parametrize("number", range(len(GROUPED)))
def test_mf_answers_what_was_worked_out_by_hand(said: Said, number: int) -> None:
    names, by, expected = GROUPED[number]
    code, text = said.answers[number]
    assert code == 0, text
    columns = [_spelled(name) for name in by] + names
    with (said.folder / f"{number}.csv").open(newline="") as lines:
        found = [tuple(_plain(row[name]) for name in columns) for row in csv.DictReader(lines)]
    assert sorted(found, key=str) == sorted((tuple(map(_plain, row)) for row in expected), key=str)


def _spelled(name: str) -> str:
    return f"metric_time__{name}" if name in ("day", "week") else name


def _plain(value: Any) -> str | None:
    """A number with twelve digits, a day without its time; null is empty in CSV."""
    if value in (None, ""):
        return None
    try:
        return f"{float(value):.12g}"
    except ValueError:
        return str(value).removesuffix("T00:00:00").removesuffix(" 00:00:00")
