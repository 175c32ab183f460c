"""What changed between two texts: by paragraphs, then by words within a changed paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup, escape
from rapidfuzz.distance import Indel

from locum_spider.browse.format import paragraphs

CELLS = 2**30
"""Pairs of words that one comparison of two texts may look at: half a second, and 128 MiB."""


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
    aligner = Aligner(CELLS)
    made: list[Change] = []
    for same, before, after in aligner.runs(paragraphs(old), paragraphs(new)):
        if same:
            made += [Change("same", escape(text)) for text in after]
            continue
        shared = min(len(before), len(after))
        pairs = zip(before[:shared], after[:shared], strict=True)
        made += [Change("edited", _edited(aligner, *pair)) for pair in pairs]
        made += [Change("gone", Markup("<del>{}</del>").format(text)) for text in before[shared:]]
        made += [Change("new", Markup("<ins>{}</ins>").format(text)) for text in after[shared:]]
    return made


def _edited(aligner: Aligner, old: str, new: str) -> Markup:
    """A paragraph with the words that went and came; each word brings the space before it."""
    html: list[Markup] = []
    for same, before, after in aligner.runs(re.findall(r"\s*\S+", old), re.findall(r"\s*\S+", new)):
        if same:  # the first word of a text has no space before it, even if it is not the first of the other
            html += [escape(max(before[0], after[0], key=len)), escape("".join(after[1:]))]
            continue
        gone, came = "".join(before), "".join(after)
        first = came or gone
        html.append(escape(first[: len(first) - len(first.lstrip())]))
        html += [Markup("<del>{}</del>").format(gone.lstrip())] if gone else []
        html += [Markup("<ins>{}</ins>").format(came.lstrip())] if came else []
    return Markup("").join(html)


class Aligner:
    """Compares sequences while its store of pairs lasts; afterwards only their beginnings and ends."""

    def __init__(self, cells: int) -> None:
        self._cells = cells

    def runs(self, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
        """Whether a run is the same, and its part of both; blanks around a word do not count.

        >>> list(Aligner(99).runs("a b c".split(), "a x c".split()))
        [(True, ['a'], ['a']), (False, ['b'], ['x']), (True, ['c'], ['c'])]
        >>> [same for same, _, _ in Aligner(3).runs("a b c d e".split(), "a x c y e".split())]
        [True, False, True]
        """
        a, b = [word.strip() for word in old], [word.strip() for word in new]
        start = _alike(a, b)
        end = _alike(a[start:][::-1], b[start:][::-1])
        yield from _run(True, old[:start], new[:start])
        yield from self._middle(old[start : len(a) - end], new[start : len(b) - end])
        yield from _run(True, old[len(a) - end :], new[len(b) - end :])

    def _middle(self, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
        pairs = len(old) * len(new)
        if pairs > self._cells:
            yield from _run(False, old, new)
            return
        self._cells -= pairs
        at_old = at_new = 0
        for block in Indel.editops([word.strip() for word in old], [word.strip() for word in new]).as_matching_blocks():
            yield from _run(False, old[at_old : block.a], new[at_new : block.b])
            at_old, at_new = block.a + block.size, block.b + block.size
            yield from _run(True, old[block.a : at_old], new[block.b : at_new])


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _run(same: bool, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[bool, Sequence[str], Sequence[str]]]:
    if old or new:
        yield same, old, new
