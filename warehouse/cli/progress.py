"""A progress bar over bytes on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from warehouse.terminal import clean, console, echo


class Bytes:
    """Shows how far each file is; ``say`` prints a line without tearing the bar."""

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Bytes:
        if self._shown:
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                DownloadColumn(),
                console=console(err=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, name: str, done: int, total: int) -> None:
        if self._bar is None:
            return
        if name not in self._tasks:
            for task in self._tasks.values():
                self._bar.remove_task(task)
            self._tasks = {name: self._bar.add_task(clean(name[-50:]), total=total)}
        self._bar.update(self._tasks[name], completed=done)

    def say(self, *lines: str) -> None:
        """Lines of the result; problems (``ace: ...``) go to standard error."""
        for line in lines:
            echo(line, err=line.startswith("ace: "))
