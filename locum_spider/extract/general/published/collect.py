"""Collects every date that a page gives for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

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
from locum_spider.extract.general.published.visible import DateContext, from_lines
from locum_spider.extract.page.document import Document

_NUMERIC = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")
_DAY, _MONTH = timedelta(days=1), timedelta(days=31)


def read_published(
    document: Document,
    headline: int | None,
    context: DateContext,
    *,
    names: Sequence[str] = (),
    listing_date: str | None = None,
    last_modified: str | None = None,
) -> Published:
    """The publication date of a page. `headline` is the index of its headline's line; `names` are its authors and
    publisher, which stand beside dates in bylines.
    """
    candidates = collect(
        document, headline, context, names=names, listing_date=listing_date, last_modified=last_modified
    )
    return choose(candidates, zone=context.zone, now=context.now)


def collect(
    document: Document,
    headline: int | None,
    context: DateContext,
    *,
    names: Sequence[str] = (),
    listing_date: str | None = None,
    last_modified: str | None = None,
) -> list[Candidate]:
    """Every date that the page gives for itself, and what its listing and server say."""
    candidates = [*from_json_ld(document, context.read), *from_meta(document, context.read)]
    if not any(candidate.source == "json-ld" and candidate.role == PUBLISHED for candidate in candidates):
        candidates += from_broken_json_ld(document, context.read)
    candidates += from_microdata(document, context.read)
    candidates += [*from_address(document.url), *from_outside(listing_date, last_modified)]
    times = time_elements(document, context.read)
    candidates += from_marked_times(times)
    context = replace(context, order=context.order or _order(document, headline, context, names, candidates))
    candidates += from_lines(document, headline, context, names, times)
    return _without_stale(candidates, times)


def _order(
    document: Document,
    headline: int | None,
    context: DateContext,
    names: Sequence[str],
    candidates: Sequence[Candidate],
) -> str | None:
    """The order of numeric dates: that of the page's unambiguous dates, else the usual one in its country."""
    numeric = [line.text for line in document.lines if len(line.text) < 80 and _NUMERIC.search(line.text)]
    if not numeric:
        return None
    learnt = learn_order(numeric)
    if learnt in {"DMY", "MDY"}:
        return learnt
    fitting = _fitting_order(document, headline, context, names, candidates)
    return fitting or usual_order(domain_of(document.url), document.lang, region_of(document)) or learnt


def _fitting_order(
    document: Document,
    headline: int | None,
    context: DateContext,
    names: Sequence[str],
    candidates: Sequence[Candidate],
) -> str | None:
    """The order in which the printed dates agree with the metadata, if only one does."""
    days = {
        candidate.stamp.day
        for candidate in candidates
        if candidate.stamp.precision != "month" and candidate.weight >= 1
    }
    fitting = []
    for order in ("DMY", "MDY"):
        printed = from_lines(document, headline, replace(context, order=order), names, ())
        if any(abs(candidate.stamp.day - day) <= _DAY for candidate in printed for day in days):
            fitting.append(order)
    return fitting[0] if len(fitting) == 1 else None


def _without_stale(candidates: list[Candidate], times: Sequence[TimeElement]) -> list[Candidate]:
    """Drop dates such as "3 hours ago", counted from the capture, if all other dates of the page are much older."""
    days = [candidate.stamp.day for candidate in candidates if not candidate.relative]
    days += [element.stamp.day for element in times if element.stamp]
    last = max(days, default=date.max)
    return [candidate for candidate in candidates if not (candidate.relative and candidate.stamp.day - last > _MONTH)]
