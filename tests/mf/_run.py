"""Runs commands of MetricFlow's program in one process; they come as JSON on stdin.

Writes exit code and output of each into the file that is named; what else the program shows of its
progress goes to stdout. No index is asked for a newer program.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch


def main() -> None:
    from click.testing import CliRunner
    from dbt_metricflow.cli import main as mf
    from dbt_metricflow.cli.cli_configuration import CLIConfiguration

    commands: list[list[str]] = json.load(sys.stdin)
    told = []
    with patch.object(mf.UpdateChecker, "check", return_value=None):
        shared = CLIConfiguration()
        shared.setup()
        for arguments in commands:
            done = CliRunner().invoke(mf.cli, arguments, obj=shared)
            told.append((done.exit_code, done.output))
    Path(sys.argv[1]).write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main()
