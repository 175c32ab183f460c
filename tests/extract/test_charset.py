"""Character sets: what is declared, what the bytes disprove, what is detected."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum_spider.extract.page.charset import decode

TEXT = "“Café” costs £5 – naïve"
META = '<meta charset="{}">'
OLD_META = '<meta http-equiv="Content-Type" content="text/html; charset={}">'


def header(charset: str) -> str:
    return f"text/html; charset={charset}"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        # one source says it
        (TEXT.encode(), header("utf-8")),
        (TEXT.encode("cp1252"), header("windows-1252")),
        (TEXT.encode("cp1252"), header('"windows-1252"')),
        ((META.format("utf-8") + TEXT).encode(), None),
        ((META.format("windows-1252") + TEXT).encode("cp1252"), None),
        ((OLD_META.format("windows-1252") + TEXT).encode("cp1252"), "text/html"),
        # nobody says it
        (TEXT.encode(), None),
        (TEXT.encode("cp1252"), None),
        (TEXT.encode("cp1252"), "text/html"),
        # latin-1 is what people say of windows-1252
        (TEXT.encode("cp1252"), header("iso-8859-1")),
        ((META.format("latin1") + TEXT).encode("cp1252"), None),
        (TEXT.encode("cp1252"), header("us-ascii")),
        # a header that lies
        (TEXT.encode(), header("iso-8859-1")),
        (TEXT.encode(), header("windows-1252")),
        (TEXT.encode(), header("us-ascii")),
        (TEXT.encode("cp1252"), header("utf-8")),
        (TEXT.encode("cp1252"), header("no-such-charset")),
        (TEXT.encode("cp1252"), header("")),
        # a page that lies
        ((META.format("iso-8859-1") + TEXT).encode(), None),
        ((META.format("utf-8") + TEXT).encode("cp1252"), None),
        # HTTP goes before the page
        ((META.format("koi8-r") + TEXT).encode("cp1252"), header("windows-1252")),
        # a byte order mark goes before all
        (b"\xef\xbb\xbf" + TEXT.encode(), header("iso-8859-1")),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), header("utf-8")),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), None),
        ((META.format("windows-1252") + TEXT).encode("utf-8-sig"), None),
    ],
    ids=itertools.count(),
)
def test_character_set_is_found(body, content_type):
    assert decode(body, content_type).removeprefix("\ufeff").endswith(TEXT)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Ставки оплаты", "koi8-r"),
        ("Ставки оплаты", "windows-1251"),
        ("報酬の改定", "shift_jis"),
        ("報酬の改定", "euc-jp"),
        ("Płace łódź", "iso-8859-2"),
        ("工资标准", "gb18030"),
    ],
)
def test_declared_character_sets_of_elsewhere_are_read(text, charset):
    assert decode(text.encode(charset), header(charset)) == text
    assert decode((OLD_META.format(charset) + text).encode(charset)).endswith(text)


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", None])
def test_single_bytes_of_windows_1252_in_a_utf8_page(charset):
    """A page from two sources: an old text pasted into a new template."""
    body = "£5 – ".encode() + b"\x93caf\xe9\x94" + " €9".encode()
    if charset:
        assert decode(body, header(charset)) == "£5 – “café” €9"
    assert decode(b'<meta charset="utf-8">' + body).endswith("£5 – “café” €9")


def test_bytes_that_windows_1252_does_not_have_are_no_error():
    assert decode(b"a\x81\x8d\x8f\x90\x9db\xe9", header("windows-1252")).startswith("a")
    assert decode(b"a\x81b\xff", header("utf-8"))[0] == "a"


NAMED = [
    None, "utf-8", "cp1252", "utf-16", "utf-7", "shift_jis", "x", "\0", "idna", "punycode", "hex", "rot13", "zlib",
    "unicode_escape", "undefined", "mbcs", "iso2022_jp",
]  # fmt: skip


@given(st.binary(max_size=80), st.sampled_from(NAMED))
def test_no_bytes_under_no_name_are_an_error(body, charset):
    assert isinstance(decode(body, header(charset) if charset else None), str)


RUSSIAN = "Кран перенесён в порт"
JAPANESE = "港のクレーンが移動"


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        ("Żuraw przeniesiono do portu", "iso-8859-2"),
        ("항구의 크레인이 이동했다", "euc-kr"),
        ("港口起重機移動", "big5"),
        ("港口起重机移动", "gb2312"),
        ("Ο γερανός στο λιμάνι", "windows-1253"),
        ("Vinç limana taşındı", "iso-8859-9"),
    ],
)
@pytest.mark.parametrize("wrong", ["utf-8", "no-such-set", "us-ascii; charset=x", "utf-16"])
def test_declaration_that_the_bytes_disprove_gives_way_to_the_next(text, charset, wrong):
    page = OLD_META.format(charset) + text
    assert decode(page.encode(charset), header(wrong)).endswith(text)
    assert decode(("<meta charset=utf-8>" + text).encode(charset), header(charset)).endswith(text)


@pytest.mark.parametrize(
    ("lang", "text", "charsets"),
    [
        ("ru", RUSSIAN, ["windows-1251", "koi8-r", "iso-8859-5"]),
        ("ja", JAPANESE, ["shift_jis", "euc-jp"]),
        ("pl", "Żuraw przeniesiono do łódzkiego portu", ["iso-8859-2", "windows-1250"]),
        ("el", "Ο γερανός μεταφέρθηκε στο λιμάνι", ["windows-1253"]),
        ("zh", "港口起重机移动", ["gb18030"]),
        ("ko", "항구의 크레인이 이동했다", ["euc-kr"]),
        ("tr", "Vinç limana taşındı", ["windows-1254"]),
        ("th", "ย้ายเครนไปที่ท่าเรือ", ["cp874"]),
        ("lt", "Kranas perkeltas į uostą", ["windows-1257"]),
        ("he", "המנוף הועבר לנמל", ["windows-1255"]),
        ("fr", "Café à l’été", ["windows-1252"]),
        ("de", "Kräne für Köln", ["windows-1252"]),
    ],
)
def test_character_set_that_nobody_declares_is_detected_by_the_language(lang, text, charsets):
    """That of the page goes before that of its site."""
    for charset in charsets:
        page = f"<h1>{text}</h1><p>{text}."
        assert text in decode(page.encode(charset), "text/html", lang)
        assert text in decode(f"<html lang={lang}-XY>{page}".encode(charset), "text/html", "ja")


def test_letters_of_two_alphabets_in_a_word_are_not_detected():
    assert decode("<p>Café à l'été".encode("cp1252")) == "<p>Café à l'été"


@pytest.mark.parametrize(
    ("charset", "text", "label"),
    [
        ("iso2022_jp", JAPANESE, "iso-2022-jp"),
        ("iso2022_jp", JAPANESE, None),
        ("iso2022_jp_ext", "ｸﾚｰﾝが移動", "iso-2022-jp"),
        ("iso2022_kr", "항구의 크레인", "iso-2022-kr"),
        ("hz", "港口起重机移动", "hz-gb-2312"),
    ],
)
def test_sets_of_seven_bits_are_read_though_their_bytes_are_valid_utf8(charset, text, label):
    page = f"<title>{text}</title><p>x"
    assert text in decode(page.encode(charset), header(label) if label else None)
    assert text in decode(((META.format(label) if label else "") + page).encode(charset), "text/html; charset=utf-8")


def test_signs_of_makers_of_computers_are_read():
    row = b"\x1b$B-!9b66\x1b(B"
    assert decode(row, header("iso-2022-jp")) == "①高橋"
    assert decode(bytes.fromhex("ada1b9e2b6b6"), header("euc-jp")) == "①高橋"
    assert decode("①高橋".encode("cp932"), header("shift_jis")) == "①高橋"


@pytest.mark.parametrize("charset", ["utf-8", "shift_jis", "euc-jp", "iso-2022-jp"])
@pytest.mark.parametrize("declared", [True, False])
def test_one_bad_byte_spoils_one_character(charset, declared):
    body = f"<h1>{JAPANESE}</h1>".encode(charset) + b"\xff<p>" + JAPANESE.encode(charset)
    text = decode(body, header(charset) if declared else None, "ja")
    assert text.startswith(f"<h1>{JAPANESE}</h1>")
    assert text.endswith(JAPANESE)


def test_bad_byte_in_utf8_that_is_declared_otherwise():
    text = decode((RUSSIAN + "<b>").encode() + b"\xe9</b>", header("iso-8859-1"))
    assert text == RUSSIAN + "<b>é</b>"


@pytest.mark.parametrize(
    "meta",
    [
        '<meta httpequiv="ContentType" content="text/html; charset=LABEL" />',
        '<meta content="text/html; charset=LABEL" http-equiv=Content-Type>',
        "<META CHARSET='LABEL'>",
        '<meta name=x content="y"><meta charset="LABEL">',
        "<!-- <meta charset=windows-1252> --><meta charset=LABEL>",
        "<script>'<meta charset=windows-1252>'</script><meta charset=LABEL>",
        "<title>x</title>" + "<style>" + "p{}" * 4000 + "</style><meta charset=LABEL>",
        '<?xml version="1.0" encoding="LABEL"?>',
        '<meta charset="LABEL;">',
        '<meta name="description" content="charset=windows-1252"><meta charset=LABEL>',
        '<meta http-equiv="Content-Type" content="text/html;charset = LABEL">',
    ],
)
@pytest.mark.parametrize("label", ["windows-1251", "cp1251", "x-cp1251", "win-1251", "Windows1251"])
def test_declaration_is_found_however_it_is_spelled(meta, label):
    """The text alone would be taken for windows-1252: too little to detect."""
    assert decode((meta.replace("LABEL", label) + "<p>Й").encode("cp1251")).endswith("<p>Й")


def test_names_of_the_encoding_standard():
    assert decode("Café rénové".encode("mac_roman"), header("x-mac-roman")) == "Café rénové"
    assert decode("工资".encode("gbk"), header("x-gbk")) == "工资"
    assert decode("<meta charset=utf-16>Zoë".encode()) == "<meta charset=utf-16>Zoë"
    assert decode("<p>Zoë".encode("utf-16-le")) == "<p>Zoë"


@pytest.mark.parametrize(
    "piece", [b"\xe9 \xc3\xa9 <!-- <meta x='", b"<meta content=charset ", b"\xff", b"\x1b$B", b"charset = "]
)
def test_megabytes_of_bytes_that_are_nothing_end(piece):
    """Were it work in proportion to the square, this would not end: patterns are no calls that could be counted."""
    assert decode(piece * 200_000 + b"\x81", header("utf-8"))
