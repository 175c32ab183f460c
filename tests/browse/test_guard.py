"""Names under which an archive is served, headers of every answer, and what a fault looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from locum_spider.browse.guard import ANY, ANY_ADDRESS, is_known, names
from locum_spider.errors import UsageError

Get = Callable[[str], Any]
KNOWN = names("192.168.1.7", ["news.example.org:8443"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:8001", "127.0.0.1:1", "[::1]:8001", "192.168.1.7", "news.example.org",
        "NEWS.example.ORG.", "news.example.org:80",
    ],
)  # fmt: skip
def test_names_that_the_archive_is_served_under_are_known(host: str) -> None:
    assert is_known(host, KNOWN)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "evil.example:8001", "127.0.0.1.evil.example", "127.0.0.2", "[::2]",
        "news.example.org.evil", "192.168.1.70", "localhost@evil.example", "evil.example@localhost", "localhost:80:90",
        "localhost, evil.example", "localhost evil.example", "localhost/", "", ".", ":8001", "::1", "\x00", ANY_ADDRESS,
        ANY,
    ],
)  # fmt: skip
def test_other_names_are_not_known(host: str) -> None:
    assert not is_known(host, KNOWN)


def test_on_all_addresses_any_address_is_known_and_a_name_only_if_it_is_given() -> None:
    known = names("0.0.0.0")
    assert is_known("10.1.2.3:8001", known)
    assert is_known("[fe80::1]", known)
    assert not is_known("evil.example", known)
    assert is_known("archive.test", names("0.0.0.0", ["archive.test"]))


@pytest.mark.parametrize("name", ["http://news.example.org/", "news.example.org/x", "a b", ""])
def test_what_is_not_a_name_is_refused_at_once(name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a host"):
        names("127.0.0.1", [name])


@pytest.mark.parametrize("path", ["/", "/archive/articles", "/archive/articles.json", "/-/static/app.css", "/no"])
def test_an_unknown_name_gets_nothing_from_any_page(archive: Path, path: str) -> None:
    from locum_spider.browse.serve import datasette

    served = datasette(archive, KNOWN)
    refused = asyncio.run(served.client.get(path, headers={"Host": "evil.example"}))
    assert refused.status_code == 421
    assert refused.text.startswith("This archive is not served under the name 'evil.example'.")
    assert "--allow-host" in refused.text
    assert asyncio.run(served.client.get(path, headers={"Host": "news.example.org"})).status_code in {200, 404}


PAGES = ("/", "/archive/-/article/1", "/archive", "/archive/articles", "/archive/articles.json",
         "/archive/articles.csv", "/nothing", "/-/locum/pages.css", "/-/static/app.css")  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_says_that_nothing_of_others_may_run(get: Get, path: str) -> None:
    headers = get(path).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    policy = headers["content-security-policy"]
    assert "frame-ancestors" in policy
    assert "default-src 'none'" in policy or "default-src 'self'" in policy


FAULTS = {
    "/nothing": (404, "Not found"),
    "/archive/no_such_table": (404, "Not found"),
    "/archive/articles/77": (404, "Not found"),
    "/archive/articles?_sort=nothing": (400, "Not understood"),
    "/archive/articles?_where=nothing": (400, "Invalid SQL"),
}


@pytest.mark.parametrize("path", FAULTS)
def test_a_fault_is_a_page_in_our_look_with_a_way_home(get: Get, path: str) -> None:
    status, heading = FAULTS[path]
    page = get(path)
    assert page.status_code == status
    assert f"<h1>{heading}" in page.text
    assert "/-/locum/pages.css" in page.text
    assert '<a class="home" href="/">' in page.text
    assert '<a href="/">Back to the front page</a>' in page.text


def test_a_fault_of_data_is_data(get: Get) -> None:
    answer = get("/archive/no_such_table.json")
    assert answer.status_code == 404
    assert answer.json()["ok"] is False
    assert answer.json()["error"].startswith("There is nothing at this address")


def test_a_fault_of_ours_says_so_and_shows_nothing_inside(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from locum_spider.browse.pages import front
    from locum_spider.browse.serve import datasette

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(front, "read", broken)
    page = asyncio.run(datasette(archive).client.get("/"))
    assert page.status_code == 500
    assert "A fault of ours" in page.text
    assert "secret" not in page.text
    assert capsys.readouterr().err.count("ZeroDivisionError: secret") == 1
