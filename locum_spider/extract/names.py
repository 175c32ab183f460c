"""The names of people in a byline or in metadata: one way for the declared and the general reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from locum_spider.dates.names import lexicon
from locum_spider.dates.tokens import fold as fold_date
from locum_spider.dates.tokens import scan
from locum_spider.extract.phrases import pattern, plain_words
from locum_spider.text import fold

LONGEST_NAME = 60
_LONGEST, _MOST_WORDS = 4_000, 7
_BESIDE = re.compile(r"\([^()]*\)|https?://\S+|(?<!\S)\S{1,64}@\S+\.\w+|(?<!\w)@\w+")
_NO_NAME = re.compile(r"https?:|www\.|@|\d{3}|^[\W\d_]*$", re.IGNORECASE)
_HARD = re.compile(r"\s*[;|•·\n／]\s*|\s+/\s+|\s+[–—-]\s+")
_NUMBER = re.compile(r"(?<![\w.])\d")
_LAST_FIRST = re.compile(r"([^\s,;]+), ([^\s,;]+)")
_by = partial(pattern, "by", "made_by", "author", before=r"^\s*", after=r"(?:\s*(:)\s*|\s+)")
_comma = partial(pattern, "and", before=r"\s*,\s*(?:(?P<and>", after=r")\s+)?")
_suffix = partial(pattern, "name_suffix", after=r"\.?")


def split_names(text: str, lang: str | None = None, *, by: bool = True, inverted: bool = False) -> list[str]:
    """The names in a byline, without "By", roles, dates, addresses and handles. A name is kept whole or not at all.

    `lang` is the language of the page. Without `by`, the "By" is already gone. With `inverted`, the text comes from
    where names are written "Last, First"; elsewhere it must be plain that they are.

    >>> split_names("By Jo Smith, Tom Kay, and Ann-Marie O’Neill, Political Editor"), split_names("Samya Kullab, AP")
    (['Jo Smith', 'Tom Kay', 'Ann-Marie O’Neill'], ['Samya Kullab', 'AP'])
    >>> split_names("José Ortega y Gasset"), split_names("John Doe, Jr. / Journalist @jdoe")
    (['José Ortega y Gasset'], ['John Doe, Jr.'])
    >>> split_names("Smith, Jo; Lee, Ann"), split_names("Jo Smith, Julian Fellowes and Tom Writer")
    (['Jo Smith', 'Ann Lee'], ['Jo Smith', 'Julian Fellowes', 'Tom Writer'])
    >>> split_names("Von Miller", "en"), split_names("Von Jo Miller", "de"), split_names("By Jo Lee May 12, 9:05 a.m.")
    (['Von Miller'], ['Jo Miller'], ['Jo Lee'])
    """
    text = "\n".join(fold(_BESIDE.sub(" ", line)) for line in text[:_LONGEST].split("\n"))
    parts = [part for part in _HARD.split(text) if part]
    turned = _turned(parts, inverted=inverted)
    if turned is not None:
        return turned
    names: list[str] = []
    for part in parts:
        for name, is_joined in _pieces(_without_by(part, lang) if by else part, lang):
            if _suffix().fullmatch(name) and names:
                names[-1] += f", {name}"
            elif (clean := _clean(name, lang)) and not (names and _is_role(clean, lang, is_joined=is_joined)):
                names.append(clean)
    return [name for name in names if not pattern("no_name").fullmatch(name)]


def _without_by(part: str, lang: str | None) -> str:
    """A part of a byline without its "By". In another language than the page's it may be a name: Von Miller."""
    match = _by().match(part)
    if match is None:
        return part
    rest = part[match.end() :]
    sure = match[1] or _by(lang=lang or "en").match(part) or len(re.split(r"[,&]", rest)[0].split()) > 1
    return rest if sure and rest else part


def _pieces(part: str, lang: str | None) -> Iterator[tuple[str, bool]]:
    """The pieces between commas and "and", and whether an "and" stands in front of each."""
    if pattern("office").match(part):
        yield part, False
        return
    start, is_joined = 0, False
    cuts = [(match.start(), match.end(), bool(match["and"])) for match in _comma().finditer(part)]
    for stop, following, has_and in [*cuts, (len(part), len(part), False)]:
        piece = part[start:stop]
        bare = pattern("and", before=r"^\s*", after=r"\s+", lang=lang or "en").sub("", piece)
        for number, name in enumerate(_split_and(bare, lang)):
            yield name, is_joined or number > 0 or bare != piece
        start, is_joined = following, has_and


def _split_and(text: str, lang: str | None) -> list[str]:
    """Names joined by "and": that of the page's language or of English, or, in small letters, of any other.

    "Ortega y Gasset" is one name, and so is "Marks & Spencer": each side must be able to be a whole name.
    """
    if pattern("office").search(text):
        return [text]
    joints = list(pattern("and", "with", before=r"\s+", after=r"\s+").finditer(text))
    own = pattern("and", "with", before=r"\s+", after=r"\s+", lang=lang or "en")
    names, start = [], 0
    for joint in joints:
        if own.fullmatch(joint[0]) or joint[0].strip().islower():
            names.append(text[start : joint.start()])
            start = joint.end()
    names.append(text[start:])
    english = {joint[0].strip().lower() for joint in joints} == {"and"}
    whole = all(len(name.split()) > 1 or name.isupper() for name in names) or (english and all(names))
    return names if whole else [text]


def _clean(name: str, lang: str | None) -> str | None:
    """One name without what stands around it; None if it is not a name."""
    name = _without_date(name, lang).strip(' ,:–—-|/*"“”')
    name = name if _suffix().fullmatch(name.split(" ")[-1]) else name.rstrip(".")
    if not 1 < len(name) <= LONGEST_NAME or len(name.split()) > _MOST_WORDS or _NO_NAME.search(name):
        return None
    return name


def _without_date(name: str, lang: str | None) -> str:
    """A name without the date behind it: it ends where a number begins, and a month before that number is no name."""
    number = _NUMBER.search(name)
    if number is None:
        return name
    front = name[: number.start()].split()
    behind = name[number.start() :].split()[1:2]
    while len(front) > 1 and not any(_is_month(word, lang) for word in behind) and _is_month(front[-1], lang):
        front.pop()
    return " ".join(front)


def _is_month(word: str, lang: str | None) -> bool:
    shape, _ = scan(fold_date(word.strip(",.")), lexicon(lang))
    return bool(shape) and set(shape) <= set("MW")


def _is_role(name: str, lang: str | None, *, is_joined: bool) -> bool:
    """Whether a piece behind a name says what the person does. Some roles are surnames too: Fellows, Writer.

    Behind an "and" stands a person, unless the words in front of the role say otherwise.
    """
    words = name.split()
    is_ranked = words[0].lower() in _ranks() or (words[0].isupper() and words[0].isalpha())  # BBC, not B.
    role = pattern("beside_names", lang=lang).search(name)
    if role is not None:
        person = is_joined and len(words) == 2 and words[1][0].isupper() and not is_ranked and role.start() > 0
        return not person
    surname = pattern("job_or_surname").search(name)
    if surname is None:
        return False
    return is_ranked or surname[0].islower() or len(words) != 2 or surname.start() == 0


def _ranks() -> frozenset[str]:
    return plain_words("rank")


def _turned(parts: list[str], *, inverted: bool) -> list[str] | None:
    """The names in parts that are all written "Last, First", as they are said; None if they are not.

    Two single words are a name like that, unless one is an agency's. With `inverted`, the last name may have several
    words, and the first names too.
    """
    singles = [name for part in parts for name in re.split(r"\s+and\s+", part)]
    names = []
    for part in singles if all(_LAST_FIRST.fullmatch(single) for single in singles) else parts:
        last, comma, first = part.partition(", ")
        if not comma or "," in first or _suffix().fullmatch(first) or pattern("beside_names").search(first):
            return None
        words = [*last.split(), *first.split()]
        single = _LAST_FIRST.fullmatch(part) is not None or (inverted and (" " not in last or " " not in first))
        agency = any((word.isupper() and len(word) > 2) or pattern("agency").fullmatch(word) for word in words)
        if not single or agency or not first[0].isupper() or _NO_NAME.search(part):
            return None
        names.append(f"{first.strip()} {last.strip()}")
    return names or None
