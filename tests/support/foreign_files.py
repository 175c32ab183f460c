"""Captures as others write them, and imports of them."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from locum_spider.demo.sample import HOME
from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange
from locum_spider.warc.reader import Broken
from locum_spider.warc.writer import payload_digest
from support import invoke, python, rows
from support.harness import article_html

DATE = "2016-05-02T10:00:00Z"


def address(slug: str = "one") -> str:
    return f"{HOME}article.php?s=2016-05-01-{slug}-report"


def html(slug: str = "one", text: str = "A paragraph about agency work.") -> bytes:
    return article_html(f"{slug.title()} report", f"{text}</p><p>{'It goes on. ' * 50}", "1st May 2016").encode()


def http(body: bytes, *headers: str, status: str = "HTTP/1.1 200 OK", line_end: str = "\r\n") -> bytes:
    """A response as it goes over the wire."""
    lines = [status, *(headers or ("Content-Type: text/html; charset=utf-8",)), "", ""]
    return line_end.join(lines).encode("latin-1") + body


def record(
    url: str, block: bytes, kind: str = "response", date: str = DATE, *, version: str = "1.0", line_end: str = "\r\n",
    **fields: str | None,
) -> bytes:  # fmt: skip
    """A record; `_` in names of fields stands for `-`, None leaves a field out."""
    content_type = {"response": "application/http; msgtype=response", "revisit": "application/http; msgtype=response",
                    "request": "application/http; msgtype=request"}.get(kind, "text/html")  # fmt: skip
    head: dict[str, str | None] = {
        "WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": date, "WARC-Record-ID": f"<urn:x:{abs(hash(block))}>",
        "Content-Type": content_type, "Content-Length": str(len(block)),
    }  # fmt: skip
    head |= {name.replace("_", "-"): value for name, value in fields.items()}
    lines = [f"WARC/{version}", *(f"{name}: {value}" for name, value in head.items() if value is not None), "", ""]
    return line_end.join(lines).encode() + block + 2 * line_end.encode()


def page(slug: str = "one", text: str = "A paragraph about agency work.", date: str = DATE) -> bytes:
    return record(address(slug), http(html(slug, text)), date=date)


def revisit(
    url: str, date: str, head: bytes = b"", *, body: bytes | None = None, profile: str = "identical-payload-digest",
    **fields: str,
) -> bytes:  # fmt: skip
    digest = {"WARC_Payload_Digest": payload_digest(body)} if body is not None else {}
    profile = f"http://netpreserve.org/warc/1.0/revisit/{profile}"
    return record(url, head, "revisit", date, WARC_Profile=profile, **digest, **fields)


def read_pages(data: bytes, bodies: Mapping[str, bytes]) -> tuple[list[str], list[Broken]]:
    """Slugs of the pages that an import reads, whose bodies are those known, and what is said of the rest."""
    items = list(read_captures(io.BytesIO(data)))
    pages = [item for item in items if isinstance(item, Exchange)]
    slugs = [capture.url.rpartition("2016-05-01-")[2].removesuffix("-report") for capture in pages]
    assert all(capture.body == bodies.get(slug, capture.body) for capture, slug in zip(pages, slugs, strict=True))
    return slugs, [item for item in items if isinstance(item, Broken)]


def members(*records: bytes) -> bytes:
    return b"".join(gzip.compress(each, 6, mtime=0) for each in records)


def put(folder: Path, data: bytes, name: str = "foreign.warc.gz") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def run(archive: Path, *arguments: object, code: int = 0) -> Any:
    """A command in this process; what it prints, or with `--json` what that says."""
    result = invoke(*arguments, "--archive", archive)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return json.loads(result.stdout) if "--json" in arguments else result.output


def wacz(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command of the package `wacz`, which others make and check such files with."""
    return python("-c", "import sys; from wacz.main import main; sys.exit(main())", *arguments)


def imported(archive: Path, *files: Path, code: int = 0) -> list[dict[str, Any]]:
    return run(archive, "import", *files, "--json", code=code)


def history(archive: Path, slug: str = "one") -> list[tuple[str, str]]:
    """Time and first paragraph of each revision of an article, in their order."""
    found = rows(
        archive, "SELECT r.seq, r.seen_at, r.body, c.fetched_at FROM revisions r "
        "JOIN articles a ON a.id = r.article_id JOIN captures c ON c.id = r.capture_id WHERE a.url = ? ORDER BY r.seq",
        address(slug),
    )  # fmt: skip
    assert [seq for seq, *_ in found] == list(range(1, len(found) + 1))
    assert all(seen_at == fetched_at for _, seen_at, _, fetched_at in found)
    return [(seen_at, body.split("\n")[0]) for _, seen_at, body, _ in found]


def times(archive: Path, slug: str = "one") -> tuple[str, str]:
    return rows(archive, "SELECT first_seen, last_seen FROM articles WHERE url = ?", address(slug))[0]


def state(archive: Path) -> dict[str, Any]:
    """All that an import leaves, but for where and when it was written and which number it has."""
    queries = {
        "crawls": "SELECT site, outcome, reasons, captures, articles_new, articles_changed, articles_unchanged, "
        "listings, entries, failed, not_articles FROM crawls",
        "captures": "SELECT c.url, c.fetched_at, c.status, c.content_type, c.digest, c.article_digest, c.location, "
        "c.source_uri, c.truncated, c.gone, o.url, "
        "o.fetched_at FROM captures c LEFT JOIN captures o ON o.id = c.same_as",
        "articles": "SELECT a.*, t.* FROM articles a JOIN article_text t USING (id)",
        "revisions": "SELECT a.url, r.seq, r.digest, r.title, r.body, r.fields, r.evidence, r.seen_at, c.url, "
        "c.fetched_at FROM revisions r JOIN articles a ON a.id = r.article_id JOIN captures c ON c.id = r.capture_id",
        "addresses": "SELECT u.url, a.url FROM article_urls u JOIN articles a ON a.id = u.article_id",
        "entries": "SELECT c.url, c.fetched_at, e.position, e.url, e.title FROM listing_entries e "
        "JOIN captures c ON c.id = e.capture_id",
        "found": "SELECT a.url FROM articles_fts f JOIN articles a ON a.id = f.rowid WHERE articles_fts MATCH 'agency'",
    }  # fmt: skip
    return {name: Counter(rows(archive, sql)) for name, sql in queries.items()}


def counted(results: Iterable[dict[str, Any]]) -> Counter[str]:
    """Outcomes of several files together."""
    return sum((Counter(result["outcomes"]) for result in results), Counter())
