"""When a page was published: every date it gives for itself, and the one that is to be believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from locum_spider.dates import learn_order
from locum_spider.dates.regions import domain_of, usual_order
from locum_spider.extract.general.metadata import region_of
from locum_spider.extract.general.published.choice import Published, choose
from locum_spider.extract.general.published.sources import (
    PUBLISHED,
    Candidate,
    TimeElement,
    from_address,
    from_broken_json_ld,
    from_json_ld,
    from_marked_times,
    from_meta,
    from_microdata,
    from_outside,
    time_elements,
)
from locum_spider.extract.general.published.visible import Place, from_lines
from locum_spider.extract.page.document import Document

_NUMERIC = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")
_DAY, _MONTH = timedelta(days=1), timedelta(days=31)


def read_published(
    document: Document,
    headline: int | None,
    place: Place,
    *,
    names: Sequence[str] = (),
    listing_date: str | None = None,
    last_modified: str | None = None,
) -> Published:
    """The publication date of a page. `headline` is the number of its headline's line; `names` are its authors and
    publisher, which stand beside dates in bylines.
    """
    found = collect(document, headline, place, names=names, listing_date=listing_date, last_modified=last_modified)
    return choose(found, zone=place.zone, now=place.now)


def collect(
    document: Document,
    headline: int | None,
    place: Place,
    *,
    names: Sequence[str] = (),
    listing_date: str | None = None,
    last_modified: str | None = None,
) -> list[Candidate]:
    """Every date the page gives for itself, and what others say of it."""
    found = [*from_json_ld(document, place.read), *from_meta(document, place.read)]
    if not any(one.source == "json-ld" and one.role == PUBLISHED for one in found):
        found += from_broken_json_ld(document, place.read)
    found += from_microdata(document, place.read)
    found += [*from_address(document.url), *from_outside(listing_date, last_modified)]
    times = time_elements(document, place.read)
    found += from_marked_times(times)
    place = replace(place, order=place.order or _order(document, headline, place, names, found))
    found += from_lines(document, headline, place, names, times)
    return _without_stale(found, times)


def _order(
    document: Document, headline: int | None, place: Place, names: Sequence[str], known: Sequence[Candidate]
) -> str | None:
    """The order of numeric dates: as the page's own unambiguous ones show it, else as is usual at the place."""
    numeric = [line.text for line in document.lines if len(line.text) < 80 and _NUMERIC.search(line.text)]
    if not numeric:
        return None
    learnt = learn_order(numeric)
    if learnt in {"DMY", "MDY"}:
        return learnt
    fitting = _fitting_order(document, headline, place, names, known)
    return fitting or usual_order(domain_of(document.url), document.lang, region_of(document)) or learnt


def _fitting_order(
    document: Document, headline: int | None, place: Place, names: Sequence[str], known: Sequence[Candidate]
) -> str | None:
    """The order under which what is printed agrees with what the metadata say, if only one does."""
    days = {one.stamp.day for one in known if one.stamp.precision != "month" and one.weight >= 1}
    fitting = []
    for order in ("DMY", "MDY"):
        printed = from_lines(document, headline, replace(place, order=order), names, ())
        if any(abs(one.stamp.day - day) <= _DAY for one in printed for day in days):
            fitting.append(order)
    return fitting[0] if len(fitting) == 1 else None


def _without_stale(found: list[Candidate], times: Sequence[TimeElement]) -> list[Candidate]:
    """Words such as "3 hours ago" count from the capture: not on a page whose other dates all end long before."""
    days = [one.stamp.day for one in found if not one.relative]
    days += [one.stamp.day for one in times if one.stamp]
    return [one for one in found if not (one.relative and days and one.stamp.day - max(days) > _MONTH)]
