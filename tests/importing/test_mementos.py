"""`locum import` of crawls of web archives: the pages behind the addresses, at their times, as the site sent them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from support import harvest, python, records, require_same_rebuilt, rows, warcs
from support.foreign_files import (
    DATE,
    HOME,
    address,
    history,
    html,
    http,
    imported,
    members,
    page,
    put,
    record,
    revisit,
    run,
    state,
    times,
)

from locum_spider import Archive
from locum_spider.store import crawls

FETCHED = "2021-07-01T12:00:00Z"
ID = "https://web.archive.org/web/20160502100000id_/"


def memento(
    uri: str, body: bytes = b"", *headers: str, status: str = "HTTP/1.1 200 OK",
    made: str | None = "Mon, 02 May 2016 10:00:00 GMT", date: str = FETCHED, **fields: str,
) -> bytes:  # fmt: skip
    """A record of an answer as the Wayback Machine gives it."""
    marks = [f"Memento-Datetime: {made}", "x-archive-orig-server: Apache"] if made else []
    lines = ["Server: nginx", *(headers or ("Content-Type: text/html; charset=utf-8",)), *marks]
    return record(uri, http(body, *lines, status=status), date=date, **fields)


def captured(archive: Path) -> list[tuple[str, str, str | None]]:
    return rows(archive, "SELECT url, fetched_at, source_uri FROM captures ORDER BY id")


def taken(tmp_path: Path, *records: bytes, code: int = 0) -> dict[str, object]:
    (result,) = imported(tmp_path / "a", put(tmp_path, members(*records)), code=code)
    return result


# -- which addresses ---------------------------------------------------------------------------------------------------

ADDRESSES = [
    "https://web.archive.org/web/20160502100000id_/{}",
    "http://web.archive.org/web/20160502100000id_/{}",
    "https://www.web.archive.org/web/20160502100000id_/{}",
    "https://web.archive.org:443/web/20160502100000id_/{}",
    "https://web.archive.org/web/2016id_/{}",
    "https://web.archive.org/web/20160502id_/{}",
    "https://www.webarchive.org.uk/wayback/archive/20160502100000id_/{}",
    "https://webarchive.nationalarchives.gov.uk/ukgwa/20160502100000id_/{}",
    "https://archive-it.org/1234/20160502100000id_/{}",
    "https://wayback.archive-it.org/1234/20160502100000id_/{}",
    "https://arquivo.pt/wayback/20160502100000id_/{}",
]


@pytest.mark.parametrize("form", ADDRESSES)
def test_the_page_behind_an_address_of_a_web_archive_is_taken(tmp_path, form):
    uri = form.format(address())
    result = taken(tmp_path, memento(uri, html()))
    assert (result["outcomes"], result["elsewhere"], result["broken"]) == ({"new": 1}, {}, [])
    assert captured(tmp_path / "a") == [(address(), DATE, uri)]
    assert times(tmp_path / "a") == (DATE, DATE)


@pytest.mark.parametrize(
    "written",
    [address().replace("http://", "http:/"), address().replace("http://", "http://www.").replace(".uk/", ".uk:80/"),
     address().replace("http://", "https://"), address().removeprefix("http://"),
     "http%3A%2F%2Flocumtoday.co.uk%2Farticle.php%3Fs%3D2016-05-01-one-report"],
)  # fmt: skip
def test_the_page_s_own_address_is_read_however_it_is_written(tmp_path, written):
    result = taken(tmp_path, memento(ID + written, html()))
    assert result["outcomes"] == {"new": 1}
    assert rows(tmp_path / "a", "SELECT count(*) FROM articles") == [(1,)]
    assert rows(tmp_path / "a", "SELECT 1 FROM article_urls WHERE url = ?", address()) == [(1,)]


def test_what_only_looks_like_an_address_of_a_web_archive_is_elsewhere(tmp_path):
    shared = f"https://share.example/2016/{address()}"
    result = taken(
        tmp_path, memento(shared, html(), made=None), memento(f"https://web.archive.org/save/{address()}", html()),
        memento(f"https://web.archive.org/web/2016*/{address()}", html()),
        memento("https://web.archive.org/web/2016id_/http://other.example/", html()), code=6,
    )  # fmt: skip
    assert result["elsewhere"] == {"share.example": 1, "web.archive.org": 3}
    assert (result["outcomes"], result["rewritten"], result["archives_own"]) == ({}, 0, 0)


# -- which time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "made", "at"),
    [
        ("20160101000000", "Mon, 02 May 2016 10:00:00 GMT", DATE),
        ("2016", "Mon, 02 May 2016 10:00:00 GMT", DATE),
        ("20160502100000", None, DATE),
        ("20160502100000", "some time ago", DATE),
    ],
)
def test_the_time_is_that_of_the_capture_and_not_of_the_request(tmp_path, stamp, made, at):
    taken(tmp_path, memento(f"https://web.archive.org/web/{stamp}id_/{address()}", html(), made=made))
    assert rows(tmp_path / "a", "SELECT fetched_at FROM captures") == [(at,)]


@pytest.mark.parametrize("stamp", ["2016", "20160231000000"])
def test_a_page_without_a_time_is_named_and_not_taken(tmp_path, stamp):
    result = taken(
        tmp_path, memento(f"https://web.archive.org/web/{stamp}id_/{address()}", html(), made=None), page("two")
    )
    assert result["outcomes"] == {"new": 1}
    (fault,) = result["broken"]
    assert "tells when the web archive captured the page" in fault


def test_a_history_out_of_a_web_archive_and_a_crawl_is_one(tmp_path):
    later = memento(
        f"https://web.archive.org/web/20180101000000id_/{address()}", html(text="Last words."),
        made="Mon, 01 Jan 2018 00:00:00 GMT", date="2021-07-01T11:00:00Z",
    )  # fmt: skip
    taken(tmp_path, later, memento(ID + address(), html()), page(text="Between.", date="2017-01-01T00:00:00Z"))
    assert [text for _, text in history(tmp_path / "a")] == [
        "A paragraph about agency work.",
        "Between.",
        "Last words.",
    ]
    with Archive(tmp_path / "a") as archive:
        assert archive.article(address()).text.startswith("Last words.")


def test_the_same_page_under_two_addresses_of_the_archive_is_known(tmp_path):
    again = memento(f"https://web.archive.org/web/2016id_/{address()}", html(), date="2022-01-01T00:00:00Z")
    result = taken(tmp_path, memento(ID + address(), html()), again, page())
    assert result["outcomes"] == {"new": 1, "known": 2}


# -- what is not a page of the site ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["", "if_", "mp_", "fw_", "js_", "cs_", "im_", "oe_"])
def test_pages_that_the_archive_has_rewritten_are_counted_and_passed_over(tmp_path, flag):
    banner = b"<!-- BEGIN WAYBACK TOOLBAR INSERT --><p>3 captures</p><!-- END WAYBACK TOOLBAR INSERT -->"
    rewritten = html().replace(b"<h1>", banner + b"<h1>")
    uri = f"https://web.archive.org/web/20160502100000{flag}/{address()}"
    result = taken(tmp_path, memento(uri, rewritten), page("two"), memento(uri + "&x=2", rewritten))
    assert (result["outcomes"], result["rewritten"]) == ({"new": 1}, 2)
    assert rows(tmp_path / "a", "SELECT url FROM articles") == [(address("two"),)]
    output = " ".join(run(tmp_path / "b", "import", tmp_path / "foreign.warc.gz").replace("!", "").split())
    assert "passed over, rewritten by a web archive: 2 pages. Fetch them as the site sent them, with id_" in output


def test_a_file_of_rewritten_pages_alone_says_what_to_do(tmp_path):
    file = put(tmp_path, members(memento(f"https://web.archive.org/web/20160502100000/{address()}", html())))
    output = run(tmp_path / "a", "import", file, code=6)
    assert "a web archive has rewritten the pages; fetch them with id_" in output
    assert rows(tmp_path / "a", "SELECT count(*) FROM captures") == [(0,)]


def test_pictures_come_as_they_were_under_any_address(tmp_path):
    at = "https://web.archive.org/web/20160502100000"
    result = taken(
        tmp_path,
        memento(f"{at}im_/{HOME}a.png", b"\x89PNG", "Content-Type: image/png"),
        memento(f"{at}/{HOME}a.pdf", b"%PDF-1.4", "Content-Type: application/pdf"),
        memento(f"{at}im_/{HOME}a.svg", b"<svg/>", "Content-Type: image/svg+xml"),
    )
    assert (result["outcomes"], result["rewritten"]) == ({"not_listing": 2}, 1)


def test_what_the_archive_says_for_itself_is_no_answer_of_the_site(tmp_path):
    elsewhen = ID.replace("10000", "10001") + address()
    own = [
        memento(ID + address(), b"", f"Location: {elsewhen}", status="HTTP/1.1 302 Found", made=None),
        memento(ID + address(), b"", f"Location: {elsewhen}", status="HTTP/1.1 302 Found"),
        memento(ID + address(), b"", "Location: /web/20160503100000id_/" + address(), status="HTTP/1.1 302 Found"),
        memento(ID + address(), b"", "x-archive-redirect-reason: found capture at 2016", status="HTTP/1.1 302 Found"),
        memento(ID + address(), b"Wayback has not archived it", status="HTTP/1.1 404 Not Found", made=None),
        memento(ID + address(), b"Too many", status="HTTP/1.1 429 Too Many Requests", made=None),
        memento(ID + address(), b"", status="HTTP/1.1 304 Not Modified"),
    ]
    result = taken(tmp_path, page(date="2010-01-01T00:00:00Z"), *own)
    assert (result["outcomes"], result["archives_own"]) == ({"new": 1}, len(own))
    assert rows(tmp_path / "a", "SELECT state FROM articles") == [("live",)]
    output = run(tmp_path / "b", "import", tmp_path / "foreign.warc.gz")
    assert f"a web archive's own redirects and errors: {len(own)}" in output


def test_what_the_site_had_answered_is_kept(tmp_path):
    moved = memento(
        ID + address("old"), b"", f"Location: https://web.archive.org/web/20160502100000id_/{address()}",
        status="HTTP/1.1 301 Moved Permanently",
    )  # fmt: skip
    gone = memento(ID + address(), b"", status="HTTP/1.1 410 Gone")
    result = taken(tmp_path, page(date="2010-01-01T00:00:00Z"), moved, gone)
    assert (result["outcomes"], result["archives_own"]) == ({"new": 1, "failed": 1, "gone": 1}, 0)
    assert rows(tmp_path / "a", "SELECT location FROM captures WHERE status = 301") == [(address(),)]
    assert rows(tmp_path / "a", "SELECT state FROM articles") == [("gone",)]


# -- revisits ----------------------------------------------------------------------------------------------------------


def test_a_revisit_in_a_crawl_of_an_archive_is_led_by_its_digest(tmp_path):
    later = f"https://web.archive.org/web/20170502100000id_/{address()}"
    head = http(b"", "Content-Type: text/html", "Memento-Datetime: Tue, 02 May 2017 10:00:00 GMT")
    by_digest = revisit(later, FETCHED, head, body=html(), WARC_Refers_To_Target_URI=ID + address(),
                        WARC_Refers_To_Date=FETCHED)  # fmt: skip
    result = taken(tmp_path, memento(ID + address(), html()), by_digest)
    assert result["outcomes"] == {"new": 1, "unchanged": 1}
    assert captured(tmp_path / "a")[1] == (address(), "2017-05-02T10:00:00Z", later)
    assert times(tmp_path / "a") == (DATE, "2017-05-02T10:00:00Z")


# -- provenance --------------------------------------------------------------------------------------------------------


def ours(archive: Path) -> list[tuple[dict[str, str], bytes, dict[str, str]]]:
    """Headers, body and HTTP headers of our response records, as warcio reads them."""
    return [
        (dict(answer.rec_headers.headers), body, dict(answer.http_headers.headers))
        for *_, answer, body in records(archive)
        if answer.rec_type == "response"
    ]


def test_the_record_keeps_bytes_and_headers_as_they_came_and_names_both_addresses(tmp_path):
    packed = gzip.compress(html())
    uri = ID + address()
    taken(tmp_path, memento(uri, packed, "Content-Type: text/html", "Content-Encoding: gzip"))
    ((fields, body, headers),) = ours(tmp_path / "a")
    assert fields["WARC-Target-URI"] == address()
    assert fields["WARC-Date"] == DATE
    assert fields["WARC-Source-URI"] == uri
    assert fields["WARC-Creation-Date"] == FETCHED
    assert body == packed
    assert headers["Memento-Datetime"] == "Mon, 02 May 2016 10:00:00 GMT"
    assert headers["x-archive-orig-server"] == "Apache"


@pytest.mark.parametrize("coding", ["Content-Encoding: gzip", "x-archive-orig-content-encoding: gzip"])
def test_a_page_that_the_site_had_packed_is_read(tmp_path, coding):
    result = taken(tmp_path, memento(ID + address(), gzip.compress(html()), "Content-Type: text/html", coding))
    assert result["outcomes"] == {"new": 1}


def test_evidence_names_the_address_in_the_web_archive(tmp_path):
    taken(tmp_path, memento(ID + address(), html()), page("two"))
    output = run(tmp_path / "a", "show", address(), "--evidence")
    assert f"Captured {DATE}" in output
    assert f"  {address()}\n  sent by the web archive {ID}{address()}\n" in output
    entries = run(tmp_path / "a", "show", address(), "--evidence", "--json")
    assert {entry["capture"]["source_uri"] for entry in entries} == {ID + address()}
    assert "web archive" not in run(tmp_path / "a", "show", address("two"), "--evidence")


def test_a_rebuild_and_an_import_of_our_own_export_have_the_same(tmp_path):
    moved = memento(ID + address("old"), b"", f"Location: /web/2016id_/{address()}", status="HTTP/1.1 301 Moved")
    taken(tmp_path, memento(ID + address(), html()), moved, memento(ID + address("x"), status="HTTP/1.1 404 None"))
    require_same_rebuilt(tmp_path / "a", state)
    run(tmp_path / "a", "verify")
    imported(tmp_path / "b", *warcs(tmp_path / "a"))
    assert captured(tmp_path / "b") == captured(tmp_path / "a")


def test_a_takedown_leaves_no_word_of_the_address_in_the_web_archive(tmp_path):
    taken(tmp_path, memento(ID + address(), html()), page("two"), memento(ID + address(), status="HTTP/1.1 404 No"))
    run(tmp_path / "a", "takedown", address(), "--reason", "asked for", "--yes")
    assert captured(tmp_path / "a")[1:2] == [(address("two"), DATE, None)]
    assert b"one-report" not in b"".join(path.read_bytes() for path in (tmp_path / "a").glob("archive.db*"))
    again = taken(tmp_path, memento(ID + address(), html()))
    assert again["outcomes"] == {"taken_down": 1}
    output = run(tmp_path / "a", "import", put(tmp_path, members(memento(ID + address(), html()))))
    assert "passed over, removed here by a takedown: 1 capture" in output


def test_what_pywb_took_out_of_an_archive_keeps_its_source(tmp_path):
    fields = {"WARC_Source_URI": ID + address(), "WARC_Creation_Date": FETCHED}
    taken(tmp_path, record(address(), http(html()), **fields))
    assert captured(tmp_path / "a") == [(address(), DATE, ID + address())]
    assert ours(tmp_path / "a")[0][0]["WARC-Creation-Date"] == FETCHED


def test_validators_of_a_web_archive_are_never_sent_to_the_site(tmp_path):
    from locum_spider.store import frontier
    from locum_spider.store.connection import connect_writing

    taken(tmp_path, memento(ID + address(), html(), "Content-Type: text/html", 'ETag: "of the archive"'))
    db = connect_writing(tmp_path / "a")
    assert rows(tmp_path / "a", "SELECT etag FROM captures") == [('"of the archive"',)]
    crawl_id = crawls.start_crawl(db, "x", "locum-today", "", FETCHED)
    frontier.enqueue(db, crawl_id, [(address(), address(), "article")], None)
    assert [request.etag for request in frontier.queued(db, crawl_id, 0, 10)] == [None]
    db.close()


# -- a real one --------------------------------------------------------------------------------------------------------


def test_a_crawl_of_a_real_web_archive(tmp_path):
    """pywb answers, warcio records: pages at several times, rewritten ones, redirects and errors."""
    source = put(tmp_path, members(
        page(), page(text="Later words.", date="2017-05-02T10:00:00Z"),
        record(address("gone"), http(b"Gone", status="HTTP/1.1 404 Not Found")),
        record(address("moved"), http(b"", f"Location: {address()}", status="HTTP/1.1 301 Moved Permanently")),
        record(f"{HOME}a.png", http(b"\x89PNG", "Content-Type: image/png")),
    ), "source.warc.gz")  # fmt: skip
    asked = [
        f"/site/20160502100000id_/{address()}", f"/site/20170601id_/{address()}",
        f"/site/20160502100000mp_/{address()}", f"/site/20160502100000/{address()}",
        f"/site/20160502100000id_/{address('gone')}",
        f"/site/20160502100000id_/{address('moved')}", f"/site/20160502100000id_/{address('never')}",
        f"/site/20160502100000im_/{HOME}a.png", f"/site/2017*/{address()}",
    ]  # fmt: skip
    lines = "".join(f"{path} {FETCHED}\n" for path in asked)
    done = python(harvest.__file__, source, tmp_path / "harvest.warc.gz", cwd=tmp_path, input=lines)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"path"')]
    assert [answer["status"] for answer in answers] == [200, 200, 200, 200, 404, 301, 404, 200, 200]
    (result,) = imported(tmp_path / "a", tmp_path / "harvest.warc.gz")
    assert result["outcomes"] == {"new": 1, "changed": 1, "failed": 2, "not_listing": 1}
    assert (result["rewritten"], result["archives_own"], result["broken"]) == (2, 1, [])
    assert result["elsewhere"] == {"web.archive.example": 1}
    assert history(tmp_path / "a") == [
        (DATE, "A paragraph about agency work."),
        ("2017-05-02T10:00:00Z", "Later words."),
    ]
    bodies = [body for fields, body, _ in ours(tmp_path / "a") if "article" in fields["WARC-Target-URI"]]
    assert bodies[:2] == [html(), html(text="Later words.")]
