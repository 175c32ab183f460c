"""The character set of a page: what is declared, as far as the bytes do not disprove it, else what the bytes show."""

from __future__ import annotations

import codecs
import re

import chardet
from selectolax.lexbor import LexborHTMLParser
from w3lib.encoding import read_bom, resolve_encoding

_START, _HEAD, _SAMPLE = 200, 64 * 1024, 128 * 1024
_WESTERN = "cp1252"
_SEVEN_BITS = re.compile(rb"\x1b(?:\$[@B]|\([IJ]|\$\(D|(\$\)C))")
_XML = re.compile(r"\s*<\?xml\s[^<>]*?\bencoding\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_PRAGMA = re.compile(r"content[-_ ]?type", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"(?:x[-_])?(?:windows|win|cp|ansi|ms)[-_]?(125\d|874|93[26]|949|950)")
# Control characters, half of a pair, private use, no character at all: a text that was decoded by the right name has
# hardly any. Tabs and line ends are fine.
_WRONG = re.compile("[\x80-\x9f\ue000-\uf8ff\ufffd\U000f0000-\U0010ffff]")
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r\x1b"})
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_ASCII = re.compile("[\x00-\x7f]+")
# Half-width letters, or an ideograph in the middle of a Latin word: a wrong guess is full of these.
_UNLIKELY = re.compile("[\uff61-\uff9f]|[A-Za-z][\u3040-\u9fff\uac00-\ud7a3]|[\u3040-\u9fff\uac00-\ud7a3][A-Za-z]")
# No word mixes Latin letters with Greek, Cyrillic, Hebrew or Arabic ones: "Café" is not "Cafй".
_OF_ANOTHER_SCRIPT = re.compile("[\u0370-\u06ff]")
_MIXED = re.compile("[A-Za-z][\u0370-\u06ff]|[\u0370-\u06ff][A-Za-z]")
_NO_CHARACTER_SETS = frozenset("unicode-escape raw-unicode-escape idna punycode x-user-defined undefined".split())
_ASCII_LABELS = frozenset(("ascii", "us-ascii", "iso646-us", "ansi_x3.4-1968"))
_DISPROVED = ("utf-", "ascii")
"""Names that bytes beyond ASCII disprove if they are not valid UTF-8 and no second byte is zero."""
_WIDER = {"euc_jp": ("euc_jis_2004",), "iso2022_jp": ("iso2022_jp_ext", "iso2022_jp_2004"), "big5hkscs": ("cp950",)}
"""Codecs that also have the signs that makers of computers added, such as ①; the one with the fewest faults is used."""

_OF_LANGUAGES = {
    "ja": "cp932 euc-jp", "zh": "gb18030 big5hkscs", "ko": "cp949", "th": "cp874", "vi": "cp1258",
    "ru uk be bg mk kk ky mn tg tt": "cp1251 koi8-r koi8-u iso8859-5 cp866",
    "sr bs": "cp1251 cp1250 iso8859-2 iso8859-5", "pl cs sk hu sl hr ro sq": "cp1250 iso8859-2 iso8859-16",
    "el": "cp1253 iso8859-7", "he yi": "cp1255 iso8859-8", "ar fa ur": "cp1256 iso8859-6", "tr az": "cp1254",
    "lt lv et": "cp1257 iso8859-13",
}  # fmt: skip
_USUAL = {lang: names.split() for langs, names in _OF_LANGUAGES.items() for lang in langs.split()}
"""The character sets that pages in a language have if they are not in UTF-8. Others have windows-1252."""
_ALL = sorted({name for names in _USUAL.values() for name in names} | {_WESTERN})
_LATIN = frozenset("cp1250 cp1252 cp1254 cp1257 cp1258 iso8859-2 iso8859-13 iso8859-16".split())


def decode(body: bytes, content_type: str | None = None, lang: str | None = None) -> str:
    """The text of an HTML body. Never raises. `lang` is the language of its site.

    The order is that of the encoding standard, byte order mark, HTTP header, `<meta>`, but the bytes have the last
    word: valid UTF-8 is UTF-8 whatever was declared, a declaration that the bytes disprove gives way to the next one,
    and if none is left, the bytes are compared with what is usual in the page's language. Bytes that break UTF-8 are
    read as windows-1252, one by one.

    >>> decode("caf\\u00e9".encode(), "text/html; charset=iso-8859-1")
    'café'
    >>> decode(b"\\x93caf\\xe9\\x94", "text/html; charset=utf-8")
    '“café”'
    >>> decode("<meta charset=koi8-r>\\u043c\\u0438\\u0440".encode("koi8-r"), "text/html; charset=utf-8")[-3:]
    'мир'
    """
    encoding, mark = read_bom(body)
    if encoding and mark:
        return body[len(mark) :].decode(encoding, "replace")
    http = _codec(_charset_of(content_type or "")) or ""
    if wide := _of_two_bytes(body[:_START], http):
        return body.decode(wide, "replace")
    plain = _as_utf8(body)
    if (seven := _SEVEN_BITS.search(body)) and (plain is None or body.isascii()):
        return _read(body, "iso2022_kr" if seven[1] else "iso2022_jp")
    if plain is not None and b"~{" not in body:
        return plain
    head = LexborHTMLParser(body[:_HEAD].decode("latin-1"))
    declared = list(dict.fromkeys(filter(None, (http, _codec(_declared(head, body))))))
    if plain is not None:
        return _read(body, "hz") if "hz" in declared else plain
    return _read(body, _chosen(_sample(body), declared, _language(head) or lang))


def _sample(body: bytes) -> bytes:
    """The part of a body that shows its character set: what follows the first bytes beyond ASCII."""
    match = _BEYOND_ASCII.search(body)
    start = max(match.start() - _START, 0) if match else 0
    return body[start : start + _SAMPLE]


def _chosen(sample: bytes, declared: list[str], lang: str | None) -> str:
    """The codec for bytes that are not valid UTF-8, or not throughout."""
    wrong, right = _faults(sample.decode("utf-8", "replace"))
    if wrong * 10 <= right:
        return "utf-8"
    for name in declared:
        if name == "utf-8" and wrong <= right:
            return name
        if not name.startswith(_DISPROVED) and _is_plausible(_read(sample, name)):
            return name
    return _detected(sample, lang) or ("utf-8" if right and "utf-8" in declared else _WESTERN)


def _as_utf8(body: bytes) -> str | None:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _codec(label: str | None) -> str | None:
    """Python's name for the character set with a label; None if there is no such character set."""
    plain = (label or "").strip().lower()
    number = _PAGE_NUMBER.fullmatch(plain)
    if plain in _ASCII_LABELS:
        return "ascii"
    name = resolve_encoding(f"cp{number[1]}" if number else plain) or resolve_encoding(plain.removeprefix("x-"))
    if name is None or name in _NO_CHARACTER_SETS:
        return None
    try:
        b"x".decode(name, "replace")
    except (LookupError, UnicodeError):  # a codec of Python that is not a character set: hex, rot13
        return None
    return _WESTERN if name in {"latin-1", "iso8859-1"} else name


def _charset_of(text: str) -> str | None:
    match = _CHARSET.search(text)
    return match[1] if match else None


def _declared(head: LexborHTMLParser, body: bytes) -> str | None:
    """The label in the first `<meta>` that has one, however its attributes are spelled, else in an XML declaration."""
    for node in head.css("meta"):
        attributes = {name.lower(): value or "" for name, value in node.attributes.items()}
        if label := attributes.get("charset", "").strip(" \"'"):
            return _unless_wide(label.split(";")[0])
        content = attributes.pop("content", "")
        named = _charset_of(content)
        if named and any(_PRAGMA.search(value) for value in attributes.values()):
            return _unless_wide(named)
    match = _XML.match(body[:_START].decode("latin-1"))
    return _unless_wide(match[1]) if match else None


def _unless_wide(label: str) -> str:
    """A page whose `<meta>` could be read as ASCII is not in UTF-16, as the encoding standard says."""
    return "utf-8" if label.lower().startswith(("utf-16", "utf16", "utf-32", "unicode")) else label


def _language(head: LexborHTMLParser) -> str | None:
    node = head.css_first("html[lang]")
    value = (node.attributes.get("lang") or "").strip().lower() if node is not None else ""
    return re.split(r"[-_]", value)[0] or None


def _of_two_bytes(start: bytes, http: str) -> str | None:
    """UTF-16 or UTF-32 without a mark: declared, or plain from the zeros between the letters of the first tags."""
    if b"\0" not in start or len(start) < len("<p>x") * 2:
        return None
    if http.startswith(("utf-16", "utf-32")):
        return http
    even, odd = start[::2].count(0) * 2, start[1::2].count(0) * 2
    if max(even, odd) * 10 < len(start) * 9 or min(even, odd) * 10 > len(start):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _read(body: bytes, name: str) -> str:
    """A body by a codec, with the wider forms of it if it has signs that the codec lacks."""
    errors = "locum-cp1252" if name in {"utf-8", _WESTERN} else "replace"
    texts = [body.decode(name, errors)]
    if "\ufffd" in texts[0]:
        for wider in _WIDER.get(name, ()):
            source = body.replace(b"\x1b$B", b"\x1b$(Q") if wider == "iso2022_jp_2004" else body
            texts.append(source.decode(wider, "replace"))
    return min(texts, key=lambda text: text.count("\ufffd"))


def _byte_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace") if error.encoding == "utf-8" else bad.decode("latin-1"), error.end


codecs.register_error("locum-cp1252", _byte_as_cp1252)


def _faults(text: str) -> tuple[int, int]:
    """How many signs of a text show that it was decoded by a wrong name, and how many others are beyond ASCII."""
    plain, others = text.encode("ascii", "ignore"), _ASCII.sub("", text)
    wrong = len(plain) - len(plain.translate(None, _CONTROLS)) + len(_WRONG.findall(others))
    if _OF_ANOTHER_SCRIPT.search(others) is not None:
        wrong += len(_MIXED.findall(text))
    return wrong, max(len(others) - wrong, 0)


def _is_plausible(text: str) -> bool:
    """Whether hardly any sign is wrong: one bad byte spoils one character, a wrong name every other one."""
    wrong, right = _faults(text)
    return wrong * 5 <= right


def _detected(sample: bytes, lang: str | None) -> str | None:
    """What the detector makes of the bytes: of the language's character sets, else of all; None if of none.

    If the language is usually in windows-1252, or if this is nearly as likely, no other set of the Latin alphabet is.
    """
    ways: list[list[str]] = [names for names in (_USUAL.get(lang or ""), _ALL) if names]
    for names in ways:
        guesses = chardet.detect_all(sample, include_encodings=names, no_match_encoding=names[0])
        named = [(_codec(guess["encoding"]), guess["confidence"]) for guess in reversed(guesses)]
        likely: dict[str, float] = {codec: confidence for codec, confidence in named if codec}
        codecs_in_order: list[str] = [*reversed(likely), *(names if names is not _ALL else ())]
        for codec in codecs_in_order:
            if names is _ALL and codec in _LATIN and (lang or likely[codec] < 2 * likely.get(_WESTERN, 0)):
                return None
            text = _read(sample, codec)
            if _is_plausible(text) and 2 * len(_UNLIKELY.findall(text)) <= sum(_faults(text)):
                return codec
    return None
