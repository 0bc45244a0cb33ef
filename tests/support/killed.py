"""``ace build`` in a process of its own, which kills itself at an exact moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from common.settings import Settings
from warehouse.settings import PROJECT_ROOT

#: Dies when a model is about to run a statement with these words: what its transaction did
#: before is not committed yet.
IN_A_MODEL = """
import os, signal, sys
from warehouse import cli
from warehouse.build import dbt_run
model, words = sys.argv[1:]
go_on = dbt_run.Progress.event
def event(self, message):
    if message.info.name == "SQLQuery":
        data = message.data
        if data.node_info.node_name == model and words in " ".join(data.sql.lower().split()):
            os.kill(os.getpid(), signal.SIGKILL)
    go_on(self, message)
dbt_run.Progress.event = event
cli.main(["build"])
"""

#: Dies in the n-th call of a function of the release.
IN_A_RELEASE = """
import importlib, os, signal, sys
from warehouse import cli
module = importlib.import_module(sys.argv[1])
owner = getattr(module, sys.argv[2]) if sys.argv[2] != "-" else module
go_on, calls = getattr(owner, sys.argv[3]), []
def step(*arguments, **named):
    calls.append(1)
    if len(calls) == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    return go_on(*arguments, **named)
setattr(owner, sys.argv[3], step)
cli.main(["build"])
"""


def environment(config: Settings) -> dict[str, str]:
    """What a program is told of settings."""
    values = {k: v for k, v in os.environ.items() if not k.startswith("ACE_")}
    values |= {"ACE_HOME": str(config.home), "ACE_LANDING": config.landing}
    values |= {"ACE_TARGET": config.target, "ACE_POSTGRES_URL": config.postgres_url or ""}
    return values | dict(config.extra)


def run(
    config: Settings, script: str, *arguments: str, patience: int = 300
) -> subprocess.CompletedProcess[str]:
    """Run a script with its arguments; ``patience`` is in seconds."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment(config),
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def dies(config: Settings, script: str, *arguments: str, patience: int = 300) -> str:
    """Run a script that kills itself; returns what it said."""
    done = run(config, script, *arguments, patience=patience)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    return done.stdout
