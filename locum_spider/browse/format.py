"""Stored values as readers see them: blocks of a body, dates in words, marked words."""

from __future__ import annotations

import re
from calendar import month_name
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

from locum_spider.store.search import MARK, UNMARK

_NUMBERED = re.compile(r"(\d{1,3})\. ")
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
_MARKED = re.compile(f"{MARK}([^{MARK}{UNMARK}]*){UNMARK}")
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_STRAY = re.compile(f"[{MARK}{UNMARK}]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (`p`, one line), or a list (`ul`, `ol`) with its items; `start` is an ordered list's first number."""

    kind: str
    lines: tuple[str, ...]
    start: int = 1


def paragraphs(body: str) -> list[str]:
    """The blocks of a stored body.

    >>> paragraphs("One.\\n\\n• two\\n\\n")
    ['One.', '• two']
    """
    return [block for part in body.split("\n\n") if (block := part.strip())]


def blocks(body: str) -> list[Block]:
    """A body as paragraphs and lists.

    >>> [(b.kind, b.lines) for b in blocks("We ask:\\n\\n• who\\n\\n• why\\n\\n7. one\\n\\n8. two\\n\\nEnd.")]
    [('p', ('We ask:',)), ('ul', ('who', 'why')), ('ol', ('one', 'two')), ('p', ('End.',))]
    """
    parsed: list[tuple[str, list[str], int]] = []
    for text in paragraphs(body):
        kind, start = "p", 1
        if text.startswith("• "):
            kind, text = "ul", text[2:]
        elif number := _NUMBERED.match(text):
            kind, start, text = "ol", int(number[1]), text[number.end() :]
        last, items, first = parsed[-1] if parsed else ("p", [], 0)
        if last == kind != "p" and (kind == "ul" or start == first + len(items)):
            items.append(text)
        else:
            parsed.append((kind, [text], start))
    return [Block(kind, tuple(lines), start) for kind, lines, start in parsed]


def day_in_words(value: str | None) -> str:
    """A stored day, month or year as people write it.

    >>> day_in_words("2018-04-10"), day_in_words("2018-04"), day_in_words("2018"), day_in_words("2018-Q2")
    ('10 April 2018', 'April 2018', '2018', '2018-Q2')
    """
    date = _DAY.fullmatch(value or "")
    if date is None or int(date[2] or 1) not in range(1, 13):
        return value or ""
    year, month, day = date.groups()
    parts = (str(int(day)) if day else "", month_name[int(month)] if month else "", year)
    return " ".join(part for part in parts if part)


def moment_in_words(value: str | None) -> str:
    """A stored instant as people write it, with its offset from UTC.

    >>> moment_in_words("2018-04-10T15:45:00+01:00"), moment_in_words("2026-11-22T05:22:07Z")
    ('10 April 2018, 15:45 (UTC+01:00)', '22 November 2026, 05:22 UTC')
    """
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return value or ""
    zone = f"{at:%z}"
    place = "" if not zone else " UTC" if at.utcoffset() == timedelta(0) else f" (UTC{zone[:3]}:{zone[3:5]})"
    return f"{day_in_words(at.date().isoformat())}, {at:%H:%M}{place}"


def one_way(text: str) -> str:
    """Text without the signs that turn the direction of what follows; a title of a page has no markup to contain them.

    >>> one_way("an\u202e exe.\u2067txt")
    'an exe.txt'
    """
    return _TURNS.sub("", text)


def marked(text: str | None) -> Markup:
    """Text with its marked words in `<mark>`, everything else escaped.

    >>> print(marked("a \\x02<b>\\x03 c\\x02"))
    a <mark>&lt;b&gt;</mark> c
    """
    safe = _MARKED.sub(r"<mark>\1</mark>", str(escape(text or "")))
    return Markup(_STRAY.sub("", safe))  # noqa: S704 - escaped above, only our own tags added
