"""The text of an element: the one way for every field that is one line."""

from __future__ import annotations

from collections.abc import Collection

from selectolax.lexbor import LexborNode

from locum_spider.extract.page.lines import LineReader


def shown_text(node: LexborNode, separator: str = " ", without: Collection[int] = ()) -> str:
    """The text of an element as a browser shows it: inline elements join, blocks and line breaks part.

    The `separator` stands between the lines; `without` holds the `mem_id` of elements to leave out.
    """
    reader = LineReader(_nowhere, without, marks=False)
    reader.read(node)
    return separator.join(line.text for line in reader.lines)


def _nowhere(_href: str | None) -> None:
    return None
