"""What visitors ask holds to limits on time, memory and concurrency, and ends when they leave."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from locum_spider.browse import processes
from locum_spider.browse.guard import QUERIES, TABLES, names
from locum_spider.browse.pages import find
from locum_spider.store.bounded import Question, StoppedError, answer

ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT {} FROM c"
ONE_STEP = "SELECT hex(zeroblob(15000000)) LIKE '%" + "0_" * 480 + "b'"
"""Minutes of work that SQLite cannot interrupt."""
HOUR = 3_600_000


def asked(sql: str, kind: str = "") -> str:
    return f"/archive/-/query{kind}?{urlencode({'sql': sql})}"


@pytest.fixture
def served(archive: Path) -> Any:
    from locum_spider.browse.serve import datasette

    made = datasette(archive, names("127.0.0.1"))
    if not hasattr(made, "add_query"):  # Datasette 0.65 takes SQL at the address of the database
        get = made.client.get
        made.client.get = lambda path, **more: get(path.replace("/-/query", ""), **more)
    yield made
    made.get_database("archive").close()


def get(served: Any, path: str) -> Any:
    return asyncio.run(served.client.get(path))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT hex(zeroblob(400000000))", "a value is longer than 32 MB"),
        ("SELECT replace(hex(zeroblob(1000000)), '0', 'xxxxxxxxxxxxxxxxxxxx')", "a value is longer than 32 MB"),
        (ENDLESS.format("zeroblob(10000000)"), "the answer is longer than 64 MB"),
        ("SELECT " + ", ".join(["zeroblob(31000000) || 1"] * 9), "it needs too much memory"),
    ],
)
def test_a_query_that_takes_too_much_memory_is_refused_in_words(served: Any, sql: str, words: str) -> None:
    assert words in get(served, asked(sql)).text
    answer = get(served, asked(sql, ".json"))
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize("sql", ["SELECT hex(zeroblob(400000000))", "SELECT no_such_column"])
def test_a_file_that_cannot_be_made_is_not_an_empty_file(served: Any, sql: str) -> None:
    answer = get(served, asked(sql, ".csv"))
    assert answer.status_code == 400
    assert answer.text


@pytest.mark.parametrize("sql", [ENDLESS.format("count(*)"), ENDLESS.format("group_concat(n)"), ONE_STEP])
def test_a_query_that_takes_too_long_is_stopped_and_can_be_changed(served: Any, sql: str) -> None:
    served.sql_time_limit_ms = 100
    answer = get(served, asked(sql))
    assert answer.status_code == 400
    assert "was stopped" in answer.text
    assert '<textarea id="sql" name="sql"' in answer.text
    assert '<a href="/">Back to the front page</a>' in answer.text


def test_a_step_that_cannot_be_interrupted_ends_with_its_process(served: Any) -> None:
    from datasette.database import QueryInterrupted

    database = served.get_database("archive")

    async def ask() -> int:
        with pytest.raises(QueryInterrupted):
            await database.execute(ONE_STEP, custom_time_limit=10)
        assert not database._lanes[TABLES]._processes
        return int((await database.execute("SELECT 1")).first()[0])

    assert asyncio.run(ask()) == 1, "another process answers"


def test_pages_and_tables_answer_while_queries_run(served: Any) -> None:
    served.sql_time_limit_ms = HOUR

    async def ask() -> list[int]:
        slow = [asyncio.ensure_future(served.client.get(asked(ENDLESS.format("count(*)")))) for _ in range(12)]
        await asyncio.wait(slow, timeout=0)
        paths = ("/", "/archive/-/find?q=agency", "/archive/-/article/1", "/archive/articles", "/archive")
        seen = [(await served.client.get(path)).status_code for path in paths]
        assert not any(query.done() for query in slow)
        for query in slow:
            query.cancel()
        await asyncio.wait(slow)
        return seen

    assert asyncio.run(ask()) == [200] * 5


def test_who_waits_too_long_is_told_that_others_ask(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PATIENCE", 1)
    endless = Question(answer, (ENDLESS.format("count(*)"), (), None), 3600)

    async def ask() -> Any:
        lane = served.get_database("archive")._lanes[QUERIES]
        slow = [asyncio.ensure_future(lane.ask(endless)) for _ in range(3)]
        await asyncio.wait(slow, timeout=0)
        told = await served.client.get(asked("SELECT 1"))
        for query in slow:
            query.cancel()
        await asyncio.wait(slow)
        return told

    told = asyncio.run(ask())
    assert told.status_code == 503
    assert told.headers["retry-after"] == "30"
    assert "Other questions are being answered; ask again in a minute" in told.text


def test_a_query_ends_when_its_reader_leaves(served: Any) -> None:
    served.sql_time_limit_ms = HOUR
    lane = served.get_database("archive")._lanes[QUERIES]
    started, sent = asyncio.Event(), []
    ask = lane.ask

    async def noted(question: Any) -> Any:
        lane.begin()
        started.set()
        return await ask(question)

    lane.ask = noted
    address, _, query = (asked(ENDLESS.format("count(*)"))).partition("?")
    path = address if hasattr(served, "add_query") else "/archive"
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(b"host", b"localhost")], "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    messages = iter(["http.request", "http.disconnect"])

    async def receive() -> dict[str, Any]:
        message = next(messages)
        if message == "http.disconnect":
            await started.wait()
        return {"type": message, "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(served.app()(scope, receive, send))
    assert sent == []
    lane._threads.shutdown()
    assert len(lane._processes) == len(lane._idle), "none works any more"


def test_a_search_that_is_stopped_says_so_on_its_page(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = find.read

    async def stopped(datasette: Any, database: Any, function: Any, *values: object) -> Any:
        if function is find._found:
            raise StoppedError(5)
        return await read(datasette, database, function, *values)

    monkeypatch.setattr(find, "read", stopped)
    page = get(served, "/archive/-/find?q=agency")
    assert page.status_code == 400
    assert "The search took too long and was stopped" in page.text
    assert 'type="search" name="q" value="agency"' in page.text
