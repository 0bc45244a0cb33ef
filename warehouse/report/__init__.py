"""``ace report``: one self-contained HTML page about the current release."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from common.errors import AceError

__all__ = ["write_report"]


def write_report(path: Path, target: str | None = None, release: str | None = None) -> Path:
    """Write the page for the current (or another) release to ``path``, in one step.

    Raises AceError when there is no release or the file cannot be written.
    """
    from warehouse.readers import open_current
    from warehouse.report.data import gather
    from warehouse.report.page import render

    with open_current(release, target) as reader:
        page = render(gather(reader))
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, "utf-8")
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise AceError(
            f"The report cannot be written to {path}: {error.strerror}.",
            "Choose another place with --output.",
        ) from None
    return path
