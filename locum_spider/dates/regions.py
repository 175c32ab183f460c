"""Where an undeclared site is at home: its clock and its order of numeric dates, by host, language and region."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from importlib.resources import files

from locum_spider.urls import host_of

# Countries with several zones that show one time nearly everywhere people read news; "uk" is "gb" in the tables.
_CLOCK_OF_DOMAIN = {
    "uk": "Europe/London", "de": "Europe/Berlin", "cy": "Asia/Nicosia", "ua": "Europe/Kyiv", "my": "Asia/Kuala_Lumpur",
    "cn": "Asia/Shanghai", "ar": "America/Argentina/Buenos_Aires",
}  # fmt: skip
# Domains that are sold to everyone: they do not stand for a country.
_SOLD = frozenset(
    "ad ag ai am as bi bz cc cf cm co cx dj dm ga gd gg gq gs gy hn im io je kn la lc ly me mg ml ms mu "
    "nf nr nu pm pn pw re sb sc sh sl so sr st sx tc tf tk tl tm to tv vc vg vu wf ws yt".split()
)

# Languages spoken on one clock only, or on clocks that show the same time.
_CLOCK_OF_LANGUAGE = {
    "de": "Europe/Berlin", "it": "Europe/Rome", "nl": "Europe/Amsterdam", "da": "Europe/Copenhagen",
    "no": "Europe/Oslo", "nb": "Europe/Oslo", "nn": "Europe/Oslo", "sv": "Europe/Stockholm", "fi": "Europe/Helsinki",
    "et": "Europe/Tallinn", "lv": "Europe/Riga", "lt": "Europe/Vilnius", "pl": "Europe/Warsaw",
    "cs": "Europe/Prague", "sk": "Europe/Bratislava", "hu": "Europe/Budapest", "sl": "Europe/Ljubljana",
    "hr": "Europe/Zagreb", "sr": "Europe/Belgrade", "mk": "Europe/Skopje", "sq": "Europe/Tirane",
    "el": "Europe/Athens", "bg": "Europe/Sofia", "ro": "Europe/Bucharest", "uk": "Europe/Kyiv",
    "tr": "Europe/Istanbul", "is": "Atlantic/Reykjavik", "ga": "Europe/Dublin", "ca": "Europe/Madrid",
    "eu": "Europe/Madrid", "he": "Asia/Jerusalem", "fa": "Asia/Tehran", "hi": "Asia/Kolkata", "th": "Asia/Bangkok",
    "vi": "Asia/Ho_Chi_Minh", "ja": "Asia/Tokyo", "ko": "Asia/Seoul", "ka": "Asia/Tbilisi", "az": "Asia/Baku",
}  # fmt: skip

_MONTH_FIRST = frozenset({"us", "ph", "gu", "mp", "pr", "vi"})
_YEAR_FIRST = frozenset({"ja", "zh", "ko", "hu", "lt", "mn"})
_YEAR_FIRST_DOMAINS = frozenset({"jp", "cn", "kr", "kp", "tw", "hu", "lt"})
_ENGLISH_DAY_FIRST = frozenset("uk gb ie au nz in za ng ke gh tz ug zm zw na bw my sg hk pk lk bd mt eu".split())


def domain_of(url: str) -> str:
    """The last label of an address's host.

    >>> domain_of("https://www.standard.co.uk/news")
    'uk'
    """
    return host_of(url).rpartition(".")[2]


@lru_cache(maxsize=1)
def _clocks() -> dict[str, str]:
    """The clock of each country's domain, if the country has only one clock."""
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    several = Counter(row[0] for row in rows)
    alone = {row[0].lower(): row[2] for row in rows if several[row[0]] == 1}
    return {domain: clock for domain, clock in alone.items() if domain not in _SOLD} | _CLOCK_OF_DOMAIN


def clock_of(url: str, lang: str | None) -> str | None:
    """The time zone that an address or a language stands for; None if it could be several.

    >>> clock_of("https://a.co.uk/", "en"), clock_of("https://a.com/", "de"), clock_of("https://a.com", "en")
    ('Europe/London', 'Europe/Berlin', None)
    """
    return _clocks().get(domain_of(url)) or _CLOCK_OF_LANGUAGE.get(lang or "")


def usual_order(domain: str, lang: str | None, region: str | None) -> str | None:
    """The usual order of numeric dates at a place; None for English if the place is not known.

    The country of the host goes before the language tag: many templates say `en-US` everywhere.

    >>> usual_order("uk", "en", "us"), usual_order("com", "en", "us"), usual_order("com", "en", None)
    ('DMY', 'MDY', None)
    >>> usual_order("com", "fr", None), usual_order("jp", "ja", None)
    ('DMY', 'YMD')
    """
    if lang in _YEAR_FIRST or domain in _YEAR_FIRST_DOMAINS:
        return "YMD"
    if domain in _MONTH_FIRST:
        return "MDY"
    if domain in _ENGLISH_DAY_FIRST or domain in _clocks():
        return "DMY"
    if region in _MONTH_FIRST:
        return "MDY"
    if region in _ENGLISH_DAY_FIRST or lang not in {None, "en"}:
        return "DMY"
    return None
