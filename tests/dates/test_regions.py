"""Where an undeclared site is at home."""

from __future__ import annotations

import pytest

from locum_spider.dates.regions import clock_of, usual_order

# Countries that have one clock, or several that show one time.
CLOCKS = {
    "uk": "Europe/London", "ie": "Europe/Dublin", "is": "Atlantic/Reykjavik", "fr": "Europe/Paris",
    "de": "Europe/Berlin", "at": "Europe/Vienna", "ch": "Europe/Zurich", "li": "Europe/Vaduz",
    "lu": "Europe/Luxembourg", "be": "Europe/Brussels", "nl": "Europe/Amsterdam", "dk": "Europe/Copenhagen",
    "no": "Europe/Oslo", "se": "Europe/Stockholm", "fi": "Europe/Helsinki", "ee": "Europe/Tallinn",
    "lv": "Europe/Riga", "lt": "Europe/Vilnius", "pl": "Europe/Warsaw", "cz": "Europe/Prague",
    "sk": "Europe/Bratislava", "hu": "Europe/Budapest", "si": "Europe/Ljubljana", "hr": "Europe/Zagreb",
    "ba": "Europe/Sarajevo", "rs": "Europe/Belgrade", "mk": "Europe/Skopje", "al": "Europe/Tirane",
    "gr": "Europe/Athens", "cy": "Asia/Nicosia", "bg": "Europe/Sofia", "ro": "Europe/Bucharest",
    "md": "Europe/Chisinau", "ua": "Europe/Kyiv", "by": "Europe/Minsk", "tr": "Europe/Istanbul", "it": "Europe/Rome",
    "mt": "Europe/Malta", "il": "Asia/Jerusalem", "lb": "Asia/Beirut", "jo": "Asia/Amman", "eg": "Africa/Cairo",
    "sa": "Asia/Riyadh", "ae": "Asia/Dubai", "qa": "Asia/Qatar", "kw": "Asia/Kuwait", "iq": "Asia/Baghdad",
    "ir": "Asia/Tehran", "pk": "Asia/Karachi", "in": "Asia/Kolkata", "lk": "Asia/Colombo", "np": "Asia/Kathmandu",
    "bd": "Asia/Dhaka", "mm": "Asia/Yangon", "th": "Asia/Bangkok", "vn": "Asia/Ho_Chi_Minh", "kh": "Asia/Phnom_Penh",
    "my": "Asia/Kuala_Lumpur", "sg": "Asia/Singapore", "ph": "Asia/Manila", "hk": "Asia/Hong_Kong",
    "tw": "Asia/Taipei", "cn": "Asia/Shanghai", "jp": "Asia/Tokyo", "kr": "Asia/Seoul", "ge": "Asia/Tbilisi",
    "az": "Asia/Baku", "za": "Africa/Johannesburg", "na": "Africa/Windhoek", "bw": "Africa/Gaborone",
    "zw": "Africa/Harare", "zm": "Africa/Lusaka", "tz": "Africa/Dar_es_Salaam", "ke": "Africa/Nairobi",
    "ug": "Africa/Kampala", "et": "Africa/Addis_Ababa", "ng": "Africa/Lagos", "gh": "Africa/Accra",
    "sn": "Africa/Dakar", "ma": "Africa/Casablanca", "tn": "Africa/Tunis", "dz": "Africa/Algiers",
    "ar": "America/Argentina/Buenos_Aires", "uy": "America/Montevideo", "py": "America/Asuncion",
    "bo": "America/La_Paz", "pe": "America/Lima", "ve": "America/Caracas", "cu": "America/Havana",
    "jm": "America/Jamaica",
}  # fmt: skip


@pytest.mark.parametrize(("domain", "clock"), CLOCKS.items())
def test_a_country_with_one_clock_has_it(domain: str, clock: str) -> None:
    assert clock_of(f"https://paper.{domain}/a", "en") == clock


@pytest.mark.parametrize("domain", "com org eu io me tv co ai to us ca au br ru mx cd xn--p1ai".split())
def test_what_is_no_country_or_one_of_several_clocks_has_none(domain: str) -> None:
    assert clock_of(f"https://paper.{domain}/a", "en") is None


@pytest.mark.parametrize(
    ("domain", "order"),
    [("sy", "DMY"), ("pr", "MDY"), ("ph", "MDY"), ("kp", "YMD"), ("tv", None), ("com", None)],
)
def test_a_country_writes_its_numbers_in_one_order(domain: str, order: str | None) -> None:
    assert usual_order(domain, "en", None) == order
