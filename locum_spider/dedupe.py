"""The pure rule that says when two captures hold the same article content."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locum_spider.items import Article


_encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: `json.dumps` makes one for every call


def content_digest(article: Article) -> str:
    """`sha256:` digest of what a reader would call the article; two captures with one digest are one revision.

    Addresses of pictures and documents stay out: sites put session marks and cache numbers into them.

    >>> from locum_spider.items import Article
    >>> a = Article(url="http://x.org/1", title="T", text="B")
    >>> content_digest(a) == content_digest(Article(url="http://x.org/1?v=2", title="T", text="B"))
    True
    >>> content_digest(a) == content_digest(Article(url="http://x.org/1", title="T", text="B."))
    False
    """
    content = [
        article.title, article.standfirst, list(article.authors), article.published, article.published_at,
        article.published_raw, article.section, list(article.tags), article.text,
        [a.title for a in article.attachments], list(article.captions),
    ]  # fmt: skip
    return "sha256:" + hashlib.sha256(_encode(content).encode()).hexdigest()
