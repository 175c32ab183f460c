"""From a string to tokens: one scanner for all languages.

`scan` gives a *shape*, one character for each token, and the tokens' values beside it. The grammar is then a
few regular expressions over the shape: "Tuesday, 3rd May 2019 at 15:45" has the shape ``W,oMy@t``.

========  =========================================  ========  ==========================================
code      token                                      code      token
========  =========================================  ========  ==========================================
``d o``   number 1-31, the same as an ordinal        ``M W``   month, weekday
``e n``   other two-digit number, other number       ``B``     either ("mar" in Spanish)
``y q``   four-digit number, year as in '18          ``A N``   am or pm, noon or midnight
``I Q``   ISO date and time, numeric date            ``H``     "o'clock", "Uhr", "h"
``C``     date in one number (20180410)              ``Z O``   zone name, UTC offset
``t x``   time, number that may be a dotted time     ``L U``   label of a published, of a modified date
``h``     hour as in "15h"                           ``p @``   connecting word, connecting word of a time
``jklv``  signs for year, month, day, month number   ``r &``   word of a range, "and"
``u``     word for a quarter                         ``c $``   copyright; currency or kind of number
``G``     two numbers grown together                 ``w ?``   any other word, any other sign
``i``     number of the word before it: "No. 3"
========  =========================================  ========  ==========================================

Punctuation stands for itself; bullets and bars are ``|``, dashes are ``-``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from locum_spider.dates.days import Numeric
from locum_spider.dates.vocabulary import ABBREVIATED, NUMBERED, label_of
from locum_spider.dates.zones import AFTER_TIME, ZONE_NAMES, is_place, parse_offset

_MARKS = re.compile("[\u0300-\u036f\u064b-\u0655]")  # Latin, Greek and Cyrillic accents; Arabic vowel signs
# the zeros of Arabic, Persian, the scripts of India, Thai, Lao, Tibetan, Burmese, Khmer, and the wide ones
_ZEROS = (0x660, 0x6F0, *range(0x966, 0xDE7, 0x80), 0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0xFF10)
_ODD = str.maketrans(
    {
        **{chr(zero + n): str(n) for zero in _ZEROS for n in range(10)},
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e", None),
        **dict.fromkeys("\u2060\u2066\u2067\u2068\u2069\ufeff\u061c", None),
        **dict.fromkeys("‐‑‒–—―−﹣－~〜～", "-"),
        **dict.fromkeys("•·∙‧・●▪|｜¦›»→⋅◦", "|"),
        **dict.fromkeys("’ʼ‘´`＇׳", "'"),
        **dict.fromkeys("，、،", ","),
        **dict.fromkeys("（［【〔[", "("),
        **dict.fromkeys("）］】〕]", ")"),
        "：": ":",
        "．": ".",
        "。": ".",
        "／": "/",
        "ı": "i",
        "ς": "σ",
        "ك": "ک",
        "ي": "ی",
        "ى": "ی",
        "＠": "@",
    }
)
_WIDE = str.maketrans("[]", "()")


def fold(text: str) -> str:
    """The text without accents, and with plain digits, dashes, spaces and quotes. Case is kept.

    >>> fold("Publié\\u00a0: 10 août – ١٢")
    'Publie\\xa0: 10 aout - 12'
    """
    if text.isascii():
        return text.translate(_WIDE) if "[" in text else text
    text = _MARKS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", text).translate(_ODD)


SIGNS = r"\u0900-\u0df2\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
"""Vowel signs and tone marks of India and Thailand, for a class in a pattern: parts of words, but not letters."""
_WORD = rf"[^\W\d_]+(?:[{SIGNS}]+[^\W\d_]*)*"
_AM_PM = r"(?:[apAPπμΠΜ]\.?\s?[mMμΜ](?:(?![^\W\d_])|(?=[A-Z][a-z]))\.?|[pm]\.\s?d\.)"
_GLUED = rf"(?=\d{{1,2}}(?:[:.hH][0-5]\d(?!\d)|\s?{_AM_PM}|(?:\.\s?|\s|(?:st|nd|rd|th)\s)[^\W\d_]))"
_GMT = "(?:[gG][mM][tT]|[uU][tT][cC])"
_ENDS = r"(?:(?![^\W_])|(?=[^\W\d_]{2}))"  # a name may be grown to a time: "T10:30:00ZJane Doe"
_ZONED = rf"(?:\s?([+-]\d\d:?\d\d|[Zz])(?!:){_ENDS})?"
_PLACE = r"[AEIP](?:frica|merica|sia|tlantic|ustralia|urope|ndian|acific)/[A-Z][A-Za-z_/-]+"
_ORDINAL = "(?:(?i:st|nd|rd|th)|er|re|ere|eme|ste|de|[eoaº°ª]|:[ea])"

# words first, as most tokens are words; no IGNORECASE, as it doubles the time
_SCANNER = re.compile(
    rf"""
    \s* (?:
    (?P<word>  {_PLACE} | (?! {_GMT} \s? [+-] \s? \d ) (?:{_WORD}) )
  | (?P<iso>   (?=\d{{4}}-\d\d?-\d|\d{{4}}-?\d\d-?\d\d) (\d{{4}})-?(\d\d?)-?(\d\d?) \s?[Tt]\s?
               (\d\d|\d(?=:))(?P<c>[:-]?)(\d\d) (?:(?P=c)(\d\d)(?:[.,]\d+)?)?
               (?:\s?([Zz]|[+-]\d\d(?::?\d\d)?))? {_ENDS} )
  | (?P<ymd>   (\d{{4}}) \s?(?P<a>[./-])\s? (\d{{1,2}}) \s?(?P=a)\s?
               (?: (\d{{1,2}})(?!\d) | (\d\d)(?=\d\d:\d\d) ) (?!(?P=a)\d) )
  | (?P<dmy>   (\d{{1,2}}) \s?(?P<b>[./-])\s? (\d{{1,2}}) \s?(?P=b)\s?
               (?: (\d{{4}}|\d\d)(?!\d) | ((?:19|20)\d\d){_GLUED} ) (?!(?P=b)\d) )
  | (?P<hand>  (\d{{1,2}}) (?:[:.](\d\d))? (?:[:.](\d\d)(?:[.,]\d+)?)? \s?({_AM_PM}) {_ZONED} )
  | (?P<clock> (\d{{1,2}}) : (\d\d) (?: : (\d\d)(?:[.,]\d+)?)? (?!\d|:\d) {_ZONED} (\s?[Mm]in\b)? )
  | (?P<hour>  (\d{{1,2}}) \s?[hH](?:eures?|oras?)?\.?\s?
               (?: (\d\d)(?:\s?m(?:in)?\b)?(?:\s?\d\ds)? {_ENDS} | (?![^\W_]) ) )
  | (?P<cjk>   (\d{{1,2}}) \s?[时時點点시]\s? (?:(\d{{1,2}})\s?[分분])? \s?(?:(\d{{1,2}})\s?[秒초])? )
  | (?P<dotted>(\d{{1,2}}) \. (\d\d) (?!\d|[.:/]\d) )
  | (?P<number> (?: (?:19|20)\d\d{_GLUED} | \d+ ) (?P<ordinal>{_ORDINAL}(?![^\W_]))? )
  | (?P<offset> {_GMT} \s?[+-]\s? (?:\d\d:?\d\d|\d{{1,2}}(?::\d\d)?) (?!\d) )
  | (?P<short> '\d\d(?!\d) )
  | (?P<sign>  \S )
    )""",
    re.VERBOSE,
)
_GROUP = _SCANNER.groupindex
_WORDS, _SIGN = _GROUP["word"], _GROUP["sign"]
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][^A-Z])|[A-Z]?[^A-Z]+|[A-Z]+")
_LAST_WORD = re.compile(r"(?<![^\W_])([^\W\d_]+)-?$")
_FIRST_CJK = "\u3005"
_SIGNS = {c: c for c in ",.:;/|-()'@&+"} | dict.fromkeys("$€£¥₽₴₺₩₹%№#", "$") | {"©": "c"}
_MAY_BE_GLUED = frozenset("yQ")
_COUNTS = frozenset("doen")
_COUNTED = frozenset("w$.:?-&/p@rAi")
_SHORT, _REACH = 3, 16  # letters


class Time(NamedTuple):
    hour: int
    minute: int
    second: int
    precision: str
    offset: int | None = None  # minutes east of UTC, if printed with the time
    half: str = ""  # "a" or "p" of a 12-hour time
    padded: bool = False  # written with a leading zero, unlike a price


def scan(text: str, words: Mapping[str, tuple[str, Any]]) -> tuple[str, list[Any]]:
    """Shape and values of a folded text; `words` are the language's words with code and value.

    >>> scan("By Jo | 3 May 2019 at 15:45", {"may": ("M", 5), "at": ("@", None)})[0]
    'ww|dMy@t'
    """
    codes: list[str] = []
    values: list[Any] = []
    glued = False
    for match in _SCANNER.finditer(text):
        kind = match.lastindex or 0
        if glued:
            codes.append("G")
            values.append(None)
            glued = False
        if kind == _WORDS:
            word = match[_WORDS]
            token = words.get(word.lower())
            if token is None or word in ZONE_NAMES:
                _add_unknown(word, words, codes, values)
                continue
            code, value = token
        elif kind == _SIGN:
            code, value = _SIGNS.get(match[_SIGN], "?"), None
        else:
            code, value = _CLASSIFY[kind](match, kind)
            glued = code in _MAY_BE_GLUED and text[match.end() : match.end() + 1].isdigit()
            if code in _COUNTS and codes and codes[-1] in _COUNTED and _belongs(text, match.start(kind), codes, values):
                code = "i"
        codes.append(code)
        values.append(value)
    return "".join(codes), values


def _belongs(text: str, start: int, codes: list[str], values: list[Any]) -> bool:
    """Whether the number at `start` belongs to the word before it: "Issue 3", "No. 3", "n° 3", "Covid-19", "G20", "$5".

    Two numbers may share a word: "Chapters 10-12".
    """
    last, near = codes[-1], text[start - 1]
    if last == "w" and (values[-1] in NUMBERED or near == "第"):
        return True
    if last == "p" and values[-1] == "no":
        return True
    if (last in "wp@rA" and not near.isalpha()) or (last == "-" and near == " "):
        return False
    before = codes[-2:-1]
    if last == "$":
        return not before or before[0] not in "doeny"  # not in "5 € 10 April"
    if last in ".:?":
        return before in (["w"], ["p"]) and values[-2] in (NUMBERED if last == ":" else ABBREVIATED)
    if before == ["i"]:
        return last in "-&/" and (last == "&" or near == last)
    if near == "제":
        return not text[start - 2 : start - 1].isalpha()
    if last not in "-w@&rAp" or not (near == "-" or near.isalpha()):
        return False
    match = _LAST_WORD.search(text, max(0, start - _REACH), start)
    if match is None:
        return False
    word = match[1]
    letter = len(word) == 1 and word.isupper() and word != "T"
    if last == "-":  # "Covid-19", but not "LONDON-10 April"
        named = before == ["w"] and (word[-1].isupper() if len(word) <= _SHORT else len(codes) == len("w-"))
        named = named and (len(word) <= _SHORT or not word.isupper())
    else:  # "G20", but not "Smith12 May"
        named = last == "w" and len(word) <= _SHORT and word[-1].isupper()
    return letter or named or word.lower() in NUMBERED


# Each takes a match and the number of its kind's group; the groups inside that one have the numbers after it.


def _of_iso(match: re.Match[str], group: int) -> tuple[str, Any]:
    return "I", match.group(*range(group + 1, group + 5), *range(group + 6, group + 9))  # all but the separator


def _of_numeric(match: re.Match[str], group: int) -> tuple[str, Any]:
    first, separator, middle, last, glued = match.group(*range(group + 1, group + 6))
    end = match.end()
    if separator != "." and match.string[end : end + 1] == separator and match.string[end + 1 : end + 2].isalpha():
        return "n", match.group()  # the beginning of a file's name or of an address
    return "Q", Numeric(first, middle, last or glued, separator)


def _of_hand(match: re.Match[str], group: int) -> tuple[str, Any]:
    hour, minute, second, half, offset = match.group(*range(group + 1, group + 6))
    am = half[0] in "aAπΠ" or (half[:2] == "p." and "d" in half)
    return _time(hour, minute, second, offset, half="a" if am else "p")


def _of_clock(match: re.Match[str], group: int) -> tuple[str, Any]:
    *time, length = match.group(*range(group + 1, group + 6))
    return _time(*time) if length is None else ("n", match[group])  # "01:30 min" is a length


def _of_hour(match: re.Match[str], group: int) -> tuple[str, Any]:
    hour, minute = match.group(group + 1, group + 2)
    code, value = _time(hour, minute)
    return ("h" if code == "t" and not minute else code), value


def _of_cjk(match: re.Match[str], group: int) -> tuple[str, Any]:
    return _time(*match.group(group + 1, group + 2, group + 3))


def _of_dotted(match: re.Match[str], group: int) -> tuple[str, Any]:
    code, value = _time(*match.group(group + 1, group + 2))
    return ("n", match[group]) if code == "!" else ("x", value)


def _of_number(match: re.Match[str], group: int) -> tuple[str, str]:
    suffix = match["ordinal"]
    digits = match[group].removesuffix(suffix or "")
    size = len(digits)
    if size <= 2:
        if 1 <= int(digits) <= 31:
            return ("o" if suffix else "d"), digits
        return ("e" if size == 2 and not suffix else "n"), digits
    if size == 4 and not suffix:
        return ("y" if digits[0] in "12" else "n"), digits
    return ("C" if size in (8, 14) and digits[:2] in ("19", "20") else "n"), digits


def _of_offset(match: re.Match[str], group: int) -> tuple[str, Any]:
    minutes = parse_offset(match[group])
    return ("n", match[group]) if minutes is None else ("O", minutes)


def _of_short(match: re.Match[str], group: int) -> tuple[str, Any]:
    return "q", match[group][1:]


_CLASSIFY: dict[int, Callable[[re.Match[str], int], tuple[str, Any]]] = {
    _GROUP["iso"]: _of_iso,
    _GROUP["ymd"]: _of_numeric,
    _GROUP["dmy"]: _of_numeric,
    _GROUP["hand"]: _of_hand,
    _GROUP["clock"]: _of_clock,
    _GROUP["hour"]: _of_hour,
    _GROUP["cjk"]: _of_cjk,
    _GROUP["dotted"]: _of_dotted,
    _GROUP["number"]: _of_number,
    _GROUP["offset"]: _of_offset,
    _GROUP["short"]: _of_short,
}


def _time(
    hour: str, minute: str | None, second: str | None = None, offset: str | None = None, *, half: str = ""
) -> tuple[str, Any]:
    """A time token, or code ``!`` for a time that cannot exist: a text with it does not count as a date."""
    h, m, s = int(hour), int(minute or 0), int(second or 0)
    if h > 23 or m > 59 or s > 60 or (half == "a" and h > 12) or (half == "p" and h == 0):
        return "!", None
    if half and h <= 12:
        h = h % 12 + (12 if half == "p" else 0)
    precision = "second" if second else "minute" if minute else "hour"
    east = parse_offset(offset) if offset else None
    if offset and east is None:
        return "!", None
    # "08:00-09:00" is a range of times: an offset with a minus and a colon counts only after seconds
    if offset and not second and offset[0] == "-" and ":" in offset:
        return "!", None
    return "t", Time(h, m, min(s, 59), precision, east, half, hour[0] == "0")


def _add_unknown(word: str, words: Mapping[str, tuple[str, Any]], codes: list[str], values: list[Any]) -> None:
    """Add a word that the tables do not have, or that may also be a zone."""
    lower = word.lower()
    token = words.get(lower)
    if word in ZONE_NAMES and (token is None or token[0] not in "MWB") and _is_zone(word, codes):
        token = ("Z", word)
    elif token is None and "/" in word:
        token = ("Z" if is_place(word) else "w"), word
    elif token is None:
        if codes and codes[-1] == "w" and f"{values[-1]} {lower}" in words:
            codes[-1], values[-1] = words[f"{values[-1]} {lower}"]  # a month of two words
            return
        if max(word) >= _FIRST_CJK:
            _add_run(word, words, codes, values)
            return
        label = label_of(lower)
        if label is None and not (word.islower() or word.isupper() or word.istitle()):
            parts = _CAMEL.findall(word)  # "CSTUpdated", "KhalifehPublished"
            if len(parts) > 1:
                for part in parts:
                    _add_unknown(part, words, codes, values)
                return
        token = (label or "w", lower)
    codes.append(token[0])
    values.append(token[1])


def _is_zone(word: str, codes: list[str]) -> bool:
    """Whether a name of a zone stands for one: some are words in capitals as well, unless a time is before them."""
    return word not in AFTER_TIME or (bool(codes) and codes[-1] in "txhA(")


def _add_run(run: str, words: Mapping[str, tuple[str, Any]], codes: list[str], values: list[Any]) -> None:
    """Split a run of Chinese, Japanese or Korean signs at the longest known words and add them.

    A weekday of one sign counts only if it stands alone: 水 is Wednesday in "(水)", not in 水戸.
    """
    start = 0
    while start < len(run):
        for size in range(min(4, len(run) - start), 0, -1):
            token = words.get(run[start : start + size])
            if token is not None and (size > 1 or len(run) == 1 or token[0] not in "WB"):
                break
        else:
            token, size = ("w", run[start]), 1
        if token[0] != "w" or not codes or codes[-1] != "w":
            codes.append(token[0])
            values.append(token[1])
        start += size
