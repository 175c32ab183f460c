"""The diff of two texts: right for any two, and its work bounded."""

from __future__ import annotations

import html
import random
import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import calls

from locum_spider.browse import diff
from locum_spider.browse.diff import changes

TEXTS = st.lists(st.text("ab <\xa0•é", max_size=12).map(str.strip).filter(bool), max_size=8).map("\n\n".join)


def words(text: str) -> list[str]:
    return text.split()


def side(old: str, new: str, *, without: str) -> list[str]:
    """The words that the diff shows of one side."""
    shown = []
    for change in changes(old, new):
        block = re.sub(f"<{without}>.*?</{without}>", " ", str(change.html), flags=re.DOTALL)
        shown += words(html.unescape(re.sub("</?(ins|del)>", " ", block)))
    return shown


@given(TEXTS, TEXTS)
def test_a_diff_holds_both_texts(old: str, new: str) -> None:
    assert side(old, new, without="del") == words(new)
    assert side(old, new, without="ins") == words(old)


@given(TEXTS, TEXTS)
def test_a_diff_beyond_its_bound_is_still_right(old: str, new: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff, "CELLS", 3)
        assert side(old, new, without="del") == words(new)
        assert side(old, new, without="ins") == words(old)


def test_words_keep_the_spaces_between_them() -> None:
    assert [str(change.html) for change in changes("A B", "B")] == ["<del>A</del> B"]
    assert [str(change.html) for change in changes("B", "A B")] == ["<ins>A</ins> B"]
    assert [str(change.html) for change in changes("a  b", "a c b")] == ["a <ins>c</ins>  b"]


def scattered(count: int) -> tuple[str, str]:
    """A text of so many words in one paragraph, and one in which every tenth word differs."""
    chance = random.Random(count)
    old = [f"w{chance.randrange(50)}" for _ in range(count)]
    return " ".join(old), " ".join(f"x{n}" if n % 10 == 0 else word for n, word in enumerate(old))


def test_twice_the_words_are_twice_the_work() -> None:
    small, large = (calls(partial(changes, *scattered(count))) for count in (500, 2000))
    assert large < 6 * small


def test_what_is_too_long_to_compare_is_shown_as_gone_and_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "CELLS", 8)
    assert [str(change.html) for change in changes("a b c d e", "a x c y e")] == [
        "a <del>b c d</del><ins>x c y</ins> e"
    ], "nine pairs are more than eight"
