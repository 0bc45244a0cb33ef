"""Out of memory or disk is a sentence with a next step, from what DuckDB really says."""

from __future__ import annotations

import duckdb
import pytest
import yaml
from jinja2 import Environment

from warehouse.build.shortage import shortage
from warehouse.settings import PROJECT_ROOT

WIDE = (
    "create table t as select *, row_number() over (partition by n % 3 order by a) as place "
    "from (select n, md5(cast(n as text)) as a from range(1000000) as numbers (n))"
)


def test_too_little_memory() -> None:
    with (
        duckdb.connect(config={"memory_limit": "8MB", "temp_directory": ""}) as connection,
        pytest.raises(duckdb.OutOfMemoryException) as caught,
    ):
        connection.execute(WIDE)
    assert shortage(str(caught.value)) == (
        "DuckDB needed more memory than it may use (7.6 MiB). "
        "Raise ACE_MEMORY_LIMIT, or build fewer models at once with ACE_THREADS=1."
    )


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        (
            'IO Error: Could not write file "w.duckdb": No space left on device',
            "The warehouse's disk is full",
        ),
        (
            'could not extend file "base/1/2": No space left on device',
            "The warehouse's disk is full",
        ),
        (
            "Out of Memory Error: failed to offload data block of size 256.0 KiB (95.1 MiB/95.3 "
            "MiB used).\nThis limit was set by the 'max_temp_directory_size' setting.",
            "The warehouse's disk is full",
        ),
        ("Out of Memory Error: Allocation failure", "DuckDB needed more memory than it may use. "),
    ],
)
def test_other_ways_to_say_so(message: str, begins: str) -> None:
    assert str(shortage(message)).startswith(begins)


def test_other_errors_are_none() -> None:
    assert shortage("Conversion Error: Could not convert string 'a' to INT64") is None


def _limit(**environment: str) -> int:
    """Bytes that the profile lets DuckDB use, as DuckDB understands it."""
    text = (PROJECT_ROOT / "profiles" / "profiles.yml").read_text()
    profile = Environment().from_string(text.replace(" | as_number", ""))
    found = yaml.safe_load(profile.render(env_var=lambda n, d="": environment.get(n, d)))
    limit = found["ace_warehouse"]["outputs"]["duckdb"]["config_options"]["memory_limit"]
    with duckdb.connect(config={"memory_limit": limit}) as connection:
        [(said,)] = connection.execute("select current_setting('memory_limit')").fetchall()
    number, unit = said.split()
    size: int = round(float(number) * 1024 ** ["KiB", "MiB", "GiB", "TiB"].index(unit) * 1024)
    return size


def test_the_limit_follows_the_machine() -> None:
    whole = _limit(ACE_MEMORY_LIMIT="100%")
    assert _limit() == pytest.approx(0.4 * whole, rel=0.02)


def test_a_limit_that_is_set_wins() -> None:
    assert _limit(ACE_MEMORY_LIMIT="3GiB") == 3 * 1024**3
