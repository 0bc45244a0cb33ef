"""Inputs with one thing changed, and what reading them must still give.

A :class:`Base` is a small sound input: records of a preset's real export or of a table.
:func:`mutation` writes it as one of the formats with one change: of a field's value or
name, of a record, or of bytes. It knows which records the change did not touch; those land as they
do from the sound input, and whatever was read is accepted or rejected.
"""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from common.errors import AceError
from loaders.files import reading
from loaders.files.inputs import Input
from loaders.files.plan import Plan
from loaders.files.sink import Sink
from loaders.landing.metadata import Rejected

FIXTURES = Path(__file__).parents[1] / "fixtures"
#: A row without what only says where it stood.
Row = tuple[Any, ...]


# -- reading --------------------------------------------------------------------------


class _Writer:
    """Takes what a load's writer takes, and keeps it."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.rejected: list[Rejected] = []
        self.null_characters = 0

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def write(self, frame: pl.DataFrame) -> None:
        names = sorted(set(frame.columns) - {"_position", "_extracted_at"})
        for row in frame.select(names).iter_rows(named=True):
            self.rows.append(tuple((n, _fixed(v)) for n, v in row.items() if v is not None))

    def reject(self, records: list[Rejected]) -> None:
        # As the load's writer does: text must be text that UTF-8 knows.
        pl.Series([r.reason for r in records], dtype=pl.String)
        pl.Series([r.raw for r in records], dtype=pl.Binary)
        self.rejected += records


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class _Landing:
    """A landing zone in memory."""

    def __init__(self) -> None:
        self.writers: dict[str, _Writer] = {}

    def open_load(self, source: str, resource: str, **options: Any) -> _Writer:
        return self.writers.setdefault(resource, _Writer())


@dataclass(frozen=True)
class Outcome:
    """What reading a file gave: records read, rows, rejected records, or the refusal."""

    read: int
    rows: list[Row]
    rejected: list[Rejected]
    refusal: str = ""


def read(path: Path, plan: Plan) -> Outcome:
    """Read one file as ``ace load files`` does, without writing a load. Lets everything but
    AceError through: nothing else may come out of an input.
    """
    landing = _Landing()
    try:
        source = Input(path, encoding=plan.encoding)
        kind = source.format()
        context = {"loader": "files", "options": plan.stored(), "csv": kind == "csv"}
        with Sink(
            landing,  # type: ignore[arg-type]
            plan.source,
            typing=lambda: plan.typing(from_csv=kind == "csv"),
            known_at=None,
            skip=lambda resource: False,
            context=context,
            open_options={},
        ) as sink:
            reading.read(plan, source, sink, kind)
            sink.finish()
    except AceError as error:
        return Outcome(0, [], [], str(error))
    writers = landing.writers.values()
    return Outcome(
        sink.records,
        [row for writer in writers for row in writer.rows],
        [record for writer in writers for record in writer.rejected],
    )


# -- sound inputs ---------------------------------------------------------------------


@dataclass(frozen=True)
class Base:
    """Records that all land, how they are loaded, and the page that holds a list of them."""

    name: str
    records: list[dict[str, Any]]
    options: Mapping[str, Any]
    page: Callable[[list[Any]], Any] | None = None
    formats: tuple[str, ...] = ("lines", "json", "lines.gz", "json.gz")

    @property
    def plan(self) -> Plan:
        return Plan(**self.options)


def _real(name: str, *path: str) -> list[dict[str, Any]]:
    found = json.loads((FIXTURES / name).read_text())
    for part in path:
        found = found[part]
    assert isinstance(found, list)
    return found[:8]


def _trending() -> list[dict[str, Any]]:
    with open(FIXTURES / "youtube_trending/US_2017.csv", newline="", encoding="utf-8") as file:
        return [row for row, _ in zip(csv.DictReader(file), range(8), strict=False)]


FLAT = ("csv", "lines", "json", "parquet", "csv.gz", "lines.gz", "parquet.gz")
_TEXTS = (
    "plain", "a, b; c\tand | d", 'she said "hi"', "two\nlines", "Café ☕ 😍 #Größe #日本語", "",
    "C:\\Users\\new", 'ends in a quote"',
)  # fmt: skip


def _videos(number: int) -> list[dict[str, Any]]:
    return [
        {
            "external_id": str(7412345678901234567 + i),
            "platform": "tiktok",
            "caption": _TEXTS[(i + number) % len(_TEXTS)],
            "view_count": 10**i,
            "like_count": i or None,
            "author": f"someone_{i} é",
            "collected_at": f"2024-07-0{i + 1}T10:00:00Z",
            "made_up": f"m{i}",
        }
        for i in range(8)
    ]


def _clean() -> list[dict[str, Any]]:
    """What goes the fast way."""
    return [
        {
            "post_id": f"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a{i:02}",
            "platform": "tiktok",
            "views": 10 * i,
            "likes": i,
            "collected_at": f"2024-07-0{i + 1}T10:00:00Z",
        }
        for i in range(8)
    ]


def _raw_table() -> list[dict[str, Any]]:
    return [
        {"_airbyte_raw_id": str(i), "_airbyte_emitted_at": 1714000000000 + i, "_airbyte_data": one}
        for i, one in enumerate(_clean())
    ]


def _scraped() -> list[dict[str, Any]]:
    return [
        {
            "id": str(7361111111111111111 + i),
            "desc": f"lamp {i} #desk",
            "createTime": 1713900000 + i,
            "author": {"id": "55", "uniqueId": f"lampshop{i}"},
            "challenges": [{"title": "Desk"}, {"title": f"ü{i}"}],
            "stats": {"playCount": 1200000 + i, "diggCount": 45000, "commentCount": i},
        }
        for i in range(6)
    ]


def _apify() -> list[dict[str, Any]]:
    return [
        {
            "id": str(7361111111111111111 + i), "text": f"text {i} é", "playCount": 7 * i,
            "authorMeta": {"name": f"n{i}"}, "hashtags": [{"name": "a"}, {"name": f"b{i}"}],
            "createTimeISO": "2024-01-02T03:04:05.000Z", "diggCount": i, "webVideoUrl": "https://x",
        }
        for i in range(5)
    ]  # fmt: skip


def _extracted() -> list[dict[str, Any]]:
    return [
        {
            "id": f"jNQXAC9IVRw{i}", "extractor": "youtube", "title": f"title {i} ☕",
            "channel": "c", "view_count": 100 + i, "tags": ["a", f"b{i}"], "epoch": 1720000000 + i,
        }
        for i in range(5)
    ]  # fmt: skip


def _own() -> list[dict[str, Any]]:
    return [
        {
            "id": str(7361111111111111111 + i), "title": f"title {i} é", "view_count": 10 * i,
            "like_count": i, "comment_count": 1, "share_count": 0, "create_time": 1720000000,
        }
        for i in range(5)
    ]  # fmt: skip


def _listed() -> list[dict[str, Any]]:
    return [
        {
            "kind": "youtube#video", "id": f"jNQXAC9IVR{i}", "etag": '"x"',
            "snippet": {"title": f"title {i} ☕", "channelTitle": "c", "tags": ["a", f"b{i}"]},
            "statistics": {"viewCount": str(1000 + i), "likeCount": "5", "commentCount": "0"},
        }
        for i in range(5)
    ]  # fmt: skip


def _envelopes() -> list[dict[str, Any]]:
    return [
        {"id": i, "item_id": one["id"], "timestamp_collected": 1714000000000 + i, "data": one}
        for i, one in enumerate(_scraped())
    ]


@cache
def bases() -> tuple[Base, ...]:
    def items(found: list[Any]) -> Any:
        return {"items": found}

    def videos(found: list[Any]) -> Any:
        return {"data": {"videos": found, "has_more": False}, "error": {"code": "ok"}}

    def data(found: list[Any]) -> Any:
        return {"data": found}

    scraped = {
        "external_id": "id", "caption": "desc", "author": "author.uniqueId",
        "view_count": "stats.playCount",
    }  # fmt: skip
    research = "tiktok_research/api_videos_response_page_2_of_2.json"
    return (
        Base("videos", _videos(0), {"table": "raw_videos"}, formats=FLAT),
        Base("videos that begin elsewhere", _videos(3), {"table": "raw_videos"}, formats=FLAT),
        Base("polls", _clean(), {"table": "performance_metrics"}, formats=FLAT),
        Base("numbers with a comma", _clean(),
             {"table": "performance_metrics", "decimal_comma": True}, formats=FLAT),
        Base("doubled quotes", _videos(5), {"table": "raw_videos", "escape": '"'},
             formats=("csv",)),
        Base("airbyte", _raw_table(), {"table": "performance_metrics"}),
        Base("mapped", _scraped(),
             {"table": "raw_videos", "maps": scraped, "sets": {"platform": "tiktok"}}),
        Base("a list inside", _clean(), {"table": "performance_metrics", "records": "data.items"},
             lambda found: {"data": {"items": found}}, formats=("json", "json.gz")),
        Base("research", _real(research, "data", "videos"), {"preset": "tiktok-research"}, videos),
        Base("display", _own(), {"preset": "tiktok-display"}, videos),
        Base("youtube", _listed(), {"preset": "youtube-api"}, items),
        Base("instagram", _real("instagram_graph/users__medias_p1.json", "data"),
             {"preset": "instagram-graph"}, data),
        Base("trending", _trending(), {"preset": "youtube-trending"}, formats=("csv", "csv.gz")),
        Base("apify", _apify(), {"preset": "apify-tiktok"}),
        Base("yt-dlp", _extracted(), {"preset": "yt-dlp"}),
        Base("zeeschuimer", _envelopes(), {"preset": "zeeschuimer-tiktok"}),
    )  # fmt: skip


# -- writing --------------------------------------------------------------------------


@dataclass
class Written:
    """A file's bytes, and from where to where in them each record is."""

    data: bytes
    spans: list[tuple[int, int]] = field(default_factory=list)


def written(base: Base, records: list[Any], form: str) -> Written:
    form = form.removesuffix(".gz")
    if form == "lines":
        page = base.page
        pieces = [_json(page([one]) if page else one) + b"\n" for one in records]
        return _joined(b"", pieces, b"")
    if form == "json":
        before, after = b"[", b"]"
        if base.page:
            marker = "here they are"
            start, end = _json(base.page([marker])).split(_json(marker))
            before, after = start, end
        ends = [b","] * (len(records) - 1) + [b""]
        return _joined(before, [_json(r) + e for r, e in zip(records, ends, strict=True)], after)
    if form == "csv":
        names = list(dict.fromkeys(name for one in records for name in one))
        lines = [_line(names)] + [_line([one.get(name) for name in names]) for one in records]
        return _joined(lines[0], lines[1:], b"")
    buffer = io.BytesIO()
    pl.DataFrame(records, infer_schema_length=None).write_parquet(
        buffer, compression="uncompressed"
    )
    return Written(buffer.getvalue())


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "surrogatepass")


def _joined(before: bytes, pieces: list[bytes], after: bytes) -> Written:
    spans, at = [], len(before)
    for piece in pieces:
        spans.append((at, at + len(piece)))
        at += len(piece)
    return Written(before + b"".join(pieces) + after, spans)


# -- changing -------------------------------------------------------------------------

#: Values that were nobody's intention.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**63) - 1, 2**64, 10**400, 1e308, 7.4e18, 0.1,
    float("nan"), float("inf"), "", " ", "\x00", "a\x00b", "cut \ud83d", "\udc00", "NaN", "null",
    "\\N", "1e400", "1.2K", "-", "0x10", "٣", "½", "²", "१२", "=1+1", "1,2,3", "2024-02-30", "0000",
    "9999-12-31T23:59:59-23:59", "99999999999999999999", "{", "[", '{"a":1}', "[1,2", "{a,b", "'",
    '"', '\\"', "\\", "\n", "\r", "\u2028", "\ufeff", "\ufffe", "\U0010ffff", "é" * 300, [], {},
    [[]], [None], [{}], {"": {"": None}}, [1, "a", None, True, 2.5, {"b": [1]}], {"a\ud83d": 1},
    "https://example.com/?access_token=abc", "x" * 70_000,
)  # fmt: skip
#: What bytes are replaced by, or put between others.
BYTES = (
    b"\x00", b"\xff", b"\x80", b"\xe9", b"\xed\xa0\xbd", b"\xc3", b"\xf0\x9f\x98", b'"', b'""',
    b"\\", b'\\"', b"\n", b"\r\n", b"\r", b",", b";", b"\t", b"{", b"}", b"[", b"]", b":", b"'",
    b"NaN", b"null", b"-", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"1" * 5000, b"=", b" ", b"\\u0000",
    b"\\ud83d", b"\x1f\x8b", b"e9999", b"\x1a",
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A changed file: its name and bytes, what was changed, and the records that were not."""

    base: Base
    form: str
    what: str
    data: bytes
    untouched: tuple[int, ...]

    @property
    def file(self) -> str:
        name = self.form.replace("lines", "ndjson")
        return f"changed.{name}"


def mutation(seed: int) -> Mutation:
    """The mutation of that number: always the same."""
    dice = random.Random(seed)
    base = dice.choice(bases())
    form = dice.choice(base.formats)
    if dice.random() < 0.5:
        return _structural(dice, base, form)
    return _bytewise(dice, base, form)


def _structural(dice: random.Random, base: Base, form: str) -> Mutation:
    records = copy.deepcopy(base.records)
    at = dice.randrange(len(records))
    others = [i for i in range(len(records)) if i != at]
    tabular = form.startswith(("csv", "parquet"))
    what = _change(dice, records, at, tabular)
    if form.startswith("parquet"):
        records = [{k: v if v is None else str(v).replace("\ud83d", "").replace("\udc00", "")
                    for k, v in one.items()} for one in records]  # fmt: skip
    data = written(base, records, form).data
    if form.endswith(".gz"):
        data = gzip.compress(data, 1)
    return Mutation(base, form, what, data, tuple(others))


def _change(dice: random.Random, records: list[Any], at: int, tabular: bool) -> str:
    """Change one record in place; says what was done."""
    holder = records[at]
    # Any object inside the record, each as likely as the next.
    inside = [holder] if tabular else list(_objects(holder))
    holder = dice.choice(inside)
    name = dice.choice(list(holder)) if holder else "x"
    odd = dice.choice(ODD)
    how = dice.choice(("value", "value", "value", "drop", "add", "rename", "record", "deep"))
    if tabular and how in ("record", "deep", "rename", "add"):
        how = "value"
    if how == "drop":
        if tabular:
            holder[name] = None
        else:
            holder.pop(name, None)
    elif how == "add":
        holder[f"new {odd!s:.9}"] = odd
    elif how == "rename" and holder:
        holder[dice.choice(("", "\x00", "é", "k\ud83d", "_extra", "_position"))] = holder.pop(name)
    elif how == "record":
        records[at] = odd
    elif how == "deep":
        deep: Any = odd
        for level in range(dice.choice((5, 50, 400))):
            deep = [deep] if level % 2 else {"d": deep}
        holder[name] = deep
    else:
        holder[name] = odd
    return f"record {at}: {how} of {name!r}, {odd!r:.60}"


def _objects(value: Any) -> Any:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _bytewise(dice: random.Random, base: Base, form: str) -> Mutation:
    sound = written(base, base.records, form)
    data = bytearray(sound.data)
    packed = form.endswith(".gz")
    inside = packed and dice.random() < 0.5
    if inside:
        data = bytearray(gzip.compress(bytes(data), 1, mtime=0))
    at = dice.randrange(len(data))
    how = dice.choice(("flip", "replace", "insert", "insert", "delete", "cut", "repeat"))
    end = at + 1
    if how == "flip":
        data[at] ^= 1 << dice.randrange(8)
    elif how == "replace":
        data[at:end] = dice.choice(BYTES)
    elif how == "insert":
        data[at:at] = dice.choice(BYTES)
    elif how == "repeat":
        data[at:at] = data[at : at + dice.randrange(1, 40)]
    else:
        end = len(data) if how == "cut" else at + dice.randrange(1, 30)
        del data[at:end]
    untouched: list[int] = []
    if sound.spans and not inside:
        # A change at an end of a record may join it with its neighbour.
        hit = [i for i, (low, high) in enumerate(sound.spans) if low <= end and at <= high]
        untouched = [i for i in range(len(sound.spans)) if i not in hit]
        first = sound.spans[0][0]
        if at < first and form.startswith("csv"):
            untouched = []  # the header
        elif form.startswith("json"):
            # What lies behind a break in a document can be lost; a broken page is no page.
            untouched = [i for i in untouched if sound.spans[i][1] < at and not base.page]
    content = gzip.compress(bytes(data), 1) if packed and not inside else bytes(data)
    what = f"{how} at {at} to {end}: {bytes(data[max(0, at - 20) : at + 20])!r}"
    return Mutation(base, form, what, content, tuple(untouched))


# -- judging --------------------------------------------------------------------------


@cache
def sound_rows(name: str, form: str, folder: Path) -> list[Row]:
    """The rows of the sound input, one for each record, in order."""
    (base,) = (one for one in bases() if one.name == name)
    records = base.records
    if form.startswith("parquet"):
        records = [{k: v if v is None else str(v) for k, v in one.items()} for one in records]
    path = folder / f"sound.{form.replace('lines', 'ndjson')}"
    data = written(base, records, form).data
    path.write_bytes(gzip.compress(data, 1) if form.endswith(".gz") else data)
    outcome = read(path, base.plan)
    assert (outcome.refusal, outcome.rejected) == ("", []), (name, form, outcome.refusal)
    assert len(outcome.rows) == len(records), (name, form)
    return outcome.rows


def judge(changed: Mutation, folder: Path) -> str:
    """What is wrong with how the changed file was read; '' when nothing is."""
    sound = sound_rows(changed.base.name, changed.form, folder)
    path = folder / changed.file
    path.write_bytes(changed.data)
    outcome = read(path, changed.base.plan)
    if outcome.refusal:
        return f"refused: {outcome.refusal}" if changed.untouched else ""
    if outcome.read != len(outcome.rows) + len(outcome.rejected):
        return f"{outcome.read} read, {len(outcome.rows)} rows, {len(outcome.rejected)} rejected"
    if any(not record.reason for record in outcome.rejected):
        return "a record was rejected without a reason"
    missing = Counter(sound[i] for i in changed.untouched) - Counter(outcome.rows)
    return f"untouched records did not land as before: {list(missing)[:2]}" if missing else ""
