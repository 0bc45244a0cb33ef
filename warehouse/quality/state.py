"""What earlier checks found, kept only to save time: without it everything is read anew."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from loaders.schema import RESOURCES
from warehouse.quality.rules import rules_text
from warehouse.quality.survey import Profile

STATE_FILE = ".state.json"
ACCEPTED_FILE = "accepted.txt"
#: 2: pages of before may hold what a source wrote as markup; they are all written anew.
VERSION = 2


@dataclass
class State:
    """Memory between checks."""

    #: File name to its stamp when it was last read without a problem.
    files: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    #: What was judged last: equal means that there is nothing new to judge.
    signature: str = ""
    #: Suite name to its summary.
    suites: dict[str, dict[str, Any]] = field(default_factory=dict)


def _version() -> str:
    text = f"{VERSION}|{rules_text()}|{RESOURCES!r}"
    return hashlib.sha256(text.encode()).hexdigest()


def load_state(out_dir: Path) -> State:
    """What is remembered; empty when there is nothing, it is damaged, or rules changed."""
    try:
        values = orjson.loads((out_dir / STATE_FILE).read_bytes())
        if values["version"] != _version():
            return State()
        profiles = {key: Profile.from_json(entry) for key, entry in values["profiles"].items()}
        return State(values["files"], profiles, values["signature"], values["suites"])
    except (OSError, ValueError, KeyError, TypeError):
        return State()


def save_state(out_dir: Path, state: State) -> None:
    """Remember; a failure to write is no failure of the check."""
    values = {
        "version": _version(),
        "files": state.files,
        "profiles": {key: profile.to_json() for key, profile in state.profiles.items()},
        "signature": state.signature,
        "suites": state.suites,
    }
    temporary = out_dir / f"{STATE_FILE}.{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        temporary.write_bytes(orjson.dumps(values))
        os.replace(temporary, out_dir / STATE_FILE)


def accepted_loads(out_dir: Path) -> set[str]:
    """Loads a person has looked at and wants to keep (``ace check --accept``)."""
    try:
        lines = (out_dir / ACCEPTED_FILE).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return set()
    return {line.split()[0] for line in lines if line.split()}


def accept_load(out_dir: Path, load_id: str) -> None:
    """Add a load to the accepted ones; doing it twice changes nothing."""
    if load_id not in accepted_loads(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        with (out_dir / ACCEPTED_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{load_id}\n")
