"""Zone abbreviations and offsets, read with the site's place and the season in mind."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

_H = 60
# minutes east of UTC; if several places use one abbreviation, the site's own zone decides
_FIXED = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": _H, "BST": _H, "CET": _H, "CEST": 2 * _H, "MEZ": _H,
    "MESZ": 2 * _H, "EET": 2 * _H, "EEST": 3 * _H, "MSK": 3 * _H, "МСК": 3 * _H, "TRT": 3 * _H, "SAST": 2 * _H,
    "CAT": 2 * _H, "WAT": _H, "EAT": 3 * _H, "EST": -5 * _H, "EDT": -4 * _H, "CST": -6 * _H, "CDT": -5 * _H,
    "MST": -7 * _H, "MDT": -6 * _H, "PST": -8 * _H, "PDT": -7 * _H, "AKST": -9 * _H, "AKDT": -8 * _H,
    "HST": -10 * _H, "AST": -4 * _H, "ADT": -3 * _H, "NST": -210, "NDT": -150, "BRT": -3 * _H, "ART": -3 * _H,
    "PKT": 5 * _H, "NPT": 345, "WIB": 7 * _H, "WITA": 8 * _H, "WIT": 9 * _H, "ICT": 7 * _H, "HKT": 8 * _H,
    "SGT": 8 * _H, "MYT": 8 * _H, "PHT": 8 * _H, "AWST": 8 * _H, "JST": 9 * _H, "KST": 9 * _H, "ACST": 570,
    "ACDT": 630, "AEST": 10 * _H, "AEDT": 11 * _H, "NZST": 12 * _H, "NZDT": 13 * _H, "GST": 4 * _H, "IRST": 210,
    "IRDT": 270, "AFT": 270, "AZT": 4 * _H, "GET": 4 * _H, "UZT": 5 * _H, "TMT": 5 * _H, "TJT": 5 * _H, "KGT": 6 * _H,
    "SLST": 330, "MMT": 390, "MVT": 5 * _H, "BTT": 6 * _H, "ULAT": 8 * _H, "BNT": 8 * _H, "TLT": 9 * _H,
    "PGT": 10 * _H, "ChST": 10 * _H, "FJT": 12 * _H, "TOT": 13 * _H, "SAMT": 4 * _H, "YEKT": 5 * _H, "OMST": 6 * _H,
    "NOVT": 7 * _H, "KRAT": 7 * _H, "IRKT": 8 * _H, "YAKT": 9 * _H, "VLAT": 10 * _H, "MAGT": 11 * _H, "SAKT": 11 * _H,
    "PETT": 12 * _H, "COT": -5 * _H, "PET": -5 * _H, "ECT": -5 * _H, "VET": -4 * _H, "BOT": -4 * _H, "GYT": -4 * _H,
    "CLT": -4 * _H, "CLST": -3 * _H, "UYT": -3 * _H, "SRT": -3 * _H, "GFT": -3 * _H, "BRST": -2 * _H, "WAST": 2 * _H,
    "CVT": -_H, "AZOT": -_H, "MUT": 4 * _H, "RET": 4 * _H, "SCT": 4 * _H,
}  # fmt: skip
# general names: standard or summer time, depending on the day
_BY_SEASON = {
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
    "AKT": "America/Anchorage", "AT": "America/Halifax", "AET": "Australia/Sydney", "NZT": "Pacific/Auckland",
}  # fmt: skip
# names that several places use: India, Israel, Ireland; the middle of America, China, Cuba; the Atlantic, Arabia; the
# Amazon, Armenia; western Australia, Samoa; Samoa, Singapore. They count only on a site that is at home in one of them,
# the American ones also on sites that are not at home in Asia.
_AMBIGUOUS = frozenset({"IST", "CST", "AST", "ADT", "AMT", "WST", "SST"})
_AMERICAN = frozenset({"CST", "AST", "ADT"})
_ARABIA = ("Asia/Riyadh", "Asia/Baghdad", "Asia/Kuwait", "Asia/Qatar", "Asia/Bahrain", "Asia/Aden")
# what a place calls its own clock, if the tables of zones have no letters for it or others
_AT_HOME = {
    ("BST", "Asia/Dhaka"): 6 * _H, ("PST", "Asia/Karachi"): 5 * _H, ("PST", "Asia/Manila"): 8 * _H,
    ("MST", "Asia/Kuala_Lumpur"): 8 * _H, ("MST", "Asia/Yangon"): 390, ("SST", "Asia/Singapore"): 8 * _H,
    ("CST", "Asia/Taipei"): 8 * _H, ("AMT", "Asia/Yerevan"): 4 * _H, ("AMT", "America/Manaus"): -4 * _H,
    ("AMT", "America/Cuiaba"): -4 * _H, ("WST", "Australia/Perth"): 8 * _H, ("WST", "Pacific/Apia"): 13 * _H,
    **{("AST", place): 3 * _H for place in _ARABIA},
}  # fmt: skip
AFTER_TIME = frozenset("GET PET COT BOT MUT RET SCT TOT".split())
"""Names that are words as well: they are zones only directly behind a time."""
# read in lower case too, since the letters are not a word in any language
_LOWER = frozenset(
    "gmt utc cet cest bst edt pst pdt cst cdt mst mdt mez mesz msk aest aedt nzst nzdt мск wib jst hkt pkt sast "
    "eest".split()
)
ZONE_NAMES = frozenset(_FIXED) | frozenset(_BY_SEASON) | _AMBIGUOUS | _LOWER
_OFFSET = re.compile(r"(?:gmt|utc)?\s?([+-])\s?(\d{1,2})(?::?(\d\d))?", re.IGNORECASE)


def parse_offset(text: str) -> int | None:
    """Minutes east of UTC; None if the text is not an offset.

    >>> parse_offset("GMT+0530"), parse_offset("UTC-3"), parse_offset("z"), parse_offset("+2500")
    (330, -180, 0, None)
    """
    if text in ("z", "Z"):
        return 0
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    total = int(hours) * 60 + int(minutes or 0)
    if int(minutes or 0) % 15 or not (-12 * 60 <= (total if sign == "+" else -total) <= 14 * 60):
        return None
    return total if sign == "+" else -total


@lru_cache(maxsize=128)
def is_place(name: str) -> bool:
    """Whether a name is that of a zone in the tables, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def place(local: datetime, zone: str | None, offset: int | None, site: ZoneInfo) -> datetime | None:
    """The instant that a printed local time stands for; None if the clocks skipped it or the zone is not known.

    A time that the clocks showed twice is the first of the two.

    >>> london = ZoneInfo("Europe/London")
    >>> place(datetime(2018, 3, 25, 1, 30), None, None, london) is None
    True
    >>> place(datetime(2018, 7, 1, 12), "ET", None, london).isoformat()
    '2018-07-01T12:00:00-04:00'
    """
    if offset is not None:
        return local.replace(tzinfo=_fixed(timedelta(minutes=offset)))
    if zone is None:
        return _exists(local.replace(tzinfo=site))
    if "/" in zone:
        return _exists(local.replace(tzinfo=ZoneInfo(zone)))
    name = zone if zone in _FIXED else zone.upper()
    east = _own_offset(name, local.year, site)
    if east is None and site.key.startswith("Australia/"):
        east = _own_offset("A" + name, local.year, site)  # Australians write EST for AEST
    if east is None and (name not in _AMBIGUOUS or (name in _AMERICAN and not site.key.startswith("Asia/"))):
        east = _FIXED.get(name)
    if east is not None:
        return local.replace(tzinfo=_fixed(timedelta(minutes=east)))
    if name in _BY_SEASON:
        return _exists(local.replace(tzinfo=ZoneInfo(_BY_SEASON[name])))
    return None


def _exists(local: datetime) -> datetime | None:
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    # the two differ only when the clocks change: forwards, the time was skipped; backwards, it was shown twice
    if before is None or after is None or before < after:
        return None
    return local.replace(tzinfo=_fixed(before))


@lru_cache(maxsize=128)
def _fixed(offset: timedelta) -> timezone:
    return timezone(offset)


@lru_cache(maxsize=256)
def _own_offset(name: str, year: int, site: ZoneInfo) -> int | None:
    """The offset that the abbreviation has at the site's own place in that year; None if it is not used there."""
    if (name, site.key) in _AT_HOME:
        return _AT_HOME[name, site.key]
    for month in (1, 7):
        moment = datetime(year, month, 1, tzinfo=site)
        offset = moment.utcoffset()
        if moment.tzname() == name and offset is not None:
            return int(offset.total_seconds() // 60)
    return None
