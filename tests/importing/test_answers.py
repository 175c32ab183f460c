"""`locum import` takes what a GET brought; an answer to another request is not the page of its address."""

from __future__ import annotations

import io

import pytest
from support import rows
from support.foreign_files import DATE, address, html, http, imported, members, page, put, record, revisit

from locum_spider.importing.captures import PassedOver
from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange, Revisit

REQUEST, RESPONSE = "<urn:uuid:1>", "<urn:uuid:2>"


def request(method: str = "POST", **fields: str | None) -> bytes:
    block = f"{method} /article.php HTTP/1.1\r\nHost: locumtoday.co.uk\r\n\r\nq=x".encode()
    return record(address(), block, "request", **{"WARC_Record_ID": REQUEST, **fields})


def response(**fields: str | None) -> bytes:
    return record(address(), http(html()), **{"WARC_Record_ID": RESPONSE, **fields})


def kinds(*records: bytes) -> list[type]:
    return [type(item) for item in read_captures(io.BytesIO(b"".join(records)))]


PAIRS = {
    "response names request, before": (request(), response(WARC_Concurrent_To=REQUEST)),
    "response names request, behind": (response(WARC_Concurrent_To=REQUEST), request()),
    "request names response, before": (request(WARC_Concurrent_To=RESPONSE), response()),
    "request names response, behind": (response(), request(WARC_Concurrent_To=RESPONSE)),
    "neither, before": (request(), response()),
    "neither, behind": (response(), request()),
    "with metadata between": (
        response(),
        record(address(), b"x", "metadata", WARC_Concurrent_To=RESPONSE),
        request(WARC_Concurrent_To=RESPONSE),
    ),
    "with several names": (
        response(),
        request(WARC_Concurrent_To=f"<urn:uuid:9>\r\nWARC-Concurrent-To: {RESPONSE}"),
    ),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_an_answer_to_a_post_is_passed_over(pair):
    assert kinds(*PAIRS[pair]) == [PassedOver]
    assert kinds(*(part.replace(b"POST /", b"GET /") for part in PAIRS[pair])) == [Exchange]


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "OPTIONS", "PATCH", "post"])
def test_other_methods(method):
    assert kinds(response(), request(method, WARC_Concurrent_To=RESPONSE)) == [PassedOver]


def test_a_revisit_is_an_answer_too():
    again = revisit(address(), DATE, http(b""), body=html(), WARC_Concurrent_To=REQUEST)
    assert kinds(request(), again) == [PassedOver]
    assert kinds(request("GET"), again) == [Revisit]


@pytest.mark.parametrize(
    "mark",
    ["&__wb_method=POST&q=x", "&__wb_method=PUT", "&__wb_post_data=cT14", "&q=x&__wb_method=post",
     "&__warc_method=POST"],
)  # fmt: skip
def test_marks_of_web_archives_in_addresses(mark):
    assert kinds(record(address() + mark, http(html()))) == [PassedOver]
    assert kinds(record(address() + mark.replace("__", "_"), http(html()))) == [Exchange]


def test_a_get_of_the_same_second_is_the_page():
    form = response(WARC_Concurrent_To=REQUEST)
    then = record(address(), http(html("two")), WARC_Record_ID="<urn:uuid:4>", WARC_Concurrent_To="<urn:uuid:3>")
    get = request("GET", WARC_Record_ID="<urn:uuid:3>")
    assert kinds(request(), form, get, then) == [PassedOver, Exchange]


def test_the_order_stays_and_requests_of_others_do_not_count():
    far = [page(f"n{number}") for number in range(40)]
    found = [item.url for item in read_captures(io.BytesIO(b"".join([response(), *far, request("GET")])))]
    assert found == [address(), *(address(f"n{number}") for number in range(40))]
    elsewhere = record("http://other.example/", b"POST / HTTP/1.1\r\n\r\n", "request", WARC_Record_ID="<urn:uuid:8>")
    assert kinds(elsewhere, response(), elsewhere) == [Exchange]


def test_import_counts_them_and_makes_no_revision(tmp_path):
    form = record(address(), http(html("one", "Thank you.")), date="2016-06-01T00:00:00Z", WARC_Record_ID=RESPONSE)
    (result,) = imported(tmp_path / "a", put(tmp_path, members(page(), form, request(WARC_Concurrent_To=RESPONSE))))
    assert (result["outcomes"], result["other_requests"]) == ({"new": 1}, 1)
    assert rows(tmp_path / "a", "SELECT count(*) FROM revisions") == [(1,)]
