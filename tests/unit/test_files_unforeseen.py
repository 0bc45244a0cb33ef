"""What nobody foresaw in a value costs its record, never the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from loaders import values
from loaders.files import load_files
from loaders.jsontext import clean_text, parse_json
from loaders.landing import Landing
from loaders.presets import PRESETS
from loaders.values import raw_bytes

GOOD = {"platform": "x", "external_id": "7412345678901234567", "caption": "whole"}
#: What a text is that was cut in the middle of an emoji.
CUT = "cut \ud83d"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def load(landing: Landing, path: Path, text: str | bytes, **options: Any) -> tuple[int, int]:
    """Accepted and rejected records; the file itself must land."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    (result,) = load_files(landing, [path], **({"table": "raw_videos"} | options))
    assert (result.status, result.message) == ("landed", "")
    assert result.read == result.accepted + result.rejected
    return result.accepted, result.rejected


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("caption", CUT, True), ("external_id", CUT, True), ("hashtags", [CUT], True),
        ("made_up", {CUT: [CUT]}, True), (CUT, 1, True), ("collected_at", CUT, False),
        ("view_count", CUT, False), ("view_count", [{CUT: CUT}], False),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_costs_no_file(
    landing: Landing, tmp_path: Path, name: str, field: str, value: Any, accepted: bool
) -> None:
    given = [GOOD, {**GOOD, field: value}, GOOD]
    text = json.dumps(given) if name == "a.json" else "\n".join(map(json.dumps, given))
    assert load(landing, tmp_path / name, text) == ((3, 0) if accepted else (2, 1))
    (loaded,) = landing.loads()
    landed = pl.read_parquet(loaded.file)
    assert landed["caption"].to_list().count("whole") >= 2
    if accepted:
        assert "cut \ufffd" in str(landed.to_dicts())
    else:
        (rejected,) = landing.rejected()
        assert json.loads(rejected.raw) == {**GOOD, field: value}


def test_halves_written_as_bytes_are_joined_or_replaced(landing: Landing, tmp_path: Path) -> None:
    # Java and MySQL write each half of an emoji as three bytes.
    halves = "\U0001f600".encode("utf-16-le")
    pair = "".join(chr(int.from_bytes(halves[i : i + 2], "little")) for i in (0, 2))
    line = f'{{"platform":"x","external_id":"1","caption":"{pair} {pair[0]}"}}\n'
    raw = line.encode("utf-8", "surrogatepass")
    assert load(landing, tmp_path / "a.ndjson", raw) == (1, 0)
    (loaded,) = landing.loads()
    assert pl.read_parquet(loaded.file)["caption"].to_list() == ["\U0001f600 \ufffd"]


def test_only_half_of_a_pair_is_replaced() -> None:
    assert parse_json(r'{"a\ud83d":["\ud83d\ude00","\ude00x",12345678901234567890123]}') == {
        "a\ufffd": ["\U0001f600", "\ufffdx", 12345678901234567890123]
    }
    assert clean_text("a\ud83d\ude00\ud83d") == "a\U0001f600\ufffd"


def test_a_value_that_breaks_the_typing_costs_its_record(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = values.KINDS["text"]

    def breaks(value: Any, typing: Any) -> Any:
        if value == "breaks":
            raise ArithmeticError("nobody foresaw this")
        return known(value, typing)

    monkeypatch.setitem(values.KINDS, "text", breaks)
    lines = [json.dumps(GOOD | {"zz": 1}), json.dumps({"platform": "x", "caption": "breaks"})]
    assert load(landing, tmp_path / "a.ndjson", "\n".join(lines)) == (1, 1)
    (rejected,) = landing.rejected()
    assert rejected.field == "caption"
    assert rejected.reason == "caption: the text 'breaks' cannot be read (ArithmeticError)"


def test_a_document_that_breaks_its_preset_costs_itself(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = PRESETS["yt-dlp"]
    reader = known.reader

    def breaks(document: Any, options: Any) -> Any:
        if document["id"] == "breaks":
            raise KeyError("nobody foresaw this")
        return reader(document, options)

    monkeypatch.setitem(PRESETS, "yt-dlp", replace(known, reader=breaks))
    video = {"extractor": "youtube", "url": "x?access_token=secret1"}
    lines = [json.dumps(video | {"id": one}) for one in ("a", "breaks", "b")]
    how = {"table": None, "preset": "yt-dlp"}
    assert load(landing, tmp_path / "a.ndjson", "\n".join(lines), **how) == (2, 1)
    (rejected,) = landing.rejected()
    assert rejected.reason == "The preset yt-dlp cannot read it (KeyError)"
    assert b"secret1" not in rejected.raw


def test_what_json_cannot_say_is_kept_as_json() -> None:
    assert json.loads(raw_bytes({"a": 2**70, "b": CUT})) == {"a": 2**70, "b": CUT}
