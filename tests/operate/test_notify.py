"""Notifications: what they say, and how they reach a command, a webhook on loopback, and a service of apprise."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self

import pytest

from locum_spider.errors import LocumError, UsageError
from locum_spider.operate.notify import News, sender


def articles(kind, count=1):
    return [{"id": n, "url": f"http://paper.example/{kind}/{n}", "title": f"A {kind} report {n}"} for n in range(count)]


NEWS = News(
    "paper", 7, "check_failed", articles("new", 2), articles("changed"), articles("gone"),
    [{"outcome": "not_article", "reason": "no title on the page", "count": 59, "urls": ["http://paper.example/x"]}],
    ["59 of 60 article addresses gave no article"],
)  # fmt: skip


class Webhook(HTTPServer):
    """Keeps what it is sent, and answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.bodies: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.headers["Content-Type"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_the_text_names_all_that_happened():
    for words in ("paper: 2 new, 1 changed, 1 gone, 59 failed, check failed", "A new report 1", "A changed report 0",
                  "http://paper.example/gone/0", "59 × no title on the page",
                  "59 of 60 article addresses"):  # fmt: skip
        assert words in NEWS.text
    many = News("paper", 1, "done", articles("new", 500)).text
    assert many.count("\n- ") == 21
    assert "and 480 more" in many


def test_only_what_happened_is_worth_telling():
    assert not News("paper", 1, "done").worth_telling
    for news in (
        NEWS, News("paper", 1, "done", articles("new")), News("paper", 1, "done", gone=articles("gone")),
        News("paper", 1, "unreachable"), News("paper", None, "error", error="the disk is full"),
    ):  # fmt: skip
        assert news.worth_telling


def test_a_command_gets_the_text(tmp_path):
    program = "import os, sys; print(os.environ['LOCUM_SUBJECT'], sys.stdin.read(), file=open(sys.argv[1], 'w'))"
    sender(shlex.join([sys.executable, "-c", program, str(tmp_path / "told")]))(NEWS)
    assert (tmp_path / "told").read_text() == f"{NEWS.subject} {NEWS.text}\n"


def test_what_a_site_wrote_is_only_input_of_a_command(tmp_path):
    title = f"$(touch {tmp_path / 'owned'}) `touch {tmp_path / 'owned'}` '; touch {tmp_path / 'owned'} #\x1b]0;x\x07"
    news = News(title, 1, "done", [{"id": 1, "url": "http://x/", "title": title}])
    sender(f'cat > {shlex.quote(str(tmp_path / "told"))}; printf "%s" "$LOCUM_SUBJECT" >> /dev/null')(news)
    assert not (tmp_path / "owned").exists()
    assert "\x1b" not in (tmp_path / "told").read_text()


def test_a_command_that_fails_is_told():
    with pytest.raises(LocumError, match="ended with 3: exit 3"):
        sender("exit 3")(NEWS)


def test_a_webhook_gets_json():
    with Webhook() as hook:
        sender(f"http://{hook.address}/hook?key=secret")(NEWS)
    ((kind, body),) = hook.bodies
    sent = json.loads(body)
    assert kind == "application/json"
    assert (sent["site"], sent["crawl"], sent["outcome"]) == ("paper", 7, "check_failed")
    assert sent["new"] == NEWS.new
    assert sent["failed"] == NEWS.failed
    assert (sent["subject"], sent["text"]) == (NEWS.subject, NEWS.text)


def test_a_webhook_that_refuses_is_told_without_its_secrets():
    with Webhook(500) as hook, pytest.raises(LocumError, match="500") as raised:
        sender(f"http://{hook.address}/hook?key=secret")(NEWS)
    assert "secret" not in str(raised.value)


def test_a_service_of_apprise_gets_the_text():
    pytest.importorskip("apprise")
    with Webhook() as hook:
        sender(f"json://{hook.address}/hook")(NEWS)
    ((_, body),) = hook.bodies
    sent = json.loads(body)
    assert sent["title"] == NEWS.subject
    assert "A new report 1" in sent["message"]


def test_a_service_that_does_not_answer_is_told():
    pytest.importorskip("apprise")
    with Webhook(503) as hook, pytest.raises(LocumError, match="was not taken"):
        sender(f"json://{hook.address}/hook?retry=0")(NEWS)


@pytest.mark.parametrize("target", ["", "  ", "nonsense://secret@example.org"])
def test_where_nothing_can_be_sent_is_told_before_the_crawl(target):
    with pytest.raises(UsageError, match="notify") as raised:
        sender(target)
    assert "secret" not in str(raised.value)
