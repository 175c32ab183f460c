"""`locum import`: articles that are gone, whatever the order of the captures; pages cut short; a disk that fills."""

from __future__ import annotations

import itertools
import os
from types import SimpleNamespace

import pytest
from support import require_same_rebuilt, rows
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

from locum_spider.store import crawls

# -- gone --------------------------------------------------------------------------------------------------------------


def missing(date: str, status: str = "HTTP/1.1 404 Not Found", url: str | None = None) -> bytes:
    return record(url or address(), http(b"Nothing here", "Content-Type: text/plain", status=status), date=date)


def states(archive) -> list[str]:
    return [row[0] for row in rows(archive, "SELECT state FROM articles ORDER BY id")]


STEPS = {
    "article 2016": page(),
    "404 of 2017": missing("2017-01-01T00:00:00Z"),
    "article 2018": page(text="Back again.", date="2018-01-01T00:00:00Z"),
    "410 of 2019": missing("2019-01-01T00:00:00Z", "HTTP/1.1 410 Gone"),
}
ENDS = {1: "live", 2: "gone", 3: "live", 4: "gone"}


@pytest.mark.parametrize("number", ENDS)
def test_whether_an_article_is_gone_follows_from_the_times_in_any_order(tmp_path, number):
    for turn, order in enumerate(itertools.permutations(list(STEPS.values())[:number])):
        archive = tmp_path / str(turn)
        if turn % 2:
            imported(archive, put(tmp_path, members(*order)))
        else:
            for each in order:
                imported(archive, put(tmp_path, members(each)))
        assert states(archive) == [ENDS[number]], order
        before = state(archive)
        if turn % 7 == 0:
            run(archive, "rebuild")
            assert state(archive) == before


def test_an_earlier_404_changes_nothing_and_one_elsewhere_neither(tmp_path):
    others = [
        missing("2015-01-01T00:00:00Z"), missing("2019-01-01T00:00:00Z", url=address("two")),
        missing("2019-01-01T00:00:00Z", "HTTP/1.1 503 Service Unavailable"),
        missing("2019-01-01T00:00:00Z", "HTTP/1.1 301 Moved Permanently"), missing("2019-01-01T00:00:00Z", url=HOME),
    ]  # fmt: skip
    imported(tmp_path / "a", put(tmp_path, members(page(), *others)))
    assert states(tmp_path / "a") == ["live"]
    assert rows(tmp_path / "a", "SELECT gone FROM captures WHERE gone IS NOT NULL") == [(address(),), (address("two"),)]


@pytest.mark.parametrize("order", [1, -1])
def test_any_writing_of_the_address_counts(tmp_path, order):
    other = address().replace("http://", "https://www.").replace(".uk/", ".uk:443/")
    records = [page(), missing("2019-01-01T00:00:00Z", url=other)][::order]
    imported(tmp_path / "a", put(tmp_path, members(*records)))
    assert states(tmp_path / "a") == ["gone"]


def test_a_revisit_that_has_the_article_again_makes_it_live(tmp_path):
    again = revisit(address(), "2020-01-01T00:00:00Z", http(b"", "Content-Type: text/html"), body=html())
    imported(tmp_path / "a", put(tmp_path, members(page(), missing("2019-01-01T00:00:00Z"), again)))
    assert states(tmp_path / "a") == ["live"]
    assert times(tmp_path / "a") == (DATE, "2020-01-01T00:00:00Z")


def test_a_site_that_answered_404_when_it_was_crawled_is_told_by_show(tmp_path):
    imported(tmp_path / "a", put(tmp_path, members(page(), missing("2019-01-01T00:00:00Z"))))
    shown = run(tmp_path / "a", "show", address())
    assert "The site no longer serves this article (gone; first missed 2019-01-01T00:00:00Z)" in shown
    assert rows(tmp_path / "a", "SELECT articles_new, articles_gone, failed FROM crawls") == [(1, 1, 0)]


def test_an_archive_of_an_older_version_keeps_what_it_knows(tmp_path):
    """Captures stored before it was written down which address was gone: 404s of others did not count then."""
    from sqlite_utils import Database

    from locum_spider.store.migrations import migrations

    (tmp_path / "a").mkdir()
    db = Database(tmp_path / "a" / "archive.db")
    migrations.apply(db, stop_before="m003_what_others_kept")
    db.execute("INSERT INTO warc_files (name, bytes, closed) VALUES ('a', 0, 1)")
    for number, status in enumerate((200, 404, 410)):
        db.execute(
            "INSERT INTO captures (url, fetched_at, status, digest, warc_file, warc_offset, warc_length) "
            "VALUES (?, '2019-01-01T00:00:00Z', ?, '', 'a', ?, 1)", (address(f"n{number}"), status, number),
        )  # fmt: skip
    db.execute("INSERT INTO crawls (id, site, started_at, version) VALUES (1, 'locum-today', '', '')")
    db.execute(
        "INSERT INTO frontier (crawl_id, key, url, kind, outcome, capture_id) "
        "VALUES (1, 'its key', '', 'article', 'failed', 3)"
    )
    migrations.apply(db)
    known = [row[0] for row in db.execute("SELECT gone FROM captures ORDER BY id")]
    assert known == [None, None, "its key"]
    db.close()


# -- cut short ---------------------------------------------------------------------------------------------------------

CUT = html()[: len(html()) * 2 // 3]
FRAMES = b"%x\r\n%s\r\n%x\r\n%s" % (300, CUT[:300], 5000, CUT[300:])
LATER = "2017-01-01T00:00:00Z"
SHORT = {
    **{reason: (http(CUT), {"WARC_Truncated": reason}, reason)
       for reason in ("length", "time", "disconnect", "unspecified")},
    "a reason of its own": (http(CUT), {"WARC_Truncated": "because"}, "unspecified"),
    "less than its Content-Length": (http(CUT, "Content-Type: text/html", f"Content-Length: {len(html())}"), {},
                                     "unspecified"),
    "chunks that end too early": (http(FRAMES, "Content-Type: text/html", "Transfer-Encoding: chunked"), {},
                                  "unspecified"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHORT)
def test_a_page_that_is_cut_short_is_kept_and_not_read(tmp_path, name):
    block, fields, reason = SHORT[name]
    file = put(
        tmp_path,
        members(page(), record(address(), block, date=LATER, **fields), record(address("two"), block, **fields)),
    )
    (result,) = imported(tmp_path / "a", file)
    assert (result["outcomes"], result["cut_short"]) == ({"new": 1, "failed": 2}, [address(), address("two")])
    assert history(tmp_path / "a") == [(DATE, "A paragraph about agency work.")]
    assert times(tmp_path / "a") == (DATE, DATE)
    assert rows(tmp_path / "a", "SELECT truncated FROM captures ORDER BY id") == [(None,), (reason,), (reason,)]
    require_same_rebuilt(tmp_path / "a", state)
    (again,) = imported(tmp_path / "a", file)
    assert (again["outcomes"], again["cut_short"]) == ({"known": 3}, [])
    output = " ".join(run(tmp_path / "b", "import", file).replace("!", "").split())
    assert f"kept but not read, cut short: {address()}" in output


@pytest.mark.parametrize("order", [1, -1])
def test_a_whole_capture_counts_whichever_comes_first(tmp_path, order):
    cut = record(address(), http(CUT), date=LATER, WARC_Truncated="length")
    imported(tmp_path / "a", put(tmp_path, members(*[page(), cut][::order])))
    assert history(tmp_path / "a") == [(DATE, "A paragraph about agency work.")]


def test_what_stands_for_a_page_that_is_cut_short_is_not_read_either(tmp_path):
    cut = record(address(), http(CUT), WARC_Truncated="length")
    by_digest = revisit(address(), LATER, http(b"", "Content-Type: text/html"), body=CUT)
    unmodified = revisit(
        address(), "2018-01-01T00:00:00Z", http(b"", status="HTTP/1.1 304 Not Modified"), profile="server-not-modified"
    )
    (result,) = imported(tmp_path / "a", put(tmp_path, members(cut, by_digest, unmodified)))
    assert (result["outcomes"], len(result["cut_short"])) == ({"failed": 3}, 3)
    require_same_rebuilt(tmp_path / "a", state)


def test_what_is_no_sign_of_a_cut(tmp_path):
    """Heritrix calls a revisit truncated, since its body is elsewhere; lengths of what was packed say nothing."""
    import gzip

    records = [
        page(),
        revisit(address(), LATER, http(b"", "Content-Type: text/html"), body=html(), WARC_Truncated="length"),
        record(address("two"), http(html("two"), "Content-Type: text/html", "Content-Length: 10")),
        record(address("three"), http(html("three"), "Content-Encoding: gzip", "Content-Length: 99999")),
        record(address("four"), http(gzip.compress(html("four")), "Content-Encoding: gzip", "Content-Length: 99999")),
        record(address("five"), http(html("five"), "Content-Length: 9999", "Content-Length: 5")),
        record(address("six"), http(html("six"), "Transfer-Encoding: chunked", "Content-Length: 99999")),
        record(address("seven"), http(html("seven"), "Content-Length: many")),
    ]
    (result,) = imported(tmp_path / "a", put(tmp_path, members(*records)))
    assert (result["outcomes"], result["cut_short"]) == ({"new": 7, "unchanged": 1}, [])


def test_an_answer_without_a_page_is_not_called_cut_short(tmp_path):
    absent = record(
        address(), http(b"", "Content-Length: 500", status="HTTP/1.1 404 Not Found"), WARC_Truncated="length"
    )
    (result,) = imported(tmp_path / "a", put(tmp_path, members(absent)))
    assert (result["outcomes"], result["cut_short"]) == ({"failed": 1}, [])


def test_the_site_is_asked_again_for_a_page_that_is_cut_short(tmp_path):
    from locum_spider.store import frontier
    from locum_spider.store.connection import connect_writing

    cut = record(address(), http(CUT, "Content-Type: text/html", 'ETag: "a"'), WARC_Truncated="length")
    whole = record(address("two"), http(html("two"), "Content-Type: text/html", 'ETag: "b"'))
    imported(tmp_path / "a", put(tmp_path, members(cut, whole)))
    db = connect_writing(tmp_path / "a")
    crawl_id = crawls.start_crawl(db, "x", "locum-today", "", DATE)
    frontier.enqueue(db, crawl_id, [(address(slug), address(slug), "article") for slug in ("one", "two")], None)
    assert [request.etag for request in frontier.queued(db, crawl_id, 0, 10)] == [None, '"b"']
    db.close()


# -- a disk that fills -------------------------------------------------------------------------------------------------


def test_import_leaves_the_reserve_free(tmp_path):
    output = run(tmp_path / "a", "import", put(tmp_path, members(page())), "--min-free", "999999TB", code=5)
    assert "--min-free" in output
    assert rows(tmp_path / "a", "SELECT count(*) FROM captures") == [(0,)]
    imported(tmp_path / "a", tmp_path / "foreign.warc.gz", code=0)
    assert rows(tmp_path / "a", "SELECT count(*) FROM captures") == [(1,)]
    assert run(tmp_path / "a", "verify")


def test_import_that_fills_the_disk_stops_in_good_order_and_goes_on(tmp_path, monkeypatch):
    """Half a gigabyte stays free unless something else is said."""
    free = [10_000_000_000] * 3
    monkeypatch.setattr("locum_spider.importing.session._BATCH", 50)
    monkeypatch.setattr("locum_spider.recorder.reserve._EVERY", 0.0)
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(
        f_bavail=free.pop() if free else 499_999_999, f_frsize=1, f_flag=0
    ))  # fmt: skip
    pages = [page(f"n{number}", f"Paragraph {number}.") for number in range(300)]
    file = put(tmp_path, members(*pages))
    assert "nothing is lost" in run(tmp_path / "a", "import", file, code=5)
    monkeypatch.undo()
    kept = rows(tmp_path / "a", "SELECT count(*) FROM captures")[0][0]
    assert 0 < kept < 300
    (result,) = imported(tmp_path / "a", file)
    assert result["outcomes"] == {"known": kept, "new": 300 - kept}
    imported(tmp_path / "whole", file)
    assert state(tmp_path / "a") == state(tmp_path / "whole")
    assert run(tmp_path / "a", "verify")
