"""The peer of a full build: `bare.sql` in a process of its own, in memory.

Example: python -m benchmarks.bare data/landing
"""

from __future__ import annotations

import sys
from pathlib import Path

SQL = Path(__file__).with_suffix(".sql")


def main() -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set variable landing = ?", [sys.argv[1]])
        connection.execute(SQL.read_text("utf-8"))
        [(polls, ages)] = connection.execute(
            "select (select count(*) from polls), (select count(*) from ages)"
        ).fetchall()
    print(f"{polls:,} polls, {ages:,} ages")


if __name__ == "__main__":
    main()
