"""Saves the rows that a build made, and compares what two builds made.

``python -m tests.same_rows save DIR`` writes every table of canonical, marts and quarantine, as
the build of ``ACE_HOME`` and ``ACE_TARGET`` left it, to ``DIR/<schema>.<table>.parquet``.

``python -m tests.same_rows compare BEFORE AFTER`` prints a line for each table, with the first rows
that differ. Exits 1 when one does, or when a table or a column of BEFORE is gone; new ones are
named and are no difference. A build is a function of what had landed: build both from one landing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.same_rows.compare import compare
from tests.same_rows.save import save


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.same_rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="save|compare")
    saving = commands.add_parser("save")
    saving.add_argument("folder", metavar="DIR", type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", metavar="BEFORE", type=Path)
    comparing.add_argument("after", metavar="AFTER", type=Path)
    given = parser.parse_args()
    if given.command == "save":
        print(f"Saved {save(given.folder)} tables to {given.folder}.")
        return 0
    for folder in (given.before, given.after):
        if not any(folder.glob("*.parquet")):
            parser.error(f"{folder} holds no saved tables: write them there with 'save {folder}'.")
    equal = True
    for verdict in compare(given.before, given.after):
        print(verdict, flush=True)
        equal = equal and verdict.equal
    print("Equal." if equal else "Not equal.")
    return 0 if equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
