"""Clean blocks in one vectorised pass; whatever is not clean goes the slow way.

A block is clean when every value already has the declared type in the plainest
spelling. Then the result is, row for row, what :mod:`loaders.records` gives (a
property test says so). Anything else makes the functions here return None.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.json as pjson

from loaders.files.mapping import FieldMap, SameColumn
from loaders.schema import RESOURCES, Kind
from loaders.tags import with_tags
from loaders.values import Typing
from loaders.values.ids import EXTERNAL_IDS, ODD_ID, PLAIN_ID
from loaders.values.mending import SUSPECT

_ARROW: dict[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "uuid": pa.string(),
    "timestamp": pa.string(),
    "text[]": pa.list_(pa.string()),
}
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
#: The spellings of a time that Arrow and Python read alike.
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
_ZONED = _TIME + r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_NAIVE = _TIME + "$"
_INTEGER = r"^-?[0-9]{1,18}$"
_PARSER_BLOCK = 4 << 20


class _NotClean(Exception):
    """This block has to go the slow way."""


def ndjson_block(
    fields: FieldMap, block: bytes, typing: Typing, constants: pl.DataFrame
) -> pl.DataFrame | None:
    """Rows of a block of whole NDJSON lines, or None when it is not clean.

    ``constants`` is one typed row with the columns of ``--set``.
    """
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if not block.endswith(b"\n"):
        block += b"\n"
    lines = _objects(block)
    if lines is None or (b"\\" in block and b"\\u0000" in block):
        return None
    kinds = {c.name: c.kind for c in RESOURCES[fields.resource] if c.kind in _ARROW}
    try:
        if not block.isascii():
            block.decode()
        try:
            # Most files have the same few fields on every line: no others to look for.
            first = orjson.loads(block[: block.index(b"\n")])
            sources = _sources(fields, kinds, first)
            table = _parse(block, {f: _ARROW[kinds[n]] for f, n in sources.items() if f in first})
        except (pa.ArrowException, ValueError):
            sources = _sources(fields, kinds)
            table = _parse(block, {f: _ARROW[kinds[n]] for f, n in sources.items()})
        if table.num_rows != lines:
            return None
        return _frame(fields.resource, _renamed(table, sources), typing, constants)
    except (pa.ArrowException, UnicodeDecodeError, _NotClean):
        return None


def _objects(block: bytes) -> int | None:
    """How many lines, when each is one object by its ends; else None.

    Arrow's parser is strict about the inside of objects only, and crashes on a lone
    null: what is between the objects is checked here.
    """
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not block.startswith(b"{") or not (data[ends - 1] == ord("}")).all():
        return None
    if not (data[ends[:-1] + 1] == ord("{")).all():
        return None
    return len(ends)


def _parse(block: bytes, schema: dict[str, pa.DataType]) -> pa.Table:
    return pjson.read_json(
        pa.BufferReader(block),
        read_options=pjson.ReadOptions(block_size=max(_PARSER_BLOCK, _longest(block))),
        parse_options=pjson.ParseOptions(
            explicit_schema=pa.schema(list(schema.items())), unexpected_field_behavior="error"
        ),
    )


def _sources(
    fields: FieldMap, kinds: dict[str, Kind], names: Collection[str] = ()
) -> dict[str, str]:
    """Field of a record to the column it fills, columns in declared order, then those of
    ``names`` that are other spellings of a column. SameColumn, a ValueError, is raised
    where that is not clear.

    A field that a mapping displaces is left out: met in a record, it is not clean.
    """
    taken = set(fields.maps.values())
    renames = fields.renames(names)
    found = {}
    for name in kinds:
        field = fields.maps.get(name, name)
        if name in fields.maps or field not in taken:
            found[field] = name
    for field, name in renames.items():
        found.pop(name, None)
        if name in kinds:
            found[field] = name
    return found


def _renamed(table: pa.Table, sources: dict[str, str]) -> pa.Table:
    return table.rename_columns([sources[field] for field in table.column_names])


def _longest(block: bytes) -> int:
    """The parser wants every line to fit into its block; only huge lines matter."""
    at = longest = 0
    while len(block) - at > _PARSER_BLOCK:
        cut = block.rfind(b"\n", at, at + _PARSER_BLOCK)
        if cut < 0:
            return len(block)
        at = cut + 1
        longest = max(longest, _PARSER_BLOCK)
    return longest or len(block)


def csv_block(
    fields: FieldMap,
    block: bytes,
    names: list[str],
    delimiter: str,
    typing: Typing,
    constants: pl.DataFrame,
) -> pl.DataFrame | None:
    """Rows of a block of CSV lines without any quote, or None when it is not clean."""
    kinds = {c.name: c.kind for c in RESOURCES[fields.resource]}
    try:
        sources = _sources(fields, kinds, names)
    except SameColumn:
        return None
    if any(kinds.get(sources.get(name, "")) not in _CSV_KINDS for name in names):
        return None
    if len(names) < 2:
        return None
    if b'"' in block or b"\x00" in block or b"\r" in block.replace(b"\r\n", b""):
        return None
    try:
        block.decode()
        table = pcsv.read_csv(
            pa.BufferReader(block),
            read_options=pcsv.ReadOptions(column_names=names, block_size=_PARSER_BLOCK),
            parse_options=pcsv.ParseOptions(delimiter=delimiter, quote_char=False),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        columns = {}
        for name in names:
            column = table[name]
            if kinds[sources[name]] == "integer":
                _need(pc.match_substring_regex(column, _INTEGER))
                column = column.cast(pa.int64())
            columns[sources[name]] = column
        return _frame(fields.resource, pa.table(columns), typing, constants)
    except (pa.ArrowException, UnicodeDecodeError, _NotClean):
        return None


#: Kinds whose plain CSV spelling is told at a glance.
_CSV_KINDS = frozenset({"integer", "text", "uuid", "timestamp"})


def table_block(
    fields: FieldMap, table: pa.Table, typing: Typing, constants: pl.DataFrame
) -> pl.DataFrame | None:
    """Rows of a Parquet batch whose columns already have the declared types, or None."""
    kinds = {c.name: c.kind for c in RESOURCES[fields.resource]}
    columns = {}
    try:
        sources = _sources(fields, kinds, table.column_names)
        for field in table.column_names:
            name = sources.get(field, "")
            kind, column = kinds.get(name), table[field]
            if kind is None or kind == "json":
                return None
            if pa.types.is_integer(column.type):
                _want(kind == "integer")
                column = column.cast(pa.int64())
            elif pa.types.is_float64(column.type):
                _want(kind == "number")
            elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                _want(kind in ("text", "uuid", "timestamp"))
                column = column.cast(pa.string())
                _want(not pc.any(pc.match_substring(column, "\x00")).as_py())
            elif pa.types.is_timestamp(column.type):
                _want(kind == "timestamp" and column.type.unit != "ns")
                _want(column.type.tz is not None or typing.time_zone is UTC)
                if column.type.tz is None:
                    column = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
                column = column.cast(pa.timestamp("us", "UTC"))
                _want(within_python(column))
            else:
                return None
            columns[name] = column
        return _frame(fields.resource, pa.table(columns), typing, constants)
    except (pa.ArrowException, SameColumn, _NotClean):
        return None


def _frame(resource: str, table: pa.Table, typing: Typing, constants: pl.DataFrame) -> pl.DataFrame:
    """The table with the declared types; raises _NotClean at the first doubt."""
    columns = []
    for column in RESOURCES[resource]:
        if column.name not in table.column_names:
            continue
        values = table[column.name]
        if values.null_count < len(values):
            if column.kind == "uuid":
                _need(pc.match_substring_regex(values, _UUID))
            elif column.kind == "timestamp" and pa.types.is_string(values.type):
                values = _times(values, typing)
            elif column.kind == "number":
                _need(pc.is_finite(values))
            elif column.kind == "integer":
                # A hidden count.
                _want(typing.signed_counts or not pc.any(pc.equal(values, -1)).as_py())
            elif column.kind == "text[]":
                flat = pc.list_flatten(values)
                _want(flat.null_count == 0)
                _want_plain(flat, typing)
            elif column.kind == "text":
                _want_plain(values, typing)
                if column.name in EXTERNAL_IDS and not _all(pc.ascii_is_decimal(values)):
                    _need(pc.match_substring_regex(values, PLAIN_ID))
                    _want(not _any(pc.match_substring_regex(values, ODD_ID, ignore_case=True)))
        series = pl.Series(column.name, pl.from_arrow(values))
        columns.append(series.cast(column.polars))
    if not columns:
        raise _NotClean
    return with_tags(resource, _filled(pl.DataFrame(columns), constants))


def _filled(frame: pl.DataFrame, constants: pl.DataFrame) -> pl.DataFrame:
    """Constants for values that are missing or empty text."""
    filled = []
    for name in constants.columns:
        constant = pl.lit(constants[name].first(), dtype=constants.schema[name]).alias(name)
        if name not in frame.columns:
            filled.append(constant)
            continue
        none = pl.col(name).is_null()
        if frame.schema[name] == pl.String:
            none = none | (pl.col(name) == "")
        filled.append(pl.when(none).then(constant).otherwise(pl.col(name)).alias(name))
    return frame.with_columns(filled)


def _times(values: pa.ChunkedArray, typing: Typing) -> pa.ChunkedArray:
    _want(typing.time_format is None)
    if _all(pc.match_substring_regex(values, _ZONED)):
        times = values.cast(pa.timestamp("us", "UTC"))
    else:
        _want(typing.time_zone is UTC)
        _need(pc.match_substring_regex(values, _NAIVE))
        times = values.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
    _want(within_python(times))
    return times


#: The first and the last microsecond since 1970 of Python's years, 1 to 9999.
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
_PER_UNIT = {"s": 1_000_000, "ms": 1_000, "us": 1}


def within_python(times: pa.ChunkedArray) -> bool:
    """Whether Python knows the years of these timestamps; an offset can lead out of them."""
    if pa.types.is_date32(times.type):
        per, numbers = 86_400_000_000, times.cast(pa.int32())
    elif pa.types.is_date64(times.type):
        per, numbers = 1_000, times.cast(pa.int64())
    elif times.type.unit == "ns":
        return True  # they reach from 1677 to 2262
    else:
        per, numbers = _PER_UNIT[times.type.unit], times.cast(pa.int64())
    low, high = pc.min_max(numbers).as_py().values()
    return low is None or (low * per >= _FIRST and high * per <= _LAST)


def pythonic(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as Python can take it: times of other years as text, which is then
    refused row by row, and nanoseconds as microseconds.
    """
    kind = column.type
    if pa.types.is_date(kind):
        return column if within_python(column) else column.cast(pa.string())
    if not pa.types.is_timestamp(kind):
        return column
    if kind.unit == "ns":
        return column.cast(pa.timestamp("us", kind.tz), safe=False)
    if within_python(column):
        return column
    text = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
    return pc.binary_join_element_wise(text, "Z", "") if kind.tz is not None else text


def _want_plain(texts: pa.ChunkedArray, typing: Typing) -> None:
    """No text stands for unknown, and none may have to be mended."""
    if typing.nulls:
        _want(not _any(pc.is_in(pc.utf8_trim_whitespace(texts), pa.array(sorted(typing.nulls)))))
    if not _all(pc.string_is_ascii(texts)):
        _want(not _any(pc.match_substring_regex(texts, SUSPECT)))


def _any(mask: pa.ChunkedArray) -> bool:
    return pc.any(mask).as_py() is True


def texts_as_bytes(table: pa.Table) -> tuple[pa.Table, list[str]]:
    """The table with bytes for texts that are not UTF-8, and the names of those columns."""
    spoilt = []
    for index, field in enumerate(table.schema):
        column = table.column(index)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                spoilt.append(field.name)
                table = table.set_column(index, field.name, column.cast(pa.large_binary()))
    return table, spoilt


def _all(mask: pa.ChunkedArray) -> bool:
    return pc.all(mask, min_count=0).as_py() is True


def _need(mask: pa.ChunkedArray) -> None:
    """Every value that is not null satisfies it."""
    if not _all(mask):
        raise _NotClean


def _want(condition: bool) -> None:
    if not condition:
        raise _NotClean
