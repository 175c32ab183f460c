"""The small site that the crash harness crawls, before and after a change."""

from __future__ import annotations

from html import escape

from locum_spider.demo.sample import HOME, Page, Sample


def _article(title: str, text: str) -> Page:
    return Page(
        f"<!DOCTYPE html><html><head><title>{title} - Locum Today</title></head><body><h1>{title}</h1><p>In short</p>"
        f"<p>Published on 10th April 2018</p><p>{text}</p><p>Share this article:</p></body></html>".encode(),
        gzip=len(title) % 2 == 0,
    )


def _listing(links: list[str], more: list[str]) -> Page:
    entries = "".join(
        f'<div><h3><a href="{escape(link)}">Report number {number} of many</a></h3><p>Published on 10 April 2018</p>'
        "</div>"
        for number, link in enumerate(links)
    )
    pages = "".join(f'<a href="{escape(link)}">Next page</a> ' for link in more)
    return Page(f"<!DOCTYPE html><html><body>{entries}<p>{pages}</p></body></html>".encode())


def site(*, changed: bool, articles: int = 24, listings: int = 3) -> Sample:
    """A site that links each page once, so that the order of fetching does not matter; `changed`: as it is later."""
    urls = [f"{HOME}article.php?s=2018-04-10-report-{number:02d}" for number in range(articles)]
    pages: dict[str, Page] = {}
    for number, url in enumerate(urls):
        text = " ".join(f"Sentence {i} of report {number} about agency work." for i in range(10 + 7 * number))
        if changed and number % 5 == 1:
            text += " A correction was made."
        pages[url] = _article(f"Report {number} of many", text)
    pages[urls[3]] = Page(b"Moved", "text/plain", 301, (("Location", f"{urls[3]}-moved"),))
    pages[f"{urls[3]}-moved"] = _article("Report 3 of many", "It stands elsewhere now.")
    pages[urls[5]] = Page(b"Gone", "text/plain", 404)
    pages[urls[7]] = Page(pages[urls[8]].body)  # one body at two addresses: a revisit record
    if changed:
        pages[urls[9]] = Page(b"Gone", "text/plain", 410)
    share = -(-articles // listings)
    names = [HOME, *(f"{HOME}category.php?c=news&page={n}" for n in range(2, listings + 1))]
    for number, name in enumerate(names):
        pages[name] = _listing(urls[number * share : (number + 1) * share], names[number + 1 : number + 2])
    rules = f"User-agent: *\nDisallow: /{refused(articles).removeprefix(HOME)}\n"
    pages[f"{HOME}robots.txt"] = Page(rules.encode(), "text/plain")
    return Sample(pages)


def refused(articles: int = 24) -> str:
    """The address that robots.txt of the site forbids."""
    return f"{HOME}article.php?s=2018-04-10-report-{articles - 1:02d}"
