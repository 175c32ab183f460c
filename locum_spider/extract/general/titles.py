"""A page's title, from all its sources, without the name of the site, and the line that prints it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import urlsplit

from selectolax.lexbor import LexborNode

from locum_spider.extract.declared.landmarks import likeness_of
from locum_spider.extract.general.bylines import site_keys
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.element import shown_text
from locum_spider.extract.page.json_ld import text_of
from locum_spider.text import letters, words
from locum_spider.urls import host_of

_SEPARATOR = re.compile(r"\s+[|•·»›/–—-]\s+|\s*[|｜]\s*|\s+::?\s+|：|\s*»\s*")
_META_TITLES = {"og:title": 1.5, "twitter:title": 0.5, "dc.title": 0.25, "headline": 0.5, "title": 0.25}
_SAME_TITLE = 0.72
_LONG_TITLE = 300
_WORDS_AROUND = 8


def strip_site(title: str, own: Iterable[str], alone: Iterable[str] = ()) -> str:
    """A title without the site's name at either end and what stands between the two.

    `own` are the keys of the site's names (no signs, no case); `alone` are other titles of the page: if this title
    begins with one of them, the rest is the site's.

    >>> strip_site("Pay rises - once again | News | The Paper", {"thepaper"})
    'Pay rises - once again'
    >>> strip_site("The Paper: Pay rises", {"thepaper"}), strip_site("Pay rises - again", {"thepaper"})
    ('Pay rises', 'Pay rises - again')
    >>> strip_site("Pay rises again – Politics", set(), ["Pay rises again"])
    'Pay rises again'
    """
    for other in sorted(alone, key=len, reverse=True):
        rest = title[len(other) :]
        if len(letters(other)) > 8 and title.startswith(other) and _SEPARATOR.match(rest):
            return other
    names = [key for key in own if len(key) > 2]
    cuts = [match.span() for match in _SEPARATOR.finditer(title)]
    for (start, end), (stop, _) in pairwise([*cuts, (len(title), len(title))]):
        if start and _is_site(title[end:stop], names):
            return strip_tail(title[:start])
    match = re.match(r"(.{2,40}?)(?:\s+[|•·»–—-]\s+|:\s+|\s*\|\s*)(?=\S)", title)
    return title[match.end() :].strip() if match and letters(match[1]) in names else title


def _is_site(segment: str, names: Iterable[str]) -> bool:
    key = letters(segment)
    if not key:
        return False
    return any(
        key == name or (len(name) > 4 and len(key) < 3 * len(name) and name in key) or (len(key) > 4 and key in name)
        for name in names
    )


def strip_tail(title: str) -> str:
    """A title without the section that stood in front of the site's name: up to three words after a bar.

    >>> strip_tail("Pay rises everywhere | News"), strip_tail("Pay rises - again for all of us")
    ('Pay rises everywhere', 'Pay rises - again for all of us')
    """
    cuts = list(_SEPARATOR.finditer(title))
    if cuts and "|" in cuts[-1][0] and cuts[-1].start() > 15 and len(title[cuts[-1].end() :].split()) <= 3:
        return title[: cuts[-1].start()].strip()
    return title.strip()


def read_title(document: Document) -> tuple[str | None, str | None]:
    """The title that most sources on the page agree on, and one of these sources; (None, None) if there is none.

    The headline in the publisher's metadata and the printed one weigh more than titles for search engines and sharing.
    """
    own = site_keys(document)
    raw = [(source, weight, text) for source, weight, text in _sources(document) if text and letters(text) not in own]
    plain = [text for _, _, text in raw]
    named = [
        (source, weight, strip_site(text, own, [other for other in plain if other != text]))
        for source, weight, text in raw
    ]
    if not named:
        return None, None
    votes: dict[str, float] = defaultdict(float)
    for _, weight, text in named:
        votes[letters(text)] += weight
    best, _, title = max(named, key=lambda name: (votes[letters(name[2])], name[1]))
    return title, best


def _sources(document: Document) -> list[tuple[str, float, str]]:
    """(source, weight, text) of every title of the page."""
    titles = [
        ("json-ld", 2.0, text_of(thing.get("headline")) or text_of(thing.get("name")))
        for thing in document.articles[:1]
    ]
    titles += [
        ("visible", 1.75 if number == 0 else 0.5, text) for number, text in enumerate(main_headings(document)[:3])
    ]
    for name, weight in _META_TITLES.items():
        titles += [("meta", weight, text_of(value)) for value in document.meta.get(name, [])[:1]]
    titles.append(("title", 0.75, document.title_tag))
    return titles


def main_headings(document: Document) -> list[str]:
    """The texts of the `<h1>`s, each as one line, that do not name the site or lead to its front page."""
    own = site_keys(document)
    headings = (node for node in document.tree.css("h1") if not _leads_home(document, node))
    texts = dict.fromkeys(shown_text(node) for node in headings)
    return [text for text in texts if text and len(text) < 400 and letters(text) not in own]


def _leads_home(document: Document, heading: LexborNode) -> bool:
    """Whether a heading links to the front page: many templates print the site's name like that above each article."""
    link = heading.css_first("a[href]")
    if link is None or shown_text(link) != shown_text(heading):
        return False
    url = document.absolute(link.attributes.get("href"))
    return url is not None and host_of(url) == host_of(document.url) and urlsplit(url).path in {"", "/"}


def find_headline(document: Document, title: str) -> int | None:
    """The index of the page's headline: a main heading with the words of the title, else any line with all of them."""
    wanted = words(title)
    in_title, phrase = frozenset(wanted), " ".join(wanted)
    longest = min(3 * len(title) + 60, _LONG_TITLE)
    best: tuple[float, int] | None = None
    for index, line in enumerate(document.lines):
        if line.image is not None or len(line.text) > longest:
            continue
        text = words(line.text)
        likeness = likeness_of(text, frozenset(text), wanted, in_title)
        if wanted and phrase in " ".join(text) and len(text) <= len(wanted) + _WORDS_AROUND:
            likeness = max(likeness, 0.9)
        if line.tag == "h1":
            likeness += 0.4 if likeness > 0.3 else 0.0
        elif line.heading:
            likeness += 0.1
        if likeness >= _SAME_TITLE and (best is None or likeness > best[0]):
            best = likeness, index
    if best is not None:
        return best[1]
    mains = [index for index, line in enumerate(document.lines) if line.tag == "h1" and line.image is None]
    return mains[0] if len({document.lines[i].box for i in mains}) == 1 else None
