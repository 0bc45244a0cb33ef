"""Whatever decides the rows of a build changes its fingerprint, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.build.fingerprint import PARTS, project_fingerprint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for part in PARTS:
        path = tmp_path / part
        if "." in part:
            path.write_text("name: ace\n")
        else:
            path.mkdir(parents=True)
            (path / "one.sql").write_text("select 1\n")
    return tmp_path


def rename(root: Path) -> None:
    (root / "models/one.sql").rename(root / "models/two.sql")


@pytest.mark.parametrize(
    "change",
    [
        *(
            lambda root, part=part: (
                (root / part) if "." in part else (root / part / "one.sql")
            ).write_text("name: ICE\n" if "." in part else "select 2\n")
            for part in PARTS
        ),
        lambda root: (root / "seeds/new.csv").write_text("a\n"),
        rename,
    ],
    ids=[*PARTS, "a new file", "a new name"],
)
def test_every_change_of_what_is_built_is_another_project(
    project: Path, change: Callable[[Path], object]
) -> None:
    before = project_fingerprint("duckdb", {"as_of": "a"}, project)
    assert project_fingerprint("duckdb", {"as_of": "a"}, project) == before
    change(project)
    assert project_fingerprint("duckdb", {"as_of": "a"}, project) != before


def test_engine_and_variables_count_and_other_files_do_not(project: Path) -> None:
    before = project_fingerprint("duckdb", {"as_of": "a"}, project)
    assert project_fingerprint("postgres", {"as_of": "a"}, project) != before
    assert project_fingerprint("duckdb", {"as_of": "b"}, project) != before
    assert project_fingerprint("duckdb", None, project) != before
    (project / "models/notes.txt").write_text("nothing")
    assert project_fingerprint("duckdb", {"as_of": "a"}, project) == before
