"""Finds where else an article is named: other pages link to it and print its title."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from html import unescape
from urllib.parse import unquote, urlsplit

from locum_spider.errors import PageError
from locum_spider.text import words
from locum_spider.urls import absolute
from locum_spider.warc.codings import decode_content

_LINK = re.compile(r"""(?:href|src|action|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
_HEADER = re.compile(rb"^([\w-]+):[ \t]*(.*?)\r?$", re.MULTILINE)
_TOKEN = re.compile(r"[a-z0-9]{4,}")
_INVISIBLE = re.compile(rb"&(?:shy|zwnj|zwj|#173|#xad|#8203|#x200b);|\xc2\xad|\xe2\x80\x8b")
_FEWEST_WORDS = 3
_LARGEST = 1 << 28


class MentionFinder:
    """Tells whether a record names an article. `key` gives the key of an address, by the article's site.

    A title of one or two words does not count: it appears on too many pages.

    >>> finder = MentionFinder(str, {"http://x.org/a?s=2018-old-story"}, ["An old story"])
    >>> finder.names(b'GET / HTTP/1.1\\r\\n\\r\\n<a href="http://x.org/a?s=2018-old-story">Read</a>', "http://x.org/")
    True
    >>> finder.names(b"HTTP/1.1 200 OK\\r\\n\\r\\n<p>An OLD&nbsp;story</p>", "http://x.org/")
    True
    >>> finder.names(b"HTTP/1.1 200 OK\\r\\n\\r\\n<p>An old history of a story</p>", "http://x.org/")
    False
    >>> finder = MentionFinder(str, {"http://x.org/a?s=2018-guide"}, ["A practitioner's guide"])
    >>> finder.names("\\r\\n\\r\\nA Practi&shy;tioner’s guide".encode(), ""), finder.names(b"A guide", "")
    (True, False)
    """

    def __init__(self, key: Callable[[str], str], keys: Collection[str], titles: Collection[str]) -> None:
        self._key, self._keys = key, keys
        named = [words(title) for title in titles]
        self._titles = [f" {' '.join(title)} " for title in named if len(title) >= _FEWEST_WORDS]
        bare = {unquote(_bare(key)).lower() for key in keys}
        self._addresses = re.compile("(?:" + "|".join(map(re.escape, sorted(bare))) + r")(?![\w%-])")
        self._hints = {_hints(name) for name in (*bare, *titles)}

    def names(self, content: bytes, url: str) -> bool:
        """Whether an uncompressed record names the article. `url` is the base of its links."""
        content = _readable(content)
        plain = _INVISIBLE.sub(b"", content.lower())
        if not any(all(hint in plain for hint in hints) for hints in self._hints):
            return False
        text = unescape(content.decode("utf-8", "replace"))
        if self._addresses.search(unquote(text).lower()):
            return True
        links = {link for groups in _LINK.findall(text) for link in groups if link}
        if any(self._key(absolute(url, link)) in self._keys for link in links):
            return True
        prose = f" {' '.join(words(re.sub('<[^>]*>', ' ', text)))} "
        return any(title in prose for title in self._titles)


def _bare(key: str) -> str:
    """An address without scheme and host, unless that is all it has."""
    parts = urlsplit(key)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return path if len(path) > len("/index") else f"{parts.netloc}{path}"


def _hints(name: str) -> frozenset[bytes]:
    """The longer runs of plain letters in a name: a record that lacks one cannot have the name.

    A relative link leaves out a part that its base has, and the record names its base.
    """
    return frozenset(token.encode() for token in _TOKEN.findall(name.lower()))


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
