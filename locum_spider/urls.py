"""Pure functions on addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|ref_src|"
    r"cmpid|wt_mc|s_cid|icid|ncid|xtor|at_medium|at_campaign)$",
    re.IGNORECASE,
)
# Only names that mean nothing else: `sid` is also the number of a story.
_SESSION = r"(?:jsessionid|php_?sess_?id|aspsessionid\w*|session_?(?:id|key)|sess_?id|oscsid|zenid|cfid|cftoken)"
_SESSION_PARAMETER = re.compile(rf"^{_SESSION}$", re.IGNORECASE)
# `;jsessionid=…` behind a path, and the segment `(S(…))` of ASP.NET without cookies
_SESSION_IN_PATH = re.compile(rf";{_SESSION}=[^/;]*|/\((?:[A-Z]\([^()/]*\))+\)(?=/|$)", re.IGNORECASE)
# A mixture of digits and letters without words, or a long number: what a program makes up.
_TOKEN = re.compile(
    r"(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{10,}", re.IGNORECASE
)
_SAFE_IN_PATH = "/:@!$&'()*+,;=~-._"
DEFAULT_PORT = {"http": 80, "https": 443}


def host_of(url: str) -> str:
    """Host of an address in lower case, without `www.`; "" if there is none.

    >>> host_of("http://WWW.LocumToday.co.uk:80/x")
    'locumtoday.co.uk'
    """
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
    return host.removeprefix("www.")


def port_of(url: str) -> int | None:
    """Port of an address, also if it is not written; None if there is none.

    >>> port_of("https://x.org/"), port_of("http://x.org:8104/")
    (443, 8104)
    """
    try:
        parts = urlsplit(url)
        return parts.port or DEFAULT_PORT.get(parts.scheme.lower())
    except ValueError:
        return None


def normalise_url(url: str, *, keep: tuple[str, ...] = ()) -> str:
    """The address under which a page is known, however it was linked.

    Scheme and host in lower case without `www.` and default port, no fragment, no tracking parameters,
    parameters sorted, escapes written one way, no trailing slash. With `keep`, only those parameters stay.

    >>> normalise_url("HTTP://www.x.org:80/a/?utm_source=n&b=2&a=1#top")
    'http://x.org/a?a=1&b=2'
    >>> normalise_url("http://x.org/article.php?catTitle=home%20page&s=2018-04-10-a+b", keep=("s",))
    'http://x.org/article.php?s=2018-04-10-a%20b'
    """
    parts = urlsplit(without_session(url.strip()))
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != DEFAULT_PORT.get(scheme):
        host = f"{host}:{parts.port}"
    pairs = [
        (key, value) for key, value in _parameters(parts.query) if (key in keep if keep else not _TRACKING.match(key))
    ]
    query = urlencode(sorted(pairs), quote_via=quote, errors=_BYTES)
    return urlunsplit((scheme, host, _one_way(parts.path).rstrip("/") or "/", query, ""))


_BYTES = "surrogateescape"
"""Escapes that are not UTF-8 stand for bytes of another character set: they stay what they are."""


def _one_way(path: str) -> str:
    """A path with its escapes written one way; an escaped slash is not a slash."""
    return "%2F".join(
        quote(unquote(part, errors=_BYTES), safe=_SAFE_IN_PATH, errors=_BYTES)
        for part in re.split("%2f", path, flags=re.IGNORECASE)
    )


def _parameters(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors=_BYTES)


def without_session(url: str) -> str:
    """An address without the session ids that are known by their names; the rest of it stays as it is.

    >>> without_session("http://x.org/(S(lit3py55t21z5v55vlm25s55))/a.aspx?id=7&PHPSESSID=0af3")
    'http://x.org/a.aspx?id=7'
    >>> without_session("http://x.org/a;jsessionid=0af3?sid=7")
    'http://x.org/a?sid=7'
    """
    parts = urlsplit(url)
    path = _SESSION_IN_PATH.sub("", parts.path) if ";" in parts.path or "(" in parts.path else parts.path
    pairs = parts.query.split("&")
    kept = [pair for pair in pairs if not _SESSION_PARAMETER.match(pair.partition("=")[0])]
    if path == parts.path and len(kept) == len(pairs):
        return url
    return parts._replace(path=path, query="&".join(kept)).geturl()


def differ_by_token(one: str, other: str) -> bool:
    """Whether two addresses differ only in a parameter that looks like the id of a session under an unknown name.

    >>> differ_by_token("http://x.org/a?zz=0abc0001", "http://x.org/a?zz=0abc0002")
    True
    >>> differ_by_token("http://x.org/a?s=2018-04-10-report-07", "http://x.org/a?s=2018-04-10-report-08")
    False
    """
    (page, *a), (other_page, *b) = (re.split("[?&;=]", url) for url in (one, other))
    if page != other_page or len(a) != len(b):
        return False
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    return bool(differing) and all(_TOKEN.fullmatch(x) and _TOKEN.fullmatch(y) for x, y in differing)


def absolute(base: str, link: str) -> str:
    """The address that a link leads to, as browsers read it; the link itself if it is not an address.

    >>> absolute("http://x.org/a/b", r" \\news\\c ")
    'http://x.org/news/c'
    """
    try:
        return urljoin(base, as_browsers_read(link))
    except ValueError:
        return link


def as_browsers_read(link: str) -> str:
    r"""A link without line breaks and outer blanks, with slashes for backslashes before its query.

    >>> print(as_browsers_read(r"http:\\x.org\a?b\c"))
    http://x.org/a?b\c
    """
    link = re.sub(r"[\t\r\n]", "", link.strip(_BLANKS))
    if "\\" not in link or not _WITH_BACKSLASHES.match(link):
        return link
    end = re.search(r"[?#]|$", link).start()  # type: ignore[union-attr]  # `$` always matches
    return link[:end].replace("\\", "/") + link[end:]


_BLANKS = "".join(map(chr, range(0x21)))
_WITH_BACKSLASHES = re.compile(r"(?![a-z][a-z0-9+.-]*:)|https?:", re.IGNORECASE)


def surt(url: str) -> str:
    """The form of an address that indexes are sorted by: host reversed, then path and sorted query.

    >>> surt("http://www.LocumToday.co.uk/article.php?s=B&a=1")
    'uk,co,locumtoday)/article.php?a=1&s=b'
    """
    parts = urlsplit(url.lower())
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    path = quote(unquote(parts.path, errors=_BYTES), safe=_SAFE_IN_PATH, errors=_BYTES).rstrip("/") or "/"
    query = "&".join(sorted(quote(part, safe="/:@!$'()*+,;=~-._%?") for part in parts.query.split("&")))
    return f"{','.join(reversed(host.split('.')))}{port}){path}{'?' + query if query else ''}".lower()
