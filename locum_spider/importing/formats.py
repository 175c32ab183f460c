"""The two formats of records: WARC, and ARC, which the Internet Archive and Heritrix wrote until 2009.

A record of ARC begins with one line: address, IP address, time, content type, length (version 1), and between the last
two some that are not needed here (version 2). See https://archive.org/web/researcher/ArcFileFormat.php.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from locum_spider.warc.wire import header_pairs

LONGEST_HEAD = 1 << 16
_SEARCHED = 1 << 20
_STAMP = 14
_NO_IP = frozenset({b"0.0.0.0", b"-"})
_BEGINS = b"WARC/"
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\n")
_NEXT_WARC = re.compile(rb"WARC/[01]\.\d+\r?\n(?=[A-Za-z-]+[ \t]*:)")
_ARC_LINE = re.compile(
    rb"^(?>(?P<url>[A-Za-z][A-Za-z0-9+.-]{0,19}:[^\r\n]{0,8192})[ ](?P<ip>\S{1,64})[ ]+(?P<date>\d{12,17})[ ])"
    rb"(?:[^\r\n]{0,4096}[ ])?(?P<length>\d{1,18})[ ]*\r?\n",
    re.MULTILINE,
)
"""The last word of a line that may be a time is one: without going back from it, a long line is read once."""


@dataclass(frozen=True, slots=True)
class Format:
    """How records of a format are found: `record` matches where one begins, `head_end` is behind its head.

    `line_ends` is how many follow a record, `overlap` how many bytes it takes at most to see that one begins.
    """

    name: str
    record: re.Pattern[bytes]
    head_end: re.Pattern[bytes]
    line_ends: int
    overlap: int

    def begins(self, data: bytes | bytearray, at: int = 0) -> bool:
        """Whether a record begins there. Of WARC five bytes are enough, of ARC it takes the whole line."""
        if self is WARC:
            return data.startswith(_BEGINS, at)
        return self.record.match(data, at) is not None


WARC = Format("WARC", _NEXT_WARC, _HEAD_END, 2, 64)
ARC = Format("ARC", _ARC_LINE, _LINE_END, 1, 1 << 13)


def format_of(start: bytes | bytearray) -> Format:
    """The format of which a record begins first."""
    if start.startswith(_BEGINS):
        return WARC
    warc, arc = _NEXT_WARC.search(start, 0, _SEARCHED), _ARC_LINE.search(start, 0, _SEARCHED)
    return ARC if arc is not None and (warc is None or arc.start() < warc.start()) else WARC


def begins_record(data: bytes | bytearray) -> bool:
    """Whether a record of any format begins there."""
    return WARC.begins(data) or ARC.begins(data)


def read_fields(format_: Format, head: bytes) -> dict[str, str] | str:
    """The fields of a record's head, with names in small letters; a sentence if it cannot be read.

    The head of an ARC record as that of a WARC record. Of fields that come several times, all values of
    `WARC-Concurrent-To` count, else the first.

    >>> line = b"http://a.example/x y 192.0.2.7 20051231235959 text/html; charset=utf-8 120\\n"
    >>> read_fields(ARC, line)["warc-target-uri"], read_fields(ARC, line)["content-length"]
    ('http://a.example/x y', '120')
    """
    if format_ is ARC:
        return _arc_fields(head)
    fields: dict[str, str] = {}
    for raw, value in header_pairs(head):
        name, text = raw.decode("utf-8", "replace").lower(), value.decode("utf-8", "replace").strip()
        if name == "warc-concurrent-to" and name in fields:
            fields[name] += f" {text}"
        fields.setdefault(name, text)
    return fields


def _arc_fields(line: bytes) -> dict[str, str] | str:
    match = _ARC_LINE.match(line if line.endswith(b"\n") else line + b"\n")
    if match is None:
        return "an ARC record does not begin there"
    url = match["url"].decode("utf-8", "replace").strip()
    fields = {
        "warc-type": "warcinfo" if url.startswith("filedesc:") else "response", "warc-target-uri": url,
        "warc-date": match["date"][:_STAMP].decode().ljust(_STAMP, "0"), "content-length": match["length"].decode(),
    }  # fmt: skip
    if match["ip"] not in _NO_IP:
        fields["warc-ip-address"] = match["ip"].decode("latin-1")
    return fields
