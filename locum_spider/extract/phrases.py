"""What pages say in each language: the phrases of `phrases.jsonl`, compiled when first used.

The first line of that file explains its few signs. A kind is a set of phrases, in all languages together.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any

_EDGE, _END = r"(?<![^\W_])", r"(?![^\W_])"
_LETTERS = r"[^\W\d_]*"
_SIGNS = {
    "[": "(?:(?:", "]": "))?", "] ": ") )?", "{": "(?:", "}": ")", "|": "|", "*": _LETTERS, "#": r"\d+",
    " … ": r"\b.*\b", "Aa": r"(?-i:[A-ZÀ-Ž])\w*", "$": "[:.]?$", "'": "['’]",
}  # fmt: skip
_TOKEN = re.compile(r"\] | … |Aa|.")


@lru_cache(maxsize=1)
def _entries() -> list[dict[str, Any]]:
    lines = files("locum_spider.extract").joinpath("phrases.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines[1:]]


def _phrases(kinds: Iterable[str], lang: str | None = None) -> set[str]:
    read = {lang, "en", "mul"}
    entries = [entry for entry in _entries() if entry["kind"] in kinds and (lang is None or entry["lang"] in read)]
    return {phrase for entry in entries for phrase in entry["phrases"]}


@lru_cache(maxsize=64)
def plain_words(*kinds: str) -> frozenset[str]:
    """Those phrases of some kinds that are one plain word.

    >>> "von" in plain_words("by"), "autor[in]" in plain_words("author")
    (True, False)
    """
    return frozenset(phrase for phrase in _phrases(kinds) if phrase.isalpha())


@lru_cache(maxsize=64)
def pattern(
    *kinds: str, before: str = "", after: str = "", whole_words: bool = True, lang: str | None = None
) -> re.Pattern[str]:
    """A pattern that finds any phrase of some kinds between the expressions `before` and `after`, in any case.

    With `whole_words`, a phrase begins and ends as a word does. Longer phrases are tried first. `lang` limits the
    phrases to those of one language, of English and of all languages.

    >>> pattern("by", "made_by", after=" ").sub("", "Words by Jo Smith"), pattern("others").match("Read, more")
    ('Jo Smith', None)
    >>> bool(pattern("others").match("lea tambien")), bool(pattern("about").match("about our paper"))
    (True, False)
    """
    phrases = sorted(_phrases(kinds, lang), key=lambda phrase: (-len(phrase), phrase))
    compiled = [_expression(phrase) + _end(phrase) * whole_words for phrase in phrases]
    return re.compile(f"{before}{_EDGE * whole_words}(?:{'|'.join(compiled)}){after}", re.IGNORECASE)


def _expression(phrase: str) -> str:
    return "".join(_SIGNS.get(token) or _letter(token) for token in _TOKEN.findall(phrase))


def _letter(sign: str) -> str:
    bare = unicodedata.normalize("NFD", sign)[0]
    return f"[{bare}{sign}]" if bare != sign and bare.isascii() else re.escape(sign)


def _end(phrase: str) -> str:
    return _END if phrase[-1].isalnum() or phrase[-1] in "]}" else ""
