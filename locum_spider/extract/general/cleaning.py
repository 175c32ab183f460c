"""Taking out of an article's text what is not its text: headline, byline, promotion, lists of other articles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.text import words

_FIRST = 6
"""Blocks at the beginning among which headline, date and byline are looked for."""
_SHORT, _PROMOTION = 70, 200

# What leads to other texts or sells something, at the beginning of a short block.
_LEADS_AWAY = re.compile(
    r"(?:[\W_]*)(?:"
    r"read (?:more|also|next|now|the full|this|:)|also read|also on\b|see (?:also|more)|related(?:$|:|"
    r" (?:articles?|stor(?:y|ies)|content|posts?|coverage|topics?|news))|"
    r"more (?:from|on:|stories|news|like this)|don['’]t miss|watch(?: now| more|:)|listen(?: now|:)|"
    r"download(?: now|:)|recommended|most (?:read|popular)|trending|"
    r"(?:subscribe|sign up|register|log in)\b(?=$|.*(?:newsletter|inbox|e-?mail|alert|podcast|channel|"
    r"access|to read|free|today|our|us\b))|sign me up|follow (?:us|@|\w+ on)|join (?:us|our)|like (?:us|"
    r"this (?:story|article))|click here (?:for|to (?:sign|subscribe|read|get our))|share (?:this|on)|"
    r"advertisement|sponsored|"
    r"story continues|continue reading|get (?:the|our|access|unlimited|"
    r"more) .{0,60}(?:newsletter|inbox|app|subscription|updates|stories|day|month)|have a tip|"
    r"tell us what you|"
    r"comments?$|\d* ?comments?$|tags?:?$|filed under|support (?:us|our)|newsletter|promoted|you (?:may|"
    r"might) (?:also )?(?:like|be interested)|editor['’]s (?:picks?|note:? sign)|"
    r"all rights reserved|copyright|©|image credit|photo(?:s|graph)?(?: credit)?:|"
    r"lesen sie|lesetipp|auch interessant|mehr zum thema|mehr dazu|das k[öo]nnte sie|abonnieren sie|"
    r"folgen sie|folge? uns|hier (?:geht es|finden sie|entlang)|>> ?|anzeige$|werbung$|"
    r"zur startseite|jetzt (?:abonnieren|anmelden|lesen|testen)|"
    r"lire aussi|[àa] lire|voir aussi|[àa] [ée]couter|abonnez-vous|inscrivez-vous|suivez|partager|"
    r"lea tambi[ée]n|leer m[áa]s|lee tambi[ée]n|te puede interesar|m[áa]s informaci[óo]n|suscr[íi]b|"
    r"s[íi]guenos|noticias? relacionad|"
    r"leggi anche|iscriviti|seguici|ti potrebbe|leia (?:tamb[ée]m|mais)|veja (?:tamb[ée]m|mais)|"
    r"inscreva-se|siga |saiba mais|"
    r"lees (?:ook|meer)|meld je aan|abonneer|czytaj (?:te[żz]|tak[żz]e|wi[ęe]cej)|zobacz (?:te[żz]|"
    r"tak[żz]e)|[čc]t[ěe]te|p[řr]e[čc]t[ěe]te|souvisej[íi]c[íi]|"
    r"les (?:også|mer)|læs (?:også|mere)|l[äa]s (?:också|mer|även)|lue (?:myös|lisää)|ilgili haber|"
    r"baca (?:juga|selengkapnya)|simak juga|xem thêm|"
    r"(?:читайте|смотрите) (?:также|ещ)|(?:читайте|дивіться) також|подпис|підпис|関連記事|関連|相關新聞|相关|관련기사"
    r")",
    re.IGNORECASE,
)
# What stands behind the last paragraph: who worked on it, who is to be asked, who the publisher is.
_CLOSES = re.compile(
    r"[\W_]*(?i:"
    r"(?:additional )?reporting by|editing by|writing by|compiled by|translated by|our standards|source:|sources:?$|"
    r"(?:with|contains) (?:files|reporting|material|additional reporting)|about (?:the author|us$)|read the original|"
    r"this (?:article|story|post) (?:was|is|has been|first|originally|appeared)|originally published|media contact|"
    r"for more (?:information|news|stories)|disclaimer|disclosure|correction:|notes? to editors|help us|"
    r"if you (?:enjoyed|liked)|most read|press contact|editor:|reporter:|"
    r"quellen?:?$|verwendete quellen|eigene recherche|redaktion:|faktencheck:|mit (?:dpa|material|agentur)|"
    r"bitte beachten|der autor$|die autorin$|zur person|[üu]ber (?:den autor|die autorin)|"
    r"avec (?:afp|reuters)|con informaci[óo]n de|fuente:|fonte:|[©(]c?\)? ?\d{4}"
    r")|[\W_]*(?:Reach|Contact|Email|E-mail|Follow) (?:the |him |her |them |us |[A-Z]\w+ )"
    # initials and agencies in brackets
    r"|\((?:[a-z]{2,4}(?:/[a-z]{2,4})*|(?:dpa|AFP|Reuters|AP|sda|APA|sid)\b.{0,40})\)$"
)
_ABOUT = re.compile(r"(?:About (?:the )?[A-Z]|Über (?:die |den |das )?[A-Z]|[ÀA] propos d)(?!.*[.?!]$)")


def clean(
    document: Document, blocks: Sequence[Block], titles: Sequence[str], is_byline: Callable[[str], bool]
) -> list[Block]:
    """The blocks that are the article's text.

    `titles` are the forms of its headline, `is_byline` knows lines of its date and its authors.
    """
    kept = _without_headline(blocks, titles, is_byline)
    captions = _captions(document, kept)
    kept = _without_lists(document, [block for number, block in enumerate(kept) if number not in captions])
    return _without_end(document, [block for block in kept if not _leads_away(block.text)], is_byline)


def _line(document: Document, block: Block) -> Line | None:
    return document.lines[block.index] if block.index is not None else None


def _without_headline(blocks: Sequence[Block], titles: Sequence[str], is_byline: Callable[[str], bool]) -> list[Block]:
    named = [words(title) for title in titles]
    named = [one for one in named if len(one) > 1]
    is_title = [_is_title(words(block.text), named) for block in blocks[:_FIRST]]
    start = max((number + 1 for number, found in enumerate(is_title) if found), default=0)
    above = [block.text for block, found in zip(blocks[:start], is_title, strict=False) if not found]
    if any(len(text) >= _SHORT or text[-1] in ".!?:…" for text in above):
        start = 0
    kept: list[Block] = []
    for number, block in enumerate(blocks[start:]):
        head = number < _FIRST and all(len(one.text) < _PROMOTION for one in kept)
        found = words(block.text)
        if found not in named and not (head and (_is_title(found, named) or is_byline(block.text))):
            kept.append(block)
    return kept


def _is_title(found: list[str], named: Sequence[list[str]]) -> bool:
    """Whether a block is the headline, perhaps with a word or two of its section in front."""
    for name in named:
        if found == name or (len(name) > 3 and found[-len(name) :] == name and len(found) <= len(name) + 5):
            return True
        if len(name) > 3 and found[: len(name)] == name and len(found) <= len(name) + 3:
            return True
    return False


def _leads_away(text: str) -> bool:
    return len(text) < _PROMOTION and _LEADS_AWAY.match(text) is not None


def _captions(document: Document, blocks: Sequence[Block]) -> set[int]:
    """Numbers of the blocks that are captions: marked as such, beside a picture, and not half of the text."""
    found = set()
    for number, block in enumerate(blocks):
        line = _line(document, block)
        if line is None or block.index is None or not line.caption or len(line.text) > 300:
            continue
        around = document.lines[max(block.index - 2, 0) : block.index + 3]
        if line.tag == "figcaption" or any(one.image is not None for one in around):
            found.add(number)
    return found if len(found) * 3 <= len(blocks) else set()


def _linked(document: Document, blocks: Sequence[Block]) -> set[int]:
    """Numbers of the blocks that are links to other pages, with at most a word of their kind in front."""
    shown: dict[int, int] = {}
    for link in document.links:
        if link.url.split("#")[0] != document.url.split("#")[0]:
            shown[link.line] = shown.get(link.line, 0) + len(link.text)
    found = set()
    for number, block in enumerate(blocks):
        line = _line(document, block)
        if line is None or block.index is None or "://" in block.text or len(words(block.text)) < 4:
            continue
        share = shown.get(block.index, 0) / max(len(block.text), 1)
        if line.url is not None or share >= (0.55 if line.item is not None else 0.8):
            found.add(number)
    return found


def _without_lists(document: Document, blocks: Sequence[Block]) -> list[Block]:
    """Without lines that are nothing but links to other articles, and the line that announces them."""
    gone = _linked(document, blocks)
    for number in range(len(blocks) - 1, -1, -1):
        announces = number + 1 in gone and number not in gone and len(blocks[number].text) < 130
        line = _line(document, blocks[number])
        if announces and (blocks[number].text.endswith(":") or (line is not None and line.heading)):
            gone.add(number)
    return [block for number, block in enumerate(blocks) if number not in gone]


def _without_end(document: Document, blocks: Sequence[Block], is_byline: Callable[[str], bool]) -> list[Block]:
    """Without what stands behind the last paragraph."""
    kept = list(blocks)
    for number in range(max(len(kept) * 2 // 3, 1), len(kept)):
        if len(kept[number].text) < 60 and _ABOUT.match(kept[number].text):
            kept = kept[:number]
            break
    while len(kept) > 1:
        last = kept[-1]
        line = _line(document, last)
        closes = len(last.text) < 400 and _CLOSES.match(last.text) is not None
        heading = line is not None and line.heading and last.text[-1] not in ".!"
        if not closes and not heading and not is_byline(last.text):
            break
        kept.pop()
    return kept


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading or list item, and the line of the page it is (None where it is none of the page's lines)."""

    text: str
    index: int | None
