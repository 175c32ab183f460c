"""Progress is drawn on a terminal, logged in lines elsewhere, and stays out of everything else."""

from __future__ import annotations

import re

import pytest

from locum_spider.cli import progress
from locum_spider.cli.progress import Bars, Lines


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(progress, "is_terminal", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def test_bars_say_name_share_and_words(terminal, capsys):
    with Bars(keep=True) as bars:
        bars.show("north-post", 25, 100, "25 pages")
        bars.show("copying", 3, 0, "3 captures")
    out, err = capsys.readouterr()
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)
    assert out == ""
    assert re.search(r"north-post +\S+ +25%  25 pages", drawn)
    assert re.search(r"copying +\S+ +3 captures", drawn)


def test_after_the_end_nothing_is_drawn(terminal, capsys):
    with Bars() as bars:
        bars.show("files", 1, 2)
        bars.end()
        capsys.readouterr()
        bars.show("files", 2, 2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_drawn_where_nobody_looks(capsys, quiet):
    with Bars(quiet=quiet) as bars:
        bars.show("files", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_for_what_is_new(capsys):
    lines = Lines()
    for name, words in (("a", "1 page"), ("b", "1 page"), ("a", "1 page"), ("a", "2 pages")):
        lines.show(name, words)
    assert capsys.readouterr().err == "a: 1 page\nb: 1 page\na: 2 pages\n"
