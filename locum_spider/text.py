"""Pure functions on text and addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

# Soft hyphens, zero-width marks, and halves of surrogate pairs, which JSON can hold and nothing can store.
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff\0\ud800-\udfff]")
_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|ref_src|"
    r"cmpid|wt_mc|s_cid|icid|ncid|xtor|at_medium|at_campaign|PHPSESSID|jsessionid)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_NO_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`\u00ad\u200b"))
_DEFAULT_PORT = {"http": 80, "https": 443}


def fold(text: str) -> str:
    """Visible text on one line: soft hyphens and zero-width marks gone, every white space one blank.

    >>> fold("  Published\\xa0on\\n 10th\\u200b April ")
    'Published on 10th April'
    """
    if text.isprintable() and "  " not in text:  # the blank is the only white space that prints
        return text.strip()
    return " ".join((text if text.isascii() and "\0" not in text else _INVISIBLE.sub("", text)).split())


def words(text: str) -> list[str]:
    """Lower-case words, for comparing a title with an address.

    >>> words("What’s a locum’s pay? £40m!")
    ['whats', 'a', 'locums', 'pay', '40m']
    """
    if text.isascii():  # most lines; a table costs several times what the rest does
        return _WORD.findall(text.replace("'", "").replace("`", "").lower())
    return _WORD.findall(text.translate(_NO_APOSTROPHES).casefold())


def host_of(url: str) -> str:
    """Host of an address in lower case, without `www.`.

    >>> host_of("http://WWW.LocumToday.co.uk:80/x")
    'locumtoday.co.uk'
    """
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
    return host.removeprefix("www.")


def normalise_url(url: str, *, keep: tuple[str, ...] = ()) -> str:
    """The address under which a page is known, whatever form it was linked in.

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
