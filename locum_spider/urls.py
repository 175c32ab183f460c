"""Pure functions on addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|ref_src|"
    r"cmpid|wt_mc|s_cid|icid|ncid|xtor|at_medium|at_campaign|PHPSESSID|jsessionid)$",
    re.IGNORECASE,
)
_DEFAULT_PORT = {"http": 80, "https": 443}


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


def normalise_url(url: str, *, keep: tuple[str, ...] = ()) -> str:
    """The address under which a page is known, however it was linked.

    Scheme and host in lower case without `www.` and default port, no fragment, no tracking parameters,
    parameters sorted, escapes written one way, no trailing slash. With `keep`, only those parameters stay.

    >>> normalise_url("HTTP://www.x.org:80/a/?utm_source=n&b=2&a=1#top")
    'http://x.org/a?a=1&b=2'
    >>> normalise_url("http://x.org/article.php?catTitle=home%20page&s=2018-04-10-a+b", keep=("s",))
    'http://x.org/article.php?s=2018-04-10-a%20b'
    """
    parts = urlsplit(url.strip())
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
    if ":" in host:
        host = f"[{host}]"
    if parts.port and parts.port != _DEFAULT_PORT.get(scheme):
        host = f"{host}:{parts.port}"
    path = "%2F".join(
        quote(unquote(part), safe="/:@!$&'()*+,;=~-._") for part in re.split("%2f", parts.path, flags=re.IGNORECASE)
    )
    pairs = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if (key in keep if keep else not _TRACKING.match(key))
    ]
    return urlunsplit((scheme, host, path.rstrip("/") or "/", urlencode(sorted(pairs), quote_via=quote), ""))


def absolute(base: str, link: str) -> str:
    """The address that a link leads to; the link itself if it is not an address."""
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def surt(url: str) -> str:
    """The form of an address that indexes are sorted by: host reversed, then path and sorted query.

    >>> surt("http://www.LocumToday.co.uk/article.php?s=B&a=1")
    'uk,co,locumtoday)/article.php?a=1&s=b'
    """
    parts = urlsplit(url.lower())
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in {80, 443} else ""
    path = quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._").rstrip("/") or "/"
    query = "&".join(sorted(quote(part, safe="/:@!$'()*+,;=~-._%?") for part in parts.query.split("&")))
    return f"{','.join(reversed(host.split('.')))}{port}){path}{'?' + query if query else ''}".lower()
