"""Finds a page's headline among its lines by the title in its metadata."""

from __future__ import annotations

from locum_spider.extract.declared.landmarks import similarity
from locum_spider.extract.page.document import Document
from locum_spider.text import words

_SAME_TITLE = 0.72
_LONG_TITLE = 300
_WORDS_AROUND = 8


def find_headline(document: Document, title: str) -> int | None:
    """The index of the page's headline: a main heading with the words of the title, else any line with all of them."""
    wanted = words(title)
    longest = min(3 * len(title) + 60, _LONG_TITLE)
    best: tuple[float, int] | None = None
    for index, line in enumerate(document.lines):
        if line.image is not None or len(line.text) > longest:
            continue
        text = words(line.text)
        likeness = similarity(text, wanted)
        if wanted and " ".join(wanted) in " ".join(text) and len(text) <= len(wanted) + _WORDS_AROUND:
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
