"""Text on one line, and its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum_spider.text import fold, words


@given(st.text())
def test_folded_text_is_one_line_and_folds_to_itself(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert folded == folded.strip()
    assert "  " not in folded
    assert not set(folded) & set("\n\r\t\u00a0\u2028\u00ad\u200b\ufeff")


@given(st.lists(st.text("abcé£“", min_size=1, max_size=5), max_size=5))
def test_folding_keeps_every_word(parts):
    assert fold(" \n ".join(parts)).split() == parts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What’s new?", ["whats", "new"]),
        ("what's-new", ["whats", "new"]),
        ("STRAẞE", ["strasse"]),
        ("a_b", ["a", "b"]),
        ("£3.2m", ["3", "2m"]),
        ("co\u00adoperate", ["cooperate"]),
        ("…", []),
    ],
)
def test_words(text, found):
    assert words(text) == found
