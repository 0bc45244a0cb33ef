"""Takes the simulated world out again: whatever ``load_demo`` landed, and its truth."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from common.errors import AceError
from loaders.demo.land import SOURCE
from loaders.demo.real import FINGERPRINT
from loaders.demo.truth_files import FILES
from loaders.landing import Landing, Load
from loaders.landing.undo import undo_all


@dataclass(frozen=True)
class Removed:
    """What :func:`remove_demo` took out; empty where nothing was there."""

    loads: list[Load]
    #: Files of the truth that were deleted.
    truth: list[Path]


def remove_demo(landing: Landing, truth_dir: Path) -> Removed:
    """Take out every load of the simulated world and of the sample that comes with it, and
    delete the truth beside it. Everything else stays.

    The loads are kept in ``_undone`` of the landing zone. Killed in between, the next call
    does what is left. Raises AceError while a build reads landed files, or where the truth
    cannot be deleted.
    """
    loads = undo_all(landing, of_demo, "the simulated world was")
    truth = [truth_dir / name for name in FILES if (truth_dir / name).is_file()]
    try:
        for file in truth:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise AceError(
            f"The truth in {truth_dir} cannot be deleted: {error.strerror}.",
            "Delete that folder yourself; the simulated rows are taken out.",
        ) from None
    # A folder that holds anything else stays.
    with contextlib.suppress(OSError):
        os.rmdir(truth_dir)
    return Removed(loads, truth)


def of_demo(load: Load) -> bool:
    """Whether ``load_demo`` made it: recorded videos that a user landed are the user's."""
    return load.source == SOURCE or (load.fingerprint or "").startswith(FINGERPRINT)
