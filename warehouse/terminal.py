"""The one place that prints: what others wrote can neither drive a terminal nor forge a line.

File names, values, error messages of engines and records that could not be read end up in
what commands say. Characters that act (escape sequences, carriage returns, line breaks,
text direction) are shown as ``\\x1b`` instead of sent. JSON and CSV stay exact: JSON has
escapes of its own for them, and CSV is for programs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

#: Controls (C0, DEL, C1), invisible and direction-changing characters, line separators,
#: tags, and halves of characters, which no terminal's encoding can write.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
#: In JSON text a line break can only be layout.
_ACTING_IN_JSON = re.compile(_ACTING.pattern.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f"))
#: Columns that text is laid out in at least.
_NARROWEST = 40


def clean(text: str) -> str:
    """One line in which every character that acts is shown as its escape."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def quoted(path: object) -> str:
    """A path as it can be pasted into a shell, in one line."""
    text = str(path)
    if clean(text) == text:
        return shlex.quote(text)
    # The shell's own escapes; half a character stands for a byte that is no text.
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    text = re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:x}", text)
    return f"$'{clean(text)}'"


def echo(*lines: str, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print each line cleaned; ``style`` is click's (``bold``, ``fg``)."""
    for line in lines or ("",):
        shown = clean(line)
        click.echo(click.style(shown, **style) if style and shown else shown, err=err, nl=nl)


def note(*lines: str) -> None:
    """Print to standard error: problems, warnings, progress."""
    echo(*lines, err=True)


def json_text(value: Any, indent: int | None = 2) -> str:
    """JSON that is exact, and harmless on a terminal: whole numbers of any size stay
    numbers (orjson stops at 64 bits)."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _ACTING_IN_JSON.sub(lambda found: json.dumps(found[0])[1:-1], text)


def print_json(value: Any) -> None:
    write(json_text(value) + "\n")


def write(text: str) -> None:
    """Output for programs, as it is."""
    sys.stdout.write(text)


class _Held(io.StringIO):
    """What goes to the terminal, while it is not known how long it becomes."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def paged(wanted: bool = True) -> Iterator[None]:
    """Show what is printed meanwhile in a pager, where it is longer than the screen.

    The pager is PAGER, else less; never where nobody could turn pages. Standard error is not
    part of it: what is noted afterwards stays in sight.
    """
    if not (wanted and sys.stdout.isatty() and sys.stdin.isatty()):
        yield
        return
    with contextlib.redirect_stdout(_Held()) as held:
        yield
    text = held.getvalue()
    if text.count("\n") < shutil.get_terminal_size().lines:
        write(text)
        return
    sys.stdout.flush()
    with _less():
        click.echo_via_pager(text.removesuffix("\n"), color=True)


@contextlib.contextmanager
def _less() -> Iterator[None]:
    """How less behaves where nobody has said so: long lines are cut and not folded, bold is
    bold, what fits ends at once, and what was read stays on the screen."""
    if "LESS" in os.environ:
        yield
        return
    os.environ["LESS"] = "-SRFX"
    try:
        yield
    finally:
        del os.environ["LESS"]


def console(*, err: bool = False, width: int | None = None) -> Console:
    """A rich console; whoever prints on it cleans what others wrote (:func:`cell`)."""
    from rich.console import Console

    class Printing(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # for the command to end quietly

    return Printing(stderr=err, highlight=False, markup=False, emoji=False, width=width)


def console_width() -> int:
    """Characters in a line: the terminal's; where there is none what COLUMNS says, or 80."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size((80, 24)).columns
    said = os.environ.get("COLUMNS", "")
    return max(int(said), _NARROWEST) if said.isdecimal() else 80


def cell(value: Any) -> Text:
    """A value as it stands in a table: one line, no markup."""
    from rich.text import Text

    return Text("" if value is None else clean(str(value)))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Sequence[int] = (),
    *,
    whole: Sequence[int] = (),
    folded: bool = True,
) -> None:
    """A plain table, folded to the terminal (in a pipe to COLUMNS, or 80) except for columns that
    stay ``whole``, or never ``folded``."""
    from rich import box
    from rich.table import Table

    heads = [cell(name) for name in columns]
    cells = [[cell(value) for value in row] for row in rows]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for place, head in enumerate(heads):
        shown.add_column(
            head,
            justify="right" if place in right else "left",
            overflow="fold",
            no_wrap=place in right or place in whole,
        )
    for row in cells:
        shown.add_row(*row)
    width = console_width()
    if not folded:
        widths = [
            max([head.cell_len, *(row[at].cell_len for row in cells)])
            for at, head in enumerate(heads)
        ]
        width = sum(widths) + 3 * len(widths) + 4
    console(width=width).print(shown)
