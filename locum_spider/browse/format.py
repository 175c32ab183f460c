"""Stored values as readers see them: blocks of a body, dates in words, changes between two texts."""

from __future__ import annotations

import re
from calendar import month_name
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from locum_spider.store.search import MARK, UNMARK

_NUMBERED = re.compile(r"(\d{1,3})\. ")
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")
_MARKED = re.compile(f"{MARK}([^{MARK}{UNMARK}]*){UNMARK}")
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
    parsed: list[Block] = []
    for text in paragraphs(body):
        kind, start = "p", 1
        if text.startswith("• "):
            kind, text = "ul", text[2:]
        elif number := _NUMBERED.match(text):
            kind, start, text = "ol", int(number[1]), text[number.end() :]
        last = parsed[-1] if parsed else None
        follows = last is not None and last.kind == kind != "p"
        if last is not None and follows and (kind == "ul" or start == last.start + len(last.lines)):
            parsed[-1] = Block(kind, (*last.lines, text), last.start)
        else:
            parsed.append(Block(kind, (text,), start))
    return parsed


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


def marked(text: str | None) -> Markup:
    """Text with its marked words in `<mark>`, everything else escaped.

    >>> print(marked("a \\x02<b>\\x03 c\\x02"))
    a <mark>&lt;b&gt;</mark> c
    """
    safe = _MARKED.sub(r"<mark>\1</mark>", str(escape(text or "")))
    return Markup(_STRAY.sub("", safe))  # noqa: S704 - escaped above, only our own tags added


@dataclass(frozen=True, slots=True)
class Change:
    """A block of a text: `same`, `new`, `gone`, or `edited` with the words that went and came."""

    kind: str
    html: Markup


def changes(old: str, new: str) -> list[Change]:
    """What became of each block from the old body to the new one, in the order of the new one.

    >>> [(c.kind, str(c.html)) for c in changes("A.\\n\\nIt costs £10.", "A.\\n\\nIt costs £12.\\n\\nB.")]
    [('same', 'A.'), ('edited', 'It costs <del>£10.</del><ins>£12.</ins>'), ('new', '<ins>B.</ins>')]
    """
    before, after = paragraphs(old), paragraphs(new)
    made: list[Change] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            made += [Change("same", escape(text)) for text in after[c:d]]
            continue
        shared = min(b - a, d - c)
        made += [_edited(x, y) for x, y in zip(before[a : a + shared], after[c : c + shared], strict=True)]
        made += [Change("gone", Markup("<del>{}</del>").format(text)) for text in before[a + shared : b]]
        made += [Change("new", Markup("<ins>{}</ins>").format(text)) for text in after[c + shared : d]]
    return made


def _edited(old: str, new: str) -> Change:
    before, after = re.findall(r"\S+|\s+", old), re.findall(r"\S+|\s+", new)
    pieces: list[Markup] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(escape("".join(after[c:d])))
            continue
        if a < b:
            pieces.append(Markup("<del>{}</del>").format("".join(before[a:b])))
        if c < d:
            pieces.append(Markup("<ins>{}</ins>").format("".join(after[c:d])))
    return Change("edited", Markup("").join(pieces))
