"""Finds where else an article is named: other pages link to it and print its title."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from html import unescape
from urllib.parse import unquote, urlsplit

from locum_spider.errors import PageError
from locum_spider.text import words
from locum_spider.urls import absolute
from locum_spider.warc.codings import decode_content

_LINK = re.compile(r"""(?:href|src|action|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
_HEADER = re.compile(rb"^([\w-]+):[ \t]*(.*?)\r?$", re.MULTILINE)
_TOKEN = re.compile(r"[a-z0-9]{4,}")
_TAG = re.compile(r"<[^>]*>")
_BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|button|center|d[dlt]|div|fig\w+|footer|form|h[1-6r]|head|header|html|"
    r"label|li|main|meta|nav|ol|optgroup|option|p|pre|script|section|select|style|t[dhr]|table|tbody|title|ul)\b[^>]*>",
    re.IGNORECASE,
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_IN_SCRIPT = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/\\&]))")
_ESCAPED = re.compile(rb"&#|&[a-z]+;|\\[ux]|%[0-9A-Fa-f]{2}|\0|\x1b[$(]")
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_BYTE_ORDER_MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                     (b"\xfe\xff", "utf-16"))  # fmt: skip
_FEWEST_WORDS, _FEWEST_IN_SLUG = 3, 4
_PERHAPS, _LONG_ENOUGH = 2, 8
_LARGEST = 1 << 28
_REMOVED = "[…]"


class MentionFinder:
    """Tells whether a record names an article. `key` gives the key of an address, by the article's site.

    A title of one or two words, or the last part of an address if that has few words, does not count: it appears on too
    many pages. `may_name` looks for those.

    >>> finder = MentionFinder(str, {"http://x.org/a?s=2018-old-story"}, ["An old story"])
    >>> finder.names(b'GET / HTTP/1.1\\r\\n\\r\\n<a href="http://x.org/a?s=2018-old-story">Read</a>', "http://x.org/")
    True
    >>> finder.names(b"HTTP/1.1 200 OK\\r\\n\\r\\n<p>An OLD&nbsp;st<b>or</b>y</p>", "http://x.org/")
    True
    >>> head = b"WARC/1.1\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n\\r\\n"
    >>> finder.names(head + "An old story".encode("utf-16"), "http://x.org/")
    True
    >>> finder.names(b"HTTP/1.1 200 OK\\r\\n\\r\\n<p>An old history of a story</p>", "http://x.org/")
    False
    >>> finder = MentionFinder(str, {"http://x.org/a?s=2018-guide"}, ["A practitioner's guide"])
    >>> finder.names("\\r\\n\\r\\nA Practi&shy;tioner’s guide".encode(), ""), finder.names(b"A guide", "")
    (True, False)
    >>> finder.clean("See A PRACTITIONER’S  Guide, page 3"), finder.clean("A guide")
    ('See […], page 3', 'A guide')
    """

    def __init__(self, key: Callable[[str], str], keys: Collection[str], titles: Collection[str]) -> None:
        self._key, self._keys = key, keys
        named = [words(title) for title in titles]
        self._titles = [f" {' '.join(title)} " for title in named if len(title) >= _FEWEST_WORDS]
        slugs = {slug for key in keys if len(words(slug := _slug(key))) >= _PERHAPS}
        sure = {slug for slug in slugs if len(words(slug)) >= _FEWEST_IN_SLUG}
        bare = {unquote(_bare(key)).lower() for key in keys} | sure
        self._addresses = re.compile("(?:" + "|".join(map(re.escape, sorted(bare))) + r")(?![\w%-])")
        self._hints = {_hints(name) for name in (*bare, *titles)}
        perhaps = [title for title in named if len(title) == _PERHAPS] + [words(slug) for slug in slugs]
        self._perhaps = [f" {' '.join(name)} " for name in perhaps if len("".join(name)) >= _LONG_ENOUGH]
        printed = [_printed(title) for title in named if len(title) >= _FEWEST_WORDS]
        addresses = [rf"(?:https?://[^\s/\"'<>]+)?{re.escape(address)}(?![\w%-])" for address in sorted(bare)]
        self._removed = re.compile("|".join([*printed, *addresses]), re.IGNORECASE)

    def names(self, content: bytes, url: str) -> bool:
        """Whether an uncompressed record names the article. `url` is the base of its links."""
        return any(self._is_named(text, url) for text in self._texts(content))

    def may_name(self, content: bytes) -> bool:
        """Whether a record has the words of a name that is too short to be sure."""
        if not self._perhaps:
            return False
        return any(name in prose for text in _texts(_readable(content)) for prose in _prose(text)
                   for name in self._perhaps)  # fmt: skip

    def clean(self, text: str) -> str:
        """A text without what names the article."""
        return self._removed.sub(_REMOVED, text)

    def _texts(self, content: bytes) -> Iterator[str]:
        """The texts of a record that may name the article."""
        content = _readable(content)
        if not _ESCAPED.search(content) and not self._has_hints(content.decode("utf-8", "replace")):
            return
        yield from (text for text in _texts(content) if self._has_hints(text))

    def _has_hints(self, text: str) -> bool:
        plain = text.lower()
        together = _TAG.sub("", plain)
        return any(all(hint in plain or hint in together for hint in hints) for hints in self._hints)

    def _is_named(self, text: str, url: str) -> bool:
        if self._addresses.search(unquote(text).lower()):
            return True
        links = {link for groups in _LINK.findall(text) for link in groups if link}
        if any(self._key(absolute(url, link)) in self._keys for link in links):
            return True
        return any(title in prose for prose in _prose(text) for title in self._titles)


def _bare(key: str) -> str:
    """An address without scheme and host, unless that is all it has."""
    parts = urlsplit(key)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if len(path) > len("/index") else f"{parts.netloc}{path}"


def _slug(key: str) -> str:
    """The last part of an address, which pictures and other addresses of an article often share."""
    return unquote(urlsplit(key).path.rstrip("/").rpartition("/")[2].partition(".")[0]).lower()


def _hints(name: str) -> frozenset[str]:
    """The longer runs of plain letters in a name: a record that lacks one cannot have the name.

    A relative link leaves out a part that its base has, and the record names its base.
    """
    return frozenset(_TOKEN.findall(name.lower()))


def _printed(title: list[str]) -> str:
    """A pattern for a title as a text prints it, from its words."""
    signs = "['’‘`\u00ad\u200b]*"
    return r"(?<![^\W_])" + r"[\W_]+".join(signs.join(map(re.escape, word)) for word in title) + r"(?![^\W_])"


# -- what a program of a reader would see ------------------------------------------------------------------------------


def _readable(content: bytes) -> bytes:
    """The head and body of a record, the body without its content coding."""
    head, separator, rest = content.partition(b"\r\n\r\n")
    http, _, body = rest.partition(b"\r\n\r\n")
    coding = next((value for name, value in _HEADER.findall(http) if name.lower() == b"content-encoding"), b"")
    try:
        body = decode_content(body, coding.decode("latin-1"), limit=_LARGEST) if coding else body
    except PageError:
        return content
    return head + separator + http + b"\r\n\r\n" + body


def _texts(content: bytes) -> Iterator[str]:
    """A readable record as text, in each character set that it may have, as it stands and without escapes."""
    texts = [content.decode("utf-8", "replace")]
    body = content.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")[2]
    for charset in _charsets(content, body):
        try:
            texts.append(body.decode(charset, "replace"))
        except LookupError:
            continue
    for text in texts:
        whole = _INVISIBLE.sub("", unescape(text))
        yield whole
        if (plain := _without_escapes(whole)) != whole:
            yield plain


def _charsets(content: bytes, body: bytes) -> set[str]:
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if body.startswith(mark)), None)
    if marked is not None:
        return {marked}
    if b"\0" in body[:4096]:
        return {"utf-16-le", "utf-16-be"}
    declared = {name.decode("ascii", "replace").lower() for name in _CHARSET.findall(content[:8192])}
    return declared - {"utf-8", "utf8", "us-ascii", "ascii"}


def _without_escapes(text: str) -> str:
    """A text without the escapes of scripts, of addresses, and again of HTML."""
    if "\\" in text:
        text = _IN_SCRIPT.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else m[3], text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "%" in text:
        text = unquote(text)
    return _INVISIBLE.sub("", unescape(text))


def _prose(text: str) -> Iterator[str]:
    """The words of a page. A tag parts words or does not, by its kind or by the page's style, or has words in it."""
    for plain in (_TAG.sub("", _BLOCK.sub(" ", text)), _TAG.sub(" ", text), _TAG.sub("", text), text):
        yield f" {' '.join(words(plain))} "
