"""The words of each language, from generated tables (`names.jsonl`, see tools/make_date_names.py), read on demand."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

from locum_spider.dates import vocabulary as vocab

Words = dict[str, tuple[str, Any]]  # folded lower-case word: code and value of its token

# older and broader codes of some languages
_ALIASES = {"no": "nb", "iw": "he", "in": "id", "tl": "fil", "sh": "sr", "mo": "ro", "yue": "zh"}
_AMBIGUOUS = ("w", "")
_NOTHING = ("", None)
_TWO_LETTERS = 2
_SHORT_MONTH = 3


@lru_cache(maxsize=128)
def primary(lang: str | None) -> str | None:
    """The main code of a language tag; None if there is no tag.

    >>> primary("pt-BR"), primary("no"), primary("")
    ('pt', 'nb', None)
    """
    if not lang:
        return None
    code = lang.strip().lower().replace("_", "-").partition("-")[0]
    return _ALIASES.get(code, code)


@lru_cache(maxsize=1)
def _lines() -> dict[str, str]:
    lines = files("locum_spider.dates").joinpath("names.jsonl").read_text("utf-8").splitlines()[1:]
    return {line[9 : line.index('"', 9)]: line for line in lines}


def languages() -> tuple[str, ...]:
    return tuple(_lines())


@lru_cache(maxsize=128)
def table(code: str) -> dict[str, Any]:
    """A language's own table; empty if it has none."""
    import json

    line = _lines().get(code)
    own: dict[str, Any] = json.loads(line) if line else {}
    return own


@lru_cache(maxsize=128)
def lexicon(lang: str | None) -> Words:
    """The words of a language and of English; without `lang`, those of all languages.

    A word with two meanings keeps neither: "listopad" is October in Croatian and November in Czech.
    """
    words = _english()
    code = primary(lang)
    if code == "en" or (code and code not in _lines()):
        return words
    words = words.copy()
    for other in [code] if code else languages():
        if other != "en":
            _add_names(words, table(other), alone=code is not None)
    return words


@lru_cache(maxsize=1)
def foreign() -> Words:
    """The words of English, and of all other languages the months written out: those are sure on any page."""
    words = _english().copy()
    for other in languages():
        own = table(other)
        for word in own["connect"]:
            words.setdefault(word, ("p", None))
        for word, month in own["months"].items():
            if len(word) > _SHORT_MONTH:
                words[word] = _with_month(words.get(word, _NOTHING), month)
    return words


@lru_cache(maxsize=1)
def _english() -> Words:
    words: Words = {word: ("N", hour) for word, hour in vocab.NOON_MIDNIGHT.items()}
    for kind, code in vocab.KINDS:
        words.update(dict.fromkeys(kind, (code, None)))
    words["no"] = ("p", "no")  # also "number", see `tokens`
    words.update({word: (code, word) for word, code in vocab.LABELS.items()})
    words.update({phrase: ("Z", zone) for phrase, zone in vocab.ZONE_PHRASES.items()})
    words.update({word: (code, None) for word, code in vocab.SIGNS_OF_DATE.items()})
    _add_names(words, table("en"), alone=True)
    return words


def _add_names(words: Words, own: dict[str, Any], *, alone: bool) -> None:
    """Add a language's words. Unless it stands `alone`, leave out days of two letters: other languages use them too."""
    for word in own["connect"]:
        if words.get(word, _NOTHING)[0] in ("", "A", "W", "$"):
            words[word] = ("p", None)
    words.update(dict.fromkeys(own["range"], ("r", None)))
    for key, token in (("quarter", ("u", None)), ("am", ("A", "a")), ("pm", ("A", "p"))):
        for word in own[key]:
            words.setdefault(word, token)
    for word, month in own["months"].items():
        words[word] = _with_month(words.get(word, _NOTHING), month)
    for word, day in own["days"].items():
        if alone or len(word) > _TWO_LETTERS or not word.isascii():
            words[word] = _with_weekday(words.get(word, _NOTHING), day)


def _with_month(token: tuple[str, Any], month: int) -> tuple[str, Any]:
    code, value = token
    if token == _AMBIGUOUS or (code == "M" and value != month) or (code == "B" and value[0] != month):
        return _AMBIGUOUS
    if code == "W":
        return "B", (month, value)
    return token if code == "B" else ("M", month)


def _with_weekday(token: tuple[str, Any], day: int) -> tuple[str, Any]:
    code, value = token
    if code == "M":
        return "B", (value, day)
    if code == "B":
        return token if value[1] == day else ("M", value[0])
    if code == "W":
        return token if value == day else _AMBIGUOUS
    if code in ("", "A", "u"):
        return "W", day
    # "to." is Thursday in Norwegian, and a word in English: skip it, do not check it as a weekday
    return token if token == _AMBIGUOUS or code in "jklv" else ("p", None)
