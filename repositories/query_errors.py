"""What the engines say to a query that fails, as sentences with the next step."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any

from common.errors import AceError, UsageError

#: Words that name no column without ``as`` before them.
_UNIT = re.compile(r"(second|minute|hour|day|week|month|quarter|year|decade)s?", re.IGNORECASE)

#: Letters of a part of a name that is looked for in whole ones.
_SHORTEST_PART = 4


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0].rstrip(".") + "."


def _sentence(text: str) -> str:
    """The first line of an engine's message without its kind, ending in a full stop."""
    text = re.sub(r"\s*Arguments: \(\)\s*$", "", text.strip())
    line = _first_line(re.sub(r"^[A-Z][\w ]*(Error|Exception): ", "", text))
    return line[:1].upper() + line[1:].replace("!.", ".")


def near_table(name: str, tables: Iterable[str]) -> str:
    """The next step for the name of a table, with or without its schema, that is none."""
    known = sorted(tables)
    wanted = name.strip('"').lower()
    short = {full: full.partition(".")[2] for full in known}
    exact = [full for full, table in short.items() if wanted in (table, full)]
    last = wanted.rpartition(".")[2]
    close = difflib.get_close_matches(wanted, known, 3, 0.75)
    close += [
        full
        for full, table in short.items()
        if table in difflib.get_close_matches(last, list(short.values()), 3, 0.7)
    ]
    if len(last) >= _SHORTEST_PART:
        close += [full for full, table in short.items() if last in table]
    names = list(dict.fromkeys(exact + close))[:3]
    if names:
        return f"Did you mean {' or '.join(names)}?"
    return "'ace tables' lists them."


def _syntax(near: str | None, line: str | None, message: str) -> AceError:
    where = f" near '{near}'" if near else " at its end"
    step = "Mend it there, and put the whole statement in one pair of quotes."
    if near and _is_name(near, message):
        step = f'The word means something in SQL: choose another name, or write "{near}".'
    elif near and _UNIT.fullmatch(near):
        step = f"A column that is called so needs 'as {near}'."
    return UsageError(f"The SQL is not valid{where}{f', line {line}' if line else ''}.", step)


def _is_name(word: str, message: str) -> bool:
    """Whether the word that DuckDB's message points at stands where only a name can: behind
    ``with``, ``as`` or a dot, or as that of a further CTE."""
    shown = re.search(r"^(LINE .*)\n( *)\^", message, re.MULTILINE)
    if not shown or not word.isidentifier():
        return False
    before, after = shown[1][: len(shown[2])], shown[1][len(shown[2]) + len(word) :]
    if re.search(r"\b(with|with\s+recursive|as)\s+$|\w\.$", before, re.IGNORECASE):
        return True
    return before.rstrip().endswith(",") and bool(re.match(r"\s+as\s*\(", after, re.IGNORECASE))


def _changing() -> AceError:
    return UsageError("A release can only be read; this statement would change it.", "Use SELECT.")


def too_long(seconds: float | None) -> AceError:
    limit = "allowed" if seconds is None else f"the {seconds:g} seconds that are allowed"
    return AceError(
        f"The query took longer than {limit}, and was stopped.",
        "Filter by a key or a time first, or aggregate less.",
    )


def duckdb_error(error: Exception, tables: Callable[[], set[str]]) -> AceError:
    import duckdb

    text = str(error)
    missing = re.search(r"(?:Table|View) with name \"?([^\s\"!]+)\"? does not exist", text)
    if missing:
        # The message has only the last part; the statement it quotes has the whole name.
        full = re.search(rf"([\w\"]+\.)?\"?{re.escape(missing[1])}\"?", text.partition("LINE")[2])
        name = (full[0] if full else missing[1]).replace('"', "")
        return UsageError(f"There is no table {name} in this release.", near_table(name, tables()))
    if isinstance(error, duckdb.ParserException):
        near = re.search(r'at or near "(.*?)"(?:\n|$)', text, re.S)
        line = re.search(r"LINE (\d+):", text)
        if near or "syntax error" in text:
            return _syntax(near[1] if near else None, line[1] if line else None, text)
        return UsageError(f"The SQL is not valid: {_sentence(text)}", "Mend it.")
    if "Values were not provided" in text:
        return UsageError("The SQL has a parameter (? or $1) without a value.", "Write the value.")
    if "configuration has been locked" in text:
        return UsageError(
            "The settings of a release's reader are fixed.", "Leave them as they are."
        )
    if "Can only" in text and "base table" in text:
        return _changing()
    column = re.search(r'Referenced column "(.*?)" (?:was )?not found', text)
    if column:
        known = re.search(r"Candidate bindings: (.*)", text)
        names = re.findall(r'"(.*?)"', known[1]) if known else []
        near_names = f"Near names: {', '.join(names[:5])}." if names else ""
        return UsageError(f"There is no column {column[1]} in the tables it names.", near_names)
    if "read-only mode" in text:
        return _changing()
    if isinstance(error, duckdb.PermissionException):
        return UsageError(
            "A query on a release can read neither files nor other databases.",
            "Land them with 'ace load' instead.",
        )
    return AceError(f"The query failed: {_sentence(text)}", exit_code=1)


def postgres_error(error: Any, tables: Callable[[], set[str]]) -> AceError:
    from psycopg import errors

    diagnostic = error.diag
    text = _first_line(diagnostic.message_primary or str(error))
    if isinstance(error, errors.UndefinedTable):
        named = re.search(r'"(.*?)"', text)
        name = named[1] if named else "it names"
        return UsageError(f"There is no table {name} in this release.", near_table(name, tables()))
    if isinstance(error, errors.SyntaxError) and "multiple commands" not in text:
        near = re.search(r'at or near "(.*?)"', text)
        return _syntax(near[1] if near else None, None, text)
    if isinstance(error, errors.UndefinedColumn):
        return UsageError(f"The SQL names something that is not there: {text}", "")
    if isinstance(error, errors.InsufficientPrivilege):
        return AceError(
            f"This user of Postgres may not read that: {text}",
            "Who builds the warehouse can name it in ACE_READERS.",
        )
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return _changing()
    if isinstance(error, errors.QueryCanceled) and "statement timeout" in text:
        return too_long(None)
    gone = re.fullmatch(r"[Rr]elease (\d+) is not kept\.?", text)
    if gone:
        return AceError(
            f"Release {gone[1]} is not kept any more.",
            "Open the current one; 'ace releases' lists what is kept.",
        )
    if "multiple commands" in text:
        return UsageError("Only one statement at a time can be run.", "Leave out the others.")
    return AceError(f"The query failed: {text[:1].upper()}{text[1:]}")
