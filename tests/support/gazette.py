"""Small archives made without a network, and ways to look into and to damage them."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from locum_spider.items import Exchange, Visit
from locum_spider.recorder.messages import Close, Open
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive

HOST = "http://gazette.example"
SITE = """
name = "gazette"
title = "The Gazette"
hosts = ["gazette.example"]
start = ["http://gazette.example/"]
timezone = "Europe/London"
language = "en"
articles.address = '^/story/'
articles.identity = ["id"]
listings.follow = '^/(news)?$'
[[layouts]]
article.title = { css = "h1" }
article.published = { css = "i" }
article.body = { css = "p" }
"""
WORDS = "agency council locum nurse tribunal wages rota shift ward union appeal clinic budget staff".split()

Answer = tuple[int, bytes, dict[str, str]]


def page(body: str, status: int = 200, **headers: str) -> Answer:
    """A page, compressed as most are."""
    return status, gzip.compress(body.encode(), mtime=0), {"Content-Encoding": "gzip", **headers}


def moved(to: str) -> Answer:
    return 301, b"", {"Location": to}


def sentences(number: int, count: int = 30) -> str:
    chance = random.Random(number)
    made = [" ".join(chance.choices(WORDS, k=9)).capitalize() + f" {chance.randbytes(12).hex()}." for _ in range(count)]
    return " ".join(made)


def title(number: int) -> str:
    return f"Report number {number} — the nurses’ year"


def address(number: int) -> str:
    return f"/story/a-slug-of-report-{number}?id={number}"


def story(number: int, text: str | None = None, *, latest: tuple[int, ...] = ()) -> Answer:
    links = "".join(f'<a href="{address(n)}&amp;from=latest">{title(n)}</a>' for n in latest)
    text = text or sentences(number)
    return page(f"<h1>{title(number)}</h1><i>{number} May 2016</i><p>{text}</p><aside>{links}</aside>")


def listing(*numbers: int, more: tuple[str, ...] = ()) -> Answer:
    links = "".join(f'<h3><a href="{address(n)}&amp;from=list">{title(n)}</a></h3>' for n in numbers)
    return page(f"<html>{links}{''.join(f'<a href={url}>More news here</a>' for url in more)}</html>")


def site(count: int = 8) -> dict[str, Answer]:
    """Pages by path: two listings, stories that name each other, a moved and a missing one."""
    numbers = tuple(range(1, count + 1))
    pages = {address(n): story(n, latest=(n % count + 1,)) for n in numbers}
    pages["/"] = listing(*numbers[: count // 2], 98, 99, more=("/news",))
    pages["/news"] = listing(*numbers[count // 2 :])
    pages[address(98)] = moved(HOST + address(1))
    return pages


def declare(folder: Path, declaration: str = SITE) -> None:
    (folder / "sites").mkdir(parents=True, exist_ok=True)
    (folder / "sites" / "gazette.toml").write_text(declaration)


def exchange(url: str, answer: Answer, at: str) -> Exchange:
    status, body, headers = answer
    pairs = {"Content-Type": "text/html; charset=utf-8", **headers}
    return Exchange(
        url, "GET", ((b"Host", b"gazette.example"), (b"User-Agent", b"locum-spider (tests)")), status,
        tuple((k.encode(), v.encode()) for k, v in pairs.items()), body, at,
    )  # fmt: skip


def crawl(
    folder: Path, pages: Mapping[str, Answer], *, day: int = 1, warc_bytes: int = 12_000,
    each: Callable[[int], object] | None = None, declaration: str = SITE,
) -> list[str]:  # fmt: skip
    """Crawl a site of such pages in this process; returns the outcomes. `each` is told of every visit stored."""
    declare(folder, declaration)
    with open_archive(folder, warc_bytes=warc_bytes) as archive:
        recorder = Recorder(archive)
        opened = recorder.open(Open("gazette"))
        todo, outcomes = list(opened.requests), []
        robots = exchange(f"{HOST}/robots.txt", (404, b"", {}), f"2026-05-{day:02}T00:00:00Z")
        recorder.record([Visit(opened.crawl_id, None, (robots,))])
        while todo:
            request = todo.pop(0)
            recorded = recorder.record([visit(opened.crawl_id, request, pages, day)])
            outcomes.append(recorded[0].outcome)
            todo += recorded[0].requests
            if each is not None:
                each(len(outcomes))
        recorder.finish(Close(opened.crawl_id, complete=True))
    return outcomes


def visit(crawl_id: int, request: Any, pages: Mapping[str, Answer], day: int) -> Visit:
    url, exchanges = request.url, []
    while True:
        path = url.removeprefix(HOST).partition("&from=")[0]
        if path not in pages:
            return Visit(crawl_id, request.id, tuple(exchanges), error="the connection was refused")
        at = f"2026-05-{day:02}T{request.id % 24:02}:{len(exchanges):02}:00Z"
        exchanges.append(exchange(url, pages[path], at))
        if pages[path][0] != 301:
            return Visit(crawl_id, request.id, tuple(exchanges))
        url = pages[path][2]["Location"]


# -- looking in --------------------------------------------------------------------------------------------------------


def members(data: bytes) -> Iterator[bytes]:
    """The unpacked members of a gzip file."""
    while data:
        inflate = zlib.decompressobj(31)
        yield inflate.decompress(data)
        data = inflate.unused_data


def places_of(folder: Path, *needles: str) -> set[str]:
    """Where any of some words stand in an archive: in files as they are, in unpacked records, in unpacked pages."""
    wanted = [needle.encode() for needle in needles]
    found = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        texts = [data]
        if ".warc.gz" in path.name:
            for record in members(data):
                texts.append(record)
                start = record.find(b"\x1f\x8b")
                if start >= 0:
                    texts.append(zlib.decompressobj(31).decompress(record[start:]))
        if any(needle in text for needle in wanted for text in texts):
            found.add(path.name)
    return found
