"""The records of one input file, whatever its format, into a sink."""

from __future__ import annotations

from common.errors import AceError
from loaders.files import csvfiles, jsonfiles, parquetfiles
from loaders.files.documents import Documents
from loaders.files.inputs import Input
from loaders.files.plan import Plan
from loaders.files.sink import Sink

_FORMATS = {
    "csv": csvfiles.read,
    "lines": jsonfiles.read_lines,
    "json": jsonfiles.read_document,
    "parquet": parquetfiles.read,
}


def read(plan: Plan, source: Input, sink: Sink, kind: str) -> None:
    """Everything in the file, by the plan. Raises AceError when nothing of it can be read."""
    if plan.records and kind in ("csv", "parquet"):
        raise AceError(
            f"--records is for JSON; {source.name} is {kind.upper()}.",
            "Leave it out for this file.",
            exit_code=2,
        )
    documents = Documents(plan, source, sink)
    _FORMATS[kind](documents)
    documents.check()
