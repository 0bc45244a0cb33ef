"""Text whose UTF-8 bytes were taken for characters of another encoding: ``CafÃ©``."""

from __future__ import annotations

import re


def _after(encoding: str) -> str:
    """What the second bytes of UTF-8 sequences look like in an encoding of single bytes."""
    return "".join(bytes([byte]).decode(encoding, "ignore") for byte in range(0x80, 0xC0))


#: What no such text is without, in a spelling that Arrow's regular expressions share: C1
#: controls, and pairs that the bytes of UTF-8 make in Windows-1252, Windows-1251 and Mac
#: Roman. It is found in sound text as well; whether to mend is decided behind it.
SUSPECT = (
    "[\u0080-\u009f]"
    f"|[\u00c2-\u00f4][\u00a0-\u00bf{_after('cp1252')}]"
    f"|[\u0420\u0421][{_after('cp1251')}]"
    "|[\u221a\u201a\u00ac][\u00a1-\uffff]"
)
_SUSPECT = re.compile(SUSPECT)


def mended(text: str) -> str:
    """The text as it was meant; sound text comes back as it is."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    # Not at the top: few files need it.
    import ftfy
    from ftfy.badness import is_bad

    if not is_bad(text):
        return text
    return ftfy.fix_encoding(text)
