"""Wrong usage in the style of every other error: a sentence, what was meant, the next step."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import click


def usage(error: click.UsageError) -> list[str]:
    """The lines for an error of click's; a group without its command shows its help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message().splitlines()
    path = error.ctx.command_path if error.ctx is not None else "ace"
    return [f"ace: {_said(error)} '{path} --help' shows how it is used."]


def _said(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"There is no option '{error.option_name}'.{_meant(error.possibilities or ())}"
    if isinstance(error, click.exceptions.NoSuchCommand):
        text = error.message.replace("No such command", "There is no command")
        return f"{text}{_meant(error.possibilities or ())}"
    text = " ".join(error.format_message().split()).rstrip(".") + "."
    return text + _meant(_near(error))


def _near(error: click.UsageError) -> list[str]:
    """Choices that resemble the value that is none of them."""
    kind = getattr(getattr(error, "param", None), "type", None)
    given = re.match(r"'(.*?)' ", error.message)
    if not isinstance(kind, click.Choice) or given is None:
        return []
    return difflib.get_close_matches(given[1], [str(one) for one in kind.choices])


def _meant(near: Sequence[str]) -> str:
    """The nearest two at most, as everywhere."""
    return f" Did you mean {' or '.join(repr(one) for one in near[:2])}?" if near else ""
