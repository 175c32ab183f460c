"""What others wrote is printed clean, and every error is one plain sentence of the same form."""

from __future__ import annotations

import json
import logging
import shutil

import pytest
from support import change, invoke, rows
from support.foreign_files import run

from locum_spider.cli import locum as command
from locum_spider.cli.crawl import _start_log
from locum_spider.text import printable

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mCrane\x1b[0m\x9b31m \x90q\x9c\u202etac\u2066 \x08\x0d\x7f\x85"
FORBIDDEN = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F),
                                    *range(0x2066, 0x206A))]  # fmt: skip


def dirt(text: str) -> list[str]:
    return [sign for sign in FORBIDDEN if sign in text]


@pytest.fixture(scope="module")
def hostile(sample_crawl, tmp_path_factory):
    """An archive in which everything that others write steers the terminal."""
    folder = tmp_path_factory.mktemp("hostile") / "archive"
    shutil.copytree(sample_crawl.archive, folder)
    columns = {
        "articles": "title standfirst section published_raw", "article_text": "title standfirst body",
        "revisions": "title body", "article_urls": "url", "captures": "url content_type", "frontier": "url reason",
    }  # fmt: skip
    for table, names in columns.items():
        for name in names.split():
            change(folder, f"UPDATE OR IGNORE {table} SET {name} = {name} || ?", HOSTILE)
    change(folder, "UPDATE articles SET authors = ?, tags = ?, images = '[]'", *[json.dumps([HOSTILE])] * 2)
    change(folder, "UPDATE crawls SET outcome = 'check_failed', reasons = ?", json.dumps([HOSTILE]))
    return folder


COMMANDS = (
    ["search", "agency"], ["show", "1"], ["show", "1", "--revisions"], ["show", "1", "--evidence"], ["status"],
    ["verify"], ["rebuild", "--diff", "--jobs", "1"],
)  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_nothing_of_others_steers_the_terminal(hostile, arguments):
    result = invoke(*arguments, "--archive", hostile)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert "Crane" in result.output or "verify" in arguments
    assert dirt(result.output) == []


@pytest.mark.parametrize("arguments", [["search", "agency"], ["show", "1"], ["status"]], ids=" ".join)
def test_json_has_escapes_and_loses_nothing(hostile, arguments):
    output = invoke(*arguments, "--json", "--archive", hostile).output
    assert dirt(output) == []
    values = json.dumps(json.loads(output), ensure_ascii=False)
    assert json.dumps(HOSTILE, ensure_ascii=False)[1:-1] in values


def test_an_error_that_repeats_what_it_was_given_is_clean(tmp_path):
    for arguments in (["show", HOSTILE], ["crawl", HOSTILE], [HOSTILE], ["search", "x", "--from", HOSTILE]):
        result = invoke(*arguments, *(["--archive", tmp_path] if len(arguments) > 1 else []))
        assert result.exit_code == 2
        assert dirt(result.output) == []


def test_a_log_is_clean(tmp_path):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        _start_log(str(tmp_path / "log"))
        root.info("a page: %s", HOSTILE)
    finally:
        for handler in set(root.handlers) - set(before[0]):
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before[1])
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "Crane" in text
    assert dirt(text) == []


def test_what_belongs_to_writing_stays():
    for text in ("می\u200cخواهم", "👩\u200d🚀", "\u200fعربي", "a\u00adb", "line\n\ttab", "naïve – “quoted”"):
        assert printable(text) == text


@pytest.mark.parametrize(
    "arguments", [["no-such-command"], ["--no-such-option"], ["crawl", "x", "--delay", "soon"], ["search"], ["show"],
                  ["import", "--site"], ["serve", "--port", "99999"], ["schedule", "x", "--with", "at"]]
)  # fmt: skip
def test_wrong_arguments_are_told_in_one_sentence(arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.output.startswith("locum: ")
    assert len(result.output.strip().splitlines()) == 1
    assert "--help`" in result.output


def test_every_command_tells_a_wrong_option_alike():
    for name in command.list_commands(None):
        if name != "search":  # its words may begin with a hyphen
            result = invoke(name, "--no-such-option")
            assert (result.exit_code, result.output.count("\n")) == (2, 1), name
            assert result.output == f"locum: no such option '--no-such-option'; see `locum {name} --help`\n"


def test_a_database_that_is_damaged_inside_is_told(sample_crawl, tmp_path):
    """It opens, but the page that a table begins with is broken."""
    shutil.copytree(sample_crawl.archive, tmp_path / "archive")
    ((page,), (size,)) = (
        rows(tmp_path / "archive", sql)[0]
        for sql in ("SELECT rootpage FROM sqlite_master WHERE name = 'article_text'", "PRAGMA page_size")
    )
    with (tmp_path / "archive" / "archive.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    for arguments in (["search", "agency"], ["show", "1"]):
        assert "archive.db is damaged" in run(tmp_path / "archive", *arguments, code=2)
