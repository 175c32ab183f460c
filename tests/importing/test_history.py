"""`locum import`: captures of one article in any order of time, revisits, and what a crawl had before."""

from __future__ import annotations

import gzip
import hashlib
import itertools

import pytest
from support import require_same_rebuilt, rows
from support.foreign_files import (
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

DAYS = [f"201{year}-03-01T12:00:00Z" for year in range(6)]
TEXTS = ["First words.", "Second words.", "First words.", "First words.", "Third words.", "Third words."]
HISTORY = [(DAYS[0], "First words."), (DAYS[1], "Second words."), (DAYS[2], "First words."), (DAYS[4], "Third words.")]
PAGES = [page(text=text, date=day) for day, text in zip(DAYS, TEXTS, strict=True)]
ORDERS = list(itertools.permutations(range(6)))


@pytest.mark.parametrize("order", [*ORDERS[:: len(ORDERS) // 16], ORDERS[-1]])
def test_captures_in_any_order_make_one_history(tmp_path, order):
    imported(tmp_path / "a", put(tmp_path, members(*[PAGES[number] for number in order])))
    assert history(tmp_path / "a") == HISTORY
    assert times(tmp_path / "a") == (DAYS[0], DAYS[-1])
    with Archive(tmp_path / "a") as archive:
        assert archive.article(address()).text.startswith("Third words.")
        assert [hit.url for hit in archive.search('"third words"')] == [address()]
        assert archive.search('"first words"') == archive.search('"second words"') == []


def test_the_same_words_seen_earlier_move_a_revision_back(tmp_path):
    for day in (DAYS[3], DAYS[1], DAYS[2]):
        imported(tmp_path / "a", put(tmp_path, members(page(date=day))))
    assert [day for day, _ in history(tmp_path / "a")] == [DAYS[1]]
    assert times(tmp_path / "a") == (DAYS[1], DAYS[3])


@pytest.mark.parametrize("order", [0, 1])
def test_a_rebuild_has_the_same_history(tmp_path, order):
    files = [
        put(tmp_path, members(PAGES[3], PAGES[1], page("two", date=DAYS[0])), "x.warc.gz"),
        put(tmp_path, members(PAGES[0], revisit(address(), DAYS[5], not_modified(), profile="server-not-modified"),
                              PAGES[4]), "y.warc.gz"),
    ]  # fmt: skip
    for file in files[:: -1 if order else 1]:
        imported(tmp_path / "a", file)
    require_same_rebuilt(tmp_path / "a", state)
    run(tmp_path / "a", "verify")


# -- revisits ----------------------------------------------------------------------------------------------------------


def not_modified() -> bytes:
    return http(b"", 'ETag: "a"', status="HTTP/1.1 304 Not Modified")


def ok() -> bytes:
    return http(b"", "Content-Type: text/html; charset=utf-8")


LATER = "2017-01-01T00:00:00Z"
REVISITS = {
    "digest": revisit(address(), LATER, ok(), body=html()),
    "digest, no head": revisit(address(), LATER, body=html()),
    "digest in lower-case hex": revisit(address(), LATER, ok(), WARC_Payload_Digest="sha1:"
                                        + hashlib.sha1(html()).hexdigest()),
    "address and time": revisit(address(), LATER, ok(), WARC_Refers_To_Target_URI=f"<{address()}>",
                                WARC_Refers_To_Date="2016-05-02T10:00:00.5Z"),
    "not modified": revisit(address(), LATER, not_modified(), profile="server-not-modified"),
    "not modified, kept as a response": record(address(), not_modified(), date=LATER),
}  # fmt: skip


@pytest.mark.parametrize("files", [1, 2])
@pytest.mark.parametrize("name", REVISITS)
def test_revisit_moves_last_seen(tmp_path, name, files):
    if files == 1:
        put(tmp_path, members(page(), REVISITS[name]), "x.warc.gz")
    else:
        put(tmp_path, members(page()), "x.warc.gz")
        put(tmp_path, members(REVISITS[name]), "y.warc.gz")
    for _ in range(2):
        results = imported(tmp_path / "a", *sorted(tmp_path.glob("*.warc.gz")))
        assert [(result["bodiless"], result["broken"]) for result in results] == [(0, [])] * files
        assert times(tmp_path / "a") == ("2016-05-02T10:00:00Z", LATER)
        assert len(history(tmp_path / "a")) == 1
        counts = "captures, articles_new, articles_changed, articles_unchanged, failed"
        assert rows(tmp_path / "a", f"SELECT {counts} FROM crawls") == [(2, 1, 0, 1, 0)]
    ours = rows(tmp_path / "a", "SELECT type, count(*) FROM records WHERE type LIKE 're%' GROUP BY 1 ORDER BY 1")
    assert ours == [("response", 1), ("revisit", 1)]
    assert rows(tmp_path / "a", "SELECT same_as FROM captures ORDER BY id") == [(None,), (1,)]


def test_revisit_of_a_framed_body_is_known_by_the_writer_s_own_digest(tmp_path):
    from locum_spider.warc.writer import payload_digest

    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(html()), html())
    head = ("Content-Type: text/html", "Transfer-Encoding: chunked")
    first = record(address(), http(framed, *head), WARC_Payload_Digest=payload_digest(framed))
    again = revisit(address(), LATER, http(b"", *head), body=framed)
    put(tmp_path, members(first), "x.warc.gz")
    put(tmp_path, members(again), "y.warc.gz")
    results = imported(tmp_path / "a", *sorted(tmp_path.glob("*.warc.gz")))
    assert [result["outcomes"] for result in results] == [{"new": 1}, {"unchanged": 1}]


def test_revisit_at_another_address_is_an_article_of_its_own(tmp_path):
    other = revisit(address("other"), LATER, ok(), body=html())
    imported(tmp_path / "a", put(tmp_path, members(page(), other)))
    assert rows(tmp_path / "a", "SELECT url FROM articles ORDER BY id") == [(address(),), (address("other"),)]


@pytest.mark.parametrize("name", [name for name in REVISITS if "response" not in name])
def test_revisit_whose_body_is_nowhere_is_counted_and_said(tmp_path, name):
    file = put(tmp_path, members(page("two"), REVISITS[name]))
    (result,) = imported(tmp_path / "a", file)
    assert (result["outcomes"], result["bodiless"]) == ({"new": 1}, 1)
    output = run(tmp_path / "a", "import", file)
    assert "passed over, without a body: 1 revisit" in " ".join(output.split())
    assert rows(tmp_path / "a", "SELECT count(*) FROM captures") == [(1,)]
    imported(tmp_path / "a", put(tmp_path, members(page()), "original.warc.gz"), file)
    assert times(tmp_path / "a")[1] == LATER


def test_304_stands_for_what_was_there_at_its_time(tmp_path):
    """The body of 2016 is meant, though one of 2018 was taken in before."""
    unmodified = revisit(address(), LATER, not_modified(), profile="server-not-modified")
    imported(
        tmp_path / "a", put(tmp_path, members(page(), page(text="Newer.", date="2018-01-01T00:00:00Z"), unmodified))
    )
    assert [text for _, text in history(tmp_path / "a")] == ["A paragraph about agency work.", "Newer."]
    assert rows(tmp_path / "a", "SELECT same_as FROM captures WHERE status = 304") == [(1,)]


def test_an_answer_of_304_without_a_body_anywhere_is_no_body(tmp_path):
    first, second = (record(address(), not_modified(), date=f"201{n}-01-01T00:00:00Z") for n in (3, 4))
    (result,) = imported(tmp_path / "a", put(tmp_path, members(first, second)))
    assert result["outcomes"] == {"failed": 2}
    assert rows(tmp_path / "a", "SELECT same_as FROM captures") == [(None,), (None,)]


def test_articles_of_a_vanished_site_are_found(tmp_path):
    listing = f'<html><body><h3><a href="{address()}">One report</a></h3><p>Published on 1 May 2016</p></body></html>'
    data = [record(HOME, http(listing.encode())), *(page(slug, f"All about {slug}s.") for slug in ("ward", "nurse"))]
    imported(tmp_path / "a", put(tmp_path, gzip.compress(b"".join(data))))
    hits = run(tmp_path / "a", "search", '"about wards"', "--json")
    assert [hit["url"] for hit in hits] == [address("ward")]
    assert "All about nurses." in run(tmp_path / "a", "show", address("nurse"))
