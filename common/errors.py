"""The one exception that users see as a sentence instead of a traceback."""

from __future__ import annotations


class AceError(Exception):
    """A problem the user can act on.

    ``message`` is one clear sentence (what is wrong, where), ``hint`` the next
    step. ``exit_code`` is 1 for a failed check or broken environment and 2 for
    wrong usage.
    """

    def __init__(self, message: str, hint: str = "", *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UsageError(AceError):
    """Wrong usage of a command or an option: exit code 2."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, exit_code=2)
