"""`locum takedown --everywhere`: an article's name goes wherever and however it stands, and does not come back."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from html import escape
from pathlib import Path

import pytest
from support import rows
from support.foreign_files import HOME, address, html, http, imported, members, page, put, record, run

from locum_spider.preservation.rebuild import rebuild
from locum_spider.preservation.takedown.mentions import MentionFinder
from locum_spider.preservation.takedown.plan import prepare
from locum_spider.preservation.verify import verify

TITLE = 'Quokka "Zanzibar" O\'Hara—scandal & shame'
SLUG = "quokka-zanzibar"
WORDS = ("quokka", "zanzibar", "scandal")
TYPE = "Content-Type: text/html; charset="


def titled(slug: str, title: str, text: str = "", **fields: str) -> bytes:
    body = html(slug, text or "A paragraph about agency work.").decode()
    body = body.replace(f"{slug.title()} report", escape(title))
    return record(address(slug), http(body.encode()), **fields)


def entities(text: str) -> str:
    return "".join(f"&#{ord(sign)};" for sign in text)


WAYS = {
    "as it is": http(f"<p>{TITLE}</p>".encode()),
    "in capitals": http(f"<p>{TITLE.upper()}</p>".encode()),
    "in entities": http(f"<p>{entities(TITLE)}</p>".encode()),
    "in entities twice": http(f"<p>{escape(entities(TITLE))}</p>".encode()),
    "split by tags": http(b"<p>Quo<b>kka</b> &quot;Zanzi<wbr>bar&quot; O'<i>H</i>ara<br>scandal &amp; shame</p>"),
    "split by other tags": http(b"<p>Quo<span>kka</span></p><p>Zanzi<x-y>bar</x-y> O'Hara</p><p>scandal</p> shame"),
    "with soft hyphens": http("<p>Quok\u00adka Zan&shy;zi\u200bbar O'Hara scandal shame</p>".encode()),
    "in UTF-16": http(f"<p>{escape(TITLE)}</p>".encode("utf-16"), f"{TYPE}utf-16"),
    "in UTF-16 without a mark": http(f"<p>{TITLE}</p>".encode("utf-16-be"), f"{TYPE}utf-16be"),
    "in windows-1252": http(f"<p>{TITLE}</p>".encode("windows-1252"), f"{TYPE}windows-1252"),
    "in gzip": http(gzip.compress(f"<p>{TITLE}</p>".encode()), f"{TYPE}utf-8", "Content-Encoding: gzip"),
    "in JSON": http(json.dumps({"t": TITLE, "u": f"\\/a\\/{SLUG}"}).encode(), "Content-Type: application/json"),
    "in a script": http(b'<script>s="\\x51uokka \\"Zanzibar\\" O\\u0027Hara\\u2014scandal \\u0026 shame"</script>'),
    "in percent escapes": http(b"<a href='/share?t=Quokka%20%22Zanzibar%22%20O%27Hara%E2%80%94scandal%20%26%20shame'>"),
    "its address in JSON": http(address(SLUG).replace("/", "\\/").encode(), "Content-Type: application/json"),
    "its address in a header": http(b"", f"Link: <{address(SLUG)}>; rel=next"),
    "a redirect": http(b"", f"Location: {address(SLUG)}", status="HTTP/1.1 301 Moved"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_writing_a_name_is_found(way):
    finder = MentionFinder(str, {address(SLUG)}, [TITLE])
    head = b"WARC/1.1\r\nWARC-Target-URI: http://locumtoday.co.uk/x\r\n\r\n"
    assert finder.names(head + WAYS[way], "http://locumtoday.co.uk/x")
    assert not finder.names(head + http(b"<p>A shame and a scandal, says O'Hara of Zanzibar: quokka gone</p>"), "")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    others = [record(f"{HOME}page{number}", block) for number, block in enumerate(WAYS.values())]
    quoting = titled("other", "Another story", f"As we said in {escape(TITLE)} yesterday.")
    same = f'<link rel="canonical" href="{address(SLUG)}"><h1>'
    canonical = titled("dup", "A duplicate of sorts").replace(b"<h1>", same.encode()[:-4] + b"<h1>")
    length = len(canonical.partition(b"\r\n\r\n")[2]) - 4
    canonical = canonical.replace(canonical.split(b"Content-Length: ")[1].split(b"\r\n")[0], str(length).encode(), 1)
    plain = [titled(SLUG, TITLE), quoting, canonical, *others, page("n1")]
    return put(tmp_path, members(*plain))


def remains(archive: Path) -> set[str]:
    """The names of files that hold a word of the title as a program would read it."""
    finder = MentionFinder(str, {address(SLUG)}, [TITLE])
    found = set()
    for path in (path for path in archive.rglob("*") if path.is_file()):
        pieces = [path.read_bytes()]
        if ".warc.gz" in path.name:
            pieces = [b"\r\n\r\n".join(gzip.decompress(pieces[0]).split(b"WARC/1.1\r\n"))]
        if any(finder.names(b"\r\n\r\n\r\n\r\n" + piece, "") for piece in pieces):
            found.add(path.name)
        if ".warc.gz" not in path.name and any(word.encode() in pieces[0].lower() for word in WORDS):
            found.add(path.name)
    return found


def take_down(archive: Path) -> list[Path]:
    with prepare(archive, address(SLUG)) as planned:
        planned.carry_out("court", everywhere=True)
        return planned.left


def test_nothing_is_left_a_rebuild_agrees_and_nothing_comes_back(tmp_path, files):
    archive = tmp_path / "a"
    imported(archive, files)
    assert remains(archive)
    assert take_down(archive) == []
    assert remains(archive) == set()
    assert verify(archive).findings == []
    assert rows(archive, "SELECT title FROM articles ORDER BY title") == [
        ("A duplicate of sorts",), ("Another story",), ("N1 report",),
    ]  # fmt: skip
    (text,) = rows(archive, "SELECT body FROM article_text WHERE title = 'Another story'")
    assert text[0].startswith("As we said in […] yesterday.")
    assert rows(archive, "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'yesterday'") == [(1,)]
    (again,) = imported(archive, files)
    assert again["outcomes"] == {"taken_down": len(WAYS) + 3, "known": 1}
    assert rebuild(archive).broken == []
    assert verify(archive).findings == []
    assert remains(archive) == set()


def test_files_beside_it_that_still_name_it_are_named(tmp_path, files):
    archive = tmp_path / "a"
    imported(archive, files)
    shutil.copy(archive / "archive.db", archive / "archive.db.old")
    (archive / "crawl.log").write_text(f"not read: {address(SLUG)}\n")
    (archive / "notes.txt").write_text("nothing of it")
    shutil.copy(files, archive / "copy.warc.gz")
    with zipfile.ZipFile(archive / "copy.wacz", "w") as package:
        package.write(files, "archive/data.warc.gz")
    assert [path.name for path in take_down(archive)] == ["archive.db.old", "copy.wacz", "copy.warc.gz", "crawl.log"]


def test_what_is_said(tmp_path, files):
    archive = tmp_path / "a"
    imported(archive, files)
    (archive / "crawl.log").write_text(address(SLUG))
    output = " ".join(run(archive, "takedown", address(SLUG), "--reason", "court", "--yes").replace("!", "").split())
    assert "crawl.log still names the article" in output
    assert "Backups, exports and other copies outside this folder are not reached" in output


def test_a_short_name_is_told_and_not_taken_for_certain():
    finder = MentionFinder(str, {"http://x.org/a/quokka-zanzibar"}, ["Quokka"])
    content = b"WARC/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<img src='/i/quokka-zanzibar.jpg'>"
    assert not finder.names(content, "http://x.org/")
    assert not finder.may_name(content.replace(b"quokka", b"other"))
    assert finder.may_name(content)


@pytest.mark.parametrize("known", [True, False], ids=["the event says which", "an older event"])
def test_a_revisit_of_an_emptied_page_is_no_damage(tmp_path, known):
    listing = http(f'<h1>News</h1><a href="{address(SLUG)}">{escape(TITLE)}</a>{"<p>more</p>" * 90}'.encode())
    later = [record(f"{HOME}news", listing, date=f"2016-05-0{day}T10:00:00Z") for day in (2, 3)]
    unchanged = record(f"{HOME}news", http(b"", status="HTTP/1.1 304 Not Modified"), date="2016-05-04T10:00:00Z")
    archive = tmp_path / "a"
    imported(archive, put(tmp_path, members(titled(SLUG, TITLE), *later, unchanged, page("n1"))))
    assert rows(archive, "SELECT type FROM records WHERE type = 'revisit'") == [("revisit",), ("revisit",)]
    if not known:
        _forget_revisits(archive)
    else:
        take_down(archive)
    before = rows(archive, "SELECT url, status, same_as, warc_offset FROM captures ORDER BY id")
    assert verify(archive).findings == []
    assert rebuild(archive).broken == []
    assert verify(archive).findings == []
    assert rows(archive, "SELECT url, status, same_as, warc_offset FROM captures ORDER BY id") == before


def _forget_revisits(archive: Path) -> None:
    """Take down as older versions did, whose event does not name the revisits."""
    from locum_spider.store import takedowns

    describe = takedowns.describe
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(takedowns, "describe", lambda *values: {**describe(*values), "revisits": []})
        take_down(archive)
