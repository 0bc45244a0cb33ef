"""One model with all its tests in seconds: ``python -m tests.model content_funnel``.

Builds a small simulated world once (in ``target/model``, DuckDB) and then only the model, anew,
with its unit tests, its contract, its key and its rules. What else changed is not built: run
``ace build`` or ``make test`` for that, or name more (``content_funnel+``).
"""

from __future__ import annotations

import os
import subprocess
import sys

from warehouse.settings import PROJECT_ROOT

HOME = PROJECT_ROOT / "target" / "model"


def main(models: list[str]) -> int:
    """Exit code of dbt, or 2 without a model to build."""
    if not models:
        print("Say which model: make model M=content_funnel", file=sys.stderr)
        return 2
    environment = os.environ | {"ACE_HOME": str(HOME), "ACE_TARGET": "duckdb"}
    environment.pop("ACE_LANDING", None)

    def run(program: str, *arguments: str) -> int:
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment).returncode

    ace, dbt = "from warehouse.cli import main; main()", "from dbt.cli.main import cli; cli()"
    if not (HOME / "warehouse.duckdb").exists():
        for arguments in (
            ("load", "demo", "--posts", "100", "--days", "10"),
            ("build", "--no-release"),
        ):
            if code := run(ace, *arguments):
                return code
    folders = (
        "--profiles-dir",
        "profiles",
        "--target-path",
        f"{HOME}/dbt",
        "--log-path",
        f"{HOME}/dbt",
    )
    return run(dbt, "build", "--full-refresh", "--select", *models, *folders)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
