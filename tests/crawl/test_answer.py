"""One answer, in every form that servers give it, however the network cuts it into pieces."""

from __future__ import annotations

import gzip

import pytest

from locum_spider.crawl.http.answer import LARGEST_HEAD, Answer, NoAnswerError

OK = b"HTTP/1.1 200 OK\r\n"
PAGE = b"<html><p>Text</p></html>\n"
PACKED = gzip.compress(PAGE, mtime=0)


def length(number, *more):
    return OK + b"".join(line + b"\r\n" for line in (b"Content-Length: %d" % number, *more)) + b"\r\n"


def chunked(*lines):
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"\r\n".join(lines)


# bytes, then the body, why it is cut, and whether the connection can bring another answer
FORMS = {
    "usual": (length(5) + b"hello", b"hello", None, True),
    "asked to close": (length(5, b"Connection: Close") + b"hello", b"hello", None, False),
    "to the end": (OK + b"\r\nhello", b"hello", None, False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello", None, False),
    "old and kept": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        b"hello",
        None,
        True,
    ),
    "bare": (b"HTTP/1.1 200 OK\nContent-Length : 5\n\nhello", b"hello", None, True),
    "twice the same": (OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", b"hello", None, True),
    "list of the same": (OK + b"Content-Length: 5, 5\r\n\r\nhello", b"hello", None, True),
    "two lengths": (OK + b"Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello", b"hello", None, False),
    "below zero": (OK + b"Content-Length: -1\r\n\r\nhello", b"hello", None, False),
    "no number": (OK + b"Content-Length: many\r\n\r\nhello", b"hello", None, False),
    "with a plus": (OK + b"Content-Length: +5\r\n\r\nhello", b"hello", None, True),
    "too large": (length(9) + b"hello", b"hello", "disconnect", False),
    "too large, but its page ends": (length(99) + PAGE, PAGE, None, False),
    "of the unpacked": (length(99, b"Content-Encoding: gzip") + PACKED, PACKED, None, False),
    "packed and cut": (length(99, b"Content-Encoding: gzip") + PACKED[:-6], PACKED[:-6], "disconnect", False),
    "nothing": (length(0), b"", None, True),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"", None, True),
    "hints before": (b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + length(1) + b"a", b"a", None, True),
    "chunks": (chunked(b"5", b"hello", b"1", b"!", b"0", b"", b""), b"hello!", None, True),
    "blank chunks": (chunked(b"5  ", b"hello", b"0 ", b"X: y", b"", b""), b"hello", None, True),
    "chunks and a length": (
        length(3, b"Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n",
        b"hello",
        None,
        True,
    ),
    "chunks cut": (chunked(b"5", b"hello", b"5", b"he"), b"hellohe", "disconnect", False),
    "no last chunk": (chunked(b"5", b"hello", b""), b"hello", "disconnect", False),
    "no last chunk, but its page ends": (chunked(b"%x" % len(PAGE), PAGE, b""), PAGE, None, False),
    "no blank line behind": (chunked(b"5", b"hello", b"0", b""), b"hello", None, False),
    "a chunk of nonsense": (chunked(b"5", b"hello", b"xyz", b"he"), b"hello", "unspecified", False),
    "no chunks at all": (chunked(PAGE), PAGE, None, False),
    "no chunks, one line": (chunked(b"hello"), b"hello", None, False),
    "no chunks, but a length": (length(5, b"Transfer-Encoding: chunked") + b"hello", b"hello", None, False),
    "only a size": (chunked(b"5"), b"", "disconnect", False),
    "only headers": (OK + b"A: 1\r\n", b"", "disconnect", False),
}


def read(data, step, limit=1_000_000):
    answer = Answer(limit)
    for start in range(0, len(data), step):
        if answer.is_complete:
            break
        answer.feed(data[start : start + step])
    if not answer.is_complete:
        answer.end()
    return answer


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
def test_an_answer_is_read(name, step):
    data, body, truncated, reusable = FORMS[name]
    answer = read(data, step)
    assert (bytes(answer.body), answer.truncated, answer.is_reusable) == (body, truncated, reusable)
    assert answer.is_complete


def test_what_lies_behind_a_body_is_no_part_of_it():
    answer = read(length(5) + b"hello, world", 10_000)
    assert (answer.body, answer.is_reusable) == (b"hello", False)
    answer = read(chunked(b"5", b"hello", b"0", b"", b"HTTP/1.1 "), 10_000)
    assert (answer.body, answer.is_reusable) == (b"hello", False)


@pytest.mark.parametrize(
    ("head", "body"), [(length(11), b""), (OK + b"\r\n", b"0123456789"), (chunked(b"14", b""), b"0123456789")]
)
def test_a_body_over_the_limit_is_cut_there(head, body):
    answer = read(head + b"0123456789" * 2, 3, limit=10)
    assert (answer.body, answer.truncated, answer.is_complete, answer.is_reusable) == (body, "length", True, False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "closed without an answer"),
        (b"\r\n\r\n", "closed without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "not HTTP; it begins with b'SSH-2.0"),
        (b"HTTP/1.1 yes\r\n\r\n", "no status"),
    ],
)
def test_what_is_no_answer_is_named(data, words):
    with pytest.raises(NoAnswerError, match=words):
        read(data, 5)


def test_headers_without_end_are_let_go():
    answer = Answer(10)
    answer.feed(OK + b"A: 1\r\n" * (LARGEST_HEAD // 6 - 10))
    with pytest.raises(NoAnswerError, match="headers of more than"):
        answer.feed(b"A: 1\r\n" * 20)
