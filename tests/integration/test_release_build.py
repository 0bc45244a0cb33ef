"""``build()`` with dbt itself: only what passed every test is released."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from common.errors import AceError, UsageError
from loaders.landing import Landing
from repositories.connection import open_release
from repositories.release_files import release_files
from warehouse.build import build
from warehouse.build.lock import build_lock
from warehouse.release.duckdb import DuckStore
from warehouse.settings import PROJECT_ROOT, settings

PARTS = ("dbt_project.yml", "profiles", "models", "macros", "seeds", "tests/dbt")
FAILS = """select product_id from {{ ref('products') }} where name = 'Wrong'"""


def _land(home: Path, product: str, named: str | None = None) -> None:
    rows = {
        "product_id": [f"00000000-0000-0000-0000-{abs(hash(product)) % 10**12:012d}"],
        "name": [named or product],
        "source_platform": ["tiktok"],
    }
    landing = Landing(home / "landing")
    landing.prepare()
    with landing.open_load("files", "products") as load:
        load.write(pl.DataFrame(rows))
        load.commit()


def _project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the project with one more test, used instead of ours."""
    for part in PARTS:
        source, copy = PROJECT_ROOT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy)
        else:
            shutil.copy(source, copy)
    (folder / "tests" / "dbt" / "no_wrong_products.sql").write_text(FAILS)
    for user in ("dbt_run", "fingerprint"):
        monkeypatch.setattr(f"warehouse.build.{user}.PROJECT_ROOT", folder)


def _names(home: Path) -> list[str]:
    with open_release(home) as reader:
        found = reader.query("select name from canonical.products order by 1").rows
    return [row[0] for row in found]


def _tests(home: Path) -> list[tuple[object, ...]]:
    with open_release(home) as reader:
        return reader.query("select name, model, status from meta.tests order by 1, 2").rows


def _runs(home: Path) -> list[dict[str, object]]:
    with open_release(home) as reader:
        return reader.query("select * from meta.runs order by began_at").dicts()


def test_only_what_passed_is_released(
    ace_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(tmp_path / "project", monkeypatch)
    config = settings()
    said: list[str] = []
    noted: list[str] = []

    def run(**options: bool) -> object:
        said.clear()
        noted.clear()
        return build(say=said.append, note=noted.append, config=config, **options)  # type: ignore[arg-type]

    _land(ace_home, "Good")
    run()
    assert said[-1].startswith("Release 1 is current")
    assert any(line.split()[:2] == ["canonical", "12"] for line in said)
    assert _names(ace_home) == ["Good"]

    # A failing test names itself and its rows, and readers keep what they had.
    _land(ace_home, "Wrong")
    with pytest.raises(AceError, match=r"1 test failed.*Release 1 stays current") as failed:
        run()
    assert failed.value.exit_code == 1
    assert "no_wrong_products (products): 1 failing row" in noted[0]
    assert "ace sql --release" in noted[1]
    assert "no_wrong_products.sql" in noted[1]
    assert _names(ace_home) == ["Good"]

    # It is not forgotten that it failed, and no change is lost.
    with pytest.raises(AceError, match="1 test failed"):
        run()
    _land(ace_home, "Wrong", named="Right")
    run()
    first, failed_run, again, second = _runs(ace_home)
    assert [one["outcome"] for one in (first, failed_run, again, second)] == [
        "released", "failed", "failed", "released",
    ]  # fmt: skip
    assert (first["kind"], first["new_rows"], first["rows_accepted"]) == ("full", 1, 1)
    assert (second["release"], second["new_rows"], second["rows_landed"]) == (2, 2, 3)
    assert failed_run["failures"] == "no_wrong_products"
    assert failed_run["tests_failed"] == 1
    assert failed_run["problem"] == "The build did not pass: 1 test failed."
    assert failed_run["release"] is failed_run["rows_landed"] is None
    assert 0 < failed_run["seconds"] < 600  # type: ignore[operator]
    assert _names(ace_home) == ["Good", "Right"]

    # After a build that passed, what did not move is left as it is, and its tests stay known.
    _land(ace_home, "Later")
    before = _tests(ace_home)
    run()
    assert _names(ace_home) == ["Good", "Later", "Right"]
    assert _tests(ace_home) == before
    ran = {line.split()[0]: line.split()[1:] for line in said if line.startswith("  ")}
    assert not {"staging", "accepted", "canonical", "seeds"} & ran.keys()
    count, of, total = ran["tests"]
    assert of == "of"
    assert int(count) < int(total) == len(before)
    third = _runs(ace_home)[-1]
    assert (third["kind"], third["tests_run"]) == ("increment", int(count))
    assert 0 < third["models_run"] < first["models_run"]  # type: ignore[operator]

    # Built and tested but not released: only the release is missing.
    store = DuckStore(ace_home, config.warehouse, 5)
    (ace_home / "current.duckdb").unlink()
    (ace_home / "releases" / "3.duckdb").unlink()
    store.rollback(2)
    with monkeypatch.context() as without_dbt:
        without_dbt.setattr("warehouse.build.dbt_run.run_dbt", None)
        run()
    assert "what is missing is the release" in said[0]
    assert list(release_files(ace_home)) == [1, 2, 3]
    assert _names(ace_home) == ["Good", "Later", "Right"]
    only_released = _runs(ace_home)[-1]
    assert (only_released["kind"], only_released["models_run"]) == ("release", None)
    assert (only_released["outcome"], only_released["release"]) == ("released", 3)

    # Nothing to do: says so, and does not even import dbt.
    run()
    assert "Release 3 already covers everything landed" in said[0]
    script = (
        "import sys\nfrom pathlib import Path\nfrom warehouse.build import build, fingerprint\n"
        f"fingerprint.PROJECT_ROOT = Path({str(tmp_path / 'project')!r})\n"
        "assert not build().built\nassert 'dbt' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    # What broke long ago is found by a build that looks at all rows.
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("update intermediate.int_products set _is_latest = false")
    with pytest.raises(AceError, match="1 test failed"):
        run(force=True)
    assert "verdicts_are_consistent" in noted[0]


def test_a_second_build_waits_or_names_the_first(ace_home: Path) -> None:
    with (
        build_lock(ace_home),
        pytest.raises(AceError, match="Another build is running"),
    ):
        build(wait=0)


def test_what_spark_is_asked_for_and_does_not_do(ace_home: Path) -> None:
    elsewhere = replace(settings(), extra={"ACE_SPARK_MASTER": "spark://h:7077"})
    with pytest.raises(UsageError, match="ACE_SPARK_MASTER is 'spark://h:7077'") as error:
        build("spark", config=elsewhere)
    assert error.value.exit_code == 2
    with pytest.raises(UsageError, match="every build makes all tables"):
        build("spark", select=("int_products",))


def test_a_spark_server_that_does_not_answer_is_told_at_once(ace_home: Path) -> None:
    pytest.importorskip("dbt.adapters.spark", reason="sh requirements/install.sh spark")
    for nobody in ("sc://127.0.0.1:1", "sc://127.0.0.1:word"):
        elsewhere = replace(settings(), extra={"ACE_SPARK_MASTER": nobody})
        with pytest.raises(AceError, match="No Spark Connect server answers"):
            build("spark", config=elsewhere)


def test_postgres_needs_its_address(ace_home: Path) -> None:
    with pytest.raises(UsageError, match="ACE_POSTGRES_URL"):
        build("postgres", config=replace(settings(), postgres_url=None))
