"""``python -m tests.fakes PLATFORM``: a fake platform to try the loaders against, by hand."""

from __future__ import annotations

import argparse
import importlib
import time

from tests.fakes.server import Fake

#: Platform to the module whose ``make()`` gives the fake and the lines that say how to use it.
PLATFORMS: dict[str, str] = {
    name: f"tests.fakes.{name}" for name in ("instagram", "supabase", "tiktok", "youtube")
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes", description=__doc__)
    parser.add_argument("platform", choices=sorted(PLATFORMS))
    parser.add_argument("--port", type=int, default=8765)
    options = parser.parse_args()
    made: tuple[Fake, list[str]] = importlib.import_module(PLATFORMS[options.platform]).make()
    fake, usage = made
    fake.start(options.port)
    print(f"A fake {options.platform} listens on {fake.url} (Ctrl-C stops it). Try:")
    for line in usage:
        print(f"  {line.format(url=fake.url)}")
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
