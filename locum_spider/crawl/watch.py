"""Notices on the way what a user would otherwise learn at the end of a long crawl."""

from __future__ import annotations

from locum_spider.items import Outcome

ENOUGH = 5
"""Article pages that fail alike before anybody is told: a few odd pages are no fault of the declaration."""

warned = object()
"""The signal with which a crawl tells its `site` and a `text`: Scrapy's way from a component to whoever runs it."""


class Watch:
    """Looks at the outcomes of a crawl, in their order."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._alike = 0

    def take(self, outcome: Outcome, reason: str | None) -> str | None:
        """What to tell the user now, once: the first article pages all failed for one reason; else None.

        >>> watch = Watch()
        >>> told = [watch.take(Outcome.NOT_ARTICLE, "no title on the page") for _ in range(9)]
        >>> [text is not None for text in told]
        [False, False, False, False, True, False, False, False, False]
        """
        if outcome in {Outcome.NEW, Outcome.CHANGED, Outcome.UNCHANGED} or self._alike >= ENOUGH:
            self._alike = ENOUGH  # the rules read something
            return None
        if outcome is not Outcome.NOT_ARTICLE:
            return None
        self._alike = self._alike + 1 if reason == self._reason else 1
        self._reason = reason
        if self._alike < ENOUGH:
            return None
        return (
            f"none of the first {ENOUGH} article pages could be read: {reason}. The crawl goes on and keeps every "
            "page; mend the declaration meanwhile, and `locum rebuild` reads them again"
        )
