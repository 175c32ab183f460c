"""Addresses of web archives (Wayback Machine, pywb): the page and time that they stand for (RFC 7089)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

_ADDRESS = re.compile(
    r"https?://[^/?#]+/(?:[^?#]*?/)??(?P<stamp>\d{4,14})(?:(?P<flag>[a-z]{2})_)?/"
    r"(?P<url>https?(?::/|%3A%2F).+|(?<=id_/)[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?].*)?$)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(https?):/+", re.IGNORECASE)
_ESCAPED_SCHEME = re.compile(r"https?%3A", re.IGNORECASE)
_NEVER_REWRITTEN = re.compile(r"(?:image/(?!svg)|audio/|video/|font/|application/(?:pdf|zip|msword))", re.IGNORECASE)
WHOLE_STAMP = 14


@dataclass(frozen=True, slots=True)
class Memento:
    """What an address of a web archive asks for: a page, a time (4 to 14 digits), and in which form.

    With the `flag` `id` the archive sends the bytes of the site; with another or none it rewrites pages.
    """

    url: str
    stamp: str
    flag: str | None = None

    def is_as_sent(self, content_type: str | None) -> bool:
        """Whether the bytes are those of the site: an archive rewrites links and scripts, and adds its own.

        >>> Memento("http://a.example/", "2017", "im").is_as_sent("image/png")
        True
        >>> Memento("http://a.example/", "2017", "if").is_as_sent("text/html")
        False
        """
        return self.flag == "id" or _NEVER_REWRITTEN.match(content_type or "") is not None


def memento_of(url: str) -> Memento | None:
    """What an address of a web archive asks for; None for any other address.

    The form is the same for all web archives, so there is no list of them. Of nested addresses the outer one counts.

    >>> memento_of("https://web.archive.org/web/20170102030405id_/http://a.example/x?y=1")
    Memento(url='http://a.example/x?y=1', stamp='20170102030405', flag='id')
    >>> memento_of("http://archive-it.org:80/1234/2017/http:/a.example/")  # one slash, as path cleaners leave it
    Memento(url='http://a.example/', stamp='2017', flag=None)
    >>> memento_of("https://web.archive.org/web/2017id_/http%3A%2F%2Fa.example%2F%3Fx%3D1").url
    'http://a.example/?x=1'
    >>> memento_of("https://web.archive.org/web/2017id_/a.example/x%3F?u=http://b.example/").url
    'http://a.example/x%3F?u=http://b.example/'
    >>> memento_of("https://a.example/2017/x"), memento_of("https://web.archive.org/web/2017*/http://a.example/")
    (None, None)
    """
    match = _ADDRESS.match(url)
    if match is None:
        return None
    page = match["url"]
    if _ESCAPED_SCHEME.match(page):
        page = unquote(page)
    scheme = _SCHEME.match(page)
    page = f"{scheme[1].lower()}://{page[scheme.end() :]}" if scheme else f"http://{page}"
    flag = match["flag"]
    return Memento(page, match["stamp"], flag.lower() if flag else None)


def original_location(location: str, source_uri: str) -> str:
    """Where a redirect of the site led that a web archive sent from one of its own addresses.

    >>> original_location("/web/2017id_/http://a.example/new", "https://web.archive.org/web/2017id_/http://a.example/")
    'http://a.example/new'
    >>> original_location("http://a.example/new", "https://web.archive.org/web/2017id_/http://a.example/")
    'http://a.example/new'
    """
    try:
        memento = memento_of(urljoin(source_uri, location))
    except ValueError:
        return location
    return memento.url if memento is not None else location
