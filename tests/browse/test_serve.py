"""`serve` as a process: its address, what it refuses, and its end."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from support import LONGEST

from locum_spider.browse.configuration import metadata
from locum_spider.browse.serve import serve
from locum_spider.errors import ArchiveError, UsageError
from locum_spider.store.connection import connect_writing

SERVE = """
import sys
from pathlib import Path
from locum_spider.browse.serve import serve
sys.exit(serve(Path(sys.argv[1]), port=0))
"""


def test_serves_while_a_crawl_writes_and_ends_cleanly(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(copy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line + (process.stderr.read() if process.stderr else "")
        with urllib.request.urlopen(address[0], timeout=LONGEST) as page:
            assert b"4 articles" in page.read()
            assert "server" not in page.headers
        rebound = urllib.request.Request(address[0], headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="421"):
            urllib.request.urlopen(rebound, timeout=LONGEST)
        db = connect_writing(copy)
        db.execute("DELETE FROM articles WHERE id = 4")
        db.close()
        with urllib.request.urlopen(address[0], timeout=LONGEST) as page:
            assert b"3 articles" in page.read(), "it sees what is written meanwhile"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    assert process.returncode == 0
    assert errors == ""


def test_refuses_what_is_not_an_archive(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is not an archive"):
        serve(tmp_path)
    with pytest.raises(ArchiveError, match="the folder does not exist"):
        metadata(tmp_path / "missing")
    (tmp_path / "archive.db").write_bytes(b"not a database")
    with pytest.raises(ArchiveError, match="not an SQLite database"):
        serve(tmp_path)


def test_says_when_the_port_is_in_use(archive: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on port {port} on 127.0.0.1: .*--port"):
            serve(archive, port=port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("no such host.invalid", 8001), ("127.0.0.1", -1)])
def test_says_what_is_not_an_address(archive: Path, host: str, port: int) -> None:
    with pytest.raises(UsageError):
        serve(archive, host=host, port=port)


def test_says_what_is_not_a_name(archive: Path) -> None:
    with pytest.raises(UsageError, match="'http://x/' is not the name of a host"):
        serve(archive, port=0, allow_hosts=["http://x/"])


def test_metadata_of_an_empty_archive(tmp_path: Path) -> None:
    connect_writing(tmp_path).close()
    described = metadata(tmp_path)
    assert described["title"] == "News archive"
    assert described["databases"]["archive"]["tables"]["articles"]["facets"] == []


def test_metadata_names_the_sites_even_if_a_declaration_is_broken(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    (copy / "sites" / "elsewhere.toml").write_text("title = ")
    sites = metadata(copy)["plugins"]["locum_spider"]["sites"]
    assert sites == {"elsewhere": "elsewhere", "locum-today": "Locum Today"}
