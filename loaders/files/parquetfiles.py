"""Records of Parquet files, a batch at a time."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from typing import Any

from common.errors import AceError
from loaders.files import csvrows, fast
from loaders.files.documents import Documents
from loaders.files.encodings import NotText, mended
from loaders.files.inputs import DAMAGED
from loaders.values import raw_bytes


def read(to: Documents) -> None:
    """Every row of the file. Raises AceError for a damaged one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with contextlib.ExitStack() as stack:
            where: Any = to.input.path
            if to.input.compression:
                # Parquet is read from its end: unpacked on the disk, not in memory.
                where = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(stack.enter_context(to.input.open()), where, 1 << 20)
                where.seek(0)
            file = stack.enter_context(pq.ParquetFile(where))
            names = file.schema_arrow.names
            csvrows.header_names(names, to.input.name)
            to.header(names)
            for batch in file.iter_batches(65_536):
                _batch(to, pa.Table.from_batches([batch]))
    except (pa.ArrowException, *DAMAGED) as error:
        if isinstance(error, AceError):
            raise
        text = " ".join(str(error).split())[:160].rstrip(". ")
        raise AceError(
            f"{to.input.name} is a damaged or cut Parquet file: {text}.",
            "Copy or export it again.",
        ) from None


def _batch(to: Documents, table: Any) -> None:
    import pyarrow as pa

    spoilt: list[str] = []
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        # Not every writer sees to it that text is UTF-8: then it is bytes at first.
        table, spoilt = fast.texts_as_bytes(table)
        table.validate(full=True)
    if to.plain and not spoilt:
        typing = to.plan.typing(from_csv=False)
        constants = to.plan.constants[to.main]
        frame = fast.table_block(to.fields, table, typing, constants)
        if frame is not None:
            to.frame(frame)
            return
    for index, field in enumerate(table.schema):
        table = table.set_column(index, field.name, fast.pythonic(table.column(index)))
    for values in table.to_pylist():
        try:
            for name in spoilt:
                if values[name] is not None:
                    values[name] = mended(values[name])
        except NotText as problem:
            to.reject(raw_bytes(values), str(problem))
            continue
        to.document(values, raw_bytes(values))
