"""Land input files: one load per file and resource, each file by itself."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from common.errors import AceError, UsageError
from loaders.files.dry import DryLanding
from loaders.files.inputs import Input, find_files
from loaders.files.plan import Plan
from loaders.files.reading import read
from loaders.files.sink import Sink
from loaders.jsontext import clean_text
from loaders.landing import Landing, Load
from loaders.landing.metadata import iso, utc_now
from loaders.schema import EARLIEST_TIME
from loaders.values import Typing

#: Called with the file's name, bytes read so far and its size in bytes.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class FileResult:
    """What became of one resource of one input file.

    ``status`` is ``landed``, ``dry_run`` (would be landed), ``skipped`` (landed before) or
    ``failed`` (``message`` says why). ``exit_code`` is 1 for an unreadable file and one of
    which every record was rejected, 2 for wrong usage. ``landed`` and ``accepted`` are the
    same number: records that could be read; which of them are in canonical, the build says.
    """

    input: str
    source: str
    resource: str
    status: Literal["landed", "dry_run", "skipped", "failed"]
    load_id: str | None = None
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    null_characters: int = 0
    #: What was done to values besides reading them, and what will go wrong later: sentences.
    notices: tuple[str, ...] = ()
    message: str = ""
    exit_code: int = 0
    #: Its rows were made for adopted posts of the input: none of them is a record of it.
    made: bool = False

    @property
    def landed(self) -> int:
        return self.accepted

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "landed": self.landed}


def load_files(
    landing: Landing,
    paths: Iterable[str | os.PathLike[str]],
    *,
    progress: Progress | None = None,
    on_result: Callable[[FileResult], None] | None = None,
    **options: Any,
) -> list[FileResult]:
    """Land files, globs and folders; ``options`` are the fields of a :class:`Plan`.

    A file that cannot be read becomes a ``failed`` result and the others still land.
    Raises UsageError for options that make no sense and AceError when the landing
    zone cannot be written.
    """
    plan = Plan(**options)
    if plan.dry_run:
        landing = DryLanding(landing.url)
    found = find_files(paths)
    results: list[FileResult] = []

    def add(result: FileResult) -> None:
        results.append(result)
        if on_result is not None:
            on_result(result)

    for name, error in found.missing:
        add(_failed(plan, name, error))
    if found.files:
        landing.prepare()
    before = landing.loads(plan.source) if found.files else []
    for path in found.files:
        try:
            loads, part = _load_one(landing, _of_file(plan, path), path, before, progress)
        except UnreadableInput as failed:
            add(_failed(plan, shown(path), failed.error))
            continue
        before += loads
        for result in part:
            add(result)
    return results


class UnreadableInput(Exception):
    """This file cannot be landed; the next one may be."""

    def __init__(self, error: AceError) -> None:
        super().__init__(str(error))
        self.error = error


def _of_file(plan: Plan, path: Path) -> Plan:
    """The plan with what the folders of the file say."""
    try:
        return plan.for_file(path)
    except UsageError as error:
        problem = AceError(f"{shown(path)}: {error.message}", error.hint, exit_code=2)
        raise UnreadableInput(problem) from None


def _failed(plan: Plan, name: str, error: AceError) -> FileResult:
    return FileResult(
        name, plan.source, plan.resources[0], "failed", message=str(error),
        exit_code=error.exit_code,
    )  # fmt: skip


def _load_one(
    landing: Landing, plan: Plan, path: Path, before: list[Load], progress: Progress | None
) -> tuple[list[Load], list[FileResult]]:
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(shown(path), min(done, source.size), source.size)

    try:
        source = Input(path, count, plan.encoding)
        kind = source.format()
    except AceError as error:
        raise UnreadableInput(error) from None
    done = 0
    known = {load.fingerprint: load for load in before if load.fingerprint}
    with ThreadPoolExecutor(1, "content-hash") as thread:
        hashing = thread.submit(_content, path)
        # Reading need not wait for the hash when no load has an input of this size.
        same_size = any(print_.startswith(f"{source.size}-") for print_ in known)

        def landed_before(resource: str) -> bool:
            if plan.again or not same_size:
                return False
            return plan.fingerprint(hashing.result(), resource) in known

        if all(map(landed_before, plan.resources)):
            return [], [_skipped(plan, path, known, hashing.result(), r) for r in plan.resources]
        context = {"loader": "files", "options": plan.stored(), "csv": kind == "csv"}
        known_at = None if plan.backfill else plan.known_at or _modified(source)
        context["known_at"] = iso(known_at)
        context["known_at_given"] = plan.known_at is not None
        context["path"] = shown(path.absolute())

        def typing() -> Typing:
            return plan.typing(from_csv=kind == "csv")

        with Sink(
            landing,
            plan.source,
            typing=typing,
            known_at=known_at,
            asked=plan.known_at is not None,
            skip=landed_before,
            context=context,
            open_options={"input": shown(path), "taken": plan.taken},
            adoption=plan.adoption(landing, shown(path)),
            increments=plan.growth(landing),
        ) as sink:
            try:
                read(plan, source, sink, kind)
                sink.finish()
                content = hashing.result()
                _unchanged(source)
            except AceError as error:
                if sink.failed:
                    raise
                raise UnreadableInput(error) from None
            if not sink.parts and not sink.skipped:
                sink.part(plan.resources[0])
            sink.fingerprint(lambda resource: plan.fingerprint(content, resource))
            loads = sink.commit()
    spoilt = not any(load.accepted for load in loads) and any(load.rejected for load in loads)
    results = [_landed(plan, load, shown(path), sink, spoilt) for load in loads]
    results += [_skipped(plan, path, known, content, r) for r in sorted(sink.skipped)]
    return loads, results


def shown(path: Path) -> str:
    """The path as text: file names may hold bytes that are none."""
    return clean_text(str(path))


def _modified(source: Input) -> datetime:
    """When the file was last written; now, where that is no time anything was observed at
    (archives and image builds write 0, broken clocks anything).
    """
    now = utc_now()
    try:
        modified = datetime.fromtimestamp(source.modified, UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return modified if EARLIEST_TIME <= modified <= now else now


def _content(path: Path) -> str:
    """Size and SHA-1 of the file's bytes: not for secrecy, only to know it again."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False))
        return f"{file.tell()}-{digest.hexdigest()}"


def _unchanged(source: Input) -> None:
    try:
        now = os.stat(source.path)
    except OSError:
        return
    if (now.st_size, now.st_mtime) != (source.size, source.modified):
        raise AceError(
            f"{source.name} changed while it was read.", "Load it again once it is complete."
        )


def _landed(plan: Plan, load: Load, name: str, sink: Sink, spoilt: bool) -> FileResult:
    """What became of one resource; ``spoilt`` when the file has no record that landed."""
    message = ""
    if spoilt and load.rejected:
        message = f"Nothing of {name} could be read as {load.resource}."
        if not plan.dry_run:
            message += f" See each record with: ace quarantine show --load {load.load_id}"
    notices = sink.notices(load.resource, reasons=plan.dry_run or bool(message))
    remarks = plan.remarks(load.resource) if load.accepted else ()
    return FileResult(
        name, load.source, load.resource, "dry_run" if plan.dry_run else "landed",
        None if plan.dry_run else load.load_id, load.read, load.accepted, load.rejected,
        load.null_characters, (*notices, *remarks), message, int(bool(message)),
        made=load.resource not in plan.resources,
    )  # fmt: skip


def _skipped(
    plan: Plan, path: Path, known: Mapping[str, Load], content: str, resource: str
) -> FileResult:
    load = known[plan.fingerprint(content, resource)]
    message = (
        f"landed before as load {load.load_id} ({load.landed_at:%Y-%m-%d %H:%M} UTC); "
        "--again lands it once more"
    )
    return FileResult(shown(path), plan.source, resource, "skipped", load.load_id, message=message)
