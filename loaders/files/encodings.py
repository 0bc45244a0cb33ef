"""In which encoding a file's text is: what was asked for, what its first bytes say, UTF-8,
or, where its letters stand as in Western words, Windows-1252. Nothing else is guessed: it is
named, and the file or the record refused.
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
import unicodedata
from encodings.aliases import aliases
from typing import IO, Any

from common.errors import AceError, UsageError
from loaders.files.mapping import near
from loaders.jsontext import clean_halves

#: Bytes of a file that are looked at before it is read.
SAMPLE_BYTES = 1 << 20
#: Bytes of words that are handed to the guesser: more does not make it surer, only slower.
_GUESSED_BYTES = 4096
#: Fewer words that are not UTF-8 tell too little to judge a whole file by.
_FEW_WORDS = 6
#: Characters of several bytes that are UTF-8 by chance in no other encoding.
_SURELY_UTF8 = 8

#: What begins a text in an encoding of Unicode.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: How ISO 2022 changes to Japanese letters, between what looks like ASCII.
_ESCAPES = re.compile(rb"\x1b\$[@B].{0,2000}?\x1b\([BJ]", re.DOTALL)
#: Codecs of Python that are text, but of no file.
_NO_FILES = frozenset(
    {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "charmap"}
)
#: What the guesser says, where people know a wider or more usual one.
_USUAL = {
    "euc-jis-2004": "euc-jp", "euc-jisx0213": "euc-jp", "shift-jis": "cp932",
    "shift-jis-2004": "cp932", "shift-jisx0213": "cp932", "euc-kr": "cp949", "gb2312": "gb18030",
    "gbk": "gb18030", "big5hkscs": "big5", "cp1125": "cp866", "mac-iceland": "mac-roman",
}  # fmt: skip
#: Guesses that are never what a file is in.
_UNLIKELY = frozenset({"cp1252", "cp1006", "johab", "hp-roman8", "latin-1", "iso8859-1"})


def checked(name: str) -> str:
    """Python's name for an encoding of text. UsageError for one that is none."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        known = sorted({*aliases, *aliases.values()})
        hint = near(name.lower().replace("-", "_"), known)
        raise UsageError(
            f"There is no encoding '{name}'.",
            hint if hint.startswith("Did") else "For example: utf-8, cp1252, cp1251, cp932.",
        ) from None
    text = _dashed(codec.name)
    if not codec._is_text_encoding or text in _NO_FILES:
        raise UsageError(
            f"'{name}' is no encoding that files of text are written in.",
            "For example: utf-8, cp1252, cp1251, cp932.",
        )
    return text


def _dashed(name: str) -> str:
    return name.replace("_", "-").removesuffix("-sig")


def encoding_of(head: bytes, asked: str | None, name: str) -> str | None:
    """The encoding to read a file in, by how it begins; None for UTF-8. AceError when that is
    not what was asked for (see :func:`checked`).
    """
    marked = _marked(head)
    if asked is None:
        if _ESCAPES.search(head):
            raise AceError(
                f"{name} is in an older Japanese encoding of seven bits.",
                "Say so: --encoding iso2022-jp.",
            )
        return None if marked == "utf-8" else marked
    if marked is not None and not marked.startswith(asked):
        begins = any(head.startswith(mark) for mark, _ in _MARKS)
        raise AceError(
            f"{name} is {marked.upper()}, not {asked}: "
            + ("its first bytes say so." if begins else "every other byte of it is zero."),
            "Leave --encoding out for this file.",
            exit_code=2,
        )
    if marked is None and not asked.startswith("utf-") and _many_in_utf8(head):
        raise AceError(
            f"{name} is UTF-8, as all of its letters beyond ASCII show, not {asked}.",
            "Leave --encoding out for this file.",
            exit_code=2,
        )
    return marked or asked


def _marked(head: bytes) -> str | None:
    """The encoding of Unicode that the first bytes state, or that their zeros show."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    start = head[:4096]
    even, odd = start[::2].count(0), start[1::2].count(0)
    # Separators, digits and line ends of any table or document are ASCII.
    enough = len(start) // 10
    if even + odd <= enough:
        return None
    for encoding in ("utf-32-le", "utf-32-be"):
        try:
            start[: len(start) // 4 * 4].decode(encoding)
            return encoding
        except UnicodeDecodeError:
            pass
    if odd > enough and even * 20 < odd:
        return "utf-16-le"
    return "utf-16-be" if even > enough and odd * 20 < even else None


def _many_in_utf8(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return sum(letter > "\x7f" for letter in text) >= _SURELY_UTF8


class Utf8(io.RawIOBase):
    """A text of another encoding as UTF-8 bytes, without a byte order mark.

    Raises AceError for bytes that the encoding does not know; halves of pairs in UTF-16 are
    U+FFFD, as everywhere.
    """

    def __init__(self, file: IO[bytes], encoding: str, name: str) -> None:
        self._file = file
        self._encoding = encoding
        self._name = name
        errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "strict"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._ready = memoryview(b"")
        self._begun = False
        self._line = 1
        self._end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._end:
            data = self._file.read(1 << 16)
            self._end = not data
            try:
                text = self._decoder.decode(data, final=self._end)
            except UnicodeDecodeError as error:
                raise self._unknown(error) from None
            if text and not self._begun:
                text, self._begun = text.removeprefix("\ufeff"), True
            self._line += text.count("\n")
            self._ready = memoryview(clean_halves(text).encode())
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _unknown(self, error: UnicodeDecodeError) -> AceError:
        before = error.object[: error.start].decode(self._encoding, "replace")
        line = self._line + before.count("\n")
        found = " ".join(f"{byte:02X}" for byte in error.object[error.start : error.end][:4])
        return AceError(
            f"{self._name} is not {self._encoding} throughout: line {line} has the bytes {found}, "
            "which it does not know.",
            "Give another --encoding, or mend that line.",
        )

    def close(self) -> None:
        self._file.close()
        super().close()


class NotText(ValueError):
    """Bytes of a record that are in no encoding that can be told; the message is the reason."""


def judge(head: bytes, name: str, kind: str) -> bool:
    """Whether a file that should be UTF-8 is in Windows-1252 instead, by how it begins.

    Raises AceError where it is in neither. Where few words tell, or most are UTF-8, the answer
    is no, and every record is judged by itself (:func:`mended`). ``kind`` is the file's format.
    """
    if _is_utf8(head):
        return False
    words = stray_words(head)
    sound = len(set(_WORD.findall(head))) - len(words)
    few = len(words) < _FEW_WORDS
    if kind != "json" and few:
        # Nor are they few when most lines have one, or the line that names the columns.
        first, *others = head.strip().split(b"\n")
        hit = sum(not _is_utf8(line) for line in others)
        few = hit < 2 or hit * 2 <= len(others)
        few = few and (kind != "csv" or _is_utf8(first))
    if few or len(words) <= sound:
        return False
    if is_western(words):
        return True
    raise AceError(
        f"{name} is neither UTF-8 nor Windows-1252{_likeliest(words)}.",
        f"Say in which encoding it was written: --encoding {(_guessed(words) or ['NAME'])[0]}.",
    )


def mended(raw: bytes) -> str:
    """The text of a record that is not UTF-8: in Windows-1252 where that makes Western words, and
    pairs that were written as halves joined. Raises NotText for anything else.
    """
    try:
        return clean_halves(raw.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        pass
    words = stray_words(raw)
    if is_western(words):
        return raw.decode("utf-8", WINDOWS_1252)
    name = (_guessed(words) or ["NAME"])[0]
    raise NotText(
        f"it is neither UTF-8 nor Windows-1252{_likeliest(words)}: load the file with "
        f"--encoding {name}"
    )


def _likeliest(words: list[bytes]) -> str:
    found = _guessed(words)
    if not found:
        return ""
    also = f", or {found[1]}" if len(found) > 1 else ""
    return f" (likeliest: {found[0]}{also})"


def _guessed(words: list[bytes]) -> list[str]:
    """Encodings in which these words make sense, the likeliest first."""
    from charset_normalizer import from_bytes

    sample = b"\n".join(words)
    if len(sample) > _GUESSED_BYTES:
        sample = sample[:_GUESSED_BYTES].rpartition(b"\n")[0] or sample[:_GUESSED_BYTES]
    found = from_bytes(sample)
    names = [_USUAL.get(name, name) for name in (_dashed(one.encoding) for one in found)]
    names = [n for n in dict.fromkeys(names) if n not in _UNLIKELY and not n.startswith("utf-")]
    # What it says of a few words is in no good order: those of sound words come first.
    names.sort(key=lambda name: round(_oddness(words[:200], name), 1))
    # Turkish differs from Western languages by three letters, and has no accents.
    letters = set(sample.decode("latin-1").lower())
    if "cp1254" in names and letters & set("ðþý") and not letters & set("áéíóú"):
        names.sort(key="cp1254".__ne__)
    return names


def _oddness(words: list[bytes], encoding: str) -> float:
    """The share of words that have signs in them, or a capital behind a small letter."""
    odd = 0
    for word in words:
        text = word.decode(encoding, "replace")
        pairs = itertools.pairwise(text)
        odd += any(c > "\x7f" and unicodedata.category(c)[0] not in "LM" for c in text) or any(
            before.islower() and after.isupper() for before, after in pairs
        )
    return odd / len(words)


# -- Windows-1252, and how to tell it ---------------------------------------------------

#: Latin-1 control characters to what Windows-1252 has in their place.
_C1 = {
    code: bytes([code]).decode("cp1252", "replace").replace("\ufffd", chr(code))
    for code in range(0x80, 0xA0)
}


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 are read as Windows-1252, each by itself."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1").translate(_C1), error.end


#: The way of handling errors of UTF-8 that takes strange bytes for Windows-1252.
WINDOWS_1252 = "ace-windows-1252"
codecs.register_error(WINDOWS_1252, _as_windows_1252)

#: Between what no encoding makes parts of its letters: bytes below the digits, and : and ;.
_WORD = re.compile(rb"[^\x00-\x2f:;]*[\x80-\xff][^\x00-\x2f:;]*")
#: Bytes that are other letters in Eastern Europe and Turkey, and where they stand in Western
#: words: the pattern finds those that stand elsewhere; the letters beside it allow them if there
#: are half as many in the whole text (Icelandic, Estonian and Finnish have both).
_EASTERN = (
    (re.compile("[ðþý]"), "áéíóúæ"),
    (re.compile("[šž]"), "äöüõ"),
    (re.compile("õ(?!e)"), "äü"),
    (re.compile(r"ç(?=[b-np-tv-zèéêëìíîïñý])|[ìù](?=[a-z])|ã(?=[^\Woesn])|ø(?=.*[èìùšž])"), ""),
)
#: What stands between letters besides letters, at the end of a word, at its beginning, anywhere.
_BETWEEN = frozenset("\u2019\u2018\u2013\u2014\u2026·\u00b4")
_AFTER = frozenset("\u201d\u201c\u2122»!®©°ªº²³€£¢%")
#: No Western word has only letters of that kind, but those of one letter.
_ALL_HIGH = re.compile(r"(?<![^\W\d_])[À-ÿŠšŒœŽžŸ]{2,}(?![^\W\d_])")
_BEFORE = frozenset("\u201e\u201c\u201d\u20ac\u2022«»¡¿©£§")


def _is_western(word: str) -> bool:
    """Whether a word that was read as Windows-1252 is one that people write."""
    if _ALL_HIGH.search(word):
        return False
    run = 0
    for place, letter in enumerate(word):
        run = run + 1 if letter > "\x7f" and letter.isalpha() and letter not in "ªºƒµ" else 0
        if letter < "\x80":
            continue
        before = word[place - 1] if place else " "
        after = word[place + 1] if place + 1 < len(word) else " "
        if run:
            if run > 2 or (letter.isupper() and before.islower()):
                return False
        elif letter < "\xa0":
            return False  # nothing has that byte
        elif before.isalpha() and after.isalpha():
            if letter not in _BETWEEN:
                return False
        elif (before.isalpha() and letter not in _AFTER | _BETWEEN) or (
            after.isalpha() and letter not in _BEFORE | _BETWEEN
        ):
            return False
    return True


def stray_words(data: bytes) -> list[bytes]:
    """The distinct words of a text that are not UTF-8."""
    found = dict.fromkeys(_WORD.findall(data))
    return [word for word in found if not _is_utf8(word)]


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8, perhaps cut in the middle of a letter."""
    try:
        codecs.getincrementaldecoder("utf-8")("surrogatepass").decode(data)
    except UnicodeDecodeError:
        return False
    return True


def is_western(words: list[bytes]) -> bool:
    """Whether words are plausible as Windows-1252: a few may be anything."""
    texts = [word.decode("ascii", WINDOWS_1252) for word in words]
    if sum(not _is_western(text) for text in texts) * 10 > len(texts):
        return False
    whole = " ".join(texts).lower()
    for pattern, beside in _EASTERN:
        found = len(pattern.findall(whole)) - 2 * sum(map(whole.count, beside))
        if found * 25 > len(texts):
            return False
    return True
