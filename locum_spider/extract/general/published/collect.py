"""Collects every date that a page gives for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from locum_spider.dates import learn_order
from locum_spider.dates.regions import domain_of, usual_order
from locum_spider.extract.general.metadata import region_of
from locum_spider.extract.general.published import sources
from locum_spider.extract.general.published.choice import Published, choose
from locum_spider.extract.general.published.sources import PUBLISHED, Candidate, TimeElement
from locum_spider.extract.general.published.visible import DateContext, from_lines
from locum_spider.extract.general.surroundings import asides
from locum_spider.extract.page.document import Document

_NUMERIC = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")
_DAY, _MONTH = timedelta(days=1), timedelta(days=31)


def read_published(
    document: Document, headline: int | None, context: DateContext, *, listing_date: str | None = None
) -> Published:
    """The publication date of a page, from every date that the page gives for itself and what its listing says.

    `headline` is the index of its headline's line.
    """
    candidates = [*sources.from_json_ld(document, context.read), *sources.from_meta(document, context.read)]
    if not any(candidate.source == "json-ld" and candidate.role == PUBLISHED for candidate in candidates):
        candidates += sources.from_broken_json_ld(document, context.read)
    candidates += sources.from_microdata(document, context.read)
    candidates += [*sources.from_address(document.url), *sources.from_listing(listing_date)]
    times = sources.time_elements(document, context.read)
    candidates += sources.from_marked_times(times)
    context = replace(context, asides=asides(document, headline))
    context = replace(context, order=context.order or _order(document, headline, context, candidates))
    candidates += from_lines(document, headline, context, times)
    return choose(_without_stale(candidates, times), zone=context.zone, now=context.now)


def _order(
    document: Document, headline: int | None, context: DateContext, candidates: Sequence[Candidate]
) -> str | None:
    """The order of numeric dates: that of the page's unambiguous dates, else the only one in which the printed dates
    agree with the metadata, else the usual one in its country.
    """
    numeric = [line.text for line in document.lines if len(line.text) < 80 and _NUMERIC.search(line.text)]
    if not numeric:
        return None
    learnt = learn_order(numeric)
    if learnt in {"DMY", "MDY"}:
        return learnt
    days = {c.stamp.day for c in candidates if c.stamp.precision != "month" and c.weight >= 1}
    fitting = []
    for order in ("DMY", "MDY"):
        printed = from_lines(document, headline, replace(context, order=order), ())
        if any(abs(candidate.stamp.day - day) <= _DAY for candidate in printed for day in days):
            fitting.append(order)
    if len(fitting) == 1:
        return fitting[0]
    return usual_order(domain_of(document.url), document.lang, region_of(document)) or learnt


def _without_stale(candidates: list[Candidate], times: Sequence[TimeElement]) -> list[Candidate]:
    """Drop dates such as "3 hours ago", counted from the capture, if all other dates of the page are much older."""
    days = [candidate.stamp.day for candidate in candidates if not candidate.relative]
    days += [element.stamp.day for element in times if element.stamp]
    last = max(days, default=date.max)
    return [candidate for candidate in candidates if not (candidate.relative and candidate.stamp.day - last > _MONTH)]
