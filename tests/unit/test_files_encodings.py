"""In which encoding a file is: told by its first bytes, plausible, asked for, or refused."""

# ruff: noqa: RUF001 (letters of many scripts are what this is about)
from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from common.errors import UsageError
from loaders.files import FileResult, load_files
from loaders.files.plan import Plan
from loaders.landing import Landing
from loaders.retry import retry_rejected

#: Titles as they are on the platforms, in languages that Windows-1252 was made for.
WESTERN = {
    "German": ["Größe zählt: für Anfänger", "Übung macht den Meister", "„Käse“ – nur 5 €"],
    "French": ["L’été à la plage", "Où est-il ? « Là »", "Garçon, un café s’il vous plaît"],
    "Spanish": ["¿Qué pasó?", "¡Increíble! Mañana", "El niño y la canción"],
    "Portuguese": ["Pão de açúcar", "Lições de vida", "Não é fácil, João"],
    "Italian": ["Perché è così", "Più città", "Lunedì"],
    "Swedish": ["Räksmörgås på svenska", "Färgglada hästar", "Älskar dig"],
    "Danish": ["Rødgrød med fløde", "Æblekage", "Sådan gør du"],
    "Finnish": ["Hyvää päivää", "Tänään syödään", "Työ tekijäänsä kiittää"],
    "Icelandic": ["Það er fínt", "Ísland í dag", "Ég elska þig mamma mín", "Sjáumst á morgun"],
    "English": ["It’s a wrap…", "Beyoncé – “Halo”", "naïve résumé, £5"],
}
#: The same in others: Python's name for the encoding, and what must be named.
OTHERS = {
    "cp1251": ["Привет мир", "Новости дня", "Лучшие моменты", "Как приготовить борщ"],
    "koi8-r": ["Привет мир", "Новости дня", "Лучшие моменты", "Как приготовить борщ"],
    "cp932": ["日本の動画", "テスト動画です", "ゲーム実況", "東京タワー"],
    "euc-jp": ["日本の動画", "テスト動画です", "ゲーム実況", "東京タワー"],
    "cp949": ["안녕하세요 세계", "오늘의 뉴스", "먹방 브이로그", "서울"],
    "gb18030": ["你好世界", "今天的新闻", "美食视频", "旅行日记"],
    "big5": ["你好世界", "今天的新聞", "美食影片", "旅行日記"],
    "cp874": ["สวัสดีชาวโลก", "ข่าววันนี้", "อาหารไทย", "เพลงใหม่"],
    "cp1256": ["مرحبا بالعالم", "أخبار اليوم", "فيديو جديد", "القاهرة"],
    "cp1253": ["Γεια σου κόσμε", "Νέα της ημέρας", "Καλημέρα", "Αθήνα"],
    "cp1254": ["Güzel şarkı", "İstanbul'da yaşam", "çok güzel iş", "Işık ve ağaç"],
    "cp1250": ["Zażółć gęślą jaźń", "Łódź", "Jak ugotować żurek", "Miłość i książka"],
    "cp1255": ["שלום עולם", "חדשות היום", "סרטון", "ירושלים"],
    "mac-roman": ["Größe für Anfänger", "Übung macht Käse", "Straßenküche in München", "schön"],
    "cp437": ["Größe für Anfänger", "Übung macht Käse", "Straßenküche in München", "schön"],
}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def table(titles: list[str], encoding: str, name: str = "a.csv") -> bytes:
    rows = [
        {"platform": "tiktok", "external_id": str(7412345678901234567 + i), "caption": title}
        for i, title in enumerate(titles)
    ]
    if name.endswith("csv"):
        text = "platform,external_id,caption\r\n" + "".join(
            ",".join(row.values()) + "\r\n" for row in rows
        )
    elif name.endswith("ndjson"):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=False)
    return text.encode(encoding)


def load(landing: Landing, path: Path, content: bytes, **options: Any) -> FileResult:
    path.write_bytes(content)
    (result,) = load_files(landing, [path], table="raw_videos", **options)
    return result


def captions(landing: Landing) -> list[str]:
    return pl.concat([pl.read_parquet(one.file) for one in landing.loads()])["caption"].to_list()


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.json"])
@pytest.mark.parametrize("language", WESTERN)
def test_western_words_need_no_option(
    landing: Landing, tmp_path: Path, language: str, name: str
) -> None:
    titles = [title.replace(",", ";") for title in WESTERN[language]]
    # A few words of Icelandic could be Turkish, and are rather refused.
    for count in {len(titles) if language == "Icelandic" else 1, len(titles)}:
        path = tmp_path / f"{count}{name}"
        result = load(landing, path, table(titles[:count], "cp1252", name))
        assert (result.message, result.accepted) == ("", count)
    assert set(captions(landing)) == set(titles)


@pytest.mark.parametrize("encoding", OTHERS)
def test_other_encodings_are_refused_and_named_and_read_when_asked_for(
    landing: Landing, tmp_path: Path, encoding: str
) -> None:
    titles = OTHERS[encoding]
    content = table(titles, encoding)
    refused = load(landing, tmp_path / "a.csv", content)
    assert refused.status == "failed"
    assert refused.exit_code == 1
    assert "is neither UTF-8 nor Windows-1252" in refused.message
    assert "--encoding" in refused.message
    assert f"(likeliest: {encoding}" in refused.message or encoding == "cp1255"
    assert load(landing, tmp_path / "a.csv", content, encoding=encoding).accepted == len(titles)
    assert captions(landing) == titles


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.json", "a.csv.gz"])
@pytest.mark.parametrize("encoding", ["cp932", "utf-16", "utf-32", "utf-16-le", "utf-32-be"])
def test_every_format_is_read_in_any_encoding(
    landing: Landing, tmp_path: Path, encoding: str, name: str
) -> None:
    titles = [*OTHERS["cp932"], "ends"]
    content = table(titles, encoding, name.removesuffix(".gz"))
    content = gzip.compress(content) if name.endswith("gz") else content
    # What is Unicode says so itself, with a byte order mark or by its zeros.
    how = {"encoding": encoding} if encoding == "cp932" else {}
    result = load(landing, tmp_path / name, content, **how)
    assert (result.message, result.accepted) == ("", len(titles))
    assert captions(landing) == titles
    if encoding != "cp932":
        assert load(landing, tmp_path / name, content, encoding=encoding).accepted == len(titles)


@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.json"])
def test_one_broken_line_of_a_file_in_utf_8_costs_itself_at_most(
    landing: Landing, tmp_path: Path, name: str
) -> None:
    titles = ["Größe", "日本の動画", "Привет", "café", "X", "😍"]
    sound = table(titles, "utf-8", name)
    western = sound.replace("café".encode(), b"caf\xe9")
    assert load(landing, tmp_path / f"1{name}", western).accepted == 6
    assert captions(landing) == titles
    strange = sound.replace("café".encode(), "Новости дня сегодня".encode("cp1251"))
    result = load(landing, tmp_path / f"2{name}", strange)
    assert (result.accepted, result.rejected) == (5, 1)
    (rejected,) = landing.rejected()
    assert rejected.reason.startswith("it is neither UTF-8 nor Windows-1252 (likeliest: cp1251")
    assert "Новости".encode("cp1251") in rejected.raw
    # Nor does a retry make something else of it.
    assert retry_rejected(landing) == []


def test_a_header_alone_can_tell(landing: Landing, tmp_path: Path) -> None:
    content = "platform,external_id,Название видео\ntiktok,7412345678901234567,x\n"
    result = load(landing, tmp_path / "a.csv", content.encode("cp1251"))
    assert "(likeliest: cp1251" in result.message
    how: dict[str, Any] = {"encoding": "cp1251", "maps": {"caption": "Название видео"}}
    assert load(landing, tmp_path / "a.csv", content.encode("cp1251"), **how).accepted == 1
    assert captions(landing) == ["x"]


def test_a_wrong_encoding_is_refused_and_names_the_line(landing: Landing, tmp_path: Path) -> None:
    content = table(["plain", *OTHERS["cp1251"]], "cp1251")
    result = load(landing, tmp_path / "a.csv", content, encoding="euc-jp")
    assert "is not euc-jp throughout: line 3 has the bytes" in result.message
    assert landing.loads() == []


def test_an_encoding_that_the_file_contradicts_is_refused(landing: Landing, tmp_path: Path) -> None:
    titles = OTHERS["cp1251"]
    for written, begins in (("utf-8", ""), ("utf-8-sig", "first bytes"), ("utf-16", "UTF-16")):
        path = tmp_path / f"{written}.csv"
        result = load(landing, path, table(titles, written), encoding="cp1251")
        assert result.exit_code == 2
        assert begins in result.message
        assert "Leave --encoding out" in result.message
        assert load(landing, path, table(titles, written)).accepted == len(titles)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cp93", "There is no encoding 'cp93'. Did you mean 'cp9"),
        ("windows1251x", "Did you mean 'windows_1251'"),
        ("rot13", "no encoding that files of text are written in"),
        ("base64", "no encoding that files"), ("hex", "no encoding"), ("idna", "no encoding"),
        ("unicode_escape", "no encoding"), ("é", "There is no encoding"), ("", "no encoding"),
    ],
)  # fmt: skip
def test_no_encoding_is_told_before_any_file(name: str, sentence: str) -> None:
    with pytest.raises(UsageError) as told:
        Plan(table="raw_videos", encoding=name)
    assert sentence in str(told.value)


def test_parquet_has_no_encoding(landing: Landing, tmp_path: Path) -> None:
    pl.DataFrame({"external_id": ["1"]}).write_parquet(tmp_path / "a.parquet")
    (result,) = load_files(landing, [tmp_path / "a.parquet"], table="raw_videos", encoding="cp1251")
    assert (result.exit_code, "is for CSV and JSON" in result.message) == (2, True)


def test_letters_between_escapes_are_not_taken_for_ascii(landing: Landing, tmp_path: Path) -> None:
    content = table(OTHERS["cp932"], "iso2022-jp")
    assert "--encoding iso2022-jp" in load(landing, tmp_path / "a.csv", content).message
    assert load(landing, tmp_path / "a.csv", content, encoding="iso2022_jp").accepted == 4
    assert captions(landing) == OTHERS["cp932"]


def test_another_encoding_is_another_load_and_none_is_what_it_was(tmp_path: Path) -> None:
    prints = {Plan(table="raw_videos", encoding=e).fingerprint("x", "raw_videos")
              for e in (None, "cp1251", "windows-1251", "cp1252")}  # fmt: skip
    assert len(prints) == 3
    assert "encoding" not in Plan(table="raw_videos").stored()


def test_text_in_parquet_that_is_not_utf_8_costs_its_record(
    landing: Landing, tmp_path: Path
) -> None:
    texts = ["plain", "Größe", "schön".encode("cp1252"), "Новости дня".encode("cp1251")]
    given = [one.encode() if isinstance(one, str) else one for one in texts]
    column = pa.array(given, pa.binary()).view(pa.string())
    table = pa.table({"external_id": ["1", "2", "3", "4"], "caption": column})
    pq.write_table(table, tmp_path / "a.parquet")
    (result,) = load_files(landing, [tmp_path / "a.parquet"], table="raw_videos")
    assert (result.message, result.accepted, result.rejected) == ("", 3, 1)
    assert captions(landing) == ["plain", "Größe", "schön"]
    (rejected,) = landing.rejected()
    assert "likeliest: cp1251" in rejected.reason
