"""The one table of an article's fields, and what follows from it: values in words, and the content digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any

from locum_spider.items import LISTS, Article, FieldKind


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `Article`, as it is described beside the field there.

    `about` describes its column in Datasette. Another value of a field that `counts` makes another revision. `rule` is
    its name in a site's declaration and in evidence. `column`: `articles` has a column of that name, with lists as JSON
    arrays. `fact` is the label of the field in `locum show` and on pages, if it has no place of its own there.
    """

    name: str
    kind: FieldKind
    about: str
    counts: bool = False
    rule: str | None = None
    column: bool = True
    fact: str | None = None

    @property
    def is_list(self) -> bool:
        """Whether its value is a tuple."""
        return self.kind in LISTS

    def value(self, article: Article) -> Any:
        """The value as readers see it.

        Without the addresses of pictures and documents: sites put session marks and cache numbers into them.
        """
        match self.kind:
            case "attachments":
                return tuple(document.title for document in article.attachments)
            case "images":
                return article.captions
        return getattr(article, self.name)


FIELDS: tuple[Field, ...] = tuple(Field(field.name, **field.metadata) for field in fields(Article))
"""The table. Columns, checks, comparison, digest, rules of a declaration and display follow from it."""


def told(value: Any) -> tuple[str, ...]:
    """A field's value in words, one for each name, title of a document, caption of a picture.

    >>> from locum_spider.items import Image
    >>> told(None), told("News"), told(("Ann Ash", "Bo Elm")), told((Image("/i.jpg", caption="A pier"),))
    ((), ('News',), ('Ann Ash', 'Bo Elm'), ('A pier',))
    """
    values = value if isinstance(value, tuple) else (value,)
    return tuple(item if isinstance(item, str) else item.words for item in values if item)


_encode = json.JSONEncoder(ensure_ascii=False).encode  # made once: `json.dumps` makes one for each call
_COUNTED = sorted((field for field in FIELDS if field.counts), key=lambda field: field.name)
_VERSION_1 = (
    "title standfirst authors published published_at published_raw section tags text attachments images"
).split()


def content_digest(article: Article) -> str:
    """`v2:sha256:` digest of what a reader would call the article; two captures with one digest are one revision.

    It is over a JSON object of the values that are not empty, by name: a new field in the table leaves the digests of
    articles without it as they are.

    >>> a = Article(url="http://x.org/1", title="T", text="B")
    >>> content_digest(a) == content_digest(Article(url="http://x.org/1?v=2", title="T", text="B"))
    True
    >>> content_digest(a) == content_digest(Article(url="http://x.org/1", title="T", text="B."))
    False
    """
    values = ((field.name, field.value(article)) for field in _COUNTED)
    return "v2:" + _sha256({name: value for name, value in values if value not in (None, ())})


def has_digest(article: Article, digest: str) -> bool:
    """Whether a stored digest, of either version, is that of an article.

    Version 1, `sha256:`, is over a JSON array of the values of eleven fields, in the order they had then.
    """
    values = {field.name: field.value(article) for field in _COUNTED}
    return digest == content_digest(article) or digest == _sha256([values[name] for name in _VERSION_1])


def _sha256(content: object) -> str:
    return "sha256:" + hashlib.sha256(_encode(content).encode()).hexdigest()
