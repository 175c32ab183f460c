"""The text of a robots.txt, whatever it is wrapped in. A pure function."""

from __future__ import annotations

import re

from locum_spider.errors import PageError
from locum_spider.warc.codings import decode_content, is_text

LIMIT = 500 * 1024
"""Bytes that count (RFC 9309, 2.5). What lies behind them is passed over."""

_LINE_END = re.compile(rb"\r\n|\r|\n")
_AGENT = re.compile(rb"([ \t]*user[ -]?agent[ \t]*(?::|[ \t])[ \t]*)(.*)", re.IGNORECASE | re.DOTALL)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def robots_text(body: bytes, coding: str | None, *, name: str) -> str:
    """The rules in the body of a robots.txt, one a line, for a crawler of that name.

    Raises PageError if nothing in it can be read.

    >>> robots_text(b"\\xef\\xbb\\xbfUser-agent: Bot/1.0\\rDisallow: /a\\r", "utf-8", name="bot")
    'User-agent: bot\\nDisallow: /a\\n'
    >>> robots_text(b"Disallow: /caf\\xe9", None, name="bot")  # nobody knows in which charset its addresses are
    'Disallow: /caf%E9\\nDisallow: /café\\n'
    """
    plain = decode_content(body, coding, limit=LIMIT + 1, salvage=True)
    if len(plain) > LIMIT:
        plain = plain[:LIMIT]
        plain = plain[: max(plain.rfind(b"\n"), plain.rfind(b"\r"), 0)]  # half a rule is another rule
    if not is_text(plain) or b"\0" in plain:
        plain = _narrow(plain)
    mine = re.compile(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])", re.IGNORECASE)
    lines = [_as_mine(line, mine, name.encode()) for line in _LINE_END.split(plain)]
    return "".join(f"{text}\n" for line in lines if line for text in _texts(line))


def _narrow(plain: bytes) -> bytes:
    """A text in UTF-16 as UTF-8. Raises PageError if it is not one."""
    charset = _WIDE.get(plain[:2]) or ("utf-16-be" if plain.startswith(b"\0") else "utf-16-le")
    try:
        text = plain[: len(plain) & ~1].decode(charset).encode()
    except UnicodeError:
        text = plain
    if not is_text(text):
        raise PageError("its bytes are not text")
    return text


def _as_mine(line: bytes, mine: re.Pattern[bytes], name: bytes) -> bytes:
    """A line; if it names us among other things, such as a version, only our name."""
    line = line.removeprefix(b"\xef\xbb\xbf")
    agent = _AGENT.fullmatch(line)
    return agent[1] + name if agent is not None and mine.search(agent[2].partition(b"#")[0]) else line


def _texts(line: bytes) -> tuple[str, ...]:
    """A line as text; twice if it is not UTF-8: an address may have its bytes as they are, or its letters in UTF-8."""
    try:
        return (line.decode(),)
    except UnicodeDecodeError:
        escaped = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], line).decode("ascii")
        return escaped, line.decode("cp1252", "replace")
