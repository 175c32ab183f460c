"""Where an undeclared site is at home: its clock and the order of its numeric dates, by host, language and region."""

from __future__ import annotations

from locum_spider.urls import host_of

# Countries that have one clock, and whose domain is not sold to everyone (.io, .me, .tv, .co are).
_CLOCK_OF_DOMAIN = {
    "uk": "Europe/London", "ie": "Europe/Dublin", "is": "Atlantic/Reykjavik", "fr": "Europe/Paris",
    "de": "Europe/Berlin", "at": "Europe/Vienna", "ch": "Europe/Zurich", "li": "Europe/Vaduz",
    "lu": "Europe/Luxembourg", "be": "Europe/Brussels", "nl": "Europe/Amsterdam", "dk": "Europe/Copenhagen",
    "no": "Europe/Oslo", "se": "Europe/Stockholm", "fi": "Europe/Helsinki", "ee": "Europe/Tallinn",
    "lv": "Europe/Riga", "lt": "Europe/Vilnius", "pl": "Europe/Warsaw", "cz": "Europe/Prague",
    "sk": "Europe/Bratislava", "hu": "Europe/Budapest", "si": "Europe/Ljubljana", "hr": "Europe/Zagreb",
    "ba": "Europe/Sarajevo", "rs": "Europe/Belgrade", "mk": "Europe/Skopje", "al": "Europe/Tirane",
    "gr": "Europe/Athens", "cy": "Asia/Nicosia", "bg": "Europe/Sofia", "ro": "Europe/Bucharest",
    "md": "Europe/Chisinau", "ua": "Europe/Kyiv", "by": "Europe/Minsk", "tr": "Europe/Istanbul",
    "it": "Europe/Rome", "mt": "Europe/Malta", "il": "Asia/Jerusalem", "lb": "Asia/Beirut", "jo": "Asia/Amman",
    "eg": "Africa/Cairo", "sa": "Asia/Riyadh", "ae": "Asia/Dubai", "qa": "Asia/Qatar", "kw": "Asia/Kuwait",
    "iq": "Asia/Baghdad", "ir": "Asia/Tehran", "pk": "Asia/Karachi", "in": "Asia/Kolkata", "lk": "Asia/Colombo",
    "np": "Asia/Kathmandu", "bd": "Asia/Dhaka", "mm": "Asia/Yangon", "th": "Asia/Bangkok",
    "vn": "Asia/Ho_Chi_Minh", "kh": "Asia/Phnom_Penh", "my": "Asia/Kuala_Lumpur", "sg": "Asia/Singapore",
    "ph": "Asia/Manila", "hk": "Asia/Hong_Kong", "tw": "Asia/Taipei", "cn": "Asia/Shanghai", "jp": "Asia/Tokyo",
    "kr": "Asia/Seoul", "ge": "Asia/Tbilisi", "az": "Asia/Baku", "za": "Africa/Johannesburg",
    "na": "Africa/Windhoek", "bw": "Africa/Gaborone", "zw": "Africa/Harare", "zm": "Africa/Lusaka",
    "tz": "Africa/Dar_es_Salaam", "ke": "Africa/Nairobi", "ug": "Africa/Kampala", "et": "Africa/Addis_Ababa",
    "ng": "Africa/Lagos", "gh": "Africa/Accra", "sn": "Africa/Dakar", "ma": "Africa/Casablanca",
    "tn": "Africa/Tunis", "dz": "Africa/Algiers", "ar": "America/Argentina/Buenos_Aires", "uy": "America/Montevideo",
    "py": "America/Asuncion", "bo": "America/La_Paz", "pe": "America/Lima", "ve": "America/Caracas",
    "cu": "America/Havana", "jm": "America/Jamaica",
}  # fmt: skip

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

_MONTH_FIRST = frozenset({"us", "ph"})
_YEAR_FIRST = frozenset({"ja", "zh", "ko", "hu", "lt", "mn"})
_YEAR_FIRST_DOMAINS = frozenset({"jp", "cn", "kr", "tw", "hu", "lt"})
_ENGLISH_DAY_FIRST = frozenset("uk gb ie au nz in za ng ke gh tz ug zm zw na bw my sg hk pk lk bd mt eu".split())


def domain_of(url: str) -> str:
    """The last label of an address's host.

    >>> domain_of("https://www.standard.co.uk/news")
    'uk'
    """
    return host_of(url).rpartition(".")[2]


def clock_of(url: str, lang: str | None) -> str | None:
    """The time zone an address or a language stands for, None where that could be several.

    >>> clock_of("https://a.co.uk/", "en"), clock_of("https://a.com/", "de"), clock_of("https://a.com", "en")
    ('Europe/London', 'Europe/Berlin', None)
    """
    return _CLOCK_OF_DOMAIN.get(domain_of(url)) or _CLOCK_OF_LANGUAGE.get(lang or "")


def usual_order(domain: str, lang: str | None, region: str | None) -> str | None:
    """How numeric dates are written at a place; None for English of no known place.

    The country of the host goes before the language tag: many a template says `en-US` everywhere.

    >>> usual_order("uk", "en", "us"), usual_order("com", "en", "us"), usual_order("com", "en", None)
    ('DMY', 'MDY', None)
    >>> usual_order("com", "fr", None), usual_order("jp", "ja", None)
    ('DMY', 'YMD')
    """
    if lang in _YEAR_FIRST or domain in _YEAR_FIRST_DOMAINS:
        return "YMD"
    if domain in _MONTH_FIRST:
        return "MDY"
    if domain in _ENGLISH_DAY_FIRST or domain in _CLOCK_OF_DOMAIN:
        return "DMY"
    if region in _MONTH_FIRST:
        return "MDY"
    if region in _ENGLISH_DAY_FIRST or lang not in {None, "en"}:
        return "DMY"
    return None
