"""Text as the full-text search sees it, if SQLite's own tokenizer is not enough: an index beside holds such texts.

`unicode61` folds case and accents. It knows no words in scripts without spaces, parts a word at a soft hyphen, and
keeps letters such as ß and ł apart from ss and l. Here each sign of those scripts becomes a word of its own, so that a
phrase of signs finds any word in them; and letters, marks and invisible signs are folded. Change this only together
with a migration that folds all texts again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_PRIVATE = 0xE000  # the tokenizer takes signs for private use as letters
# Thai, Lao, Burmese, Khmer; Chinese, Japanese, Korean
_SIGNS = (
    r"\u0e01-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u3130-\u318f\u31f0-\u31ff"
    r"\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U000323af"
)
_WIDE = r"\uff01-\uffdc\ufb00-\ufb06\ufb1d-\ufdfb\ufe70-\ufefc"
_INVISIBLE = r"\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff"
# accents and points that stand alone: Latin, Greek, Cyrillic; Hebrew, Arabic; and the long stroke in Arabic words
_MARKS = (
    r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    r"\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc"
)
# letters with accents that the tokenizer keeps: with two of them, Greek ones, Vietnamese ones
_ACCENTED = (
    r"\u01d5-\u01dc\u01de-\u01e3\u01ec-\u01ef\u01fa-\u01ff\u022a-\u022d\u0230\u0231\u0386\u0388-\u0390\u03aa-\u03b0"
    r"\u03ca-\u03ce\u0400\u040d\u0450\u045d\u1e00-\u1fff"
)
_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
    "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "ng", "Ŋ": "Ng", "ı": "i", "İ": "I",
    "ĸ": "k", "ŀ": "l", "Ŀ": "L", "ſ": "s", "ĳ": "ij", "Ĳ": "IJ", "ŉ": "n",
    "ƒ": "f", "ƀ": "b", "ɨ": "i", "Ɨ": "I", "ʉ": "u", "Ʉ": "U", "ə": "e", "Ə": "E",
    "ё": "е", "Ё": "Е", "ґ": "г", "Ґ": "Г",
    "آ": "ا", "أ": "ا", "إ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي",
    "ک": "ك", "ة": "ه", "ۀ": "ه", "ؤ": "و", "ئ": "ي",
    "ς": "σ",
}  # fmt: skip
"""The letter that another stands for in a search, besides those that the tokenizer folds by itself."""
_SPECIAL = re.compile(f"[{_SIGNS}{_WIDE}{_INVISIBLE}{_MARKS}{_ACCENTED}{''.join(_LETTERS)}]")
_SIGN = re.compile(f"[{_SIGNS}]")


def needs_folding(*texts: str | None) -> bool:
    """Whether one of the texts has signs that the tokenizer does not know how to fold."""
    return any(text and not text.isascii() and _SPECIAL.search(text) for text in texts)


def folded(text: str) -> str:
    """The text for index and query.

    >>> folded("Die Straße nach Łódź"), folded("Donau\u00addampf"), folded("海关").split()
    ('Die Strasse nach Lódź', 'Donaudampf', ['海', '关'])
    """
    return text if text.isascii() else _SPECIAL.sub(lambda match: _fold(match[0]), text)


def folded_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters, and its end, the place in the text that it comes from."""
    if not needs_folding(text):
        return text, range(len(text) + 1)
    parts: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        part = _fold(char) if _SPECIAL.match(char) else char
        parts.append(part)
        places += [place] * len(part)
    return "".join(parts), [*places, len(text)]


def _fold(char: str) -> str:
    letter = _LETTERS.get(char)
    if letter is not None:
        return letter
    if _SIGN.match(char):
        return f" {_as_letter(char)} "
    plain = unicodedata.normalize("NFKC", char)
    if plain == char and len(apart := unicodedata.normalize("NFD", char)) > 1:
        return "".join(_LETTERS.get(part, part) for part in apart if not unicodedata.combining(part))
    if plain == char:
        return "" if unicodedata.category(char) in ("Cf", "Mn", "Lm") else char
    return "".join(_fold(part) if _SPECIAL.match(part) else part for part in plain)


def _as_letter(char: str) -> str:
    """A vowel sign or tone mark as a letter of its own; the tokenizer would take it for a blank."""
    return chr(_PRIVATE + ord(char) % 0x1000) if unicodedata.category(char)[0] == "M" else char
