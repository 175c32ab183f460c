"""macOS: nothing needs what only Linux has. The tests run on Linux and hide that."""

from __future__ import annotations

import ast
import errno
import fcntl
import os
from pathlib import Path

import pytest
from support.gazette import crawl, site, story

from locum_spider import system
from locum_spider.preservation.backup import back_up
from locum_spider.preservation.rebuild import rebuild
from locum_spider.preservation.verify import verify
from locum_spider.store.connection import connect_writing
from locum_spider.warc.writer import WarcWriter

PACKAGE = Path(system.__file__).parent
LINUX = {
    "os": {"sched_getaffinity", "sched_setaffinity", "sendfile", "splice", "memfd_create", "copy_file_range",
           "pidfd_open", "fdatasync", "posix_fadvise", "posix_fallocate", "getrandom", "eventfd", "O_DIRECT",
           "O_TMPFILE", "pipe2", "unshare", "listxattr", "getxattr"},
    "socket": {"SO_PEERCRED", "SOCK_CLOEXEC", "SOCK_NONBLOCK", "AF_NETLINK"},
    "select": {"epoll"},
    "signal": {"SIGPOLL", "SIGRTMIN", "sigtimedwait", "sigwaitinfo"},
    "resource": {"prlimit"},
}  # fmt: skip
ERROR_NUMBERS = {number for number in errno.errorcode if number > 1}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def only_on_linux(tree: ast.AST) -> list[str]:
    """What a module uses that macOS does not have; only `system` may check whether it exists."""
    names = [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        and node.attr in LINUX.get(node.value.id, ())
    ]  # fmt: skip
    names += [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("/proc/", "/sys/"))
    ]
    for node in ast.walk(tree):  # error numbers are compared by name
        if isinstance(node, ast.Compare) and any(
            isinstance(p, ast.Attribute) and p.attr == "errno" for p in [node.left]
        ):
            numbers = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant)]
            names += [f"error number {number}" for number in numbers if number in ERROR_NUMBERS]
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_only_linux_has_is_named(path):
    found = only_on_linux(ast.parse(path.read_text(encoding="utf-8")))
    known = {"os.sched_getaffinity", "/proc/self/status", "/proc/self/oom_score_adj"}
    assert set(found) == (known if path.name == "system.py" else set())


def test_the_look_sees_what_it_looks_for():
    code = "import os\nos.sched_getaffinity(0)\nopen('/proc/self')\nx = e.errno in {28, 122}\n"
    assert set(only_on_linux(ast.parse(code))) == {
        "os.sched_getaffinity", "/proc/self", "error number 28", "error number 122",
    }  # fmt: skip


@pytest.fixture
def mac(monkeypatch) -> list[int]:
    """A system without what only Linux has, and with the full fsync of macOS: the list gets an entry for each fsync."""
    synced: list[int] = []
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, command: synced.append(command))
    monkeypatch.setattr(os, "fsync", lambda _descriptor: pytest.fail("macOS leaves the bytes in the drive's memory"))
    return synced


def test_cores_are_those_of_the_machine_if_the_system_does_not_tell(monkeypatch):
    assert 1 <= system.cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert system.cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert system.cores() == 1


def test_a_network_drive_without_the_full_fsync_gets_the_plain_one(tmp_path, monkeypatch):
    def refuse(_descriptor: int, _command: int) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    done: list[int] = []
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    monkeypatch.setattr(os, "fsync", done.append)
    system.sync(tmp_path)
    assert len(done) == 1


def test_an_archive_is_crawled_verified_copied_and_rebuilt_there(archive, tmp_path, mac):
    crawl(archive, {**site(), "/story/one-more?id=99": story(99)}, day=3)
    crawled = len(mac)
    assert crawled
    assert verify(archive).sound
    assert back_up(archive, tmp_path / "copy").report.sound
    copied = len(mac)
    assert copied > crawled
    assert rebuild(archive).broken == []
    assert len(mac) > copied
    assert verify(archive).sound


def test_a_durable_writer_brings_every_name_and_every_record_to_the_disk(tmp_path, mac):
    writer = WarcWriter(tmp_path, "20300101T000000Z", durable=True)
    writer.write_event({"event": "test"}, "2030-01-01T00:00:00Z")
    assert len(mac) == 1, "the name in the folder"
    writer.flush()
    assert len(mac) == 2, "the record"
    writer.close()
    assert len(mac) == 4, "the rest, and the new name"


def test_the_database_of_a_durable_archive_asks_for_the_full_fsync(tmp_path):
    for durable in (True, False):
        db = connect_writing(tmp_path, durable=durable)
        assert db.execute("PRAGMA fullfsync").fetchone()[0] == int(durable)
        db.close()
