"""Whether Apache Spark can start here; as a program, a sentence where it cannot."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

#: The oldest Java that Apache Spark 4 starts with.
OLDEST = 17


def java_version() -> int:
    """The release of the Java that Spark would start, 17 for example; 0 where there is none."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else "java"
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def main() -> str | None:
    found = java_version()
    if found >= OLDEST:
        return None
    return f"Skipped: Apache Spark needs Java {OLDEST} or newer, and here is {found or 'none'}."


if __name__ == "__main__":
    raise SystemExit(main())
