"""The dates that a reader sees near a page's headline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import islice

from locum_spider.dates import read_dates
from locum_spider.dates.machine import Stamp, stamp_of
from locum_spider.dates.names import lexicon
from locum_spider.dates.tokens import fold as fold_date
from locum_spider.dates.tokens import scan
from locum_spider.dates.value import Date
from locum_spider.extract.general.published.sources import EVENT, MODIFIED, PUBLISHED, UNKNOWN, Candidate, TimeElement
from locum_spider.extract.general.surroundings import Asides
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.extract.phrases import pattern, plain_words
from locum_spider.text import words

_ABOVE, _BELOW = 3, 17
"""The numbers of lines above and below a headline that may have its date."""
_PROSE = 140
_LONGEST = 160
_LABEL_LENGTH = 40
_LINKED_HEADLINE, _LINK_OF_A_NAME = 5, 3
_LIST_REACH = 15
_STRANGERS = 12
"""The most words beside a date; a line with more is prose."""
_DIGIT = re.compile(r"\d")
_PARTS = re.compile(
    r"\s*[|•·∙‧／]\s*|\s+/\s*|/\s+|(?<=\d{4})/(?=\D|\d\s[A-Z])|(?<!\d)\s+[–—-]\s+|\s+[–—-]\s+(?!\d)|\s{2,}|;\s+"
)
_DOTTED = re.compile(r"(?<!\d)\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}(?!\d)")
_COLON = r"\s*:?"
_byline = partial(pattern, "by", "author", before="^", after=r":?\s")
_event = partial(pattern, "event", before="^", after=_COLON)
_credit = partial(pattern, "credit", before=r"^[\W_]*", after=r"\s*(?:[:©/|]|\bby\b|\bvon\b|\bpar\b|\bde\b)")
_date_word = partial(pattern, "date", after=_COLON)


@dataclass(frozen=True, slots=True)
class DateContext:
    """What dates are read by: the time of the capture, the time zone, the language, the order of numeric dates.

    `names` are the page's authors and publisher, which stand beside dates in bylines; `asides` are the containers
    beside the article.
    """

    now: datetime
    zone: str | None
    lang: str | None
    order: str | None
    names: Sequence[str] = ()
    asides: Asides = field(default_factory=Asides)

    def read(self, text: str) -> Stamp | None:
        """The date of a text, published or modified."""
        published, modified = self.read_both(text)
        return published or modified

    def read_both(self, text: str) -> tuple[Stamp | None, Stamp | None]:
        """The dates of a text by their labels, published and modified."""
        # With dots, nobody writes the month first.
        order = "DMY" if _DOTTED.search(text) else self.order
        dates = read_dates(text, now=self.now, tz=self.zone or "UTC", lang=self.lang, order=order)
        return self._stamp(dates.published, text), self._stamp(dates.modified, text)

    def _stamp(self, date: Date | None, text: str) -> Stamp | None:
        if date is None or date.precision in {"year", "quarter"}:
            return None
        if not isinstance(date.value, datetime):
            return Stamp(date.value, precision="month" if date.precision == "month" else "day")
        stamp = stamp_of(date.value, precise=True)
        return stamp if self._names_zone(text, stamp) else replace(stamp, offset=None)

    def _names_zone(self, text: str, stamp: Stamp) -> bool:
        """Whether the text itself gives a time zone."""
        shape, _ = scan(fold_date(text), lexicon(self.lang))
        if "Z" in shape or "O" in shape:
            return True
        return "I" in shape and re.search(r"[Zz]\b|[+-]\d\d:?\d\d\b", text) is not None and stamp.offset is not None


def from_lines(
    document: Document, headline: int | None, context: DateContext, times: Sequence[TimeElement]
) -> Iterator[Candidate]:
    """The dates printed around the headline, and the day labelled as that of publication further away."""
    lines = document.lines
    seen: set[int] = set()
    if headline is not None:
        below = list(_below(document, headline))
        for index in dict.fromkeys([*below, *_before_prose(document, headline)]):
            seen.add(index)
            for candidate in _dates_of(lines, index, context):
                yield candidate if index in below else replace(candidate, weight=candidate.weight - 0.25)
                yield from _marked(candidate, _as_printed(lines[index]), times)
        for index in _above(document, headline):
            seen.add(index)
            for candidate in _dates_of(lines, index, context):
                yield from _marked(candidate, _as_printed(lines[index]), times)
                yield _as_above(candidate, context)
    yield from _elsewhere(document, context, seen)


def _below(document: Document, headline: int) -> Iterator[int]:
    """The lines from a headline on that may belong to it: up to the prose, or to a list of other articles."""
    lines = document.lines
    prose = taken = 0
    for index in range(headline, len(lines)):
        line = lines[index]
        if line.image is not None:
            continue
        if index > headline and _announces_others(line):
            break
        prose += index > headline and len(line.text) > _PROSE
        taken += 1
        if prose > 2 or taken > _BELOW:
            break
        if not _of_another(document, index, headline):
            yield index


def _before_prose(document: Document, headline: int) -> Iterator[int]:
    """The lines right above the first paragraph, which tools and advertisements may separate from the headline."""
    lines = document.lines
    for first in range(headline + 1, min(headline + 80, len(lines))):
        if lines[first].image is None and lines[first].url is None and len(lines[first].text) > 1.5 * _PROSE:
            near = [i for i in range(headline + 1, first) if lines[i].image is None and not lines[i].caption]
            yield from (
                i for i in near[-_ABOVE:]
                if not _of_another(document, i, headline) and not _below_others(lines, i, _ABOVE)
            )  # fmt: skip
            return


def _below_others(lines: Sequence[Line], index: int, reach: int) -> bool:
    """Whether one of the lines above is a heading of other articles or comments."""
    return any(_announces_others(line) for line in lines[max(index - reach, 0) : index] if line.image is None)


def _announces_others(line: Line) -> bool:
    return len(line.text) < 60 and pattern("others", "heads_list").match(line.text) is not None


def _leads_away(document: Document, line: Line, headline: int) -> bool:
    """Whether a line is the linked headline of another article."""
    if line.url is None or line.image is not None or line.text == document.lines[headline].text:
        return False
    away = document.is_elsewhere(line.url) and len(words(line.text)) > _LINKED_HEADLINE
    return away and not _byline().match(line.text)


def _of_another(document: Document, index: int, headline: int) -> bool:
    """Whether the line right above is the linked headline of another article, so that the date is that article's."""
    above = (line for line in reversed(document.lines[headline + 1 : index]) if line.image is None)
    return any(_leads_away(document, line, headline) for line in islice(above, 1))


def _above(document: Document, headline: int) -> Iterator[int]:
    """The lines right above a headline, up to the teaser of another article."""
    lines = document.lines
    taken = 0
    for index in range(headline - 1, max(headline - 9, -1), -1):
        if lines[index].image is not None:
            continue
        before = lines[max(index - 3, 0) if taken else index : index + 1]
        if taken == _ABOVE or any(_leads_away(document, line, headline) for line in before):
            return
        taken += 1
        yield index


def _as_above(candidate: Candidate, context: DateContext) -> Candidate:
    """A date above the headline weighs less: it may be today's, which mastheads print with the weekday."""
    if candidate.role == PUBLISHED or candidate.weight < 2:
        return candidate
    shape, _ = scan(fold_date(candidate.raw), lexicon(context.lang))
    today = abs((candidate.stamp.day - context.now.date()).days) <= 1
    of_masthead = candidate.stamp.clock is None and (today or "W" in shape)
    return replace(candidate, weight=0.5 if of_masthead else 1.5)


def _dates_of(lines: Sequence[Line], index: int, context: DateContext) -> Iterator[Candidate]:
    """The dates of a line, with the label from the line before it."""
    text = _as_printed(lines[index])
    if len(text) > _LONGEST or not _DIGIT.search(text) or pattern("copyright").search(text):
        return
    box = lines[index].box
    if box in context.asides.others or _credit().match(text):
        return
    before = lines[index - 1].text if index and lines[index - 1].image is None else ""
    if _event().match(text) or (len(before) < _LABEL_LENGTH and _event().match(before)):
        stamp = context.read(_event().sub("", text))
        if stamp is not None:
            yield Candidate("visible", f"line {index + 1}", EVENT, text, stamp, 1.0)
        return
    label = _label(before, context) if len(before) < _LABEL_LENGTH and not _DIGIT.search(before) else ""
    if _date_word().match(text):
        label = label or "D"
    if label == "D" and any(
        pattern("beside_event").match(line.text) for line in lines[index - 2 : index + 4] if line.image is None
    ):
        return
    for candidate in _read_line(text, f"line {index + 1}", context, label):
        if candidate.role == PUBLISHED or box not in context.asides.beside:
            yield candidate


def _as_printed(line: Line) -> str:
    """The line with a number that was taken for a list mark: the "30. " of "30. Juni 2025" is the day."""
    return (line.item or "") + line.text if (line.item or "")[:1].isdigit() and line.tag != "li" else line.text


def _read_line(text: str, where: str, context: DateContext, label: str) -> Iterator[Candidate]:
    """The dates of a whole line, else of the first part that has one."""
    plain = _without_names(text, context.names)
    published, modified = context.read_both(plain)
    if published is None and modified is None:
        parts = [part for part in _PARTS.split(plain) if _DIGIT.search(part)]
        for part in parts if parts != [plain] else []:
            if candidates := list(_read_line(part, where, context, label)):
                yield from (replace(candidate, raw=text) for candidate in candidates)
                return
        return
    shape, _ = scan(fold_date(plain), lexicon(context.lang))
    if label == "U" and "L" not in shape:
        published, modified = None, published or modified
    labelled = "L" in shape or label == "L"
    strangers = shape.count("w") + shape.count("?")
    if strangers > _STRANGERS or not (label or labelled or "U" in shape or _is_bare(text, strangers)):
        return
    if modified is not None:
        yield Candidate("visible", where, MODIFIED, text, modified, 2.0)
    if published is not None:
        relative = not re.search(r"[IQCMBykj]", shape)
        published = replace(published, clock=None, offset=None) if relative else published
        weight = 3.0 if labelled else 2.5 if strangers == 0 else 2.0
        weight = 1.0 if relative or published.precision == "month" else weight
        yield Candidate("visible", where, PUBLISHED if labelled else UNKNOWN, text, published, weight, relative)


def is_date_line(text: str, context: DateContext) -> bool:
    """Whether a line is only a date, perhaps with its label or the names of the authors."""
    return len(text) <= _LONGEST and bool(_DIGIT.search(text)) and any(_read_line(text, "", context, ""))


def _is_bare(text: str, strangers: int) -> bool:
    """Whether a line without a label is a date line: the date alone, or with names before and a few words after it."""
    if strangers == 0:
        return True
    if strangers > 3 and text.rstrip().endswith((".", "?", "!")):
        return False
    parts = len(_PARTS.findall(text))
    front = [word for word in re.split(r"[\s@]+", re.split(r"\d", _byline().sub("", text))[0]) if word[:1].isalpha()]
    named = all(
        not word[0].islower() or word.lower() in plain_words("and", "by", "particle", "small", "preposition")
        for word in front
    )
    aimed = bool(front) and front[-1].lower() in plain_words("preposition") and not _byline().match(text)
    return named and not aimed and len(front) <= 8 + parts and strangers <= 10 + parts


def _without_names(text: str, names: Sequence[str]) -> str:
    for name in names:
        if len(name) > 3:
            text = re.sub(re.escape(name), " ", text, flags=re.IGNORECASE)
    return _byline().sub("", text.strip(" ,|–—-")).strip(" ,|–—-") or text


def _label(text: str, context: DateContext) -> str:
    """What a line says about the date below it: `L` published, `U` modified, `D` just a date, empty if nothing."""
    if match := _date_word().match(text):
        return "D" if match.end() == len(text) else ""
    shape, _ = scan(fold_date(text), lexicon(context.lang))
    if not shape or shape.count("w") > 3:
        return ""
    return "L" if "L" in shape else "U" if "U" in shape else ""


def _marked(candidate: Candidate, line: str, times: Sequence[TimeElement]) -> Iterator[Candidate]:
    """The date in the attribute of a `<time>` that belongs to the words of a line."""
    for element in times:
        if element.stamp is None or not element.text or element.aside or element.text not in line:
            continue
        if abs((element.stamp.day - candidate.stamp.day).days) <= 1:
            role = element.role if candidate.role == UNKNOWN else candidate.role
            yield Candidate("time", f"<time> in {candidate.where}", role, element.raw, element.stamp, candidate.weight)
            return


def _elsewhere(document: Document, context: DateContext, seen: set[int]) -> Iterator[Candidate]:
    """The day that the page labels as that of publication away from the headline, if it labels only one."""
    lines = document.lines
    labelled: list[Candidate] = []
    for index, line in enumerate(lines):
        if index in seen or line.image is not None or line.url is not None or not 8 <= len(line.text) <= 80:
            continue
        if not _DIGIT.search(line.text) or _below_others(lines, index, _LIST_REACH) or _in_teaser(document, index):
            continue
        dated = _dates_of(lines, index, context)
        labelled += [candidate for candidate in dated if candidate.role == PUBLISHED or _date_word().match(line.text)]
    if labelled and len({candidate.stamp.day for candidate in labelled}) == 1 and labelled[0].weight >= 2:
        yield replace(labelled[0], weight=1.5)


def _in_teaser(document: Document, index: int) -> bool:
    """Whether a line shares a container with a link of several words to another page, right above or below it."""
    box = document.lines[index].box
    return any(
        line.url is not None
        and document.is_elsewhere(line.url)
        and len(words(line.text)) > _LINK_OF_A_NAME
        and document.within(box, document.parent(line.box))
        for line in document.lines[max(index - 2, 0) : index + 2]
    )
